"""Reduces what a model returned to what the persona said.

Models echo the prompt's ``User NAME posted:``, put replies in quotation marks, JSON or control
tokens, write ``""`` for nothing, and continue in somebody else's name. The guard removes these and
changes nothing else. If it may have removed words, or the remaining words are hardly the persona's,
it adds marks for a person to look at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .guard_patterns import (
    EMPTY_QUOTES_ANYWHERE,
    QUOTATION_MARKS,
    SILENCE,
    SILENT_CHARACTERS,
    HeaderPatterns,
    end_of,
    header_patterns,
)
from .guard_posts import NamedLine, end_of_own_words
from .guard_quotes import enclosed_range, openings
from .guard_wrappers import Unwrapped, unwrapped, without_control_tokens, without_emphasis
from .languages import Languages, languages_of
from .marks import Mark, MarkKind
from .out_of_persona import says_silence, silence_key, suspicions

_SINGLE_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
MAX_HEADERS = 1000
"""Headers at the start of a reply that are removed."""
MAX_LAYERS = 8
"""Nested wrappings (JSON in a quotation in JSON …) that are removed."""


@dataclass(frozen=True)
class GuardResult:
    """``text`` is what the speaker said; an empty text is a silence.

    ``marks`` has at most one of each kind.
    """

    text: str
    marks: tuple[Mark, ...] = ()


def clean(raw: str, speaker: str, others: Sequence[str] = (), *, complete: bool = True) -> str:
    """What ``speaker`` said in the reply ``raw``; an empty text is a silence.

    ``Guard.read`` also returns the marks.

    Args:
        raw: what the model returned.
        speaker: the name of the participant who was asked.
        others: the names of all others who take part or have spoken.
        complete: False for a reply that still grows or was cut at the token limit.
    """
    return Guard(speaker, others).words(raw, complete=complete)


def is_silence(text: str) -> bool:
    """Whether ``text`` is empty, white space, or only quotation marks."""
    could_be = not text.lstrip(SILENT_CHARACTERS)  # quick, and decides for nearly every text
    return could_be and end_of(SILENCE, text) == len(text)


@dataclass(frozen=True)
class Guard:
    """Reads replies of ``speaker``; ``others`` may be named as the authors of further posts.

    ``silence_words`` are replies that count as a silence. ``languages`` are those of the
    discussion; None means Latin script and the scripts of the names. If ``is_on`` is false, only
    silences are recognized.
    """

    speaker: str
    others: Sequence[str] = ()
    is_on: bool = True
    silence_words: Sequence[str] = ()
    languages: Languages | None = None

    def read(self, raw: str, *, complete: bool = False) -> GuardResult:
        """The speaker's words in the reply ``raw`` and its marks, in a time linear in its length.

        A reply that is not ``complete`` still grows or was cut, so that an opening quotation mark
        may lack its partner.
        """
        text, marks = self._read_layers(raw, complete=complete)
        if not text or self._is_silent(text):
            return GuardResult("", tuple(marks))
        if self.is_on:
            if says_silence(text, self.speaker):
                marks.append(Mark("silence_words"))
            marks += map(Mark, suspicions(text, self._languages))
        return GuardResult(text, tuple(marks))

    def words(self, raw: str, *, complete: bool = False) -> str:
        """The speaker's words in ``raw``; faster than ``read``, for a reply that still grows."""
        text, _ = self._read_layers(raw, complete=complete)
        return "" if self._is_silent(text) else text

    @cached_property
    def _languages(self) -> Languages:
        return self.languages or languages_of(("a", self.speaker, *self.others))

    def _is_silent(self, text: str) -> bool:
        keys = {silence_key(words) for words in self.silence_words}
        return bool(keys) and silence_key(text) in keys

    def _read_layers(self, raw: str, *, complete: bool) -> tuple[str, list[Mark]]:
        """The speaker's words without headers and wrappers, and marks for other speakers' words."""
        if is_silence(raw) or not self.is_on:
            return "" if is_silence(raw) else raw.strip(), []
        names = (self.speaker, *self.others)
        patterns = header_patterns(self.speaker, tuple(self.others))
        names_by_kind: dict[MarkKind, str] = {}
        text = raw
        for _ in range(MAX_LAYERS):
            before = text
            bare = without_control_tokens(text, names)
            self._note(bare, names_by_kind)
            complete = complete and "left_out" not in names_by_kind
            text = without_emphasis(bare.text, patterns)
            text, speaks_as, went_on_as = _read_posts(text, patterns, complete=complete)
            if speaks_as:
                names_by_kind.setdefault("speaks_as", speaks_as)
            if went_on_as:
                names_by_kind.setdefault("left_out", went_on_as)
                complete = False
            if content := unwrapped(text, names, complete=complete):
                self._note(content, names_by_kind)
                text = content.text
            if text == before or not text:
                break
        return text, [Mark(kind, name) for kind, name in names_by_kind.items()]

    def _note(self, content: Unwrapped, names_by_kind: dict[MarkKind, str]) -> None:
        if content.name and content.name != self.speaker:
            names_by_kind.setdefault("speaks_as", content.name)
        if content.went_on:
            names_by_kind.setdefault("left_out", content.next_name)


def _read_posts(text: str, patterns: HeaderPatterns, *, complete: bool) -> tuple[str, str, str]:
    """The words of the first post in ``text``, without its header and quotation marks.

    Also returns the other participant whose header begins the text, and the name in which the text
    continues, which may be the speaker's own. Both may be empty.
    """
    if is_silence(text):
        return "", "", ""
    start, header, own_end = _leading_headers(text, patterns)
    speaks_as, first_line = "", None
    if header is not None and header.lastgroup != "own":
        speaks_as = patterns.name_in(header.group())
        if EMPTY_QUOTES_ANYWHERE.search(text, own_end, header.start()):
            return "", "", speaks_as
        if header.lastgroup == "bare":  # it may address somebody, so the name is not removed
            first_line = NamedLine(header.start(), header.end(), speaks_as)
            start = header.start()
    opened, body = openings(text, start)
    end, went_on_as = end_of_own_words(text, body, patterns, first_line, complete=complete)
    if _is_silent(text, body, end):
        return "", "", went_on_as
    words_start, words_end = enclosed_range(
        text,
        body,
        end,
        opened,
        removed=text[:start],
        marks_before="".join(sorted(set(QUOTATION_MARKS.findall(text, 0, body)))),
        is_whole=complete and not went_on_as,
    )
    words = text[words_start:words_end].strip()
    return (_without_single_quotes(words) if start else words), speaks_as, went_on_as


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
