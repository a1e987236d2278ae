"""Text in lines of a given width. Lines are spans of the text: nothing is copied or lost."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from rich.cells import get_character_cell_size, split_graphemes

Span = tuple[int, int]
"""Start and end of a line in its text, in characters; the white space at its end is not in it."""

_ONE_CELL_RANGES = ((0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x2FF), (0x370, 0x482), (0x2010, 0x2027))
_ONE_CELL = {chr(code) for first, last in _ONE_CELL_RANGES for code in range(first, last + 1)}
_ONE_CELL.add("\n")


def wrap(text: str, width: int, start: int = 0) -> list[Span]:
    """The lines of ``text`` from ``start`` on, each of at most ``width`` (two or more) cells.

    A line ends at a space where there is one, else where it is full. Where a line ends depends
    on where it starts and on what follows within ``width``, so a text that grew may be wrapped
    again from the start of its last line.
    """
    columns, origin = _columns(text[start:] if start else text), start
    lines: list[Span] = []
    while True:
        line_break = text.find("\n", start)
        end = len(text) if line_break < 0 else line_break
        is_first = True
        while is_first or start < end:
            is_first = False
            full = start + width
            if columns:
                limit = columns[start - origin] + width
                full = max(start + 1, origin + bisect_right(columns, limit) - 1)
            cut = end
            if full < end:
                cut = text.rfind(" ", start, full + 1)
                if cut < 0 or not text[start:cut].strip():
                    cut = full
            lines.append((start, start + len(text[start:cut].rstrip())))
            start = cut
            while start < end and text[start] == " ":
                start += 1
        if line_break < 0:
            return lines
        start = end + 1


def _columns(text: str) -> list[int] | None:
    """The column at which each character starts; inside of a grapheme, the column of its end.

    None if every character is one cell wide.
    """
    if text.isascii() or _ONE_CELL.issuperset(text):
        return None
    text = text.replace("\n", " ")
    widths = list(map(get_character_cell_size, text))
    if 0 not in widths:
        return [0, *accumulate(widths)]
    columns = [0]
    for start, end, cells in split_graphemes(text)[0]:
        columns += [columns[-1] + cells] * (end - start)
    return columns
