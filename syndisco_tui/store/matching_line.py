"""Which message of a discussion matched what was looked for, cut to where it did."""

from __future__ import annotations

BEFORE, LONGEST = 24, 240
"""Characters kept before what matched, and of the whole line."""


def matching_line(text: str, words: str) -> str:
    """The first message with most of ``words`` in it, with who said it; empty if none has any.

    ``text`` holds title and names, an empty line, and every message on a line of its own.
    """
    highlight_pattern = words.casefold().split()
    _, _, said = text.partition("\n\n")
    best, most = "", 0
    for line in said.splitlines():
        folded = line.casefold()
        count = sum(word in folded for word in highlight_pattern)
        if count > most:
            best, most = line, count
        if most == len(highlight_pattern):
            break
    return _cut(best, highlight_pattern) if best else ""


def _cut(line: str, highlight_pattern: list[str]) -> str:
    """The speaker's name, then the message from a little before the first word that matched."""
    name, _, said = line.partition(": ")
    folded = said.casefold()
    positions = [position for word in highlight_pattern if (position := folded.find(word)) >= 0]
    start = min(positions, default=0) - BEFORE
    if start > 0:
        start = said.find(" ", start) + 1 or start
        said = f"…{said[start:]}"
    return f"{name}: {said}"[:LONGEST]


def ranges_of(line: str, words: str) -> list[tuple[int, int]]:
    """Where in ``line`` the ``words`` stand, as (start, end)."""
    folded = line.casefold()
    if len(folded) != len(line):
        return []
    ranges = []
    for word in set(words.casefold().split()):
        position = folded.find(word)
        while position >= 0:
            ranges.append((position, position + len(word)))
            position = folded.find(word, position + len(word))
    return sorted(ranges)
