"""Saved setups: giving one a name, and choosing one to open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from ...discussion import DiscussionSetup
from ...text import one_line, safe
from ...workspace.inputs import InputError
from ...workspace.setups import SavedSetup
from ..shell.screen import AppDialog
from ..widgets.forms import Form
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput

NAMES_SHOWN = 200
"""Cells of a row in the list, cut where the window is narrower."""


class SaveSetup(Form[str | None]):
    """Asks for a name, ``suggested`` at first; the result is it, or None.

    ``file`` gives the file of a name, or raises InputError.
    """

    HELP = """Save the setup
    Under a name, to be opened again here or run with `syndisco-tui run FILE`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "save", "save", key_display="⏎", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
    ]

    def __init__(self, suggested: str, file: Callable[[str], Path]) -> None:
        super().__init__()
        self._suggested = suggested
        self._file = file
        self._warned_of: str | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Save the setup as", classes="dialog-title", markup=False)
            yield SafeInput(self._suggested, compact=True, classes="form-input")
            yield Static("", id="fault", markup=False)
            yield KeyLine()

    def action_save(self) -> None:
        name = self.query_one(Input).value.strip()
        try:
            exists = self._file(name).exists()
        except InputError as error:
            self._show_error(str(error))
            return
        if exists and name != self._warned_of:
            self._warned_of = name
            self._show_error(f"There is a setup “{name}” already; ⏎ again replaces it.")
            return
        self.dismiss(name)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value.strip() != self._warned_of:
            self._warned_of = None
            self._show_error("")

    def _show_error(self, sentence: str) -> None:
        error = self.query_one("#fault", Static)
        error.update(Content(safe(sentence)))
        error.display = bool(sentence)


class OpenSetup(AppDialog[DiscussionSetup | None]):
    """Lists ``setups``; what is typed filters them. The result is the chosen one's setup."""

    HELP = """Open a setup
    The setups that you saved. Type to find one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="⏎", priority=True),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc", priority=True),
        Binding("down", "move(1)", "next", key_display="↑↓", priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, setups: Sequence[SavedSetup], save_key: str) -> None:
        super().__init__()
        self._setups = setups
        self._save_key = save_key
        self._matching: list[SavedSetup] = list(setups)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -list"):
            yield Static("Open a setup", classes="dialog-title", markup=False)
            yield SafeInput(compact=True, classes="form-input", placeholder="type to find one")
            yield OptionList(compact=True, markup=False)
            yield Static("", id="fault", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._filter()

    @on(Input.Changed)
    def _filter(self) -> None:
        typed = self.query_one(Input).value.strip().casefold()
        self._matching = [each for each in self._setups if typed in _searched(each)]
        options = self.query_one(OptionList)
        options.clear_options()
        if self._matching:
            options.add_options([_option(each) for each in self._matching])
            options.highlighted = 0
        else:
            nothing = f"No setup is saved yet; {self._save_key} saves one."
            sentence = safe("No match." if self._setups else nothing)
            options.add_option(Option(Content(sentence), disabled=True))

    def action_move(self, rows: int) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None and self._matching:
            options.highlighted = (options.highlighted + rows) % len(self._matching)

    @on(OptionList.OptionSelected)
    def action_open(self) -> None:
        row = self.query_one(OptionList).highlighted
        if row is None or not self._matching:
            return
        chosen = self._matching[row]
        if chosen.setup is not None:
            self.dismiss(chosen.setup)
            return
        error = self.query_one("#fault", Static)
        error.update(Content(safe(chosen.error)))
        error.display = True


def _searched(saved: SavedSetup) -> str:
    setup = saved.setup
    texts = (saved.name, setup.title, setup.context, *setup.names) if setup else (saved.name,)
    return "\n".join(texts).casefold()


def _option(saved: SavedSetup) -> Option:
    setup = saved.setup
    about = Content.styled("cannot be read", "$error")
    if setup is not None:
        turns = f"{setup.conv_len} turn{'' if setup.conv_len == 1 else 's'}"
        heading = one_line(setup.heading, NAMES_SHOWN)
        date = f"{saved.saved_at.astimezone():%Y-%m-%d}" if saved.is_own else "shipped"
        about = Content.styled(f"{date:<13}{heading} · {turns}", "$quiet")
    return Option(Content.assemble(f"{one_line(saved.name, 24):<26}", about))
