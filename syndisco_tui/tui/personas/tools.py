"""What the personas pane can do in a dialog or outside: forms, many at once, sets, the editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...discussion import Persona, name_clash
from ...discussion.lint import Warning
from ...text import one_line, safe
from ...workspace.inputs import InputError, read_text
from ...workspace.personas import PersonaSets, as_json, named_apart, parse_personas, read_personas
from ..shell.external_editor import NoEditor, draft, edit_in_terminal, editor_command
from ..widgets.dialogs import MultipleChoiceDialog
from ..widgets.forms import open_form
from .editor import PersonaEditor
from .fields import label
from .generator import Generator
from .list import persona_summary
from .many_fields import FieldOfMany, ManyFields, many
from .selection import renamed
from .sets import OpenSet, SaveSet
from .warnings import LikelyMistakes

if TYPE_CHECKING:
    from .pane import PersonasPane


class PersonaTools:
    """Asks, and hands the pane another cast: each time one step for its undo."""

    def __init__(self, pane: PersonasPane, sets: PersonaSets) -> None:
        self._pane = pane
        self._sets = sets

    # One persona in a form -----------------------------------------------------------------------

    def edit(self, index: int) -> None:
        pane = self._pane
        persona = pane.selection.personas[index]

        def edited(new: Persona | None) -> None:
            if new is not None and new != persona:
                renames = ((persona.name, new.name),)
                pane.change(pane.selection.with_persona(index, new), index, renames=renames)

        self._open_form(persona, persona_summary(persona), index, edited)

    def new(self, index: int) -> None:
        """Make a persona that comes to stand at ``index``."""
        pane = self._pane

        def made(new: Persona | None) -> None:
            if new is not None:
                pane.change(pane.selection.with_new(index, new), index)

        blank = Persona(username=pane.selection.free_name("New"))
        self._open_form(blank, "New persona", None, made)

    def _open_form(
        self,
        persona: Persona,
        title: str,
        index: int | None,
        done: Callable[[Persona | None], None],
    ) -> None:
        pane = self._pane

        def refused(new: Persona) -> str | None:
            return pane.clash(new, index)

        def preview(new: Persona) -> dict[str, Any]:
            moderates = index is not None and pane.selection.moderates(
                pane.selection.personas[index]
            )
            personas, moderator = ((), new) if moderates else ((new,), None)
            setup = pane.setup.model_copy(update={"personas": personas, "moderator": moderator})
            return setup.actor(new.name).prompt_fields()

        open_form(pane.app, lambda: PersonaEditor(persona, title, refused, preview), done)

    # Many at once ------------------------------------------------------------------------------

    def change_many(self) -> None:
        pane = self._pane

        def chosen(change: FieldOfMany | None) -> None:
            if change is None:
                return
            pane.bar.field = change.field
            count = many(len(change.personas))
            if not change.personas:
                pane.tell("Nothing changes.")
            elif pane.change(pane.selection.with_all(change.personas)):
                pane.tell(f"{label(change.field)} of {count} changed; {pane.undo_key} undoes it.")

        selection, highlighted, marked = (
            pane.selection,
            pane.list.highlighted or 0,
            pane.list.marked,
        )
        open_form(
            pane.app, lambda: ManyFields(selection, highlighted, pane.bar.field, marked), chosen
        )

    def generate(self) -> None:
        pane = self._pane

        def generated(personas: tuple[Persona, ...] | None) -> None:
            if personas:
                pane.add(pane.selection.with_new_ones(pane.below, personas))

        selection, marked = pane.selection, set(pane.list.marked)
        examples = [
            each
            for index, each in enumerate(selection.personas)
            if (index in marked if marked else not selection.moderates(each))
        ]
        taken = [each.name for each in selection.personas]
        open_form(pane.app, lambda: Generator(examples, taken), generated)

    def likely(self) -> None:
        pane = self._pane
        if not pane.warnings:
            pane.tell("No likely mistakes.")
            return

        def chosen(warning: Warning | None) -> None:
            if warning:
                pane.edit_field(warning.index, warning.field)

        pane.app.push_screen(LikelyMistakes(pane.warnings, pane.selection.personas), chosen)

    # Sets --------------------------------------------------------------------------------------

    def save_set(self) -> None:
        pane = self._pane
        selection = pane.selection
        present = [
            each
            for each in selection.personas
            if selection.takes_part(each) or selection.moderates(each)
        ]
        marked = [selection.personas[index] for index in pane.list.marked]
        groups: dict[str, Sequence[Persona]] = {
            "marked": marked,
            "all": selection.personas,
            "in the discussion": present,
        }
        offered = {f"{name} ({len(those)})": those for name, those in groups.items() if those}

        def named(answer: tuple[str, int] | None) -> None:
            if answer is None:
                return
            name, group = answer
            try:
                path = self._sets.save(name, list(offered.values())[group])
            except OSError as error:
                self._complain(f"The set cannot be saved: {error.strerror}.")
            else:
                pane.tell(f"Saved as {path}")

        open_form(pane.app, lambda: SaveSet(list(offered), self._sets.file), named)

    def open_set(self) -> None:
        def chosen(path: Path | None) -> None:
            if path is None:
                return
            try:
                personas = read_personas(path)
            except InputError as error:
                self._complain(str(error))
                return
            if personas:
                self._ask_how(path, personas)
            else:
                self._complain(f"{path}: it holds no personas.")

        self._pane.app.push_screen(OpenSet(self._sets.listed()), chosen)

    def _ask_how(self, path: Path, personas: list[Persona]) -> None:
        pane = self._pane
        apart = named_apart(personas)
        renumbered = sum(old is not new for old, new in zip(personas, apart, strict=True))
        note = f"{renumbered} of them get a number: others have their names." if renumbered else ""
        answers = [
            ("a", "add them to the list"),
            ("r", "replace the list; none of the new ones takes part yet"),
            ("t", "replace the list; all of them take part"),
        ]

        def chosen(how: str | None) -> None:
            selection = pane.selection
            if how == "a":
                new = selection.with_added(pane.below, apart)
                if len(new.personas) == len(selection.personas):
                    pane.tell("All of them are in the list already.")
                else:
                    pane.add(new)
            elif how in ("r", "t"):
                new = selection.with_these(apart)
                if pane.change(new.with_everybody() if how == "t" else new, 0):
                    pane.tell(f"{many(len(apart))} in the list; {pane.undo_key} undoes it.")

        title = f"{many(len(apart))} of {one_line(path.stem, 40)}"
        pane.app.push_screen(MultipleChoiceDialog(title, note, answers, esc="cancel"), chosen)

    # The user's editor -------------------------------------------------------------------------

    def edit_outside(self) -> None:
        pane = self._pane
        try:
            command = editor_command()
        except NoEditor as error:
            self._complain(str(error))
            return
        at = pane.list.highlighted
        if at is None:
            return
        name = one_line(pane.selection.personas[at].name, 40)
        answers = [("e", f"{name} alone"), ("a", f"all {len(pane.selection.personas)}")]

        def chosen(which: str | None) -> None:
            if which == "e":
                self._edit(command, at)
            elif which == "a":
                self._edit(command, None)

        question = f"Edit as JSON in {one_line(Path(command[0]).name, 30)}"
        pane.app.push_screen(MultipleChoiceDialog(question, "", answers, esc="cancel"), chosen)

    def _edit(self, command: list[str], at: int | None) -> None:
        selection = self._pane.selection
        text = as_json(selection.personas if at is None else selection.personas[at])
        try:
            file = draft(text, suffix=".json")
        except OSError as error:
            self._complain(f"No temporary file can be made: {error.strerror}.")
            return

        def read(edited: str) -> None:
            personas = tuple(parse_personas(edited, "The edited text"))
            if at is not None:
                personas = (*selection.personas[:at], *personas, *selection.personas[at + 1 :])
            if clash := name_clash(each.name for each in personas):
                raise InputError(f"The edited text: two are called “{clash[0]}”; names must differ")
            renames = renamed(selection.personas, personas)
            if fault := self._pane.refusal(selection.with_list(personas), renames):
                raise InputError(f"The edited text: {fault}")
            if personas != selection.personas:
                self._pane.change(selection.with_list(personas), at, renames=renames)

        self._edit_until_read(command, file, text, read)

    def _edit_until_read(
        self, command: list[str], file: Path, before: str, read: Callable[[str], None]
    ) -> None:
        """Edit ``file`` until it can be read or is discarded; what was not read stays in it."""
        try:
            edit_in_terminal(self._pane.app, command, file)
            edited = read_text(file)
            if edited != before:
                read(edited)
        except NoEditor as error:
            self._complain(f"{error} {self._put_away(file, before)}")
            return
        except InputError as error:
            sentence = str(error)
        else:
            file.unlink(missing_ok=True)
            return
        answers = [("e", "edit it again"), ("d", "discard the edit")]

        def chosen(what: str | None) -> None:
            if what == "e":
                self._edit_until_read(command, file, before, read)
            elif what == "d":
                file.unlink(missing_ok=True)
            else:
                self._complain(f"Your edit is saved in {file}.")

        question = MultipleChoiceDialog(
            "Your edit cannot be read", sentence, answers, esc="save it for later"
        )
        self._pane.app.push_screen(question, chosen)

    def _put_away(self, file: Path, before: str) -> str:
        """What has become of an edit whose editor failed."""
        try:
            is_edited = read_text(file) != before
        except InputError:
            is_edited = True
        if is_edited:
            return f"Your edit is saved in {file}."
        file.unlink(missing_ok=True)
        return "Nothing is changed."

    def _complain(self, sentence: str) -> None:
        self._pane.notify(safe(sentence), severity="warning", markup=False, timeout=8)
