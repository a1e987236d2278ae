"""What to do with a discussion that has taken all its turns."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...text import safe
from ..widgets.forms import ErrorLine, Form, form_row
from ..widgets.key_line import KeyLine

AfterTheEnd = int | Literal["new"] | None
MOST_TURNS = 100_000


class MoreTurns(Form[AfterTheEnd]):
    """Asks how many more turns ``taken`` are to be followed by.

    The result is a number of turns, “new” for a new discussion, or None.
    """

    HELP = """All turns are taken
    Continue this discussion with more turns, or start a new one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "continue", key_display="⏎", priority=True),
        Binding("ctrl+n", "dismiss('new')", "new discussion", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
    ]

    def __init__(self, taken: int, turns: int, what_is_new: str, *, suggested: int) -> None:
        super().__init__()
        self._taken = taken
        self._turns = turns
        self._what_is_new = what_is_new
        self._suggested = suggested

    def compose(self) -> ComposeResult:
        setup = "" if self._turns == self._taken else f"; the setup says {self._turns}"
        key = self.app.get_key_display(Binding("ctrl+n", ""))
        with Vertical(classes="dialog"):
            yield Static(
                safe(f"This discussion has taken {self._taken} turns{setup}."),
                classes="dialog-title",
                markup=False,
            )
            suggested = str(self._suggested)
            yield form_row(
                "More turns",
                Input(suggested, type="integer", compact=True, classes="form-input"),
            )
            yield ErrorLine()
            yield Static(
                Content.assemble(
                    "Or ",
                    Content.styled(key, "bold $accent"),
                    safe(f": a new discussion with {self._what_is_new}."),
                )
            )
            yield KeyLine()

    def action_submit(self) -> None:
        text = self.query_one(Input).value
        turns = int(text) if text.isdecimal() and len(text) <= len(str(MOST_TURNS)) else 0
        if 1 <= turns <= MOST_TURNS:
            self.dismiss(turns)
            return
        self.show_error(f"Type a whole number from 1 to {MOST_TURNS}.")

    @on(Input.Changed)
    def _typed(self) -> None:
        self.show_error("")
