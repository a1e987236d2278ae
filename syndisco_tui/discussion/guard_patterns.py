"""What the guard looks for in a reply: headers of posts, quotation marks, written-out line breaks.

Every pattern takes a time that is linear in the text: repetitions are possessive or bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .names import name_key, name_pattern

SILENCE = re.compile(r"(?:[\s\"“”„«»'‘’`]|\\++[nrt]?)*+")
"""Nothing but white space, quotation marks and written-out line breaks."""
BLANK = re.compile(r"(?:\s|\\++[nrt](?![a-z]))*+")
BLANK_AFTER_MARK = re.compile(r"(?:\s|\\++[nrt])*+")
EMPTY_QUOTES = re.compile(r"(?:(?:\"\"|“”|\\\"\\\")(?:\s|\\++n)++)++")
EMPTY_QUOTES_ANYWHERE = re.compile(r"\\*+\"\s*+\\*+\"|“\s*+”")
OPENING = re.compile(r"\\*+(?P<quote>[\"“„«])|(?P<fence>```\w*+[ \t]*+(?:\n|\\++n))")
QUOTE = re.compile(r"\\*+([\"“”„«»])")
_TAIL_MARKS = r"\s|[\"“”«»]\\*+|[nrt]\\++"

_JUNK = r"(?:\s|\\++[nrt]?|[\"“”„«»'‘’]|```\w*+)"
_GAP = r"\s{1,8}"
_COLON = r"(?:\s{0,8}:|\s{0,8}\Z)"
_NOTHING = r"(?!)"


@dataclass(frozen=True)
class HeaderPatterns:
    """Headers of posts: ``User NAME posted:``, ``Comment by user NAME:``, ``NAME:``.

    ``front`` takes all headers at the start with the marks between them; its groups ``own``,
    ``posted`` and ``bare`` hold the last one of the speaker, of another participant in the
    prompt's form, and of another by name alone. ``next_post`` is a later line that begins a
    post: ``posted``, the speaker's own too, or ``bare``. ``longest``: characters of a header.
    """

    front: re.Pattern[str]
    next_post: re.Pattern[str]
    longest: int
    _name: re.Pattern[str]
    _names: dict[str, str]

    def name_in(self, header: str) -> str:
        """Whose header it is."""
        match = self._name.match(header)
        return self._names[name_key(match["name"])] if match else ""


@lru_cache(maxsize=4)
def reversed_tail(*, fence: bool, single_quote: bool) -> re.Pattern[str]:
    """The end of a reply read backwards: marks that may close what was opened at its start."""
    more = ("|```" if fence else "") + ("|['’]\\\\*+" if single_quote else "")
    return re.compile(rf"(?:{_TAIL_MARKS}{more})*+")


@lru_cache(maxsize=512)
def header_patterns(speaker: str, others: tuple[str, ...]) -> HeaderPatterns:
    """The headers in a reply of ``speaker``, where ``others`` take part or have spoken."""
    everybody = (speaker, *others)
    foreign = name_pattern(others) if others else _NOTHING
    any_user = rf"(?:User|Comment{_GAP}by{_GAP}user){_GAP}@?+"
    own_name = rf"(?:{name_pattern([speaker])})"
    own = rf"(?i:(?:{any_user}{own_name}|@?+{own_name})(?:{_GAP}posted)?\s{{0,8}}:)"
    posted, bare = _posted(foreign), rf"(?:User{_GAP})?(?:{foreign}):(?=[\s\"“\\]|\Z)"
    header = rf"(?:(?P<own>{own})|(?P<posted>{posted})|(?P<bare>{bare}))"
    junk = _JUNK
    if any(re.match(_JUNK, name) for name in everybody):  # a name may begin like a mark
        junk = rf"(?!{own}|{posted}|{bare}){_JUNK}"
    line_start = r"(?:\n|\\n)[ \t]{0,8}\\{0,8}[\"“]?"
    next_post = rf"{line_start}(?:(?P<posted>{_posted(name_pattern(everybody))})|(?P<bare>{bare}))"
    return HeaderPatterns(
        front=re.compile(rf"(?:(?:{junk})*+{header})*+"),
        next_post=re.compile(next_post),
        longest=2 * max(map(len, everybody)) + 80,
        _name=re.compile(rf"(?i:{any_user})?@?+(?P<name>(?i:{name_pattern(everybody)}))"),
        _names={name_key(name): name for name in reversed(everybody)},
    )


def _posted(names: str) -> str:
    """A header in the form in which prompts quote posts."""
    user = rf"User{_GAP}@?+(?:{names}){_GAP}posted{_COLON}"
    return rf"(?:{user}|Comment{_GAP}by{_GAP}user{_GAP}@?+(?:{names})\s{{0,8}}:)"
