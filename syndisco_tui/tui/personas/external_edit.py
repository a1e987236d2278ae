"""Personas edited as JSON in the user's own editor, until they can be read or are discarded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App

from ...discussion import name_clash
from ...text import one_line
from ...workspace.inputs import InputError, read_text
from ...workspace.personas import as_json, parse_personas
from ..shell.external_editor import NoEditor, draft, edit_in_terminal, editor_command
from ..widgets.dialogs import MultipleChoiceDialog
from ..widgets.notices import warn
from .edits import PersonaChange, PersonaEdits
from .selection import renamed


class ExternalEdit:
    """One edit of personas outside ``app``; ``apply`` applies what comes of it."""

    def __init__(
        self, app: App[Any], edits: PersonaEdits, apply: Callable[[PersonaChange], bool]
    ) -> None:
        self._app = app
        self._edits = edits
        self._apply = apply

    def start(self, index: int) -> None:
        """Ask whether the persona at ``index`` or all are edited, and open the editor."""
        try:
            command = editor_command()
        except NoEditor as error:
            warn(self._app, str(error))
            return
        personas = self._edits.selection.personas
        name = one_line(personas[index].name, 40)
        answers = [("e", f"{name} alone"), ("a", f"all {len(personas)}")]

        def chosen(answer: str | None) -> None:
            if answer is not None:
                self._edit(command, index if answer == "e" else None)

        question = f"Edit as JSON in {one_line(Path(command[0]).name, 30)}"
        self._app.push_screen(MultipleChoiceDialog(question, "", answers, esc="cancel"), chosen)

    def _edit(self, command: list[str], index: int | None) -> None:
        """Edit the persona at ``index``; None: all."""
        personas = self._edits.selection.personas
        text = as_json(personas if index is None else personas[index])
        try:
            file = draft(text, suffix=".json")
        except OSError as error:
            warn(self._app, f"No temporary file can be made: {error.strerror}.")
        else:
            self._edit_until_read(command, file, text, index)

    def _change_of(self, edited: str, index: int | None) -> PersonaChange:
        """The change that an edited text makes. Raises InputError."""
        selection = self._edits.selection
        before = selection.personas
        personas = tuple(parse_personas(edited, "The edited text"))
        if index is not None:
            personas = (*before[:index], *personas, *before[index + 1 :])
        if clash := name_clash(each.name for each in personas):
            raise InputError(f"The edited text: two are called “{clash[0]}”; names must differ")
        renames = renamed(before, personas)
        change = PersonaChange(selection.replace_all(personas), index, renames=renames)
        if error := self._edits.error_of(change):
            raise InputError(f"The edited text: {error}")
        return change

    def _edit_until_read(
        self, command: list[str], file: Path, before: str, index: int | None
    ) -> None:
        """Edit ``file`` until it can be read or is discarded; what was not read stays in it."""
        try:
            edit_in_terminal(self._app, command, file)
            edited = read_text(file)
            change = self._change_of(edited, index) if edited != before else None
        except NoEditor as error:
            warn(self._app, f"{error} {self._kept_or_removed(file, before)}")
            return
        except InputError as error:
            sentence = str(error)
        else:
            file.unlink(missing_ok=True)
            if change and change.selection.personas != self._edits.selection.personas:
                self._apply(change)
            return
        answers = [("e", "edit it again"), ("d", "discard the edit")]

        def chosen(answer: str | None) -> None:
            if answer == "e":
                self._edit_until_read(command, file, before, index)
            elif answer == "d":
                file.unlink(missing_ok=True)
            else:
                warn(self._app, f"Your edit is saved in {file}.")

        title = "Your edit cannot be read"
        question = MultipleChoiceDialog(title, sentence, answers, esc="save it for later")
        self._app.push_screen(question, chosen)

    def _kept_or_removed(self, file: Path, before: str) -> str:
        """Remove ``file`` if nothing was edited in it. Returns a sentence."""
        try:
            is_edited = read_text(file) != before
        except InputError:
            is_edited = True
        if is_edited:
            return f"Your edit is saved in {file}."
        file.unlink(missing_ok=True)
        return "Nothing is changed."
