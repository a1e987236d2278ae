"""Asks for a discussion's title."""

from __future__ import annotations

import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from ...text import one_line
from ..widgets.forms import Form
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput


class TitleScreen(Form[str | None]):
    """The result is what was typed, trimmed, or None. It may be empty.

    ``heading`` is what a discussion without a title is called. It begins with ``title``, without
    the word that tells a fork.
    """

    HELP = """A title
    What the library calls the new discussion. It is a field of the setup, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "submit", "new discussion", key_display="⏎", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
    ]

    def __init__(self, heading: str, title: str = "") -> None:
        super().__init__()
        self._heading = heading
        self._title = re.sub(r" \(fork( \d+)?\)$", "", title)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Title of the new discussion", classes="dialog-title", markup=False)
            yield SafeInput(
                self._title,
                compact=True,
                classes="form-input",
                placeholder=one_line(self._heading, 60),
            )
            yield KeyLine()

    def action_submit(self) -> None:
        self.dismiss(self.query_one(Input).value.strip())
