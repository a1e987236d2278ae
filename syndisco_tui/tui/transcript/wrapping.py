"""Text in lines of a given width. Lines are spans of the text: nothing is copied or lost."""

from __future__ import annotations

from rich.cells import cell_len, get_character_cell_size, split_graphemes

Span = tuple[int, int]
"""Start and end of a line in its text, in characters; the white space at its end is not in it."""

_CELLS_A_CHARACTER = 6
"""How many characters may stand in one cell: a letter, its marks, and what selects its form."""


def wrap(text: str, width: int, start: int = 0) -> list[Span]:
    """The lines of ``text`` from ``start`` on, each of at most ``width`` (two or more) cells.

    A line ends at a space where there is one, else where it is full. Where a line ends depends
    on where it starts and on what follows within ``width``, so a text that grew may be wrapped
    again from the start of its last line.
    """
    lines: list[Span] = []
    while True:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        paragraph = text[start:end]
        if end - start <= width and (paragraph.isascii() or cell_len(paragraph) <= width):
            lines.append((start, start + len(paragraph.rstrip())))
        else:
            _wrap_paragraph(text, start, end, width, lines)
        if end == len(text):
            return lines
        start = end + 1


def _wrap_paragraph(text: str, start: int, end: int, width: int, lines: list[Span]) -> None:
    while (full := _full_line(text, start, end, width)) < end:
        cut = text.rfind(" ", start, full + 1)
        if cut < 0 or not text[start:cut].strip():
            lines.append((start, full))
            start = full
        else:
            lines.append((start, start + len(text[start:cut].rstrip())))
            start = cut + 1
        while start < end and text[start] == " ":
            start += 1
        if start == end:
            return
    lines.append((start, start + len(text[start:end].rstrip())))


def _full_line(text: str, start: int, end: int, width: int) -> int:
    """Where a line that starts at ``start`` is full."""
    full = min(end, start + width)
    candidate = text[start:full]
    if candidate.isascii() or cell_len(candidate) == len(candidate):
        beyond = text[full] if full < end else "x"
        if beyond.isascii() or get_character_cell_size(beyond):
            return full
    graphemes, _ = split_graphemes(text[start : min(end, start + _CELLS_A_CHARACTER * width)])
    cells = 0
    full = start
    for _, grapheme_end, size in graphemes:
        if cells + size > width:
            break
        cells += size
        full = start + grapheme_end
    return max(full, start + 1)
