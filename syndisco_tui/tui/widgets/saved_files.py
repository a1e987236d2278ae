"""Dialogs for what is saved under names, sets and setups: give a name, find one to open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from ...text import one_line, safe, search_key
from ...workspace.inputs import InputError
from ..shell.screen import AppDialog
from .forms import ErrorLine, Form, form_row
from .inline_select import InlineSelect
from .key_line import KeyLine
from .safe_input import SafeInput

Value = TypeVar("Value")


class SaveAsDialog(Form[tuple[str, int] | None]):
    """Asks for a name; the result is it and the index of the chosen one of ``groups``.

    ``noun`` is what is saved. ``file_of`` gives the file of a name, or raises InputError.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", key_display="^s", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
    ]

    def __init__(
        self,
        title: str,
        noun: str,
        file_of: Callable[[str], Path],
        *,
        suggested: str = "",
        groups: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._title = title
        self._noun = noun
        self._file_of = file_of
        self._suggested = suggested
        self._groups = groups
        self._name_to_replace: str | None = None
        """The name that the last warning was about."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(safe(self._title), classes="dialog-title", markup=False)
            name = SafeInput(self._suggested, compact=True, id="name", classes="form-input")
            yield form_row("Name", name)
            if self._groups:
                yield form_row("Which", InlineSelect(self._groups, title="Which"))
            yield ErrorLine()
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#name").focus()

    @on(Input.Submitted)
    def action_save(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        try:
            exists = self._file_of(name).exists()
        except InputError as error:
            self.show_error(str(error))
            return
        if exists and name != self._name_to_replace:
            self._name_to_replace = name
            self.show_error(f"There is a {self._noun} “{name}” already; ⏎ again replaces it.")
            return
        groups = self.query(InlineSelect)
        self.dismiss((name, groups.first().index if groups else 0))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value.strip() != self._name_to_replace:
            self._name_to_replace = None
            self.show_error("")


@dataclass(frozen=True)
class SavedItem(Generic[Value]):
    """An item to open; if it cannot be opened, ``value`` is None and ``error`` says why.

    ``searched`` is the text that is searched for typed words. ``is_path``: the name is a path,
    which is not shortened.
    """

    name: str
    about: Content
    value: Value | None
    error: str = ""
    searched: str = ""
    is_path: bool = False

    def has(self, typed: str) -> bool:
        """Whether ``typed`` occurs in the name or the searched text, in any case."""
        return search_key(typed) in search_key(f"{self.name}\n{self.searched}")


class OpenDialog(AppDialog[Value | None]):
    """Lists ``items``; what is typed filters them, or is a path if ``value_of_path`` is given."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="⏎", priority=True),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc", priority=True),
        Binding("down", "move(1)", "next", key_display="↑↓", priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]
    TITLE_LINE: ClassVar[str]
    PLACEHOLDER: ClassVar[str]

    def __init__(self, items: Sequence[SavedItem[Value]], *, hint: str = "No match.") -> None:
        super().__init__()
        self._items = items
        self._matching = list(items)
        self._hint = hint
        """What is shown where there are no items."""

    def value_of_path(self, typed: str) -> Value | None:
        """The value of what is typed, where that is a path; None where it is not."""
        return None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -list"):
            yield Static(safe(self.TITLE_LINE), classes="dialog-title", markup=False)
            yield SafeInput(compact=True, classes="form-input", placeholder=self.PLACEHOLDER)
            yield OptionList(compact=True, markup=False)
            yield ErrorLine()
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._filter()

    @property
    def _typed(self) -> str:
        return self.query_one(Input).value.strip()

    @on(Input.Changed)
    def _filter(self) -> None:
        path = self.value_of_path(self._typed)
        self._matching = [] if path else [item for item in self._items if item.has(self._typed)]
        options = self.query_one(OptionList)
        options.clear_options()
        if self._matching:
            options.add_options(_option(item) for item in self._matching)
            options.highlighted = 0
        else:
            sentence = f"⏎ opens {path}" if path else "No match." if self._items else self._hint
            options.add_option(Option(Content(safe(sentence)), disabled=True))

    @property
    def _highlighted(self) -> int | None:
        """The index of the highlighted item among those that match."""
        return self.query_one(OptionList).highlighted if self._matching else None

    def action_move(self, rows: int) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None and self._matching:
            options.highlighted = (options.highlighted + rows) % len(self._matching)

    @on(OptionList.OptionSelected)
    def action_open(self) -> None:
        if (path := self.value_of_path(self._typed)) is not None:
            self.dismiss(path)
            return
        row = self.query_one(OptionList).highlighted
        if row is None or not self._matching:
            return
        item = self._matching[row]
        if item.value is not None:
            self.dismiss(item.value)
            return
        self.query_one(ErrorLine).show(item.error)


def _option(item: SavedItem[Value]) -> Option:
    name = one_line(item.name, 200 if item.is_path else 24)
    return Option(Content.assemble(f"{name:<26}", "  " if item.is_path else "", item.about))
