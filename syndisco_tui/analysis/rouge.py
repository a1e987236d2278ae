"""How similar comments are: ROUGE-L, and the diversity of a discussion as SynDisco's paper has it.

ROUGE-L here is the F-measure with equal weights (Lin 2004, β = 1): with a longest common
subsequence of ``n`` words between texts of ``a`` and ``b`` words, ``2 n / (a + b)``. Words are
runs of letters, digits and underscores of any script, lower-cased, not stemmed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_COMMENTS = 1500
"""Comments that are compared: the pairs grow with the square."""
MAX_DISCUSSIONS, MAX_DISCUSSION_WORDS = 200, 800
"""Discussions that are compared, and words of each."""
_WORD_CHARACTERS = 20
"""Characters of a discussion's text that are looked at, per word."""

_WORDS = re.compile(r"\w+")
_FIRST_CHARACTER, _CHARACTERS = 0x10000, 0x100000


def words(text: str) -> list[str]:
    """The lower-cased words of a text."""
    return _WORDS.findall(text.lower())


class _Corpus:
    """Texts with which others are compared.

    A text is held as a string of one character a word, on which rapidfuzz is fastest.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._characters: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, words: Sequence[str]) -> list[float]:
        """Add a text. Returns its ROUGE-L with every earlier one."""
        from rapidfuzz import process  # not before the first paint
        from rapidfuzz.distance import LCSseq

        new = "".join(map(self._character, words))
        earlier = self._texts
        self._texts = [*earlier, new]
        if not earlier:
            return []
        common = process.cdist([new], earlier, scorer=LCSseq.similarity)[0].tolist()
        pairs = zip(common, earlier, strict=True)
        return [2 * count / (len(text) + len(new)) for count, text in pairs]

    def _character(self, word: str) -> str:
        number = len(self._characters) % _CHARACTERS
        return self._characters.setdefault(word, chr(_FIRST_CHARACTER + number))


class Diversity:
    """1 − the mean ROUGE-L over all pairs of the comments added so far.

    Comments without a word do not count, nor do those after the first ``MAX_COMMENTS``.
    """

    def __init__(self) -> None:
        self.total = 0.0
        """The sum of ROUGE-L over ``pairs`` pairs."""
        self.pairs = 0
        self.course: list[float] = []
        """The diversity after the second comment, after the third, and so on."""
        self._corpus = _Corpus()

    @property
    def comments(self) -> int:
        """How many comments are compared."""
        return len(self._corpus)

    @property
    def is_full(self) -> bool:
        """Whether further comments do not count."""
        return self.comments >= MAX_COMMENTS

    @property
    def value(self) -> float | None:
        """The diversity, from 0 (all alike) to 1; None before the second comment."""
        return 1 - self.total / self.pairs if self.pairs else None

    def add(self, text: str) -> None:
        """Compare one more comment with those before it."""
        comment = words(text)
        if not comment or self.is_full:
            return
        similarities = self._corpus.add(comment)
        self.total += sum(similarities)
        self.pairs += len(similarities)
        if self.pairs:
            self.course.append(1 - self.total / self.pairs)


def distances(texts: Sequence[str]) -> list[float | None]:
    """How far each text is from the others: 1 − its mean ROUGE-L with them.

    Only the first ``MAX_DISCUSSION_WORDS`` of the first ``MAX_DISCUSSIONS`` texts are compared.
    The distance is None for the other texts, for a text without words, and if it is the only one.
    """
    sums, pairs = [0.0] * len(texts), [0] * len(texts)
    corpus, compared = _Corpus(), list[int]()
    for number, text in enumerate(texts[:MAX_DISCUSSIONS]):
        beginning = words(text[: MAX_DISCUSSION_WORDS * _WORD_CHARACTERS])[:MAX_DISCUSSION_WORDS]
        if not beginning:
            continue
        for other, similarity in zip(compared, corpus.add(beginning), strict=True):
            for each in (number, other):
                sums[each] += similarity
                pairs[each] += 1
        compared.append(number)
    return [1 - total / count if count else None for total, count in zip(sums, pairs, strict=True)]
