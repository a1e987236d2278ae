"""Lays out an experiment's matrix as lines of text that fit the available space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from ...discussion.design import ExperimentDesign
from ...text import one_line
from ...workspace.matrix import LevelMean, Levels, MatrixCell, MatrixLayout, layout

NARROWEST_CELL, WIDEST_CELL = 16, 36
NARROWEST_LABEL, WIDEST_LABEL = 8, 24
GAP = 2
HEADER_LINES = 2
PADDED = 5
"""Lines of a cell with an empty one above and below."""
_NO_TINT, _MOST_TINT = 6, 34
"""Percent of the accent colour behind the lowest and the highest figure."""


@dataclass(frozen=True)
class MatrixShape:
    """The layout of a matrix. Widths are in terminal cells.

    ``height`` is the number of lines of a cell, ``gap`` the number between two cells.
    """

    table: MatrixLayout
    labels: tuple[int, ...]
    cell: int
    height: int
    gap: int

    def line_of(self, row: int) -> int:
        """The first line of a row."""
        return HEADER_LINES + row * (self.height + self.gap)


def shape_for(design: ExperimentDesign, width: int, height: int) -> MatrixShape:
    """The roomiest shape in which all columns fit; rows may scroll."""
    table = layout(design)
    labels, cell = _widths(table, width)
    if cell < NARROWEST_CELL and table.column_factor:
        table = layout(design, one_column=True)
        labels, cell = _widths(table, width)
    rows = len(table.rows)
    for lines, gap in ((PADDED, 1), (3, 1), (2, 1), (2, 0)):
        if HEADER_LINES + rows * (lines + gap) - gap <= height:
            return MatrixShape(table, labels, cell, lines, gap)
    return MatrixShape(table, labels, cell, 1, 0)


def _widths(table: MatrixLayout, width: int) -> tuple[tuple[int, ...], int]:
    for widest in (WIDEST_LABEL, 16, 12, NARROWEST_LABEL):
        labels = tuple(
            min(widest, max(map(len, (name, *(row[index] for row in table.rows)))))
            for index, name in enumerate(table.row_factors)
        )
        count = len(table.columns)
        room = width - sum(label + GAP for label in labels) - GAP * (count - 1)
        cell = min(WIDEST_CELL, room // count)
        if cell >= NARROWEST_CELL:
            break
    return labels, max(6, cell)


def matrix_lines(
    shape: MatrixShape,
    cells: Mapping[Levels, MatrixCell],
    cursor: Levels | None,
    *,
    is_tinted: bool,
) -> list[Content]:
    """All lines of the matrix; the cell at ``cursor`` is highlighted."""
    table = shape.table
    means = [cell.mean for cell in cells.values() if cell.mean is not None]
    span = (min(means), max(means)) if is_tinted and len(set(means)) > 1 else None
    lines = _header(shape)
    for row, levels in enumerate(table.rows):
        before = table.rows[row - 1] if row else None
        texts = [
            _cell_lines(shape, cells.get(key), key == cursor, span)
            for column in range(len(table.columns))
            for key in [table.levels(row, column)]
        ]
        for line in range(shape.height):
            is_first = line == (1 if shape.height == PADDED else 0)
            label = _label(shape, levels, before) if is_first else _blank_label(shape)
            parts = [label]
            for index, text in enumerate(texts):
                parts += [Content(" " * GAP)] if index else []
                parts.append(text[line])
            lines.append(Content.assemble(*parts))
        if row < len(table.rows) - 1:
            lines += [Content("")] * shape.gap
    return lines


def _header(shape: MatrixShape) -> list[Content]:
    table = shape.table
    names = [_fitted(Content.styled(one_line(name), "$quiet"), width + GAP)
             for name, width in zip(table.row_factors, shape.labels, strict=True)]  # fmt: skip
    indent = Content(" " * sum(width + GAP for width in shape.labels))
    first = Content.assemble(indent, Content.styled(f"  {one_line(table.column_factor)}", "$quiet"))
    second = list(names)
    for index, column in enumerate(table.columns):
        second += [Content(" " * GAP)] if index else []
        second.append(_fitted(Content.styled(f"  {one_line(column)}", "bold"), shape.cell))
    return [first, Content.assemble(*second)]


def _label(shape: MatrixShape, levels: Levels, before: Levels | None) -> Content:
    """The levels of a row, without those that it shares with the row before."""
    parts = []
    for index, (level, width) in enumerate(zip(levels, shape.labels, strict=True)):
        is_last = index == len(levels) - 1
        is_same = before is not None and before[: index + 1] == levels[: index + 1]
        text = "" if is_same and not is_last else one_line(level)
        parts.append(_fitted(Content.styled(text, "bold" if is_last else ""), width + GAP))
    return Content.assemble(*parts)


def _blank_label(shape: MatrixShape) -> Content:
    return Content(" " * sum(width + GAP for width in shape.labels))


def _fitted(content: Content, width: int) -> Content:
    room = max(1, width - 1)
    shown = content.truncate(room, ellipsis=True)
    return shown.pad_right(max(0, width - shown.cell_length))


def _cell_lines(
    shape: MatrixShape,
    cell: MatrixCell | None,
    is_highlighted: bool,
    span: tuple[float, float] | None,
) -> list[Content]:
    """The lines of one cell, each as wide as the cell."""
    if cell is None:
        blank = _fitted(Content.styled("  not in the design", "$quiet italic"), shape.cell)
        return [blank, *[Content(" " * shape.cell)] * (shape.height - 1)]
    room = shape.cell - 3
    count, figure = _count(cell), _mean_and_deviation(cell.mean, cell.deviation)
    match shape.height:
        case height if height == PADDED:
            inner = [Content(""), progress(cell, room), count, figure, Content("")]
        case 3:
            inner = [progress(cell, room), count, figure]
        case 2:
            bar = max(0, min(12, room - count.cell_length - 1))
            inner = [Content.assemble(count, " ", progress(cell, bar)), figure]
        case _:
            inner = [Content.assemble(count, "  ", figure)]
    edge = Content.styled("▌ ", "$accent") if is_highlighted else Content("  ")
    background = _background(cell, is_highlighted, span)
    lines = []
    for line in inner:
        shown = line.truncate(room, ellipsis=True)
        whole = Content.assemble(edge, shown).pad_right(room - shown.cell_length + 1)
        lines.append(whole.stylize_before(background))
    return lines


def _background(cell: MatrixCell, is_highlighted: bool, span: tuple[float, float] | None) -> str:
    """The background colour of a cell: the higher the figure, the deeper."""
    if span is None or cell.mean is None:
        return "on $block-cursor-blurred-background" if is_highlighted else "on $panel"
    share = (cell.mean - span[0]) / (span[1] - span[0])
    return f"on $accent {_NO_TINT + round(share * (_MOST_TINT - _NO_TINT))}%"


def progress(cell: MatrixCell, width: int) -> Content:
    """A bar: finished and failed discussions, turns finished in the others, and the rest."""
    finished, failed = (count / cell.planned for count in (cell.finished, cell.failed))
    ends = [round(width * share) for share in (finished, finished + failed)]
    if cell.failed and ends[0] == ends[1]:  # it is seen, however few they are
        ends[0] -= 1 if ends[0] == width else 0
        ends[1] = ends[0] + 1
    taken = min(width, max(ends[1], round(width * (finished + failed + cell.turns_share))))
    parts: Sequence[tuple[str, str]] = (
        ("━" * ends[0], "$accent"),
        ("━" * (ends[1] - ends[0]), "$error"),
        ("╍" * (taken - ends[1]), "$accent"),
        ("╌" * (width - taken), "$quiet"),
    )
    return Content.assemble(*(Content.styled(text, style) for text, style in parts if text))


def _count(cell: MatrixCell) -> Content:
    parts = [Content(f"{cell.finished}/{cell.planned}")]
    if cell.running:
        parts.append(Content.styled(f"  ● {cell.running}", "$accent"))
    if cell.failed:
        parts.append(Content.styled(f"  ! {cell.failed}", "$error"))
    return Content.assemble(*parts)


def _mean_and_deviation(mean: float | None, deviation: float | None) -> Content:
    if mean is None:
        return Content.styled("–", "$quiet")
    parts = [Content.styled(short(mean), "bold")]
    if deviation is not None:
        parts.append(Content.styled(f" ± {short(deviation)}", "$quiet"))
    return Content.assemble(*parts)


def level_lines(means: Sequence[LevelMean], label: str, width: int) -> list[Content]:
    """The figure ``label`` at each level of each factor, as bars that begin at zero."""
    if not any(each.mean for each in means):
        return []
    names = min(WIDEST_LABEL, max(len(each.factor) for each in means)) + GAP
    levels = min(WIDEST_LABEL, max(len(each.level) for each in means)) + GAP
    figures = {each: _mean_and_deviation(each.mean, each.deviation) for each in means}
    column = max(figure.cell_length for figure in figures.values()) + GAP
    longest = max(abs(each.mean or 0) for each in means)
    room = max(4, min(48, width - names - levels - column - 2))
    lines = [Content.styled(f"{label} by level", "$quiet")]
    for before, each in zip([None, *means], means, strict=False):
        is_same = before is not None and before.factor == each.factor
        bar = "━" * round(room * abs(each.mean or 0) / longest)
        lines.append(
            Content.assemble(
                _fitted(Content("" if is_same else one_line(each.factor)), names),
                _fitted(Content.styled(one_line(each.level), "bold"), levels),
                figures[each].pad_right(column - figures[each].cell_length),
                Content.styled(bar, "$accent"),
            )
        )
    return lines


def short(value: float) -> str:
    """Format a figure with about three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
