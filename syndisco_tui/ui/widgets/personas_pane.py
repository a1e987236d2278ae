"""The personas pane: owns the cast, its undo and its file. The setup is the screen's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as Event
from textual.timer import Timer
from textual.widgets import Static

from ...discussion import DiscussionSetup, Persona, name_key
from ...discussion.lint import Finding, likely_mistakes, misnamed_authors
from ...inputs import InputError, describe
from ...store.persona_sets import PersonaSets
from ...text import one_line, safe
from ..cast import Cast, renamed_author
from ..keymap import key_of
from ..own_personas import OwnPersonas
from ..persona_fields import FieldFault, fields_of, with_field
from ..speaker_colours import SpeakerColours
from .field_bar import FieldBar
from .persona_list import PersonaList, persona_summary

if TYPE_CHECKING:
    from ..persona_tools import PersonaTools

SECONDS_UNTIL_LOOKED_AT = 0.3
"""After a change, before likely mistakes are looked for: not between two keys."""
Renames = tuple[tuple[str, str], ...]


class PersonasPane(Vertical):
    """Shows the cast of ``setup`` and tells of the setup that another cast makes.

    ``file`` is the user's own list; it is written whenever a persona changes.
    """

    class Changed(Event):
        """Another cast: the setup with it, and a sentence if the file could not be written."""

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
        self.cast = Cast.of(setup, personas)
        self._own = OwnPersonas(file, personas)
        self._colours = colours
        self._earlier: list[tuple[Cast, Renames]] = []
        self._making_twin = False
        self._findings: tuple[Finding, ...] = ()
        self._looked_at: tuple[Persona, ...] | None = None
        self._look: Timer | None = None
        self._sets = sets

    @cached_property
    def tools(self) -> PersonaTools:
        """What opens dialogs; they are not imported before one is wanted."""
        from ..persona_tools import PersonaTools

        return PersonaTools(self, self._sets)

    def compose(self) -> ComposeResult:
        yield Static("", classes="pane-title")
        yield PersonaList(self._colours)
        yield FieldBar()

    @property
    def list(self) -> PersonaList:
        return self.query_one(PersonaList)

    @property
    def bar(self) -> FieldBar:
        return self.query_one(FieldBar)

    def on_mount(self) -> None:
        self._show_cast()

    def _show_cast(self, highlight: int | None = None) -> None:
        self.list.show(self.cast, highlight)
        if self._look is not None:
            self._look.stop()
        self._look = self.set_timer(SECONDS_UNTIL_LOOKED_AT, self._mark)

    def _mark(self) -> None:
        keys = (name_key(self.cast.personas[each.index].name) for each in self.findings)
        self.list.mark(frozenset(keys))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is likely a mistake in the list as it is now."""
        if self._looked_at is not self.cast.personas:
            self._findings = likely_mistakes(self.cast.personas)
            self._looked_at = self.cast.personas
        misnamed = misnamed_authors(self.cast.personas, self.setup)
        return tuple(sorted((*self._findings, *misnamed), key=lambda finding: finding.index))

    def show(self, setup: DiscussionSetup) -> None:
        """Show the cast as ``setup`` has it. Changes of another cast are not undone in it."""
        cast = Cast.of(setup, self.cast.personas)
        self.setup = setup
        if cast != self.cast:
            self._earlier.clear()
            self.cast = cast
        self._show_cast()

    def take_in(self, personas: Iterable[Persona]) -> None:
        """Add ``personas``, whose names nobody has, to the user's list; ``undo`` takes them out."""
        cast = self.cast
        for persona in personas:
            cast = cast.with_new(len(cast.personas), persona)
        self.change(cast)

    # Changes -----------------------------------------------------------------------------------

    @on(PersonaList.Asked)
    def _asked(self, event: PersonaList.Asked) -> None:
        event.stop()
        index, cast = event.index, self.cast
        if event.what == "undo":
            self._undo()
        elif event.what == "new":
            self._make_new(self.below)
        elif event.what in ("generate", "open_set"):
            getattr(self.tools, event.what)()
        elif index is None:
            new, open_set = (key_of(self.app, f"personas.{name}") for name in ("new", "open_set"))
            self.tell(f"There is nobody: {new} makes a persona, {open_set} opens a set.")
        elif event.what == "take_part":
            self.change(cast.with_part_turned(index))
        elif event.what == "moderate":
            self.change(cast.with_moderator_turned(index))
        elif event.what == "edit":
            self._edit(index)
        elif event.what in ("change_field", "twin"):
            self._ask_for_field(index, twin=event.what == "twin")
        elif event.what in ("up", "down"):
            by = -1 if event.what == "up" else 1
            if 0 <= index + by < len(cast.personas):
                self.change(cast.moved(index, by), index + by)
        elif event.what == "duplicate":
            persona = cast.personas[index]
            twin = persona.model_copy(update={"username": cast.free_name(persona.name)})
            self.change(cast.with_new(index + 1, twin), index + 1)
        elif event.what == "delete":
            if self.change(cast.without(index), index):
                name = one_line(cast.personas[index].name, 40)
                self.tell(f"{name} is deleted; {self.undo_key} undoes it.")
        else:
            getattr(self.tools, event.what)()

    @property
    def below(self) -> int:
        """Where somebody new is put: below the cursor."""
        at = self.list.highlighted
        return len(self.cast.personas) if at is None else at + 1

    @property
    def undo_key(self) -> str:
        return key_of(self.app, "personas.undo")

    def tell(self, sentence: str) -> None:
        """Say what was done, instead of what was said before."""
        self.app.clear_notifications()
        self.notify(safe(sentence), markup=False, timeout=4)

    def refusal(self, cast: Cast, renames: Renames = ()) -> str | None:
        """Why the setup does not allow ``cast``, in a sentence; None if it does."""
        try:
            self._filled(cast, renames)
        except ValidationError as error:
            return describe(error, DiscussionSetup)
        return None

    def _filled(self, cast: Cast, renames: Renames) -> DiscussionSetup:
        setup = self.setup
        for old, new in renames:
            setup = renamed_author(setup, old, new)
        return cast.fill(setup)

    def change(
        self,
        cast: Cast,
        highlight: int | None = None,
        *,
        undoes: bool = False,
        renames: Renames = (),
    ) -> bool:
        """Take over another cast, if the setup allows it; one step for the undo.

        ``renames`` are old and new names: seed opinions follow their authors.
        """
        try:
            setup = self._filled(cast, renames)
        except ValidationError as error:
            sentence = safe(describe(error, DiscussionSetup))
            self.notify(sentence, severity="error", markup=False, timeout=8)
            return False
        fault = ""
        if cast.personas != self.cast.personas:
            try:
                cast = self._joined_by(self._own.keep(self._own_after(cast)), cast)
            except InputError as error:
                fault = f"{error}."
        if not undoes:
            self._earlier.append((self.cast, renames))
        self.cast, self.setup = cast, setup
        self._show_cast(highlight)
        self.post_message(self.Changed(setup, fault))
        return True

    def _joined_by(self, others: tuple[Persona, ...], cast: Cast) -> Cast:
        """``cast`` with whom others put into the file; no undo takes them out again."""
        if not others:
            return cast

        def joined(cast: Cast) -> Cast:
            return cast.with_new_ones(len(cast.personas), others)

        self.cast = joined(self.cast)
        self._earlier = [(joined(earlier), renames) for earlier, renames in self._earlier]
        came = f"{len(others)} came in at the end of the list"
        self.notify(f"The personas were changed elsewhere too: {came}.", markup=False, timeout=6)
        return joined(cast)

    def _own_after(self, cast: Cast) -> tuple[Persona, ...]:
        """The user's list once ``cast`` is shown instead of the present one.

        What a setup or a saved discussion brought along, and the user left as it is, is not
        theirs: the list keeps its own version of it, or none. Of whom both have, each in a version
        of its own, only the discussion's is changed.
        """
        before = {name_key(persona.name): persona for persona in self.cast.personas}
        own = {name_key(persona.name): persona for persona in self._own.personas}
        kept = []
        for persona in cast.personas:
            key = name_key(persona.name)
            was = before.get(key)
            if persona != was and own.get(key, was) == was:
                kept.append(persona)
            elif key in own:
                kept.append(own[key])
        return tuple(kept)

    def _undo(self) -> None:
        if self._earlier:
            cast, renames = self._earlier[-1]
            if self.change(cast, undoes=True, renames=tuple((new, old) for old, new in renames)):
                self._earlier.pop()
        else:
            self.notify("Nothing to undo.", timeout=2)

    # One field in place ------------------------------------------------------------------------

    def _ask_for_field(self, index: int, *, twin: bool = False) -> None:
        persona = self.cast.personas[index]
        self._making_twin = twin
        fields = fields_of(self.cast.personas)
        title = ""
        if twin:
            fields = fields[1:]  # its name differs anyway
            title = f"{self.cast.free_name(persona.name)}, like {persona.name} but for"
        self.list.set_class(True, "-editing")
        self.bar.open(persona, fields, title=title, steps=not twin)

    def edit_field(self, index: int, field: str | None) -> None:
        """Go to the persona at ``index``; ``f`` then edits ``field``."""
        self.bar.field = field or self.bar.field
        self.list.show(self.cast, index)

    @on(FieldBar.Left)
    def _field_left(self, event: FieldBar.Left) -> None:
        event.stop()
        self._close_bar()

    def _close_bar(self) -> None:
        self.bar.close()
        self.list.set_class(False, "-editing")
        self.list.focus()

    @on(FieldBar.Entered)
    def _field_entered(self, event: FieldBar.Entered) -> None:
        event.stop()
        persona = self.bar.persona
        if persona is None or persona not in self.cast.personas:  # changed elsewhere meanwhile
            self._close_bar()
            return
        index = self.cast.personas.index(persona)
        try:
            new = with_field(persona, event.field, event.text)
        except FieldFault as fault:
            self.bar.show_fault(str(fault))
            return
        if self._making_twin:
            self._make_twin(index, new)
            return
        if new != persona:
            clash = self._clash(new, index)
            if clash:
                self.bar.show_fault(clash)
                return
            renames = ((persona.name, new.name),)
            if not self.change(self.cast.with_persona(index, new), index, renames=renames):
                return
        if event.step:
            index = max(0, min(index + event.step, len(self.cast.personas) - 1))
            self.list.show(self.cast, index)
            self._ask_for_field(index)
        else:
            self._close_bar()

    def _make_twin(self, index: int, new: Persona) -> None:
        if new == self.cast.personas[index]:
            self.bar.show_fault("a twin differs: change the value")
            return
        twin = new.model_copy(update={"username": self.cast.free_name(new.name)})
        if self.change(self.cast.with_new(index + 1, twin), index + 1):
            self._close_bar()

    def _clash(self, new: Persona, index: int | None) -> str | None:
        for other, there in enumerate(self.cast.personas):
            if other != index and name_key(there.name) == name_key(new.name):
                return f"username: there is a persona called “{there.name}” already"
        return None

    # The form ----------------------------------------------------------------------------------

    def _edit(self, index: int) -> None:
        persona = self.cast.personas[index]

        def edited(new: Persona | None) -> None:
            if new is not None and new != persona:
                renames = ((persona.name, new.name),)
                self.change(self.cast.with_persona(index, new), index, renames=renames)

        self._open_form(persona, persona_summary(persona), index, edited)

    def _make_new(self, index: int) -> None:
        def made(new: Persona | None) -> None:
            if new is not None:
                self.change(self.cast.with_new(index, new), index)

        blank = Persona(username=self.cast.free_name("New"))
        self._open_form(blank, "New persona", None, made)

    def _open_form(
        self,
        persona: Persona,
        title: str,
        index: int | None,
        done: Callable[[Persona | None], None],
    ) -> None:
        from ..screens.persona_editor import PersonaEditor

        def refused(new: Persona) -> str | None:
            return self._clash(new, index)

        def preview(new: Persona) -> dict[str, Any]:
            moderates = index is not None and self.cast.moderates(self.cast.personas[index])
            personas, moderator = ((), new) if moderates else ((new,), None)
            setup = self.setup.model_copy(update={"personas": personas, "moderator": moderator})
            return setup.actor(new.name).prompt_fields()

        self.app.push_screen(PersonaEditor(persona, title, refused, preview), done)
