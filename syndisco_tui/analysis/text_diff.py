"""What became of a text: which parts stayed, went and came."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal

DiffPart = tuple[Literal["same", "removed", "added"], str]

_PIECES = re.compile(r"\s+|\w+|[^\w\s]")
_MARKS = ' \t\r\n"“”„«»\\'
_HEADER_ENDS = ("", ":", "`")


def diff(before: str, after: str) -> list[DiffPart]:
    """``before`` → ``after`` in reading order; what is not “added” joins to ``before``."""
    if after and (start := _place(before, after)) is not None:
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


def _place(before: str, after: str) -> int | None:
    """Where ``after`` stands whole in ``before``: first of all behind a header or a mark."""
    first = at = before.find(after)
    while at >= 0:
        if before[:at].rstrip(_MARKS)[-1:] in _HEADER_ENDS:
            return at
        at = before.find(after, at + 1)
    return first if first >= 0 else None


def _by_words(before: str, after: str) -> list[DiffPart]:
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    parts: list[DiffPart] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("same", "".join(old[a:b])))
        else:
            parts += [("removed", "".join(old[a:b])), ("added", "".join(new[c:d]))]
    return parts
