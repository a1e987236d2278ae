"""Which message of a discussion matched what was looked for, cut to where it did."""

from __future__ import annotations

import re

from ..text import search_key, search_positions

BEFORE, LONGEST = 24, 240
"""Characters kept before what matched, and of the whole line."""


def matching_line(text: str, words: str) -> str:
    """The first message with most of ``words`` in it, with its author; empty if none has any.

    ``text`` holds title and names, an empty line, and every message on a line of its own.
    """
    keys = search_key(words).split()
    _, _, messages = text.partition("\n\n")
    best, most = "", 0
    for line in messages.splitlines():
        line_key = search_key(line)
        count = sum(key in line_key for key in keys)
        if count > most:
            best, most = line, count
        if most == len(keys):
            break
    return _cut(best, words) if best else ""


def _cut(line: str, words: str) -> str:
    """The author's name, then the message from a little before the first word that matched."""
    name, _, message = line.partition(": ")
    start = min((first for first, _ in ranges_of(message, words)), default=0) - BEFORE
    if start > 0:
        start = message.find(" ", start) + 1 or start
        message = f"…{message[start:]}"
    return f"{name}: {message}"[:LONGEST]


def ranges_of(line: str, words: str) -> list[tuple[int, int]]:
    """Where in ``line`` the ``words`` occur, without case and accents, as (start, end)."""
    line_key, positions = search_positions(line)
    return sorted(
        (positions[match.start()], positions[match.end() - 1] + 1)
        for word in set(search_key(words).split())
        for match in re.finditer(re.escape(word), line_key)
    )
