"""Which quotation marks and fences embrace a whole reply, and which belong to its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from .guard_patterns import (
    BLANK,
    BLANK_AFTER_MARK,
    EMPTY_QUOTES,
    OPENING,
    QUOTE,
    QUOTES,
    end_of,
    reversed_tail,
)

MOST_LAYERS = 8
"""Marks one inside the other that are taken off; more are no quotation."""
MOST_MARKS = 1000
"""Marks within a reply that are matched; a reply with more of them keeps them all."""
MOST_BACKSLASHES = 64
"""Backslashes before a quotation mark that are passed over."""
TAIL = 256
"""Characters at the end of a growing reply in which closing marks are looked for."""
_BEFORE_AN_OPENING_MARK = frozenset("([{-—:*")


@dataclass(frozen=True)
class Opening:
    """A quotation mark or a fence before the first word of a reply."""

    start: int
    is_fence: bool


def openings(text: str, start: int) -> tuple[list[Opening], int]:
    """What is opened at ``start``, the outermost first, and where the words begin.

    Empty quotation marks and white space are passed over, written-out line breaks too.
    """
    found: list[Opening] = []
    blank, position = (BLANK_AFTER_MARK if start else BLANK), start
    while True:
        position = end_of(blank, text, position)
        if match := EMPTY_QUOTES.match(text, position):
            position = match.end()
        elif match := OPENING.match(text, position):
            if len(found) == MOST_LAYERS:
                return [], found[0].start
            found.append(Opening(position, match["fence"] is not None))
            blank, position = BLANK_AFTER_MARK, match.end()
        else:
            return found, position


def tail_start(text: str, start: int, end: int, opened: str, *, complete: bool) -> int:
    """Where the marks and the white space begin that end ``text[start:end]``.

    Which these may be follows from the marks in ``opened``.
    """
    pattern = reversed_tail(opened)
    size = TAIL
    while True:
        first = max(start, end - size)
        length = end_of(pattern, text[first:end][::-1])
        if length < end - first or first == start or not complete:
            return end - length
        size *= 4


class MarkCount:
    """Counts how the quotation marks of a growing reply pair up, from ``start`` on."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._counted_to = start
        self._total = 0
        self._depth = 0
        """Marks that are open."""
        self._outer = 0
        """Marks that close what was opened before ``start``."""

    def count(self, text: str, end: int) -> None:
        """Count on up to ``end``; the marks after it may close the whole."""
        if end <= self._counted_to or self._total > MOST_MARKS:
            return
        for mark in QUOTE.finditer(text, self._counted_to, end):
            self._total += 1
            if self._total > MOST_MARKS:
                return
            before = self._before(text, mark.start())
            may_open = before.isspace() or before in _BEFORE_AN_OPENING_MARK
            if mark[0] in "„«" or (mark[0] in '"“' and may_open):
                self._depth += 1
            elif self._depth:
                self._depth -= 1
            else:
                self._outer += 1
        self._counted_to = end

    def _before(self, text: str, position: int) -> str:
        """The character before a mark, backslashes aside; a blank before the first word."""
        first = max(self._start, position - MOST_BACKSLASHES)
        return text[first:position].rstrip("\\")[-1:] or " "

    def bounds(
        self,
        text: str,
        opened: Sequence[Opening],
        tail: int,
        end: int,
        dropped: str,
        *,
        is_whole: bool,
    ) -> tuple[int, int]:
        """Start and end of the words in ``text[:end]``, without the marks that embrace them.

        Args:
            text: the reply, counted up to ``tail``.
            opened: what its words were opened with.
            tail: where the marks at its end begin.
            end: where the reply ends, or goes on as somebody else.
            dropped: headers and marks that came before ``opened``.
            is_whole: whether all that was opened should be closed by now.
        """
        first = opened[0].start if opened else self._start
        if self._total > MOST_MARKS:
            return first, end
        fences = [each for each in opened if each.is_fence]
        if fences and "```" not in text[tail:end]:
            return fences[0].start, end
        quotes = [each for each in opened if not each.is_fence]
        closing = sum(text.count(mark, tail, end) for mark in QUOTES)
        within = min(self._depth, closing)
        are_closed = closing > within
        own = min(self._outer, len(quotes))
        if not are_closed and is_whole and self._total and len(quotes) > own:
            own = len(quotes)  # nothing closes them, and they may mean one of the marks within
        around = len(quotes) - own
        start = quotes[around].start if own else self._start
        embraced = bool(around or any(mark in dropped for mark in "\"“„«'"))
        if embraced or (not are_closed and (dropped or fences)):
            end = (
                next(islice(QUOTE.finditer(text, tail), within - 1, None)).end() if within else tail
            )
        return start, end
