"""From what a model returned to what the persona said.

Models echo the prompt's ``User NAME posted:``, put replies in quotation marks, write ``""`` for
nothing, and continue in somebody else's name. The guard removes these and changes nothing else.
Where it may have removed words, its result says in whose name they were.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .guard_marks import enclosed_range, openings
from .guard_patterns import (
    EMPTY_QUOTES_ANYWHERE,
    MARKS,
    SILENCE,
    SILENT_CHARACTERS,
    HeaderPatterns,
    end_of,
    header_patterns,
)
from .guard_posts import NamedLine, end_of_own_words

_SINGLE_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
MAX_HEADERS = 1000
"""Headers at the start of a reply that are removed."""


@dataclass(frozen=True)
class GuardResult:
    """``text`` is what the speaker said; an empty text is a silence.

    ``speaks_as`` is another participant with whose header the reply begins. ``went_on_as`` is
    the name, perhaps the speaker's own, of a further post in the reply, which is left out.
    """

    text: str
    speaks_as: str = ""
    went_on_as: str = ""


def is_silence(text: str) -> bool:
    """Whether ``text`` is empty, white space, or only quotation marks."""
    could_be = not text.lstrip(SILENT_CHARACTERS)  # quick, and decides for nearly every text
    return could_be and end_of(SILENCE, text) == len(text)


@dataclass(frozen=True)
class Guard:
    """Reads replies of ``speaker``; ``others`` may be named as the authors of further posts."""

    speaker: str
    others: Sequence[str]

    def read(self, raw: str, *, complete: bool = False) -> GuardResult:
        """The speaker's words in the reply ``raw``, in a time linear in its length.

        A reply that is not ``complete`` still grows or was cut, so that an opening quotation mark
        may lack its partner.
        """
        if is_silence(raw):
            return GuardResult("")
        patterns = header_patterns(self.speaker, tuple(self.others))
        start, header, own_end = _leading_headers(raw, patterns)
        speaks_as, first_line = "", None
        if header is not None and header.lastgroup != "own":
            speaks_as = patterns.name_in(header.group())
            if EMPTY_QUOTES_ANYWHERE.search(raw, own_end, header.start()):
                return GuardResult("", went_on_as=speaks_as)
            if header.lastgroup == "bare":  # it may address somebody, so the name is not removed
                first_line = NamedLine(header.start(), header.end(), speaks_as)
                start = header.start()
        opened, body = openings(raw, start)
        end, went_on_as = end_of_own_words(raw, body, patterns, first_line, complete=complete)
        if _is_silent(raw, body, end):
            return GuardResult("", went_on_as=went_on_as)
        text_start, text_end = enclosed_range(
            raw,
            body,
            end,
            opened,
            removed=raw[:start],
            marks_before="".join(sorted(set(MARKS.findall(raw, 0, body)))),
            is_whole=complete and not went_on_as,
        )
        text = raw[text_start:text_end].strip()
        return GuardResult(_without_single_quotes(text) if start else text, speaks_as, went_on_as)


def _leading_headers(raw: str, patterns: HeaderPatterns) -> tuple[int, re.Match[str] | None, int]:
    """The end of the headers at the start, the last of them, and the end of the speaker's own."""
    end, own_end = 0, 0
    last: re.Match[str] | None = None
    for _ in range(MAX_HEADERS):
        header = patterns.header.match(raw, end_of(patterns.marks, raw, end))
        if header is None:
            break
        last, end = header, header.end()
        if header.lastgroup == "own":
            own_end = end
    return end, last, own_end


def _is_silent(raw: str, start: int, end: int) -> bool:
    """Whether ``raw[start:end]`` holds nothing but marks."""
    silent_to = end_of(SILENCE, raw, start)
    if silent_to > start and raw[silent_to - 1] == "\\":
        silent_to -= 1  # a line break may be half written
    return not raw[silent_to:end].strip("\\")


def _without_single_quotes(text: str) -> str:
    """``text`` without single quotation marks around all of it; others may be apostrophes."""
    if len(text) > 2 and text[0] == text[-1] == "'" and not _SINGLE_QUOTE.search(text, 1, -1):
        return text[1:-1].strip()
    return text
