"""The personas pane: a key of it is a method here, which applies a change of the selection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from ...discussion import DiscussionSetup, Persona, name_key
from ...text import one_line
from ...workspace.inputs import describe
from ...workspace.personas import OwnPersonas, PersonaSets
from ..shell.actions import bindings
from ..shell.keymap import key_of
from ..widgets.forms import bring_back, forget_discarded
from ..widgets.notices import show_error, tell
from ..widgets.speaker_colours import SpeakerColours
from .edits import PersonaChange, PersonaEdits
from .field_bar import FieldBar
from .field_editing import FieldEditing
from .list import PersonaList
from .list_footer import PersonaListFooter
from .model_labels import model_labels
from .selection import PersonaSelection

if TYPE_CHECKING:
    from .dialogs import PersonaDialogs

LINT_DELAY = 0.3
"""Seconds after a change until likely mistakes are looked for: not between two keys."""


class PersonasPane(Vertical):
    """Shows the personas with their parts in ``setup``, and tells of the setup after a change.

    ``file`` holds the user's list; it is written whenever a persona changes.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("personas")

    class Changed(Message):
        """The setup with another selection, and an error if the list could not be written."""

        def __init__(self, setup: DiscussionSetup, error: str = "") -> None:
            super().__init__()
            self.setup = setup
            self.error = error

    def __init__(
        self,
        setup: DiscussionSetup,
        personas: tuple[Persona, ...],
        file: Path,
        colours: SpeakerColours,
        *,
        sets: PersonaSets,
        id: str,
    ) -> None:
        super().__init__(id=id, classes="pane")
        self.edits = PersonaEdits(setup, personas, OwnPersonas(file, personas))
        self._colours = colours
        self._sets = sets
        self._lint_timer: Timer | None = None

    @cached_property
    def dialogs(self) -> PersonaDialogs:
        """What opens dialogs, imported when the first one is wanted."""
        from .dialogs import PersonaDialogs

        return PersonaDialogs(self.app, self.edits, self._sets, self.apply, self._use_setup)

    @cached_property
    def field_editing(self) -> FieldEditing:
        """What changes one field in place."""
        return FieldEditing(self)

    def compose(self) -> ComposeResult:
        yield Static("", classes="pane-title")
        yield PersonaList(self._colours)
        yield PersonaListFooter(self.edits)

    @property
    def list(self) -> PersonaList:
        return self.query_one(PersonaList)

    @property
    def footer(self) -> PersonaListFooter:
        return self.query_one(PersonaListFooter)

    @property
    def selection(self) -> PersonaSelection:
        """All personas and their parts."""
        return self.edits.selection

    @property
    def setup(self) -> DiscussionSetup:
        """The setup with the selection in it."""
        return self.edits.setup

    def on_mount(self) -> None:
        self._show_selection()

    # What is shown -----------------------------------------------------------------------------

    def show(self, setup: DiscussionSetup) -> None:
        """Show the personas as another setup has them."""
        self.edits.show(setup)
        self._show_selection()

    def use(self, setup: DiscussionSetup) -> None:
        """Take over a setup in which no persona differs."""
        self.edits.setup = setup
        self.list.show_models(model_labels(setup))

    def _show_selection(self, highlight: int | None = None, *, count: int = 1) -> None:
        self.list.show_models(model_labels(self.setup))
        self.list.show(self.selection, highlight, count=count)
        self._show_counts()
        if self._lint_timer:
            self._lint_timer.stop()
        self._lint_timer = self.set_timer(LINT_DELAY, self._show_warnings)

    def _show_counts(self) -> None:
        self.footer.show_listed(len(self.list.listed), len(self.selection.personas))
        self.footer.show_marked(len(self.list.marked))
        self.refresh_bindings()

    def _show_warnings(self) -> None:
        personas, warnings = self.selection.personas, self.edits.warnings
        self.list.show_warnings(frozenset(name_key(personas[each.index].name) for each in warnings))

    # Changes -----------------------------------------------------------------------------------

    def apply(self, change: PersonaChange, *, is_undo: bool = False) -> bool:
        """Show another selection and save it, if the setup allows it; one step for the undo."""
        would_be_hidden = self._is_hidden(change)
        try:
            result = self.edits.apply(change, is_undo=is_undo)
        except ValidationError as error:
            show_error(self.app, describe(error, DiscussionSetup), seconds=8)
            return False
        if added := len(result.added):
            tell(self.app, f"The personas were changed elsewhere too: {added} added at the end.")
        forget_discarded(self.app)
        if would_be_hidden:
            self._end_filter()
        for old, new in change.renames:
            self.list.rename_mark(old, new)
        self._show_selection(change.highlight, count=change.count)
        self.post_message(self.Changed(self.setup, result.error))
        if change.sentence:
            tell(self.app, change.sentence)
        return True

    def _is_hidden(self, change: PersonaChange) -> bool:
        """Whether the filter would hide the new persona that ``change`` highlights."""
        personas, index = change.selection.personas, change.highlight
        if index is None or index >= len(personas):
            return False
        persona = personas[index]
        return persona not in self.selection.personas and not self.list.lists(persona)

    def _use_setup(self, setup: DiscussionSetup) -> None:
        """Take over a setup in which something else than the personas differs, and tell of it."""
        self.use(setup)
        self.post_message(self.Changed(setup))

    def import_personas(self, personas: Iterable[Persona]) -> None:
        """Add ``personas`` below the highlighted one."""
        self.dialogs.add(self.selection.insert(self._below, personas), self._below)

    @property
    def _below(self) -> int:
        """The index for a new persona: below the highlighted one."""
        highlighted = self.list.highlighted
        return len(self.selection.personas) if highlighted is None else highlighted + 1

    @property
    def _highlighted(self) -> int | None:
        """The index of the highlighted persona; where there is none, say how to get some."""
        index = self.list.highlighted
        if index is None:
            tell(self.app, f"{self.list.empty_hint}.")
        return index

    @property
    def chosen(self) -> Sequence[int]:
        """The indices of the marked personas, or else that of the highlighted one."""
        index = self._highlighted
        return () if index is None else self.list.marked or (index,)

    # Actions: who takes part, and which personas there are ----------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        focused = self.screen.focused
        if isinstance(focused, Input) and self in focused.ancestors:
            return False  # keys are text
        return action != "clear" or self.list.is_filtered or bool(self.list.marked)

    def action_take_part(self) -> None:
        if (index := self._highlighted) is not None:
            marked, selection = self.list.marked, self.selection
            toggled = selection.toggle_users(marked) if marked else selection.toggle_user(index)
            self.apply(PersonaChange(toggled))

    def action_moderate(self) -> None:
        if (index := self._highlighted) is not None:
            self.apply(PersonaChange(self.selection.toggle_moderator(index)))

    def action_up(self) -> None:
        self._move(-1)

    def action_down(self) -> None:
        self._move(1)

    def _move(self, rows: int) -> None:
        index = self._highlighted
        if index is None:
            return
        if self.list.is_filtered:
            tell(self.app, "The filter hides others: clear it with esc, then move the persona.")
        elif 0 <= index + rows < len(self.selection.personas):
            self.apply(PersonaChange(self.selection.move(index, rows), index + rows))

    def action_duplicate(self) -> None:
        if (index := self._highlighted) is not None:
            copies = [self.selection.personas[index]]
            self.apply(PersonaChange(self.selection.insert(index + 1, copies), index + 1))

    def action_delete(self) -> None:
        if indices := self.chosen:
            name = one_line(self.selection.personas[indices[0]].name, 40)
            deleted = name if len(indices) == 1 else f"{len(indices)} personas"
            sentence = f"{deleted} deleted; {key_of(self.app, 'personas.undo')} undoes it."
            selection = self.selection.remove(indices)
            self.apply(PersonaChange(selection, indices[0], sentence=sentence))

    def action_undo(self) -> None:
        if bring_back(self.app):
            return
        if change := self.edits.undo():
            self.apply(change, is_undo=True)
        else:
            self.notify("Nothing to undo.", timeout=2)

    # Actions that open a dialog ------------------------------------------------------------------

    @on(PersonaList.Selected)
    def action_edit(self) -> None:
        if (index := self._highlighted) is not None:
            self.dialogs.edit(index)

    def action_model(self) -> None:
        if indices := self.chosen:
            self.dialogs.give_model(indices)

    def action_new(self) -> None:
        self.dialogs.new(self._below)

    def action_generate(self) -> None:
        self.dialogs.generate(self.list.marked, self._below)

    def action_change_many(self) -> None:
        if (index := self._highlighted) is not None:
            self.dialogs.change_many(index, self.list.marked)

    def action_save_set(self) -> None:
        if self._highlighted is not None:
            self.dialogs.save_set(self.list.marked)

    def action_open_set(self) -> None:
        self.dialogs.open_set(self._below)

    def action_edit_outside(self) -> None:
        if (index := self._highlighted) is not None:
            self.dialogs.edit_outside(index)

    def action_likely(self) -> None:
        if self._highlighted is None:
            return
        if self.edits.warnings:
            self.dialogs.show_warnings(self.edits.warnings, self.field_editing.go_to)
        else:
            tell(self.app, "No likely mistakes.")

    # Filter and marks --------------------------------------------------------------------------

    def action_filter(self) -> None:
        if self.list.is_filtered or self._highlighted is not None:
            self.footer.open_filter(self._filter_typed, self._end_filter)
            self.list.keeps_highlight = True
            self._show_counts()

    def _filter_typed(self, words: str, is_complete: bool) -> None:
        self.list.filter(words)
        self._show_counts()
        if is_complete:
            self.list.focus()
            if not words.strip():
                self._end_filter()

    def _end_filter(self) -> None:
        self.list.filter("")
        self.list.keeps_highlight = False
        self.footer.close_filter()
        self._show_counts()
        self.list.focus()

    def action_mark(self) -> None:
        if (index := self._highlighted) is not None:
            self.list.toggle_marks([index])
            self.list.action_move(1)
            self._show_counts()

    def action_mark_all(self) -> None:
        if self._highlighted is not None:
            self.list.toggle_marks(self.list.listed)
            self._show_counts()

    def action_clear(self) -> None:
        if self.list.is_filtered:
            self._end_filter()
        else:
            self.list.unmark_all()
            self._show_counts()

    # One field in place ------------------------------------------------------------------------

    async def action_change_field(self) -> None:
        if (index := self._highlighted) is not None:
            await self.field_editing.open(index)

    async def action_twin(self) -> None:
        if (index := self._highlighted) is not None:
            await self.field_editing.open(index, is_copy=True)

    @on(FieldBar.Entered)
    async def _field_entered(self, event: FieldBar.Entered) -> None:
        event.stop()
        await self.field_editing.enter(event)

    @on(FieldBar.Left)
    def _field_left(self, event: FieldBar.Left) -> None:
        event.stop()
        self.field_editing.leave(event)
