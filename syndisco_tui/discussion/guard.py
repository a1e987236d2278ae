"""What a model said → what the persona said.

Models echo the prompt's ``User NAME posted:``, wrap replies in quotation marks, say ``""`` for
nothing, and go on as somebody else. The guard takes these off and changes nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_QUOTES = {'"': '"', "“": "”", "«": "»", "„": "“"}
_ONLY_QUOTES = re.compile(r"[\s\"“”„«»'‘’`\\]*")
_EMPTY_QUOTES = re.compile(r"\A(?:\"\"|“”)(?=\s)\s*")
_FENCED = re.compile(r"\A```\w*\n(.*?)\n```\Z", re.DOTALL)
_QUOTE_MARK = re.compile(r"\\?[\"“”„«»]")


def clean(raw: str, speaker: str, others: Sequence[str] = (), *, complete: bool = True) -> str:
    """What ``speaker`` said in the reply ``raw``; an empty string is a silence.

    ``others`` are the other participants: text that goes on in their name is left out.
    ``complete`` is False for a reply that is still growing or was cut: a quotation mark that
    opens it may then be without its partner.
    """
    own_header, next_post = _patterns(speaker, tuple(others))
    text = _bare(raw, own_header, complete)
    while going_on := next_post.search(text):
        text = _bare(text[: going_on.start()], own_header, complete=False)
    return "" if is_silence(text) else text


def is_silence(text: str) -> bool:
    """Whether ``text`` says nothing: it is empty, white space, or only quotation marks."""
    return _ONLY_QUOTES.fullmatch(text) is not None


@lru_cache(maxsize=256)
def _patterns(speaker: str, others: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The speaker's own header at the start, and the lines where somebody's next post begins."""
    own = re.escape(speaker)
    own_header = re.compile(
        rf"\A[\s\"“\\]*(?:```\w*\s*)?"
        rf"(?:(?:User|Comment\s+by\s+user)\s+@?{own}(?:\s+posted)?|{own}(?:\s+posted)?)\s*:",
        re.IGNORECASE,
    )
    everybody = "|".join(re.escape(name) for name in sorted((speaker, *others), key=len)[::-1])
    posted = rf"User\s+@?(?:{everybody})\s+posted|Comment\s+by\s+user\s+@?(?:{everybody})"
    next_post = rf"(?:{posted})(?!\w)"
    if others:
        foreign = "|".join(re.escape(name) for name in sorted(others, key=len)[::-1])
        next_post += rf"|(?:User\s+)?(?:{foreign}):(?=[\s\"“\\]|\Z)"
    # Inside a quoted reply a model may write its line breaks as backslash and n.
    line_start = r"(?:^|\\n)\\?[\"“]?"
    return own_header, re.compile(rf"{line_start}(?:{next_post})", re.MULTILINE)


def _bare(text: str, own_header: re.Pattern[str], complete: bool) -> str:
    """``text`` without the marks and headers around it, however often they are repeated."""
    text, before = text.strip(), None
    while text != before:
        before = text
        text = _EMPTY_QUOTES.sub("", text)
        text = _unquoted(text, complete).strip()
        text = _FENCED.sub(r"\1", text).strip()
        text = own_header.sub("", text).strip()
    return text


def _unquoted(text: str, complete: bool) -> str:
    """``text`` without the quotation marks that embrace all of it."""
    escaped = text.startswith('\\"')
    opening = '"' if escaped else text[:1]
    closing = _QUOTES.get(opening)
    if closing is None:
        return text
    start = 2 if escaped else 1
    for end_mark in (f"\\{closing}", closing):
        if text.endswith(end_mark) and len(text) >= start + len(end_mark):
            inner = text[start : len(text) - len(end_mark)]
            return inner if _balanced(inner) else text
    # Without a partner at the end: only an opening mark, if nothing closes it further on.
    if not complete and _balanced(text[start:], may_stay_open=True):
        return text[start:]
    if complete and not _QUOTE_MARK.search(text[start:]):
        return text[start:]
    return text


def _balanced(inner: str, *, may_stay_open: bool = False) -> bool:
    """Whether the marks inside ``inner`` pair up by themselves, none closing an outer one."""
    depth = 0
    for mark in _QUOTE_MARK.finditer(inner):
        character = mark.group()[-1]
        before = inner[mark.start() - 1] if mark.start() else " "
        if character in "“„«" or (character == '"' and (before.isspace() or before in "([{-—:*")):
            depth += 1
        elif depth == 0:
            return False
        else:
            depth -= 1
    return depth == 0 or may_stay_open
