"""One line below a list or a transcript for a filter, a search or a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from ...text import safe
from .safe_input import SafeInput


class InputLine(Horizontal):
    """Calls ``typed`` with the text and whether it is complete (enter), and ``left`` on escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", key_display="esc"),
    ]

    def __init__(
        self,
        sign: str,
        placeholder: str,
        typed: Callable[[str, bool], None],
        left: Callable[[], None],
    ) -> None:
        super().__init__()
        self._typed = typed
        self._left = left
        self.sign = sign
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        yield Static(safe(self.sign), classes="input-sign", markup=False)
        yield SafeInput(placeholder=self._placeholder, compact=True)
        yield Static("", classes="input-note", markup=False)

    def on_mount(self) -> None:
        self.take_focus()

    def take_focus(self) -> None:
        """Take the focus and select the text."""
        editor = self.query_one(SafeInput)
        editor.focus()
        editor.select_all()

    def note(self, text: str) -> None:
        """Show ``text`` at the right end."""
        self.query_one(".input-note", Static).update(Content(safe(text)), layout=False)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._typed(event.value, False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._typed(event.value, True)

    def action_leave(self) -> None:
        self._left()
