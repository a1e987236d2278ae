"""Asks for a small number."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...text import safe
from .forms import ErrorLine, Form
from .safe_input import SafeInput


class NumberDialog(Form[int | None]):
    """The result is a whole number from 1 to ``most``, or None."""

    HELP = """How many
    Type a whole number. Enter starts, escape cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", key_display="esc")
    ]

    def __init__(self, title: str, explanation: str, *, suggested: int, most: int) -> None:
        super().__init__()
        self._title = title
        self._explanation = explanation
        self._suggested = suggested
        self._most = most

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(safe(self._title)), classes="dialog-title")
            yield Static(Content(safe(self._explanation)))
            yield SafeInput(str(self._suggested), type="integer", compact=True, id="how-many")
            yield ErrorLine()
            yield Static("⏎ start      esc cancel", classes="dialog-hint", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        count = int(event.value) if event.value.isdecimal() else 0
        if 1 <= count <= self._most:
            self.dismiss(count)
        else:
            self.show_error(f"a whole number from 1 to {self._most}")
