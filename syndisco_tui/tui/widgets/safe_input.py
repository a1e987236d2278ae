"""Textual's two editors, whose text is made safe to draw however it got in."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.events import Focus, Paste
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input, TextArea
from textual.widgets.text_area import Edit, EditResult

from ...text import editable

_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")


def with_line_breaks(text: str) -> str:
    r"""``text`` in which every line ends with ``\n``.

    Most terminals send a pasted line break as a carriage return, programs of Windows as two
    characters.
    """
    return _LINE_BREAK.sub("\n", text)


class SafeInput(Input):
    """One line of text, without characters that a terminal would obey."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)
    """The size of the text; a letter more does not lay the whole screen out again."""

    def validate_value(self, value: str) -> str:
        return editable(value).replace("\n", " ")

    def on_paste(self, event: Paste) -> None:
        """Take all pasted lines, joined by blanks; Textual takes the first alone."""
        event.stop()
        event.prevent_default()
        self.paste(event.text)

    def action_paste(self) -> None:
        self.paste(self.app.clipboard)

    def paste(self, text: str) -> None:
        """Replace the selected text by ``text`` on one line."""
        self.replace(" ".join(with_line_breaks(text).strip("\n").split("\n")), *self.selection)


class SafeTextArea(TextArea):
    """Several lines of text, without characters that a terminal would obey.

    All text is selected when it gets the focus. Keys that delete a line delete the written line,
    not the wrapped one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+home", "go_to_start", show=False),
        Binding("ctrl+end", "go_to_end", show=False),
    ]

    def __init__(self, text: str = "", **options: Any) -> None:
        super().__init__(editable(text), **options)
        self._is_typed_into = False

    def load_text(self, text: str) -> None:
        super().load_text(editable(text))

    def edit(self, edit: Edit) -> EditResult:
        edit.text = editable(with_line_breaks(edit.text))
        return super().edit(edit)

    def on_paste(self, event: Paste) -> None:
        event.stop()  # Textual inserts it, and lets the screen hear of it too

    def on_focus(self, event: Focus) -> None:
        if not (event.from_app_focus or self._is_typed_into):
            self.select_all()
        self._is_typed_into = False

    def type_in(self, text: str) -> None:
        """Take the focus and insert ``text`` at the cursor."""
        self._is_typed_into = not self.has_focus
        self.screen.set_focus(self)
        self.insert(text)

    def action_go_to_start(self) -> None:
        self.move_cursor((0, 0))

    def action_go_to_end(self) -> None:
        self.move_cursor(self.document.end)

    def action_delete_to_start_of_line(self) -> None:
        """Delete the selection, else the line up to the cursor, else the line break before it."""
        row, column = self.cursor_location
        if not self.selection.is_empty:
            self._delete(*self.selection)
        elif column:
            self._delete((row, 0), (row, column))
        else:
            self.action_delete_left()

    async def action_delete_to_end_of_line_or_delete_line(self) -> None:
        """Delete the selection, else the line from the cursor on, else the line break after it."""
        row, column = self.cursor_location
        end = len(self.document.get_line(row))
        if not self.selection.is_empty:
            self._delete(*self.selection)
        elif column < end:
            self._delete((row, column), (row, end))
        else:
            self.action_delete_right()

    def _delete(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        self.delete(start, end, maintain_selection_offset=False)
