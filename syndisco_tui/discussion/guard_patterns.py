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
QUOTATION_MARKS = re.compile(rf"[{QUOTES}']|```")
TOKEN = (
    r"(?:<\|[A-Za-z_0-9]{1,40}\|>|<｜[^｜<>\n]{1,40}｜>|</?s>|\[/?INST\]|</?INST>"
    r"|<(?:(?:end|start)_of_turn|eos|bos|pad|unk|eot_id|im_end|im_start)>)"
)
"""A control token of a chat template, written out."""
ROLE = "(?:assistant|model)"
"""A chat template's name of who replies."""
_BETWEEN = rf"```\w*|(?i:{ROLE})[ \t]{{0,8}}\n|{TOKEN}"
FRONT_MARKS = re.compile(rf"(?:[\s{QUOTES}'‘’\\]+|(?<=\\)[nrt]|{_BETWEEN})*")
"""What may come before and between headers."""

_MORE_ENDS = {"'": "'’", "„": "“", "»": "«"}

_GAP = r"\s{1,8}"
_COLON = r"(?:\s{0,8}:|\s{0,8}\Z)"
_NOTHING = r"(?!)"
_ANY_USER = rf"(?:User|Comment{_GAP}by{_GAP}user){_GAP}"
_ABOUT = r"(?:[ ]{0,4}[(\[][^()\[\]\n]{0,80}[)\]])?"
"""What may be told of the author: age, employment, a time."""
_VERB = (
    "(?:posted|posts|says|said|writes|wrote|replies|replied|responds|responded|comments|commented"
    "|answers|answered)"
)
_POST = "(?:comment|response|reply|message|post|answer|turn)"


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
    own_name = name_pattern([speaker])
    own = f"(?i:{_own(own_name)})"
    posted, bare = _posted(foreign), _bare(foreign)
    header = rf"(?P<own>{own})|(?P<posted>{posted})|(?P<bare>{bare})"
    marks = FRONT_MARKS
    if any(end_of(FRONT_MARKS, name) for name in everybody):
        no_header = rf"(?!{own}|{posted}|{bare})"
        marks = re.compile(rf"(?:{no_header}(?:[\s{QUOTES}'‘’]|\\[nrt]?|```\w*))*")
    line_start = r"(?:\n|\\n)[ \t]{0,8}\\{0,8}[\"“]?"
    next_bare = rf"{bare}|@(?:{foreign}):(?=[\s\"“\\]|\Z)"
    next_post = (
        rf"{line_start}(?:(?P<posted>{_posted(name_pattern(everybody))})|(?P<bare>{next_bare}))"
    )
    name = rf"(?i:[*_#\[<\s]{{0,8}}(?:{_ANY_USER})?)@?(?P<name>(?i:{name_pattern(everybody)}))"
    return HeaderPatterns(
        marks=marks,
        header=re.compile(header),
        next_post=re.compile(next_post),
        _name=re.compile(name),
        _names={name_key(name): name for name in reversed(everybody)},
        _needles=("posted", "Comment", *name_spellings(others)),
    )


def _own(name: str) -> str:
    """The speaker's header in any form, or the words with which a prompt asks for the reply."""
    author = rf"(?:{_ANY_USER})?@?(?:{name}){_ABOUT}"
    posted = rf"{author}(?:{_GAP}{_VERB})?"
    asked = (
        rf"(?:your|my|(?:{name})['’]s){_GAP}{_POST}"
        rf"|{_POST}{_GAP}(?:of|from|by){_GAP}(?:user{_GAP})?@?(?:{name})"
    )
    alone = rf"(?:\*\*|__)(?:{name})(?:\*\*|__)|\#{{1,6}}{_GAP}(?:{name})"
    return rf"{_emphasized(rf'(?:{posted}|{asked})')}|(?:{alone})[ \t]{{0,8}}\n"


def _bare(names: str) -> str:
    """Another's name as a header, in any form that is not how prompts quote posts."""
    followed = r"(?=[\s\"“\\]|\Z)"
    author = rf"(?:User{_GAP})?(?:{names})"
    alone = rf"(?:\*\*|__)(?:{names})(?:\*\*|__)|\#{{1,6}}{_GAP}(?:{names})"
    return (
        rf"(?:{author}:|{author}[ ]{{0,4}}\([^()\n]{{1,80}}\):|{_emphasized(author, plain=False)})"
        rf"{followed}|(?:{alone})[ \t]{{0,8}}(?=\n)"
    )


def _emphasized(author: str, *, plain: bool = True) -> str:
    """``author`` and a colon, also in bold, in brackets or as a heading."""
    bold = "|".join(
        rf"{mark}{author}(?:{mark}\s{{0,8}}:|\s{{0,8}}:{mark})"
        for mark in (r"\*{2,3}", r"_{2,3}", r"\*", "_")
    )
    brackets = rf"\[{author}\]\s{{0,4}}:|<{author}>:?"
    heading = rf"\#{{1,6}}{_GAP}{author}\s{{0,8}}:"
    forms = rf"{bold}|{brackets}|{heading}"
    return rf"(?:{author}\s{{0,8}}:|{forms})" if plain else rf"(?:{forms})"


def _posted(names: str) -> str:
    """A header in the form in which prompts quote posts."""
    user = rf"User{_GAP}@?(?:{names}){_GAP}posted{_COLON}"
    return rf"(?:{user}|Comment{_GAP}by{_GAP}user{_GAP}@?(?:{names})\s{{0,8}}:)"
