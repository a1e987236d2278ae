"""What the guard looks for in a reply: headers of posts, quotation marks, written-out line breaks.

Every pattern takes a time linear in the text: those that repeat alternatives end with the
repetition, so that they never backtrack. (Possessive quantifiers would say so, but the first
releases of Python 3.11 get them wrong.)
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .names import name_key, name_pattern, name_spellings

QUOTES = '"“”„«»'
SILENCE = re.compile(rf"(?:[\s{QUOTES}'‘’`\\]+|(?<=\\)[nrt])*")
"""White space, quotation marks and written-out line breaks."""
SILENT_CHARACTERS = string.whitespace + QUOTES + "'‘’`\\nrt"
BLANK = re.compile(r"(?:\s+|\\+[nrt](?![a-z]))*")
BLANK_AFTER_MARK = re.compile(r"(?:\s+|\\+[nrt])*")
EMPTY_QUOTES = re.compile(r"(?:\"\"\s+)+|(?:\"\"|“”|\\\"\\\")(?:\s|\\+n)+")
EMPTY_QUOTES_ANYWHERE = re.compile(r"\"(?:\s{0,8}\\{0,8})\"|“\s{0,8}”")
OPENING = re.compile(r"\\*[\"“„«]|(?P<fence>```\w*[ \t]*(?:\n|\\n))")
QUOTE = re.compile(rf"[{QUOTES}]")
MARKS = re.compile(rf"[{QUOTES}']|```")
FRONT_MARKS = re.compile(rf"(?:[\s{QUOTES}'‘’\\]+|(?<=\\)[nrt]|```\w*)*")
"""What may come before and between headers."""

_MORE_ENDS = {"'": "'’", "„": "“", "»": "«"}

_GAP = r"\s{1,8}"
_COLON = r"(?:\s{0,8}:|\s{0,8}\Z)"
_NOTHING = r"(?!)"


def end_of(pattern: re.Pattern[str], text: str, start: int = 0) -> int:
    """Where ``pattern``, which also matches nothing, ends in ``text`` from ``start`` on."""
    match = pattern.match(text, start)
    assert match is not None
    return match.end()


@dataclass(frozen=True)
class HeaderPatterns:
    """Headers of posts: ``User NAME posted:``, ``Comment by user NAME:``, ``NAME:``.

    ``marks`` may come before a header. ``header`` has the groups ``own`` for the speaker's,
    ``posted`` for another's in the form of the prompts, and ``bare`` for another's name alone.
    ``next_post`` is a later line that begins a post, with the groups ``posted`` (the speaker's own,
    too) and ``bare``.
    """

    marks: re.Pattern[str]
    header: re.Pattern[str]
    next_post: re.Pattern[str]
    _name: re.Pattern[str]
    _names: dict[str, str]
    _needles: tuple[str, ...]
    """Every header contains one of these."""

    def posts(self, text: str, start: int) -> Iterator[re.Match[str]]:
        """The headers of later posts in ``text`` from ``start`` on."""
        if any(text.find(needle, start) >= 0 for needle in self._needles):
            return self.next_post.finditer(text, start)
        return iter(())

    def name_in(self, header: str) -> str:
        """The name in a header."""
        match = self._name.match(header)
        return self._names[name_key(match["name"])] if match else ""


@lru_cache(maxsize=64)
def reversed_tail(opened: str) -> re.Pattern[str]:
    """The end of a reply, read backwards: marks that may close those of ``opened``."""
    marks = r"\s\"”»\\" + "".join(ends for start, ends in _MORE_ENDS.items() if start in opened)
    fences = "|```" if "```" in opened else ""
    return re.compile(rf"(?:[{marks}]+|[nrt](?=\\){fences})*")


@lru_cache(maxsize=512)
def header_patterns(speaker: str, others: tuple[str, ...]) -> HeaderPatterns:
    """The headers in replies of ``speaker`` where ``others`` take part or have spoken."""
    everybody = (speaker, *others)
    foreign = name_pattern(others) if others else _NOTHING
    any_user = rf"(?:User|Comment{_GAP}by{_GAP}user){_GAP}@?"
    own_name = rf"(?:{name_pattern([speaker])})"
    own = rf"(?i:(?:{any_user}{own_name}|@?{own_name})(?:{_GAP}posted)?\s{{0,8}}:)"
    posted, bare = _posted(foreign), rf"(?:User{_GAP})?(?:{foreign}):(?=[\s\"“\\]|\Z)"
    header = rf"(?P<own>{own})|(?P<posted>{posted})|(?P<bare>{bare})"
    marks = FRONT_MARKS
    if any(end_of(FRONT_MARKS, name) for name in everybody):
        no_header = rf"(?!{own}|{posted}|{bare})"
        marks = re.compile(rf"(?:{no_header}(?:[\s{QUOTES}'‘’]|\\[nrt]?|```\w*))*")
    line_start = r"(?:\n|\\n)[ \t]{0,8}\\{0,8}[\"“]?"
    next_post = rf"{line_start}(?:(?P<posted>{_posted(name_pattern(everybody))})|(?P<bare>{bare}))"
    return HeaderPatterns(
        marks=marks,
        header=re.compile(header),
        next_post=re.compile(next_post),
        _name=re.compile(rf"(?i:{any_user})?@?(?P<name>(?i:{name_pattern(everybody)}))"),
        _names={name_key(name): name for name in reversed(everybody)},
        _needles=("posted", "Comment", *(f"{name}:" for name in name_spellings(others))),
    )


def _posted(names: str) -> str:
    """A header in the form in which prompts quote posts."""
    user = rf"User{_GAP}@?(?:{names}){_GAP}posted{_COLON}"
    return rf"(?:{user}|Comment{_GAP}by{_GAP}user{_GAP}@?(?:{names})\s{{0,8}}:)"
