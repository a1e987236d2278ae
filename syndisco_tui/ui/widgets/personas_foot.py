"""What stands below the list of personas while it is of use: filter, marks, a field's editor."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ...text import safe
from ..keymap import key_of
from ..transcript.find_line import FindLine
from .field_bar import FieldBar

_ACTS = {
    "take_part": "add or remove",
    "change_many": "change a field",
    "delete": "delete",
    "save_set": "save as set",
    "clear": "unmark",
}
"""What can be done with marked personas, by the action's name."""


class PersonasFoot(Vertical):
    """Shows none of them at first: the first picture waits for nothing that it does not show."""

    def __init__(self) -> None:
        super().__init__(id="personas-foot")
        self._filter: FindLine | None = None
        self._marked: Static | None = None

    def compose(self) -> ComposeResult:
        yield FieldBar()

    @property
    def bar(self) -> FieldBar:
        return self.query_one(FieldBar)

    @property
    def is_filter_open(self) -> bool:
        return self._filter is not None

    def open_filter(self, typed: Callable[[str, bool], None], left: Callable[[], None]) -> None:
        """Let words be typed; ``typed`` is told them and whether they are complete."""
        if self._filter is None:
            self._filter = FindLine("/", "name, sex, occupation …", typed, left)
            self.mount(self._filter, before=0)
        else:
            self._filter.take_focus()

    def close_filter(self) -> None:
        if self._filter is not None:
            self._filter.remove()
            self._filter = None

    def note_listed(self, count: int, total: int) -> None:
        """Say how many personas the filter leaves."""
        if self._filter is not None and self._filter.is_mounted:
            self._filter.note(f"{count} of {total}")

    def show_marked(self, count: int) -> None:
        """Say how many are marked, and what can be done with them; nothing if none is."""
        if self._marked is None:
            if not count:
                return
            self._marked = Static("", id="marked", markup=False)
            self.mount(self._marked, before=self.bar)
        self._marked.display = bool(count)
        parts: list[Content | str] = [Content.styled(f"{count} marked", "$accent")]
        for action, does in _ACTS.items():
            key = safe(key_of(self.app, f"personas.{action}"))
            parts += ["  ", Content.styled(key, "bold $footer-key-foreground"), f" {does}"]
        self._marked.update(Content.assemble(*parts))
