"""Below the list of personas, while it is of use: the filter, the marks, a field's editor."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from ...text import safe
from ..shell.keymap import key_of
from ..widgets.input_line import InputLine
from ..widgets.safe_input import SafeInput
from .edits import PersonaEdits
from .field_bar import FieldBar

_MARKED_ACTIONS = {
    "personas.take_part": "add or remove",
    "personas.change_many": "change a field",
    "personas.delete": "delete",
    "personas.save_set": "save as set",
    "personas.clear": "unmark",
}
"""What can be done with marked personas, by the action's id."""
_GAP = "  "


class FilterLine(InputLine):
    """Where the filter's words are typed; up and down lead into the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "into_list", "personas", key_display="↓", priority=True),
        Binding("up", "into_list", show=False, priority=True),
    ]

    def action_into_list(self) -> None:
        self._typed(self.query_one(SafeInput).value, True)


class MarkedLine(Widget):
    """How many personas are marked, and the keys that act on them, wrapped between them."""

    def __init__(self) -> None:
        super().__init__(id="marked")
        self._count = 0

    def show(self, count: int) -> None:
        self._count = count
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        lines = [Content.styled(f"{self._count} marked", "$accent")]
        for identity, label in _MARKED_ACTIONS.items():
            key = Content.styled(safe(key_of(self.app, identity)), "bold $footer-key-foreground")
            item = Content.assemble(key, f" {label}")
            if lines[-1].cell_length + len(_GAP) + item.cell_length <= width:
                lines[-1] = Content.assemble(lines[-1], _GAP, item)
            else:
                lines.append(item)
        return lines


class PersonaListFooter(Vertical):
    """Mounts each part when it is first shown: the first paint waits for none of them."""

    def __init__(self, edits: PersonaEdits) -> None:
        super().__init__(id="personas-foot")
        self._edits = edits
        self._filter: FilterLine | None = None
        self._marked: MarkedLine | None = None

    def compose(self) -> ComposeResult:
        yield FieldBar(self._edits)

    @property
    def bar(self) -> FieldBar:
        return self.query_one(FieldBar)

    @property
    def is_filter_open(self) -> bool:
        return self._filter is not None

    def open_filter(self, typed: Callable[[str, bool], None], left: Callable[[], None]) -> None:
        """Let words be typed; ``typed`` gets them and whether they are complete."""
        if self._filter is None:
            self._filter = FilterLine("/", "name, sex, occupation …", typed, left)
            self.mount(self._filter, before=0)
        else:
            self._filter.take_focus()

    def close_filter(self) -> None:
        """Remove the filter's line."""
        if self._filter is not None:
            self._filter.remove()
            self._filter = None

    def show_listed(self, count: int, total: int) -> None:
        """Say how many personas the filter leaves."""
        if self._filter is not None and self._filter.is_mounted:
            self._filter.note(f"{count} of {total}")

    def show_marked(self, count: int) -> None:
        """Say how many are marked, and what can be done with them; nothing if none is."""
        if self._marked is None:
            if not count:
                return
            self._marked = MarkedLine()
            self.mount(self._marked, before=self.bar)
        self._marked.display = bool(count)
        self._marked.show(count)
