"""Textual's two editors behind the door for foreign text: what they hold can be drawn."""

from __future__ import annotations

from typing import Any

from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input, TextArea
from textual.widgets.text_area import Edit, EditResult

from ...text import editable


class SafeInput(Input):
    """One line, of which nothing is obeyed by the terminal, however it got in."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)
    """How long the text is: no reason to lay the whole screen out again for every letter."""

    def validate_value(self, value: str) -> str:
        return editable(value).replace("\n", " ")


class SafeTextArea(TextArea):
    """Several lines, likewise."""

    def __init__(self, text: str = "", **options: Any) -> None:
        super().__init__(editable(text), **options)

    def load_text(self, text: str) -> None:
        super().load_text(editable(text))

    def edit(self, edit: Edit) -> EditResult:
        edit.text = editable(edit.text)
        return super().edit(edit)
