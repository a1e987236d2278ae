"""The discussions of one cell of an experiment."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from ...text import one_line, safe
from .batch_screen import BatchScreen


class CellScreen(BatchScreen):
    """Lists a cell's discussions, live; x and r act on the whole experiment."""

    HELP = """Discussions of a cell
    All repeats under the same conditions. # is the repeat; one repeat has the same users, topic
    and seed in every cell, unless the design says otherwise. ● without colour: another process
    runs it. Failed discussions (!) show why; r runs them again. x and r are about the whole
    experiment, which goes on when you leave this screen."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, Static) and widget.has_class("batch-title"):
                widget.update(self._heading())
            yield widget

    def _heading(self) -> Content:
        member = self._runs[0].experiment
        cell = member.cell if member else {}
        levels = " · ".join(one_line(level, 60) for level in cell.values()) or "all"
        return Content.assemble(
            levels, Content.styled(f"   {safe(self._shown.title)}", "$quiet not bold")
        )
