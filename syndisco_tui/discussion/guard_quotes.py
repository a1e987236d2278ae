"""Which quotation marks and code fences enclose a whole reply, and which belong to its words."""

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

MAX_LAYERS = 8
"""Nested marks around a reply that are removed; more are no quotation."""
MAX_MARKS = 1000
"""A reply with more marks than this keeps them all."""
MAX_BACKSLASHES = 64
"""Backslashes before a quotation mark that are skipped."""
_BEFORE_AN_OPENING_MARK = frozenset("([{-—:*")


@dataclass(frozen=True)
class Opening:
    """A quotation mark or a code fence before the first word of a reply."""

    start: int
    is_fence: bool


def openings(text: str, start: int) -> tuple[list[Opening], int]:
    """What opens at ``start``, the outermost first, and the position of the first word.

    Empty quotation marks and white space are skipped, as are written-out line breaks.
    """
    opened: list[Opening] = []
    blank, position = (BLANK_AFTER_MARK if start else BLANK), start
    while True:
        position = end_of(blank, text, position)
        if match := EMPTY_QUOTES.match(text, position):
            position = match.end()
        elif match := OPENING.match(text, position):
            if len(opened) == MAX_LAYERS:
                return [], opened[0].start
            opened.append(Opening(position, match["fence"] is not None))
            blank, position = BLANK_AFTER_MARK, match.end()
        else:
            return opened, position


def enclosed_range(
    text: str,
    start: int,
    end: int,
    opened: Sequence[Opening],
    *,
    removed: str,
    marks_before: str,
    is_whole: bool,
) -> tuple[int, int]:
    """Start and end of the words in ``text[:end]``, without the marks that enclose them.

    Args:
        text: the reply.
        start: position of the first word.
        end: where the reply ends, or continues in somebody else's name.
        opened: the marks that open before the first word.
        removed: headers and marks that come before ``opened``.
        marks_before: the different marks before the first word.
        is_whole: whether everything that was opened should be closed by ``end``.
    """
    tail = end - end_of(reversed_tail(marks_before), text[start:end][::-1])
    first = opened[0].start if opened else start
    marks = _unpaired_marks(text, start, tail)
    if marks is None:
        return first, end
    fences = [each for each in opened if each.is_fence]
    if fences and "```" not in text[tail:end]:
        return fences[0].start, end
    quotes = [each for each in opened if not each.is_fence]
    closing = sum(text.count(mark, tail, end) for mark in QUOTES)
    closing_inner = min(marks.open, closing)
    is_closed = closing > closing_inner
    closed_within = min(marks.surplus, len(quotes))
    if not is_closed and is_whole and marks.total and len(quotes) > closed_within:
        closed_within = len(quotes)  # nothing closes them: they may belong to a mark within
    enclosing = len(quotes) - closed_within
    words_start = quotes[enclosing].start if closed_within else start
    is_enclosed = bool(enclosing or any(mark in removed for mark in "\"“„«'"))
    if is_enclosed or (not is_closed and (removed or fences)):
        if closing_inner:
            last_inner = next(islice(QUOTE.finditer(text, tail), closing_inner - 1, None))
            return words_start, last_inner.end()
        return words_start, tail
    return words_start, end


@dataclass(frozen=True)
class _Marks:
    """The quotation marks of a stretch of text: ``open`` ones lack their partner after it,
    ``surplus`` ones close what was opened before it."""

    total: int
    open: int
    surplus: int


def _unpaired_marks(text: str, start: int, end: int) -> _Marks | None:
    """The unpaired quotation marks of ``text[start:end]``; None if there are too many."""
    total = depth = surplus = 0
    for mark in QUOTE.finditer(text, start, end):
        total += 1
        if total > MAX_MARKS:
            return None
        before = text[max(start, mark.start() - MAX_BACKSLASHES) : mark.start()]
        previous = before.rstrip("\\")[-1:] or " "
        may_open = previous.isspace() or previous in _BEFORE_AN_OPENING_MARK
        if mark[0] in "„«" or (mark[0] in '"“' and may_open):
            depth += 1
        elif depth:
            depth -= 1
        else:
            surplus += 1
    return _Marks(total, depth, surplus)
