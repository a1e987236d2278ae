"""What a model said → what the persona said.

Models echo the prompt's ``User NAME posted:``, wrap replies in quotation marks, say ``""`` for
nothing, and go on as somebody else. The guard takes these off and changes nothing else; where
words may be lost with them, it says in whose name they were.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .guard_marks import MarkCount, openings, tail_start
from .guard_patterns import (
    EMPTY_QUOTES_ANYWHERE,
    MARKS,
    SILENCE,
    SILENT_CHARACTERS,
    HeaderPatterns,
    end_of,
    header_patterns,
)
from .guard_turns import Entry, OtherTurns

_SINGLE_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
MOST_HEADERS = 1000
"""Headers at the start of a reply that are taken off."""
_SLOWLY = 16
"""A growing reply of nothing but marks is looked at again when it is a 16th longer."""


@dataclass(frozen=True)
class GuardResult:
    """``text`` is what is posted; empty, it is a silence.

    ``speaks_as``: another participant whose header the reply begins with. ``went_on_as``: in
    whose name, perhaps the speaker's own, further posts were written that are left out.
    """

    text: str
    speaks_as: str = ""
    went_on_as: str = ""


def clean(raw: str, speaker: str, others: Sequence[str] = (), *, complete: bool = True) -> str:
    """The words of ``speaker`` in the reply ``raw``; an empty string is a silence.

    ``others`` are the other participants: text that goes on in their name is left out.
    ``complete`` is False for a reply that is still growing or was cut: a quotation mark that
    opens it may then be without its partner.
    """
    return Guard(speaker, others).read(raw, complete=complete).text


def is_silence(text: str) -> bool:
    """Whether ``text`` says nothing: it is empty, white space, or only quotation marks."""
    could_be = not text.lstrip(SILENT_CHARACTERS)  # quick, and enough for nearly every text
    return could_be and end_of(SILENCE, text) == len(text)


@dataclass
class Guard:
    """Reads one reply of ``speaker``, again and again while it grows.

    Each ``read`` looks at what has been added since the one before: a reply takes a time that is
    linear in its length, into however many pieces it comes.
    """

    speaker: str
    others: Sequence[str]
    _start: _Start | None = None
    _next_look: int = 0
    _patterns: HeaderPatterns = field(init=False)

    def __post_init__(self) -> None:
        self._patterns = header_patterns(self.speaker, tuple(self.others))

    def read(self, raw: str, *, complete: bool = False) -> GuardResult:
        """What is said in ``raw``, which begins with what was read before."""
        start = self._start
        if start is None:
            if not complete and len(raw) < self._next_look:
                return GuardResult("")
            if is_silence(raw):
                self._next_look = len(raw) + len(raw) // _SLOWLY
                return GuardResult("")
            start = _Start(raw, self._patterns)
            if len(raw) - start.body > self._patterns.longest:
                self._start = start  # more text cannot change how it begins
            elif start.body > self._patterns.longest:
                self._next_look = len(raw) + start.body // _SLOWLY
        return start.read(raw, complete)


class _Start:
    """How a reply begins, and what has been read of the words after that."""

    def __init__(self, raw: str, patterns: HeaderPatterns) -> None:
        start, last, own_end = _headers(raw, patterns)
        first = None
        self._speaks_as = ""
        self._is_silent = False
        if last is not None and last.lastgroup != "own":
            self._speaks_as = patterns.name_in(last.group())
            empty = EMPTY_QUOTES_ANYWHERE.search(raw, own_end, last.start())
            self._is_silent = empty is not None
            if last.lastgroup == "bare":  # it may as well address somebody, so the name stays
                first = Entry(last.start(), last.end(), self._speaks_as)
                start = last.start()
        self._dropped = raw[:start]
        self._opened, self.body = openings(raw, start)
        marks = MARKS.findall(raw, 0, self.body)
        self._marks_before = "".join(sorted(set(marks)))
        self._marks = MarkCount(self.body)
        self._silent_to = self.body
        self._others = OtherTurns(patterns, self.body, first)

    def read(self, raw: str, complete: bool) -> GuardResult:
        """What is said in ``raw``, which may have grown since."""
        if self._is_silent:
            return GuardResult("", went_on_as=self._speaks_as)
        end, went_on_as = self._others.end(raw, complete)
        tail = tail_start(raw, self.body, end, self._marks_before, complete=complete)
        self._marks.count(raw, tail)
        is_whole = complete and not went_on_as
        start, end = self._marks.bounds(
            raw, self._opened, tail, end, self._dropped, is_whole=is_whole
        )
        if not self._has_words(raw, end):
            return GuardResult("", went_on_as=went_on_as)
        text = raw[start:end].strip()
        if self._dropped:
            text = _without_single_quotes(text)
        return GuardResult(text, self._speaks_as, went_on_as)

    def _has_words(self, raw: str, end: int) -> bool:
        """Whether anything but marks stands before ``end``."""
        if self._silent_to < end:
            self._silent_to = end_of(SILENCE, raw, self._silent_to)
            if self._silent_to > self.body and raw[self._silent_to - 1] == "\\":
                self._silent_to -= 1  # a line break may be half written
        return raw[self._silent_to : end].strip("\\") != ""


def _headers(raw: str, patterns: HeaderPatterns) -> tuple[int, re.Match[str] | None, int]:
    """Where the headers at the start end, the last of them, and where the speaker's own end."""
    end, own_end = 0, 0
    last: re.Match[str] | None = None
    for _ in range(MOST_HEADERS):
        header = patterns.header.match(raw, end_of(patterns.marks, raw, end))
        if header is None:
            break
        last, end = header, header.end()
        if header.lastgroup == "own":
            own_end = end
    return end, last, own_end


def _without_single_quotes(text: str) -> str:
    """``text`` without the single quotation marks around all of it, which may be apostrophes."""
    if len(text) > 2 and text[0] == text[-1] == "'" and not _SINGLE_QUOTE.search(text, 1, -1):
        return text[1:-1].strip()
    return text
