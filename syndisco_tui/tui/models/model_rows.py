"""The rows of a list of models: name, family, size, precision, and whether they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.events import Click

from ...text import gigabytes, one_line, parameter_count
from ...workspace.models import ListedModel, ModelChoice, ModelGroup
from ..widgets.row_list import RowList

WIDE = 84
"""Cells from which a row shows all that is known of a model."""
WIDE_DETAILS, NARROW_DETAILS = 46, 28
"""Cells of what stands behind a name."""


@dataclass(frozen=True)
class ModelRow:
    """A row: a model and its origin. ``heading`` is that of the row's group."""

    model: ListedModel
    heading: str


class ModelRows(RowList):
    """Shows models in groups; ● is the one in force."""

    def __init__(self, current: ModelChoice | None) -> None:
        super().__init__()
        self.keeps_highlight = True
        self.can_focus = False
        self.rows: list[ModelRow] = []
        self._current = current

    def show(self, groups: Sequence[ModelGroup], highlighted: ModelChoice | None) -> None:
        """Show the models of ``groups`` and highlight one, or the first."""
        self.rows = [ModelRow(model, group.heading) for group in groups for model in group.models]
        choices = [row.model.choice for row in self.rows]
        self.update_rows(choices.index(highlighted) if highlighted in choices else 0)
        self.refresh()

    @property
    def highlighted_model(self) -> ListedModel | None:
        """The model of the highlighted row."""
        return self.rows[self.highlighted_row].model if self.rows else None

    @property
    def row_count(self) -> int:
        return len(self.rows)

    def click_row(self, index: int, event: Click) -> None:
        """A click selects, as in other dialogs."""
        self.highlight(index)
        self.post_message(self.Selected())

    def lines_above(self, index: int) -> Sequence[Content]:
        heading = self.rows[index].heading
        if index and heading == self.rows[index - 1].heading:
            return ()
        shown = Content.styled(one_line(heading, 120), "$quiet")
        return [Content(), shown] if index else [shown]

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        model = self.rows[index].model
        is_wide = width >= WIDE
        details = _details(model, is_wide=is_wide)
        name_width = width - 2 - (WIDE_DETAILS if is_wide else NARROW_DETAILS)
        name = _shortened(one_line(model.choice.model, 300), name_width - 1)
        is_usable = not (model.files and model.files.problem)
        mark = "● " if model.choice == self._current else "  "
        return [
            Content.assemble(
                Content.styled(mark, "$accent"),
                Content.styled(set_cell_size(name, name_width), "" if is_usable else "$quiet"),
                details,
            )
        ]


def _shortened(name: str, width: int) -> str:
    """``name`` without its middle: models differ at the end, organisations at the beginning."""
    if cell_len(name) <= width:
        return name
    tail = width // 2
    return f"{name[: width - tail - 1]}…{name[-tail:]}"


def _details(model: ListedModel, *, is_wide: bool) -> Content:
    """The known facts about a model, in columns."""
    files = model.files
    if files is None or not (files.disk_bytes or files.problem):
        about = model.about or (f"{model.context_length:,} tokens" if model.context_length else "")
        return Content.styled(one_line(about, 80), "$quiet")
    size = f"{gigabytes(files.disk_bytes) if files.disk_bytes else '':>9}"
    if files.problem:
        problem = f"{one_line(files.problem, 25):<26}"
        return Content.assemble(
            Content.styled(problem, "$warning"), Content.styled(size if is_wide else "", "$quiet")
        )
    columns = f"{parameter_count(files.parameters):>6} "
    if is_wide:
        columns = f"{one_line(files.family, 9):<9} {columns} {one_line(files.stored_as, 8):<8}"
    is_too_large = files.memory is not None and not files.memory.fits
    return Content.assemble(
        Content.styled(f"{columns}{size}  ", "$quiet"),
        Content.styled("too large", "$warning")
        if is_too_large
        else Content.styled("fits", "$quiet"),
    )
