"""What the personas pane opens: forms for one and for many, sets, warnings, the user's editor.

Each asks, and then applies a change of the selection: one step for the undo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from textual.app import App

from ...discussion import DiscussionSetup, Persona
from ...discussion.lint import Warning
from ...text import one_line
from ...workspace.exporting import (
    PERSONA_FORMATS,
    PersonaFormat,
    export_personas_to_folder,
    personas_in,
)
from ...workspace.inputs import InputError
from ...workspace.personas import PersonaSets, named_apart
from ..shell.keymap import key_of
from ..widgets.dialogs import MultipleChoiceDialog
from ..widgets.export_format_dialog import ExportFormatDialog
from ..widgets.forms import open_form
from ..widgets.notices import tell, warn
from .card_offer import offer_card
from .editor import PersonaEditor
from .edits import PersonaChange, PersonaEdits
from .external_edit import ExternalEdit
from .fields import count_of_personas, label
from .generator import Generator
from .list import persona_summary
from .many_fields import FieldOfMany, ManyFields
from .model_form import ModelAnswer, ModelForm
from .selection import PersonaSelection
from .sets import OpenSetDialog, SaveSetDialog
from .warnings import WarningsDialog


class PersonaDialogs:
    """Opens dialogs in ``app`` about ``edits``.

    ``apply`` applies a change of the personas, ``use_setup`` one of the rest of the setup.
    """

    def __init__(
        self,
        app: App[Any],
        edits: PersonaEdits,
        sets: PersonaSets,
        apply: Callable[[PersonaChange], bool],
        use_setup: Callable[[DiscussionSetup], object],
    ) -> None:
        self._app = app
        self._edits = edits
        self._sets = sets
        self._apply = apply
        self._use_setup = use_setup

    @property
    def _selection(self) -> PersonaSelection:
        return self._edits.selection

    @property
    def _undo_key(self) -> str:
        return key_of(self._app, "personas.undo")

    # One persona in a form -----------------------------------------------------------------------

    def edit(self, index: int) -> None:
        """Edit all fields of the persona at ``index``."""
        persona = self._selection.personas[index]

        def edited(new: Persona | None) -> None:
            if new is not None and new != persona:
                selection = self._selection.replace_one(index, new)
                self._apply(PersonaChange(selection, index, renames=((persona.name, new.name),)))

        self._open_editor(persona, persona_summary(persona), index, edited)

    def new(self, index: int) -> None:
        """Make a persona and put them in at ``index``."""

        def made(new: Persona | None) -> None:
            if new is not None:
                self._apply(PersonaChange(self._selection.insert(index, [new]), index))

        blank = Persona(username=self._selection.free_name("New"))
        self._open_editor(blank, "New persona", None, made)

    def _open_editor(
        self,
        persona: Persona,
        title: str,
        index: int | None,
        done: Callable[[Persona | None], None],
    ) -> None:
        edits = self._edits

        def error_of(new: Persona) -> str:
            return edits.name_error(new, index)

        def preview(new: Persona) -> dict[str, Any]:
            selection = edits.selection
            moderates = index is not None and selection.moderates(selection.personas[index])
            personas, moderator = ((), new) if moderates else ((new,), None)
            setup = edits.setup.model_copy(update={"personas": personas, "moderator": moderator})
            return setup.actor(new.name).prompt_fields()

        open_form(self._app, lambda: PersonaEditor(persona, title, error_of, preview), done)

    def give_model(self, indices: Sequence[int]) -> None:
        """Give the personas at ``indices`` a model of their own, or the setup's."""
        selection, setup = self._selection, self._edits.setup
        names = [selection.personas[index].name for index in indices]

        def given(answer: ModelAnswer | None) -> None:
            if answer is not None:
                changed = self._selection.with_model(indices, answer.entry)
                self._apply(PersonaChange(changed))

        entry = selection.model_of(indices[0])
        open_form(self._app, lambda: ModelForm(names, setup, entry), given)

    # Many at once ------------------------------------------------------------------------------

    def add(self, selection: PersonaSelection, index: int) -> None:
        """Apply ``selection``, which has more personas from ``index`` on, and say how many."""
        count = len(selection.personas) - len(self._selection.personas)
        if count:
            sentence = f"{count_of_personas(count)} added; {self._undo_key} undoes it."
            self._apply(PersonaChange(selection, index, count=count, sentence=sentence))

    def change_many(self, highlighted: int, marked: tuple[int, ...]) -> None:
        """Change a field of several personas."""

        def chosen(change: FieldOfMany | None) -> None:
            if change is None:
                return
            self._edits.last_field = change.field
            if not change.personas:
                tell(self._app, "Nothing changes.")
                return
            count = count_of_personas(len(change.personas))
            sentence = f"{label(change.field)} of {count} changed; {self._undo_key} undoes it."
            selection = self._selection.replace_many(change.personas)
            self._apply(PersonaChange(selection, sentence=sentence))

        selection, field = self._selection, self._edits.last_field
        open_form(self._app, lambda: ManyFields(selection, highlighted, field, marked), chosen)

    def generate(self, marked: Sequence[int], index: int) -> None:
        """Generate personas like the marked ones, or all, and put them in at ``index``."""

        def generated(personas: tuple[Persona, ...] | None) -> None:
            if personas:
                self.add(self._selection.insert(index, personas), index)

        selection = self._selection
        users = (each for each in selection.personas if not selection.moderates(each))
        examples = [selection.personas[each] for each in marked] or list(users)
        taken = [each.name for each in selection.personas]
        open_form(self._app, lambda: Generator(examples, taken), generated)

    def show_warnings(
        self, warnings: Sequence[Warning], go_to: Callable[[int, str | None], None]
    ) -> None:
        """List likely mistakes; ``go_to`` gets the index and the field of the chosen one."""

        def chosen(warning: Warning | None) -> None:
            if warning:
                go_to(warning.index, warning.field)

        self._app.push_screen(WarningsDialog(warnings, self._selection.personas), chosen)

    def edit_outside(self, index: int) -> None:
        """Edit the persona at ``index``, or all, as JSON in the user's editor."""
        ExternalEdit(self._app, self._edits, self._apply).start(index)

    # Files of other tools ----------------------------------------------------------------------

    def export(self, indices: Sequence[int], folder: Path) -> None:
        """Ask for a format, and export the personas at ``indices`` into ``folder``."""
        personas = [self._selection.personas[index] for index in indices]

        def chosen(to: PersonaFormat | None) -> None:
            if to is None:
                return
            try:
                path = export_personas_to_folder(folder, personas, to)
            except InputError as error:
                warn(self._app, str(error))
            else:
                self._app.copy_to_clipboard(str(path))
                tell(self._app, f"Exported: {path}", seconds=6)

        name = one_line(personas[0].name, 40)
        heading = name if len(personas) == 1 else count_of_personas(len(personas))
        meanings = {name: form.meaning for name, form in PERSONA_FORMATS.items()}
        self._app.push_screen(ExportFormatDialog(heading, meanings), chosen)

    def use_card(self, index: int) -> None:
        """Offer what the character card of a persona says about the discussion."""
        persona = self._selection.personas[index]
        offer_card(self._app, persona, lambda: self._edits.setup, self._use_setup)

    # Sets --------------------------------------------------------------------------------------

    def save_set(self, marked: Sequence[int]) -> None:
        """Save the marked personas, all, or those in the discussion under a name."""
        selection = self._selection
        groups: dict[str, Sequence[Persona]] = {
            "marked": [selection.personas[index] for index in marked],
            "all": selection.personas,
            "in the discussion": list(filter(selection.is_present, selection.personas)),
        }
        offered = {f"{name} ({len(group)})": group for name, group in groups.items() if group}

        def named(answer: tuple[str, int] | None) -> None:
            if answer is None:
                return
            name, group = answer
            try:
                path = self._sets.save(name, list(offered.values())[group])
            except OSError as error:
                warn(self._app, f"The set cannot be saved: {error.strerror}.")
            else:
                tell(self._app, f"Saved as {path}")

        open_form(self._app, lambda: SaveSetDialog(list(offered), self._sets.file), named)

    def open_set(self, index: int) -> None:
        """Choose a set, and add its personas at ``index`` or replace the list with them."""

        def chosen(path: Path | None) -> None:
            if path is None:
                return
            try:
                personas = personas_in(path)
            except InputError as error:
                warn(self._app, str(error))
            else:
                self._ask_how_to_open(path, personas, index)

        self._app.push_screen(OpenSetDialog(self._sets.listed()), chosen)

    def _ask_how_to_open(self, path: Path, personas: list[Persona], index: int) -> None:
        apart = named_apart(personas)
        renumbered = sum(old is not new for old, new in zip(personas, apart, strict=True))
        note = f"{renumbered} of them get a number: others have their names." if renumbered else ""
        answers = [
            ("a", "add them to the list"),
            ("r", "replace the list; none of the new ones takes part yet"),
            ("t", "replace the list; all of them take part"),
        ]

        def chosen(answer: str | None) -> None:
            if answer == "a":
                selection = self._selection.insert_missing(index, apart)
                if len(selection.personas) == len(self._selection.personas):
                    tell(self._app, "All of them are in the list already.")
                else:
                    self.add(selection, index)
            elif answer in ("r", "t"):
                selection = self._selection.with_list(apart)
                selection = selection.with_all_users() if answer == "t" else selection
                sentence = (
                    f"{count_of_personas(len(apart))} in the list; {self._undo_key} undoes it."
                )
                self._apply(PersonaChange(selection, 0, sentence=sentence))

        title = f"{count_of_personas(len(apart))} of {one_line(path.stem, 40)}"
        self._app.push_screen(MultipleChoiceDialog(title, note, answers, esc="cancel"), chosen)
