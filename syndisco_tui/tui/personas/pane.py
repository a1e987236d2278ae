"""The personas pane: owns the cast, its undo and its file. The setup is the screen's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from ...discussion import DiscussionSetup, Persona, name_key
from ...discussion.lint import Warning, author_warnings, persona_warnings
from ...text import one_line, safe
from ...workspace.inputs import InputError, describe
from ...workspace.personas import OwnPersonas, PersonaSets
from ..shell.keymap import key_of
from ..widgets.forms import bring_back, forget_discarded
from ..widgets.speaker_colours import SpeakerColours
from .field_bar import FieldBar
from .field_editing import FieldEditing
from .foot import PersonasFoot
from .list import PersonaList
from .selection import PersonaSelection, renamed_author

if TYPE_CHECKING:
    from .tools import PersonaTools

SECONDS_UNTIL_LOOKED_AT = 0.3
"""After a change, before likely mistakes are looked for: not between two keys."""
_FIRST_KEYS = ("new", "open_set")
"""The actions that give an empty list its first personas."""
Renames = tuple[tuple[str, str], ...]


class PersonasPane(Vertical):
    """Shows the cast of ``setup`` and tells of the setup that another cast makes.

    ``file`` is the user's own list; it is written whenever a persona changes.
    """

    class Changed(Message):
        """Another cast: the setup with it, and an error if the file could not be written."""

        def __init__(self, setup: DiscussionSetup, fault: str = "") -> None:
            super().__init__()
            self.setup = setup
            self.fault = fault

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
        self.setup = setup
        self.selection = PersonaSelection.of(setup, personas)
        self._own = OwnPersonas(file, personas)
        self._colours = colours
        self._earlier: list[tuple[PersonaSelection, Renames]] = []
        self._field_editing = FieldEditing(self)
        self._warnings: tuple[Warning, ...] = ()
        self._looked_at: tuple[Persona, ...] | None = None
        self._look: Timer | None = None
        self._sets = sets

    @cached_property
    def tools(self) -> PersonaTools:
        """What opens dialogs; they are not imported before one is wanted."""
        from .tools import PersonaTools

        return PersonaTools(self, self._sets)

    def compose(self) -> ComposeResult:
        yield Static("", classes="pane-title")
        yield PersonaList(self._colours)
        yield PersonasFoot()

    @property
    def list(self) -> PersonaList:
        return self.query_one(PersonaList)

    @property
    def foot(self) -> PersonasFoot:
        return self.query_one(PersonasFoot)

    @property
    def bar(self) -> FieldBar:
        return self.foot.bar

    def on_mount(self) -> None:
        self._show_selection()

    def _show_selection(self, highlight: int | None = None, *, count: int = 1) -> None:
        self.list.show(self.selection, highlight, count=count)
        self._note_listed()
        if self._look is not None:
            self._look.stop()
        self._look = self.set_timer(SECONDS_UNTIL_LOOKED_AT, self._mark)

    def _mark(self) -> None:
        keys = (name_key(self.selection.personas[each.index].name) for each in self.warnings)
        self.list.mark(frozenset(keys))

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """What is likely a mistake in the list as it is now."""
        if self._looked_at is not self.selection.personas:
            self._warnings = persona_warnings(self.selection.personas)
            self._looked_at = self.selection.personas
        misnamed = author_warnings(self.selection.personas, self.setup)
        return tuple(sorted((*self._warnings, *misnamed), key=lambda warning: warning.index))

    def show(self, setup: DiscussionSetup) -> None:
        """Show the cast as ``setup`` has it. Changes of another cast are not undone in it."""
        selection = PersonaSelection.of(setup, self.selection.personas)
        self.setup = setup
        if selection != self.selection:
            self._earlier.clear()
            self.selection = selection
        self._show_selection()

    def take_in(self, personas: Iterable[Persona]) -> None:
        """Add ``personas``, whose names nobody has, to the user's list, where one looks."""
        self.add(self.selection.with_new_ones(self.below, personas))

    def add(self, selection: PersonaSelection) -> None:
        """Show ``selection``, which has more personas below the highlight, and say how many."""
        count = len(selection.personas) - len(self.selection.personas)
        if count and self.change(selection, self.below, count=count):
            added = "1 persona" if count == 1 else f"{count} personas"
            self.tell(f"{added} added; {self.undo_key} undoes it.")

    # Changes -----------------------------------------------------------------------------------

    @on(PersonaList.Asked)
    def _asked(self, event: PersonaList.Asked) -> None:
        event.stop()
        index, selection = event.index, self.selection
        match event.action:
            case "undo":
                self._undo()
            case "new":
                self.tools.new(self.below)
            case "generate":
                self.tools.generate()
            case "open_set":
                self.tools.open_set()
            case "clear":
                self._clear()
            case "filter" if selection.personas:
                self.foot.open_filter(self._filter_typed, self._end_filter)
                self.list.add_class("-filtered")
                self._note_listed()
            case _ if index is None:
                new, open_set = (key_of(self.app, f"personas.{name}") for name in _FIRST_KEYS)
                self.tell(f"No personas: {new} makes one, {open_set} opens a set.")
            case "mark":
                self.list.turn_marks([index])
                self.list.action_step(1)
                self._note_listed()
            case "mark_all":
                self.list.turn_marks(self.list.listed)
                self._note_listed()
            case "take_part":
                marked = self.list.marked
                self.change(
                    selection.with_parts(marked) if marked else selection.with_part_turned(index)
                )
            case "moderate":
                self.change(selection.with_moderator_turned(index))
            case "edit":
                self.tools.edit(index)
            case "change_field" | "twin":
                self._field_editing.open(index, is_copy=event.action == "twin")
            case "up" | "down" if self.list.is_filtered:
                self.tell("The filter hides others: clear it with esc, then move the persona.")
            case "up" | "down":
                by = -1 if event.action == "up" else 1
                if 0 <= index + by < len(selection.personas):
                    self.change(selection.moved(index, by), index + by)
            case "duplicate":
                persona = selection.personas[index]
                twin = persona.model_copy(update={"username": selection.free_name(persona.name)})
                self.change(selection.with_new(index + 1, twin), index + 1)
            case "delete":
                self._delete(self.list.marked or (index,))
            case "change_many":
                self.tools.change_many()
            case "likely":
                self.tools.likely()
            case "save_set":
                self.tools.save_set()
            case "edit_outside":
                self.tools.edit_outside()

    def _delete(self, indices: Sequence[int]) -> None:
        first, count = self.selection.personas[indices[0]], len(indices)
        if self.change(self.selection.without_all(indices), indices[0]):
            deleted = one_line(first.name, 40) if count == 1 else f"{count} personas"
            self.tell(f"{deleted} deleted; {self.undo_key} undoes it.")

    # Filter and marks --------------------------------------------------------------------------

    def _filter_typed(self, words: str, is_complete: bool) -> None:
        self.list.filter(words)
        self._note_listed()
        if is_complete:
            self.list.focus()
            if not words.strip():
                self._end_filter()

    def _note_listed(self) -> None:
        self.foot.note_listed(len(self.list.listed), len(self.selection.personas))
        self.foot.show_marked(len(self.list.marked))
        self.list.refresh_bindings()

    def _end_filter(self) -> None:
        self.list.filter("")
        self.list.remove_class("-filtered")
        self.foot.close_filter()
        self._note_listed()
        self.list.focus()

    def _clear(self) -> None:
        if self.list.is_filtered:
            self._end_filter()
        else:
            self.list.unmark_all()
            self._note_listed()

    @property
    def below(self) -> int:
        """The index for somebody new: below the highlighted persona."""
        highlighted = self.list.highlighted
        return len(self.selection.personas) if highlighted is None else highlighted + 1

    @property
    def undo_key(self) -> str:
        return key_of(self.app, "personas.undo")

    def tell(self, sentence: str) -> None:
        """Say what was done, instead of what was said before."""
        self.app.clear_notifications()
        self.notify(safe(sentence), markup=False, timeout=4)

    def refusal(self, selection: PersonaSelection, renames: Renames = ()) -> str | None:
        """Why the setup does not allow ``selection``, in a sentence; None if it does."""
        try:
            self._filled(selection, renames)
        except ValidationError as error:
            return describe(error, DiscussionSetup)
        return None

    def _filled(self, selection: PersonaSelection, renames: Renames) -> DiscussionSetup:
        setup = self.setup
        for old, new in renames:
            setup = renamed_author(setup, old, new)
        return selection.fill(setup)

    def change(
        self,
        selection: PersonaSelection,
        highlight: int | None = None,
        *,
        count: int = 1,
        undoes: bool = False,
        renames: Renames = (),
    ) -> bool:
        """Show another cast, if the setup allows it; one step for the undo.

        ``count`` personas from ``highlight`` on are new. ``renames`` are old and new names: seed
        opinions follow their authors.
        """
        try:
            setup = self._filled(selection, renames)
        except ValidationError as error:
            sentence = safe(describe(error, DiscussionSetup))
            self.notify(sentence, severity="error", markup=False, timeout=8)
            return False
        fault = ""
        if selection.personas != self.selection.personas:
            try:
                selection = self._joined_by(self._own.save(self._own_after(selection)), selection)
            except InputError as error:
                fault = f"{error}."
        if not undoes:
            self._earlier.append((self.selection, renames))
        forget_discarded(self.app)
        if highlight is not None and self._is_hidden(selection, highlight):
            self._end_filter()
        self.selection, self.setup = selection, setup
        for old, new in renames:
            self.list.rename_mark(old, new)
        self._show_selection(highlight, count=count)
        self.post_message(self.Changed(setup, fault))
        return True

    def _is_hidden(self, selection: PersonaSelection, index: int) -> bool:
        """Whether the filter would hide somebody at ``index`` of ``selection`` who is new there."""
        if not self.list.is_filtered or index >= len(selection.personas):
            return False
        persona = selection.personas[index]
        return persona not in self.selection.personas and not self.list.lists(persona)

    def _joined_by(
        self, others: tuple[Persona, ...], selection: PersonaSelection
    ) -> PersonaSelection:
        """``selection`` with whom others put into the file; no undo takes them out again."""
        if not others:
            return selection

        def joined(selection: PersonaSelection) -> PersonaSelection:
            return selection.with_new_ones(len(selection.personas), others)

        self.selection = joined(self.selection)
        self._earlier = [(joined(earlier), renames) for earlier, renames in self._earlier]
        added = f"{len(others)} added at the end of the list"
        self.notify(f"The personas were changed elsewhere too: {added}.", markup=False, timeout=6)
        return joined(selection)

    def _own_after(self, selection: PersonaSelection) -> tuple[Persona, ...]:
        """The user's list once ``selection`` is shown instead of the present one.

        What a setup or a saved discussion brought along, and the user left as it is, is not
        theirs: the list keeps its own version of it, or none. Of whom both have, each in a version
        of its own, only the discussion's is changed.
        """
        before = {name_key(persona.name): persona for persona in self.selection.personas}
        own = {name_key(persona.name): persona for persona in self._own.personas}
        after = []
        for persona in selection.personas:
            key = name_key(persona.name)
            was = before.get(key)
            if persona != was and own.get(key, was) == was:
                after.append(persona)
            elif key in own:
                after.append(own[key])
        return tuple(after)

    def _undo(self) -> None:
        if bring_back(self.app):
            return
        if self._earlier:
            selection, renames = self._earlier[-1]
            if self.change(
                selection, undoes=True, renames=tuple((new, old) for old, new in renames)
            ):
                self._earlier.pop()
        else:
            self.notify("Nothing to undo.", timeout=2)

    # One field in place ------------------------------------------------------------------------

    @on(FieldBar.Left)
    def _field_left(self, event: FieldBar.Left) -> None:
        event.stop()
        self._field_editing.leave(event.typed)

    @on(FieldBar.Entered)
    def _field_entered(self, event: FieldBar.Entered) -> None:
        event.stop()
        self._field_editing.enter(event)

    def edit_field(self, index: int, field: str | None) -> None:
        """Go to the persona at ``index``; ``f`` then edits ``field``."""
        self.bar.field = field or self.bar.field
        self.list.show(self.selection, index)

    def clash(self, new: Persona, index: int | None) -> str | None:
        """Why ``new`` cannot stand at ``index`` (None: anywhere), in a sentence."""
        for other, persona in enumerate(self.selection.personas):
            if other != index and name_key(persona.name) == name_key(new.name):
                return f"username: there is a persona called “{persona.name}” already"
        return None
