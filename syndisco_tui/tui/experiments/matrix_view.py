"""The matrix of an experiment, with a cursor on one of its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Region
from textual.message import Message

from ...discussion.design import ExperimentDesign
from ...workspace.matrix import LevelMean, Levels, MatrixCell
from ..shell.terminal_capabilities import has_few_colours
from ..widgets.page import Page
from .matrix_lines import GAP, HEADER_LINES, MatrixShape, level_lines, matrix_lines, shape_for


class MatrixView(VerticalScroll, can_focus=True):
    """Shows levels against levels, with a cursor to choose a cell."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "up", show=False),
        Binding("down,j", "move(1, 0)", "down", show=False),
        Binding("left,h", "move(0, -1)", "left", show=False),
        Binding("right,l", "move(0, 1)", "right", show=False),
        Binding("home", "go(0)", "first", show=False),
        Binding("end", "go(-1)", "last", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor is on another cell."""

        levels: Levels

    @dataclass
    class Selected(Message):
        """The highlighted cell was clicked."""

        levels: Levels

    def __init__(self, design: ExperimentDesign) -> None:
        super().__init__()
        self._design = design
        self._cells: Mapping[Levels, MatrixCell] = {}
        self._means: Sequence[LevelMean] = ()
        self._label = ""
        self._shape: MatrixShape = shape_for(design, 80, 24)
        self._cursor = tuple(design.cells[0].values())

    @property
    def cursor(self) -> Levels:
        """The levels of the highlighted cell."""
        return self._cursor

    def compose(self) -> ComposeResult:
        yield Page()

    def on_resize(self, event: Resize) -> None:
        size = self.scrollable_content_region.size
        self._shape = shape_for(self._design, size.width, size.height)
        self._draw()
        self.call_after_refresh(self._keep_in_view)

    def show(
        self, cells: Mapping[Levels, MatrixCell], means: Sequence[LevelMean], label: str
    ) -> None:
        """Show new counts and figures, and below, if there is room, the ``means`` of levels."""
        if (cells, means, label) != (self._cells, self._means, self._label):
            self._cells, self._means, self._label = cells, means, label
            self._draw()

    def _draw(self) -> None:
        is_tinted = not has_few_colours(self.app)
        lines = matrix_lines(self._shape, self._cells, self._cursor, is_tinted=is_tinted)
        size = self.scrollable_content_region.size
        below = level_lines(self._means, self._label, size.width)
        if below and len(lines) + 1 + len(below) <= size.height:
            lines += [Content(""), *below]
        self.query_one(Page).show(lambda _width: lines)

    # The cursor --------------------------------------------------------------------------------

    def _position(self) -> tuple[int, int]:
        table = self._shape.table
        if not table.column_factor:
            return table.rows.index(self._cursor), 0
        return table.rows.index(self._cursor[:-1]), table.columns.index(self._cursor[-1])

    def _go_to(self, levels: Levels) -> None:
        if levels != self._cursor:
            self._cursor = levels
            self._draw()
            self._keep_in_view()
            self.post_message(self.Highlighted(levels))

    def action_move(self, rows: int, columns: int) -> None:
        table = self._shape.table
        row, column = self._position()
        while True:  # on to the next cell that the design has
            row, column = row + rows, column + columns
            if not (0 <= row < len(table.rows) and 0 <= column < len(table.columns)):
                return
            if (levels := table.levels(row, column)) in self._cells:
                self._go_to(levels)
                return

    def action_go(self, index: int) -> None:
        self._go_to(tuple(self._design.cells[index].values()))

    def _keep_in_view(self) -> None:
        row = self._position()[0]
        first = self._shape.line_of(row) if row else 0
        lines = self._shape.line_of(row) + self._shape.height - first
        self.scroll_to_region(Region(0, first, 1, lines), animate=False)

    def on_click(self, event: Click) -> None:
        shape, table = self._shape, self._shape.table
        line = event.y + self.scroll_offset.y - HEADER_LINES
        left = event.x - sum(width + GAP for width in shape.labels)
        row, column = line // (shape.height + shape.gap), left // (shape.cell + GAP)
        is_inside = line >= 0 and left >= 0 and row < len(table.rows)
        if not is_inside or column >= len(table.columns):
            return
        levels = table.levels(row, column)
        if levels == self._cursor:
            self.post_message(self.Selected(levels))
        elif levels in self._cells:
            self._go_to(levels)
