"""How alike comments are: ROUGE-L, and the diversity of a discussion that SynDisco's paper reports.

ROUGE-L here is the F-measure with equal weights (Lin 2004, β = 1): with a longest common
subsequence of ``n`` words between texts of ``a`` and ``b`` words, ``2 n / (a + b)``. Words are
runs of letters, digits and underscores of any script, lower-cased, not stemmed.

One text is compared with all before it at once: the subsequences are found by bit-parallel
dynamic programming (Hyyrö 2004), with every earlier text in a field of its own of one long
integer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_COMMENTS = 1500
"""Comments compared at most: the pairs grow with the square."""
MOST_TEXTS, LONGEST, LETTERS = 200, 800, 20
"""Of whole discussions: how many, the words of each, and the letters of a word, at most."""

_WORDS = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The lower-cased words of a text."""
    return _WORDS.findall(text.lower())


class _Texts:
    """Texts that others are compared with, each in a field of its own of one long integer."""

    def __init__(self) -> None:
        self._lengths: list[int] = []
        self._bytes: list[int] = []
        """How many bytes each text's field takes; the highest bit of a field is a barrier."""
        self._places: dict[str, int] = {}
        """In which bits a word stands."""
        self._ones = 0
        """The bits of all words: the fields without their barriers and padding."""
        self._end = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def likeness(self, new: list[str]) -> list[float]:
        """ROUGE-L of ``new`` with every text so far."""
        both = zip(self._lengths, self._common(new), strict=True)
        return [2 * common / (length + len(new)) for length, common in both]

    def _common(self, new: list[str]) -> list[int]:
        """The length of the longest common subsequence with every earlier text."""
        row = ones = self._ones
        for word in new:
            if matches := self._places.get(word):
                kept = row & matches
                # A carry out of a field ends in its barrier, which is wiped here.
                row = ((row + kept) | (row - kept)) & ones
        found = (row ^ ones).to_bytes(self._end // 8, "little")
        common, start = [], 0
        for size in self._bytes:
            common.append(int.from_bytes(found[start : start + size], "little").bit_count())
            start += size
        return common

    def append(self, new: list[str]) -> None:
        """Take one more text in."""
        for place, word in enumerate(new, start=self._end):
            self._places[word] = self._places.get(word, 0) | 1 << place
        size = len(new) // 8 + 1
        self._ones |= ((1 << len(new)) - 1) << self._end
        self._lengths.append(len(new))
        self._bytes.append(size)
        self._end += 8 * size


class Diversity:
    """1 − the mean ROUGE-L over all pairs of the comments added so far.

    Comments without a word are passed over, and those after the first ``MOST``.
    """

    def __init__(self) -> None:
        self.total = 0.0
        """The sum of ROUGE-L over ``pairs`` pairs."""
        self.pairs = 0
        self.course: list[float] = []
        """The diversity after the second comment, after the third, and so on."""
        self._texts = _Texts()

    @property
    def comments(self) -> int:
        return len(self._texts)

    @property
    def is_full(self) -> bool:
        return self.comments >= MAX_COMMENTS

    @property
    def value(self) -> float | None:
        """The diversity, 0 (all the same) to 1; None before the second comment."""
        return 1 - self.total / self.pairs if self.pairs else None

    def add(self, text: str) -> None:
        """Take one more comment in."""
        new = words(text)
        if not new or self.is_full:
            return
        likeness = self._texts.likeness(new)
        self.total += sum(likeness)
        self.pairs += len(likeness)
        if self.pairs:
            self.course.append(1 - self.total / self.pairs)
        self._texts.append(new)


def distances(texts: Sequence[str]) -> list[float | None]:
    """How far each text is from the others: 1 − its mean ROUGE-L with them.

    Of each the first ``LONGEST`` words count, and of many texts the first ``MOST_TEXTS``. None
    for the others, for a text without words, and where there is nothing to compare it with.
    """
    sums, pairs = [0.0] * len(texts), [0] * len(texts)
    compared, earlier = _Texts(), list[int]()
    for number, text in enumerate(texts[:MOST_TEXTS]):
        new = words(text[: LONGEST * LETTERS])[:LONGEST]
        if not new:
            continue
        for other, likeness in zip(earlier, compared.likeness(new), strict=True):
            for each in (number, other):
                sums[each] += likeness
                pairs[each] += 1
        compared.append(new)
        earlier.append(number)
    return [1 - total / count if count else None for total, count in zip(sums, pairs, strict=True)]
