"""What the personas pane can do in a dialog or outside: many at once, draws, sets, the editor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..discussion import Persona, name_clash
from ..discussion.lint import Finding
from ..inputs import InputError, read_text
from ..store.persona_sets import PersonaSets
from ..store.personas import as_json, parse_personas
from ..text import one_line, safe
from .cast import named_apart, renamed
from .external_editor import NoEditor, draft, edit_in_terminal, editor_command
from .persona_fields import label
from .screens.choice import Choice
from .screens.generator import Generator
from .screens.likely_mistakes import LikelyMistakes
from .screens.many_fields import FieldOfMany, ManyFields, many
from .screens.persona_sets import OpenSet, SaveSet

if TYPE_CHECKING:
    from .widgets.personas_pane import PersonasPane


class PersonaTools:
    """Asks, and hands the pane another cast: each time one step for its undo."""

    def __init__(self, pane: PersonasPane, sets: PersonaSets) -> None:
        self._pane = pane
        self._sets = sets

    # Many at once ------------------------------------------------------------------------------

    def change_many(self) -> None:
        pane = self._pane

        def chosen(wanted: FieldOfMany | None) -> None:
            if wanted is None:
                return
            pane.bar.field = wanted.field
            count = many(len(wanted.personas))
            if not wanted.personas:
                pane.tell("Nothing changes.")
            elif pane.change(pane.cast.with_all(wanted.personas)):
                pane.tell(
                    f"{label(wanted.field)} of {count} is changed; {pane.undo_key} undoes it."
                )

        at = pane.list.highlighted or 0
        pane.app.push_screen(ManyFields(pane.cast, at, pane.bar.field), chosen)

    def generate(self) -> None:
        pane = self._pane

        def drawn(personas: tuple[Persona, ...] | None) -> None:
            if personas and pane.change(pane.cast.with_new_ones(pane.below, personas), pane.below):
                verb = "is" if len(personas) == 1 else "are"
                pane.tell(f"{many(len(personas))} {verb} drawn; {pane.undo_key} undoes it.")

        cast = pane.cast
        at_hand = [each for each in cast.personas if not cast.moderates(each)]
        taken = [each.name for each in cast.personas]
        pane.app.push_screen(Generator(at_hand, taken), drawn)

    def likely(self) -> None:
        pane = self._pane
        if not pane.findings:
            pane.tell("Nothing looks like a mistake.")
            return

        def chosen(finding: Finding | None) -> None:
            if finding:
                pane.edit_field(finding.index, finding.field)

        pane.app.push_screen(LikelyMistakes(pane.findings, pane.cast.personas), chosen)

    # Sets --------------------------------------------------------------------------------------

    def save_set(self) -> None:
        pane = self._pane
        cast = pane.cast
        present = [each for each in cast.personas if cast.takes_part(each) or cast.moderates(each)]

        def named(answer: tuple[str, bool] | None) -> None:
            if answer is None:
                return
            name, everybody = answer
            try:
                path = self._sets.save(name, cast.personas if everybody else present)
            except OSError as error:
                self._complain(f"The set cannot be saved: {error.strerror}.")
            else:
                pane.tell(f"The set is saved: {path}")

        pane.app.push_screen(SaveSet(len(present), len(cast.personas), self._sets.file), named)

    def open_set(self) -> None:
        def chosen(path: Path | None) -> None:
            if path is None:
                return
            try:
                personas = self._sets.read(path)
            except InputError as error:
                self._complain(str(error))
                return
            if personas:
                self._ask_how(path, personas)
            else:
                self._complain(f"{path}: there is nobody in it.")

        self._pane.app.push_screen(OpenSet(self._sets.listed()), chosen)

    def _ask_how(self, path: Path, personas: list[Persona]) -> None:
        pane = self._pane
        apart = named_apart(personas)
        renumbered = sum(old is not new for old, new in zip(personas, apart, strict=True))
        note = f"{renumbered} of them get a number: their names stand twice." if renumbered else ""
        answers = [
            ("a", "add them to the list"),
            ("r", "replace the list; nobody new takes part yet"),
            ("t", "replace the list; all of them take part"),
        ]

        def chosen(how: str | None) -> None:
            cast = pane.cast
            if how == "a":
                new = cast.with_added(pane.below, apart)
                added = len(new.personas) - len(cast.personas)
                if not added:
                    pane.tell("They are all there already.")
                elif pane.change(new, pane.below):
                    pane.tell(f"{many(added)} added; {pane.undo_key} undoes it.")
            elif how in ("r", "t"):
                new = cast.with_these(apart)
                if pane.change(new.with_everybody() if how == "t" else new, 0):
                    pane.tell(f"{many(len(apart))} in the list; {pane.undo_key} undoes it.")

        title = f"{many(len(apart))} of {one_line(path.stem, 40)}"
        pane.app.push_screen(Choice(title, note, answers, esc="leave the list as it is"), chosen)

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
        name = one_line(pane.cast.personas[at].name, 40)
        answers = [("e", f"{name} alone"), ("a", f"all {len(pane.cast.personas)}")]

        def chosen(which: str | None) -> None:
            if which == "e":
                self._edit(command, at)
            elif which == "a":
                self._edit(command, None)

        question = f"Edit as JSON in {one_line(Path(command[0]).name, 30)}"
        pane.app.push_screen(Choice(question, "", answers, esc="back"), chosen)

    def _edit(self, command: list[str], at: int | None) -> None:
        cast = self._pane.cast
        text = as_json(cast.personas if at is None else cast.personas[at])
        try:
            file = draft(text, suffix=".json")
        except OSError as error:
            self._complain(f"No temporary file can be made: {error.strerror}.")
            return

        def read(edited: str) -> None:
            personas = tuple(parse_personas(edited, "The edited text"))
            if at is not None:
                personas = (*cast.personas[:at], *personas, *cast.personas[at + 1 :])
            if clash := name_clash(each.name for each in personas):
                raise InputError(f"The edited text: two are called “{clash[0]}”; names must differ")
            renames = renamed(cast.personas, personas)
            if fault := self._pane.refusal(cast.with_list(personas), renames):
                raise InputError(f"The edited text: {fault}")
            if personas != cast.personas:
                self._pane.change(cast.with_list(personas), at, renames=renames)

        self._edit_until_read(command, file, text, read)

    def _edit_until_read(
        self, command: list[str], file: Path, before: str, read: Callable[[str], None]
    ) -> None:
        """Edit ``file`` until it can be read or is given up; kept is what was not read."""
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
        answers = [("e", "edit it again"), ("d", "throw the edit away")]

        def chosen(what: str | None) -> None:
            if what == "e":
                self._edit_until_read(command, file, before, read)
            elif what == "d":
                file.unlink(missing_ok=True)
            else:
                self._complain(f"The edit is kept in {file}.")

        question = Choice("This cannot be taken over", sentence, answers, esc="keep it in its file")
        self._pane.app.push_screen(question, chosen)

    def _put_away(self, file: Path, before: str) -> str:
        """What has become of an edit whose editor failed."""
        try:
            kept = read_text(file) != before
        except InputError:
            kept = True
        if kept:
            return f"The edit is kept in {file}."
        file.unlink(missing_ok=True)
        return "Nothing is changed."

    def _complain(self, sentence: str) -> None:
        self._pane.notify(safe(sentence), severity="warning", markup=False, timeout=8)
