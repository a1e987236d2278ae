"""Figures as text: headings, labelled rows, bars and sparklines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rich.cells import cell_len
from textual.content import Content

_LEVELS = "▁▂▃▄▅▆▇█"
MARK = "│"


def heading(text: str, note: str = "") -> Content:
    """What a group of lines is about; ``note`` steps back behind it."""
    return Content.assemble(
        Content.styled(text, "bold"), *([Content.styled(f"   {note}", "$quiet")] if note else [])
    )


def rows(pairs: Iterable[tuple[str, Content]], width: int) -> list[Content]:
    """Labels in a column and values beside them, wrapped under their own beginning."""
    pairs = list(pairs)
    column = min(max((cell_len(label) for label, _ in pairs), default=0) + 2, max(6, width // 2))
    lines: list[Content] = []
    for label, value in pairs:
        first = Content.styled(label, "$quiet").truncate(column - 2, ellipsis=True, pad=True)
        first = first.pad_right(2)
        for line in wrapped(value, width - column):
            lines.append(Content.assemble(first, line))
            first = Content(" " * column)
    return lines


def wrapped(content: Content, width: int) -> list[Content]:
    """``content`` in lines of at most ``width`` cells; at least one."""
    return list(content.wrap(max(2, width))) or [Content("")]


def sparkline(values: Sequence[float], width: int, *, top: float = 0.0) -> str:
    """The last ``width`` values, one character each; ``top`` is the full height (their most).

    Nothing for a single value: one bar tells of no course.
    """
    if len(values) < 2:
        return ""
    shown = values[-width:] if width > 0 else []
    top = max([top, *shown], default=0.0)
    return "".join(_level(value / top) if top else _LEVELS[0] for value in shown)


def _level(share: float) -> str:
    return _LEVELS[min(len(_LEVELS) - 1, int(max(0.0, share) * len(_LEVELS)))]


def columns(values: Sequence[float], colours: Sequence[str], height: int) -> list[Content]:
    """Upright bars of ``height`` lines, the tallest full, each in its colour; 0 is a dot."""
    top = max(values, default=0.0) or 1.0
    lines = []
    for line in reversed(range(height)):
        parts = []
        for value, colour in zip(values, colours, strict=True):
            share = value / top * height - line
            if value <= 0 and line == 0:
                parts.append(Content.styled("·", "$quiet"))
            elif share <= 0:
                parts.append(Content(" "))
            else:  # whatever is there at all is seen at the foot
                parts.append(Content.styled(_level(min(share, 0.99)), colour))
        lines.append(Content.assemble(*parts))
    return lines


def share_bar(share: float, width: int, colour: str, expected: float | None = None) -> Content:
    """A part of one, lying; ``expected`` is marked on it by an upright stroke."""
    filled = round(width * min(1.0, max(0.0, share)))
    bar = "━" * filled + "╌" * (width - filled)
    parts = [(bar[:filled], colour), (bar[filled:], "$quiet")]
    if expected is not None and width:
        mark = min(width - 1, int(width * expected))
        parts = [
            (bar[: min(mark, filled)], colour),
            (bar[min(mark, filled) : mark], "$quiet"),
            (MARK, "bold"),
            (bar[mark + 1 : max(filled, mark + 1)], colour),
            (bar[max(filled, mark + 1) :], "$quiet"),
        ]
    return Content.assemble(*(Content.styled(text, style) for text, style in parts if text))


def interval_line(
    value: float | None,
    bounds: tuple[float, float] | None,
    values: Sequence[float],
    width: int,
    *,
    zero: float | None = None,
) -> Content:
    """A dot with its interval, on a line of ``width`` cells.

    All numbers are positions on the line, from 0 (its beginning) to 1. ``values`` are dots behind
    the interval; ``zero`` is marked by a vertical stroke.
    """
    cells: list[tuple[str, str]] = [(" ", "")] * width

    def cell(share: float) -> int:
        return max(0, min(width - 1, round(share * (width - 1))))

    for each in values:
        cells[cell(each)] = ("·", "$quiet")
    if bounds is not None:
        first, last = cell(bounds[0]), cell(bounds[1])
        for index in range(first, last + 1):
            cells[index] = ("━", "$accent")
        if first < last:
            cells[first], cells[last] = ("┣", "$accent"), ("┫", "$accent")
    if zero is not None:
        is_inside = bounds is not None and bounds[0] < zero < bounds[1]
        cells[cell(zero)] = ("╋", "$accent") if is_inside else (MARK, "$quiet")
    if value is not None:
        cells[cell(value)] = ("●", "bold $accent")
    return Content.assemble(*(Content.styled(text, style) for text, style in cells))


def axis_line(labels: Sequence[tuple[float, str]], width: int) -> Content:
    """The labels of an axis of ``width`` cells; those that do not fit are left out.

    ``labels`` are positions from 0 to 1 with their text.
    """
    text, end = "", -1
    for share, label in labels:
        middle = round(share * (width - 1))
        start = max(0, min(width - len(label), middle - (len(label) - 1) // 2))
        if start > end:
            text = text.ljust(start) + label
            end = start + len(label)
    return Content.styled(text.ljust(width)[:width], "$quiet")


def binned(values: Sequence[float], width: int) -> list[float]:
    """At most ``width`` means of neighbouring values, all of them together in order."""
    if len(values) <= width:
        return list(values)
    edges = [round(i * len(values) / width) for i in range(width + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges) if b > a]


def bar(done: float, total: float, width: int) -> Content:
    """A progress bar of ``width`` cells."""
    filled = round(width * min(1.0, max(0.0, done / total))) if total else 0
    return Content.assemble(
        Content.styled("━" * filled, "$accent"),
        Content.styled("╌" * (width - filled), "$quiet"),
    )


def in_bytes(count: int) -> str:
    """An amount of memory in MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
