"""One field of a persona edited in the list, or a copy made that differs in one field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...discussion import Persona
from ..widgets.forms import discard_question, remember_discarded
from .fields import FieldFault, fields_of, with_field

if TYPE_CHECKING:
    from .field_bar import FieldBar
    from .pane import PersonasPane


class FieldEditing:
    """Opens the field bar of ``pane`` and changes the pane's cast by what is entered there."""

    def __init__(self, pane: PersonasPane) -> None:
        self._pane = pane
        self._makes_copy = False

    def open(self, index: int, *, is_copy: bool = False, typed: str | None = None) -> None:
        """Ask for a field of the persona at ``index``, beginning with what was ``typed`` before.

        ``is_copy``: a copy gets the value.
        """
        pane = self._pane
        persona = pane.selection.personas[index]
        self._makes_copy = is_copy
        fields = fields_of(pane.selection.personas)
        title = ""
        if is_copy:
            fields = fields[1:]  # its name differs anyway
            title = f"Copy of {persona.name} with a different"
        pane.list.set_class(True, "-editing")
        pane.bar.open(persona, fields, title=title, steps=not is_copy, typed=typed)

    def close(self) -> None:
        pane = self._pane
        pane.bar.close()
        pane.list.set_class(False, "-editing")
        pane.list.focus()

    def leave(self, typed: str | None) -> None:
        """Close the bar; ask first where something was ``typed``."""
        if typed is None:
            self.close()
            return
        pane, is_copy = self._pane, self._makes_copy
        persona, field = pane.bar.persona, pane.bar.field

        def reopen() -> None:
            if persona in pane.selection.personas:
                index = pane.selection.personas.index(persona)
                pane.edit_field(index, field)
                self.open(index, is_copy=is_copy, typed=typed)

        def answered(discards: bool | None) -> None:
            if discards:
                remember_discarded(pane.app, pane.screen, reopen)
                self.close()

        pane.app.push_screen(discard_question(pane.app), answered)

    def enter(self, event: FieldBar.Entered) -> None:
        """Give the field the value that was entered, or say why it cannot have it."""
        pane = self._pane
        persona = pane.bar.persona
        if persona is None or persona not in pane.selection.personas:  # changed elsewhere meanwhile
            self.close()
            return
        index = pane.selection.personas.index(persona)
        try:
            new = with_field(persona, event.field, event.text)
        except FieldFault as error:
            pane.bar.show_error(str(error))
            return
        if self._makes_copy:
            self._make_copy(index, new)
        elif new == persona or self._change(index, new):
            self._go_on(index, event)

    def _change(self, index: int, new: Persona) -> bool:
        pane = self._pane
        if clash := pane.clash(new, index):
            pane.bar.show_error(clash)
            return False
        renames = ((pane.selection.personas[index].name, new.name),)
        return pane.change(pane.selection.with_persona(index, new), index, renames=renames)

    def _go_on(self, index: int, event: FieldBar.Entered) -> None:
        """Go to another field or persona, as the key says that was pressed; else close the bar."""
        pane = self._pane
        if event.turn:
            self.open(index)
            pane.bar.turn(event.turn)
        elif event.step:
            pane.list.action_step(event.step)
            self.open(pane.list.highlighted or 0)
        else:
            self.close()

    def _make_copy(self, index: int, new: Persona) -> None:
        pane = self._pane
        if new == pane.selection.personas[index]:
            pane.bar.show_error("the copy must differ: change the value")
            return
        copy = new.model_copy(update={"username": pane.selection.free_name(new.name)})
        if pane.change(pane.selection.with_new(index + 1, copy), index + 1):
            self.close()
