"""The personas on the screen: changed in steps that can be undone, saved in the user's list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from ...discussion import DiscussionSetup, Persona, name_key
from ...discussion.lint import Warning, author_warnings, persona_warnings
from ...workspace.inputs import InputError, describe
from ...workspace.personas import OwnPersonas
from .selection import PersonaSelection, renamed_author

Renames = tuple[tuple[str, str], ...]
"""Old and new names."""


@dataclass(frozen=True)
class PersonaChange:
    """Another selection, and what is to be seen of it.

    ``highlight`` is the index of the persona to highlight, the first of ``count`` new ones.
    ``renames``: seed opinions follow their authors. ``sentence`` tells the user what was done.
    """

    selection: PersonaSelection
    highlight: int | None = None
    count: int = 1
    renames: Renames = ()
    sentence: str = ""


@dataclass(frozen=True)
class SaveResult:
    """What came of saving: an error, and the personas that another program added meanwhile."""

    error: str = ""
    added: tuple[Persona, ...] = ()


class PersonaEdits:
    """Holds the selection and the setup with it; ``own`` is the user's list."""

    def __init__(
        self, setup: DiscussionSetup, personas: tuple[Persona, ...], own: OwnPersonas
    ) -> None:
        self.setup = setup
        self.selection = PersonaSelection.of(setup, personas)
        self.last_field = "age"
        """The field that was edited last, with which the next edit begins."""
        self._own = own
        self._steps: list[tuple[PersonaSelection, Renames]] = []
        """The selection before each change, and who was renamed by it."""
        self._linted_personas: tuple[Persona, ...] | None = None
        self._persona_warnings: tuple[Warning, ...] = ()

    def show(self, setup: DiscussionSetup) -> None:
        """Take over another setup. Changes of another selection are not undone in it."""
        selection = PersonaSelection.of(setup, self.selection.personas)
        self.setup = setup
        if selection != self.selection:
            self._steps.clear()
            self.selection = selection

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """Likely mistakes in the list, in its order."""
        personas = self.selection.personas
        if self._linted_personas is not personas:
            self._persona_warnings = persona_warnings(personas)
            self._linted_personas = personas
        warnings = (*self._persona_warnings, *author_warnings(personas, self.setup))
        return tuple(sorted(warnings, key=lambda warning: warning.index))

    def error_of(self, change: PersonaChange) -> str:
        """Why the setup does not allow ``change``; empty if it does."""
        try:
            self._setup_with(change)
        except ValidationError as error:
            return describe(error, DiscussionSetup)
        return ""

    def name_error(self, new: Persona, index: int | None) -> str:
        """Why ``new`` cannot be at ``index`` (None: anywhere); empty if it can."""
        for other, persona in enumerate(self.selection.personas):
            if other != index and name_key(persona.name) == name_key(new.name):
                return f"username: there is a persona called “{persona.name}” already"
        return ""

    def _setup_with(self, change: PersonaChange) -> DiscussionSetup:
        setup = self.setup
        for old, new in change.renames:
            setup = renamed_author(setup, old, new)
        return change.selection.fill(setup)

    def apply(self, change: PersonaChange, *, is_undo: bool = False) -> SaveResult:
        """Use another selection and save the user's list; one step for the undo.

        Raises pydantic's ValidationError where the setup does not allow it.
        """
        setup, selection, result = self._setup_with(change), change.selection, SaveResult()
        if selection.personas != self.selection.personas:
            try:
                result = SaveResult(added=self._own.save(self._own_personas_after(selection)))
            except InputError as error:
                result = SaveResult(f"{error}.")
            selection = self._with_added(selection, result.added)
        if is_undo:
            self._steps.pop()
        else:
            self._steps.append((self.selection, change.renames))
        self.selection, self.setup = selection, setup
        return result

    def undo(self) -> PersonaChange | None:
        """The change that undoes the last one; None if there is none."""
        if not self._steps:
            return None
        selection, renames = self._steps[-1]
        return PersonaChange(selection, renames=tuple((new, old) for old, new in renames))

    def _with_added(
        self, selection: PersonaSelection, added: Iterable[Persona]
    ) -> PersonaSelection:
        """``selection`` with personas of another program, which no undo takes out."""
        if not added:
            return selection

        def extended(selection: PersonaSelection) -> PersonaSelection:
            return selection.insert(len(selection.personas), added)

        self.selection = extended(self.selection)
        self._steps = [(extended(earlier), renames) for earlier, renames in self._steps]
        return extended(selection)

    def _own_personas_after(self, selection: PersonaSelection) -> tuple[Persona, ...]:
        """The user's list once ``selection`` replaces the present one.

        A persona that came with a setup or a saved discussion, and that the user did not change,
        does not enter the list: this keeps its own version of it, or none. Where the list has
        another version of a persona than the discussion, only the discussion's is changed.
        """
        before = {name_key(persona.name): persona for persona in self.selection.personas}
        own = {name_key(persona.name): persona for persona in self._own.personas}
        after = []
        for persona in selection.personas:
            key = name_key(persona.name)
            previous = before.get(key)
            if persona != previous and own.get(key, previous) == previous:
                after.append(persona)
            elif key in own:
                after.append(own[key])
        return tuple(after)
