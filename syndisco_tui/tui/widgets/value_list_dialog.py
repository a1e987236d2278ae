"""The values of a choice as a list, each with a line on what it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...text import one_line, safe
from ..shell.screen import AppDialog
from .key_line import KeyLine

WIDEST_VALUE = 30
Value = tuple[str, str]
"""A value, and what it does in a few words; these may be empty."""


class ValueListDialog(AppDialog[int | None]):
    """Lists ``values``; the result is the index of the chosen one, or None.

    ``current`` is the index of the value in force; ``note`` is said below the list.
    """

    HELP = """Choose a value
    Every value of the field, each with what it does. ● is the one in force."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "choose", key_display="⏎", priority=True),
        Binding("escape,q", "dismiss(None)", "cancel", key_display="esc"),
    ]

    def __init__(
        self, title: str, values: Sequence[Value], current: int | None, *, note: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._values = values
        self._current = current
        self._note = note

    def compose(self) -> ComposeResult:
        widest = max((cell_len(one_line(value)) for value, _ in self._values), default=0)
        width = min(widest, WIDEST_VALUE)
        with Vertical(id="options", classes="dialog"):
            yield Static(Content(one_line(self._title, 70)), classes="dialog-title")
            yield OptionList(
                *(self._option(number, width) for number in range(len(self._values))),
                markup=False,
                compact=True,
            )
            if self._note:
                yield Static(Content(safe(self._note)), classes="options-note")
            yield KeyLine()

    def _option(self, number: int, width: int) -> Option:
        value, about = self._values[number]
        shown = one_line(value, width)
        return Option(
            Content.assemble(
                Content.styled("● " if number == self._current else "  ", "$accent"),
                Content.styled(shown + " " * (width - cell_len(shown)), "bold"),
                Content.styled(f"   {one_line(about, 120)}" if about else "", "$quiet"),
            )
        )

    def on_mount(self) -> None:
        values = self.query_one(OptionList)
        values.highlighted = self._current or 0
        values.focus()

    def action_choose(self) -> None:
        self.dismiss(self.query_one(OptionList).highlighted)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)
