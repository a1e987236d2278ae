"""The personas pane: owns the cast, its undo and its file. The setup is the screen's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as Event
from textual.widgets import Static

from ...discussion import DiscussionSetup, Persona, name_key
from ...inputs import describe
from ...store.personas import write_personas
from ...text import one_line, safe
from ..cast import Cast, renamed_author
from ..keymap import key_of
from ..screens.persona_editor import PersonaEditor
from ..speaker_colours import SpeakerColours
from .persona_list import PersonaList, persona_summary


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
        id: str,
    ) -> None:
        super().__init__(id=id, classes="pane")
        self.setup = setup
        self.cast = Cast.of(setup, personas)
        self._own = personas
        self._file = file
        self._colours = colours
        self._earlier: list[Cast] = []

    def compose(self) -> ComposeResult:
        yield Static("", classes="pane-title")
        yield PersonaList(self._colours)

    @property
    def list(self) -> PersonaList:
        return self.query_one(PersonaList)

    def on_mount(self) -> None:
        self.list.show(self.cast)

    def show(self, setup: DiscussionSetup) -> None:
        """Show the cast as ``setup`` has it."""
        cast = Cast.of(setup, self.cast.personas)
        self.setup = setup
        if cast != self.cast:
            self._earlier.append(self.cast)
            self.cast = cast
        self.list.show(self.cast)

    def take_in(self, personas: Iterable[Persona]) -> None:
        """Add ``personas``, whose names nobody has, to the user's list; ``undo`` takes them out."""
        cast = self.cast
        for persona in personas:
            cast = cast.with_new(len(cast.personas), persona)
        self._change(cast)

    # Changes -----------------------------------------------------------------------------------

    @on(PersonaList.Asked)
    def _asked(self, event: PersonaList.Asked) -> None:
        event.stop()
        index, cast = event.index, self.cast
        if event.what == "undo":
            self._undo()
        elif event.what == "new":
            self._make_new(len(cast.personas) if index is None else index + 1)
        elif index is None:
            return
        elif event.what == "take_part":
            self._change(cast.with_part_turned(index))
        elif event.what == "moderate":
            self._change(cast.with_moderator_turned(index))
        elif event.what == "edit":
            self._edit(index)
        elif event.what == "duplicate":
            persona = cast.personas[index]
            twin = persona.model_copy(update={"username": cast.free_name(persona.name)})
            self._change(cast.with_new(index + 1, twin), index + 1)
        elif event.what == "delete" and self._change(cast.without(index), index):
            name = one_line(cast.personas[index].name, 40)
            self.app.clear_notifications()
            undo = key_of(self.app, "personas.undo")
            self.notify(f"{name} is deleted; {undo} undoes it.", markup=False, timeout=4)

    def _change(
        self,
        cast: Cast,
        highlight: int | None = None,
        *,
        undoes: bool = False,
        renamed: tuple[str, str] | None = None,
    ) -> bool:
        """Take over another cast, if the setup allows it."""
        try:
            setup = cast.fill(renamed_author(self.setup, *renamed) if renamed else self.setup)
        except ValidationError as error:
            sentence = safe(describe(error, DiscussionSetup))
            self.notify(sentence, severity="error", markup=False, timeout=8)
            return False
        fault = ""
        if cast.personas != self.cast.personas:
            self._own = self._own_after(cast)
            try:
                write_personas(self._file, self._own)
            except OSError as error:
                fault = f"{self._file}: the personas cannot be saved: {error.strerror}."
        if not undoes:
            self._earlier.append(self.cast)
        self.cast, self.setup = cast, setup
        self.list.show(cast, highlight)
        self.post_message(self.Changed(setup, fault))
        return True

    def _own_after(self, cast: Cast) -> tuple[Persona, ...]:
        """The user's list once ``cast`` is shown instead of the present one.

        What a setup or a saved discussion brought along, and the user left as it is, is not
        theirs: the list keeps its own version of it, or none.
        """
        before = {name_key(persona.name): persona for persona in self.cast.personas}
        own = {name_key(persona.name): persona for persona in self._own}
        kept = []
        for persona in cast.personas:
            key = name_key(persona.name)
            if before.get(key) != persona:
                kept.append(persona)
            elif key in own:
                kept.append(own[key])
        return tuple(kept)

    def _undo(self) -> None:
        if self._earlier:
            cast = self._earlier.pop()
            if not self._change(cast, undoes=True):
                self._earlier.append(cast)
        else:
            self.notify("Nothing to undo.", timeout=2)

    # The form ----------------------------------------------------------------------------------

    def _edit(self, index: int) -> None:
        persona = self.cast.personas[index]

        def edited(new: Persona | None) -> None:
            if new is not None and new != persona:
                names = (persona.name, new.name)
                self._change(self.cast.with_persona(index, new), index, renamed=names)

        self._open_form(persona, persona_summary(persona), index, edited)

    def _make_new(self, index: int) -> None:
        def made(new: Persona | None) -> None:
            if new is not None:
                self._change(self.cast.with_new(index, new), index)

        blank = Persona(username=self.cast.free_name("New"))
        self._open_form(blank, "New persona", None, made)

    def _open_form(
        self,
        persona: Persona,
        title: str,
        index: int | None,
        done: Callable[[Persona | None], None],
    ) -> None:
        def refused(new: Persona) -> str | None:
            for other, there in enumerate(self.cast.personas):
                if other != index and name_key(there.name) == name_key(new.name):
                    return f"username: there is a persona called “{there.name}” already"
            return None

        def preview(new: Persona) -> dict[str, Any]:
            moderates = index is not None and self.cast.moderates(self.cast.personas[index])
            personas, moderator = ((), new) if moderates else ((new,), None)
            setup = self.setup.model_copy(update={"personas": personas, "moderator": moderator})
            return setup.actor(new.name).prompt_fields()

        self.app.push_screen(PersonaEditor(persona, title, refused, preview), done)
