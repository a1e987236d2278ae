"""Changing one field of a persona in place, in the bar below the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..widgets.forms import discard_question, remember_discarded
from .edits import PersonaChange, Renames
from .field_bar import FieldBar
from .fields import fields_of

if TYPE_CHECKING:
    from .pane import PersonasPane


class FieldEditing:
    """Opens the field bar of ``pane``, applies what is entered in it, and closes it."""

    def __init__(self, pane: PersonasPane) -> None:
        self._pane = pane

    def go_to(self, index: int, field: str | None) -> None:
        """Highlight the persona at ``index``; the next edit begins with ``field``."""
        edits = self._pane.edits
        edits.last_field = field or edits.last_field
        self._pane.list.show(edits.selection, index)

    async def open(self, index: int, *, is_copy: bool = False, typed: str | None = None) -> None:
        """Ask for a field of a persona, or of a copy; begin with what was ``typed`` before."""
        self._pane.list.keeps_highlight = True
        personas = self._pane.selection.personas
        await self._pane.footer.bar.open(
            personas[index], fields_of(personas), is_copy=is_copy, typed=typed
        )

    def _close(self) -> None:
        pane = self._pane
        pane.footer.bar.close()
        pane.list.keeps_highlight = pane.footer.is_filter_open
        pane.list.focus()

    async def enter(self, event: FieldBar.Entered) -> None:
        """Set the field to the entered value, then move as the key says."""
        pane = self._pane
        if event.before not in pane.selection.personas:  # it was changed elsewhere meanwhile
            self._close()
            return
        index = pane.selection.personas.index(event.before)
        selection, highlight = pane.selection.replace_one(index, event.after), index
        renames: Renames = ((event.before.name, event.after.name),)
        if event.is_copy:
            selection, highlight = pane.selection.insert(index + 1, [event.after]), index + 1
            renames = ()
        elif error := pane.edits.name_error(event.after, index):
            pane.footer.bar.show_error(error)
            return
        is_same = event.after == event.before
        if not is_same and not pane.apply(PersonaChange(selection, highlight, renames=renames)):
            return
        if event.field_step:
            await self.open(index)
            pane.footer.bar.step_field(event.field_step)
        elif event.persona_step:
            pane.list.action_move(event.persona_step)
            await self.open(pane.list.highlighted or 0)
        else:
            self._close()

    def leave(self, event: FieldBar.Left) -> None:
        """Close the bar; ask first if something was typed."""
        pane = self._pane
        if event.typed is None:
            self._close()
            return
        persona, field = event.persona, pane.edits.last_field

        async def reopen() -> None:
            if persona in pane.selection.personas:
                index = pane.selection.personas.index(persona)
                self.go_to(index, field)
                await self.open(index, is_copy=event.is_copy, typed=event.typed)

        def answered(discards: bool | None) -> None:
            if discards:
                remember_discarded(pane.app, pane.screen, lambda: pane.call_later(reopen))
                self._close()

        pane.app.push_screen(discard_question(pane.app), answered)
