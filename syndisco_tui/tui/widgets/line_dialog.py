"""Dialogs that ask for one line: a text, or a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from ...text import one_line, safe
from .forms import ErrorLine, Form
from .safe_input import SafeInput

Value = TypeVar("Value")


class LineDialog(Form[Value | None]):
    """Asks for one line; the result is what ``parse`` makes of it, or None.

    ``parse`` gets the line without spaces around it, and raises ValueError with what is wrong.
    ``verb`` says what enter does. ``placeholder`` is shown while the line is empty.
    """

    HELP = """A line of text
    Enter uses what you typed, escape cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "confirm", show=False, priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", show=False),
    ]

    def __init__(
        self,
        title: str,
        explanation: str,
        verb: str,
        parse: Callable[[str], Value],
        *,
        text: str = "",
        placeholder: str = "",
    ) -> None:
        super().__init__()
        self._title = title
        self._explanation = explanation
        self._verb = verb
        self._parse = parse
        self._text = text
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(safe(self._title), classes="dialog-title", markup=False)
            if self._explanation:
                yield Static(safe(self._explanation), markup=False)
            placeholder = one_line(self._placeholder, 60)
            yield SafeInput(self._text, compact=True, id="line", placeholder=placeholder)
            yield ErrorLine()
            hint = f"⏎ {self._verb}      esc cancel"
            yield Static(safe(hint), classes="dialog-hint", markup=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:  # by enter, which reaches the line and not what lies below
        self.action_submit()

    def action_submit(self) -> None:
        try:
            value = self._parse(self.query_one(Input).value.strip())
        except ValueError as error:
            self.show_error(str(error))
        else:
            self.dismiss(value)

    @on(Input.Changed)
    def _typed(self) -> None:
        self.show_error("")


def non_empty(text: str) -> str:
    """``text``. Raises ValueError if it is empty."""
    if not text:
        raise ValueError("must not be empty")
    return text


class NumberDialog(LineDialog[int]):
    """Asks for a whole number from 1 to ``most``."""

    HELP = """How many
    Type a whole number. Enter starts, escape cancels."""

    def __init__(self, title: str, explanation: str, *, suggested: int, most: int) -> None:
        def parse(text: str) -> int:
            number = int(text) if text.isdecimal() else 0
            if not 1 <= number <= most:
                raise ValueError(f"a whole number from 1 to {most}")
            return number

        super().__init__(title, explanation, "start", parse, text=str(suggested))
