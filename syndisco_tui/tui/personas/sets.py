"""Named sets of personas: saving one, and choosing one to open."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from ...text import one_line, safe
from ...workspace.inputs import InputError
from ...workspace.personas import PersonaSet
from ..shell.screen import AppDialog
from ..widgets.forms import Form
from ..widgets.inline_select import InlineSelect
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput
from .many_fields import many


class SaveSet(Form[tuple[str, int] | None]):
    """Asks for a name; the result is it, and the number of the group that is chosen.

    ``groups`` are what the groups are called, ``file`` gives the file of a name or raises
    InputError.
    """

    HELP = """Save a set
    Personas under a name, to be opened again with any discussion."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", key_display="^s", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
        Binding("down,up", "app.focus_next", "next row", key_display="↑↓", priority=True),
    ]

    def __init__(self, groups: Sequence[str], file: Callable[[str], Path]) -> None:
        super().__init__()
        self._groups = groups
        self._file = file
        self._judged: str | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Save as a set", classes="dialog-title", markup=False)
            with Horizontal(classes="form-row"):
                yield Static("Name", classes="form-label", markup=False)
                yield SafeInput(compact=True, id="name", classes="form-input")
            with Horizontal(classes="form-row"):
                yield Static("Which", classes="form-label", markup=False)
                yield InlineSelect(self._groups, title="Which personas")
            yield Static("", id="fault", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#name").focus()

    @on(Input.Submitted)
    def action_save(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        warned, self._judged = name == self._judged, name
        try:
            exists = self._file(name).exists()
        except InputError as error:
            self._show_error(str(error))
            return
        if exists and not warned:
            self._show_error(f"There is a set “{name}” already; ⏎ again replaces it.")
            return
        self.dismiss((name, self.query_one(InlineSelect).index))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value.strip() != self._judged:
            self._judged = None
            self._show_error("")

    def _show_error(self, sentence: str) -> None:
        fault = self.query_one("#fault", Static)
        fault.update(Content(safe(sentence)))
        fault.display = bool(sentence)


class OpenSet(AppDialog[Path | None]):
    """Lists ``sets``; what is typed looks for one among them, or is a path."""

    HELP = """Open a set
    Your sets and the shipped ones. Type a part of a name, or the path of any persona file; then
    choose whether they are added to the list or replace it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="⏎", priority=True),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc", priority=True),
        Binding("down", "move(1)", "next set", key_display="↑↓", priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, sets: Sequence[PersonaSet]) -> None:
        super().__init__()
        self._sets = sets
        self._shown: list[PersonaSet] = list(sets)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -list"):
            yield Static("Open a set of personas", classes="dialog-title", markup=False)
            yield SafeInput(
                compact=True, classes="form-input", placeholder="type a name, or the path of a file"
            )
            yield OptionList(compact=True, markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._look()

    @property
    def _path(self) -> Path | None:
        typed = self.query_one(Input).value.strip()
        if "/" in typed or typed.startswith("~") or typed.endswith((".json", ".csv")):
            return Path(os.path.expanduser(typed))
        return None

    @on(Input.Changed)
    def _look(self) -> None:
        typed = self.query_one(Input).value.strip().casefold()
        path = self._path
        self._shown = [each for each in self._sets if typed in each.name.casefold()]
        options = self.query_one(OptionList)
        options.clear_options()
        if path is not None:
            self._shown = []
            options.add_option(Option(Content(f"⏎ opens {safe(str(path))}"), disabled=True))
        elif not self._shown:
            options.add_option(Option(Content("No match."), disabled=True))
        else:
            options.add_options(map(_option, self._shown))
            options.highlighted = 0

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            options.highlighted = (options.highlighted + by) % len(self._shown)

    def action_open(self) -> None:
        at = self.query_one(OptionList).highlighted
        if (path := self._path) is not None:
            self.dismiss(path)
        elif at is not None and at < len(self._shown):
            self.dismiss(self._shown[at].path)

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.action_open()


def _option(each: PersonaSet) -> Option:
    whose = "" if each.is_own else "shipped"
    count = "cannot be read" if each.count is None else many(each.count)
    return Option(
        Content.assemble(
            f"{one_line(each.name, 24):<26}",
            Content.styled(f"{count:<16}{whose}", "$quiet" if each.count is not None else "$error"),
        )
    )
