"""The difference of two texts: which parts are the same, removed and added."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal

DiffPart = tuple[Literal["same", "removed", "added"], str]

_TOKENS = re.compile(r"\s+|\w+|[^\w\s]")
_MARKS = ' \t\r\n"“”„«»\\'
_HEADER_ENDS = ("", ":", "`")


def diff(before: str, after: str) -> list[DiffPart]:
    """The parts of both texts in reading order."""
    if after and (start := _position(before, after)) is not None:
        parts: list[DiffPart] = [
            ("removed", before[:start]),
            ("same", after),
            ("removed", before[start + len(after) :]),
        ]
    elif not after:
        parts = [("removed", before)]
    else:
        parts = _by_words(before, after)
    return [part for part in parts if part[1]]


def _position(before: str, after: str) -> int | None:
    """Where ``before`` contains ``after``, preferably behind a header or a mark."""
    first = position = before.find(after)
    while position >= 0:
        if before[:position].rstrip(_MARKS)[-1:] in _HEADER_ENDS:
            return position
        position = before.find(after, position + 1)
    return first if first >= 0 else None


def _by_words(before: str, after: str) -> list[DiffPart]:
    old, new = _TOKENS.findall(before), _TOKENS.findall(after)
    parts: list[DiffPart] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("same", "".join(old[a:b])))
        else:
            parts += [("removed", "".join(old[a:b])), ("added", "".join(new[c:d]))]
    return parts
