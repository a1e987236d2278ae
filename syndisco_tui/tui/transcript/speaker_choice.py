"""The choice of a speaker whose messages alone are shown."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ..shell.screen import AppDialog


class SpeakerChoice(AppDialog[str | None]):
    """Lists everyone who spoke, and how often; the result is a name as it is shown, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,v,q", "dismiss(None)", "back", show=False),
        Binding("j", "next", show=False),
        Binding("k", "previous", show=False),
    ]

    def __init__(self, speakers: dict[str, int], colours: dict[str, str], current: str) -> None:
        super().__init__()
        self._speakers = speakers
        self._colours = colours
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Show only the messages of", classes="dialog-title", markup=False)
            yield OptionList(*(Option(self._line(name, n)) for name, n in self._speakers.items()))
            yield Static("⏎ show      esc back", classes="dialog-hint", markup=False)

    def _line(self, name: str, count: int) -> Content:
        style = f"bold {self._colours[name]}" if name in self._colours else "bold"
        return Content.assemble(Content.styled(name, style), Content.styled(f"  {count}", "$quiet"))

    def on_mount(self) -> None:
        names = list(self._speakers)
        options = self.query_one(OptionList)
        options.highlighted = names.index(self._current) if self._current in names else 0
        options.focus()

    def action_next(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_previous(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(list(self._speakers)[event.option_index])
