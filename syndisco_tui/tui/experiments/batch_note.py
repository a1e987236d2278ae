"""A word in the title line on the batch that is running while one looks elsewhere."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.widgets import Static

from ...text import safe
from .batches import batches_of

LOOKS_PER_SECOND = 2


class BatchNote(Static):
    """Says how far the batch is and how to return to it; takes no room without one."""

    DEFAULT_CSS = """
    BatchNote { display: none; width: auto; height: 1; margin: 0 0 0 3; color: $accent; }
    """

    def on_mount(self) -> None:
        self._note = ""
        self.set_interval(1 / LOOKS_PER_SECOND, self._look)

    def _look(self) -> None:
        note = batches_of(self.app).note()
        if note != self._note:
            self._note = note
            self.display = bool(note)
            self.update(Content(safe(f"● {note}")))
            self.screen.refresh_bindings()

    async def on_click(self, _event: Click) -> None:
        await self.run_action("screen.repeat")
