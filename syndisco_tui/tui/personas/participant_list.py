"""A short list of personas to choose from: who takes part, who moderates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from ..widgets.row_list import RowList
from .list import persona_summary
from .selection import PersonaSelection


class ParticipantList(RowList):
    """Shows a selection, and asks its owner to toggle who takes part and who moderates."""

    HELP = """Who takes part
    ● takes part, ◆ moderates, · does not take part."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "toggle_user", "takes part", key_display="space"),
        Binding("m", "toggle_moderator", "moderator"),
    ]

    class UserToggled(Message):
        """The persona at ``index`` is to take part, or no longer to."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class ModeratorToggled(Message):
        """The persona at ``index`` is to moderate, or no longer to."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, selection: PersonaSelection, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._selection = selection

    def on_mount(self) -> None:
        self.update_rows()

    def show(self, selection: PersonaSelection) -> None:
        """Show other parts of the personas listed."""
        self._selection = selection
        self.refresh()

    @property
    def row_count(self) -> int:
        return len(self._selection.personas)

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        persona = self._selection.personas[index]
        style = "" if self._selection.is_present(persona) else "$quiet"
        sign = self._selection.sign(persona)
        return [Content.styled(f"{sign} {persona_summary(persona)}", style)]

    @on(RowList.Selected)
    def action_toggle_user(self) -> None:
        if self.row_count:
            self.post_message(self.UserToggled(self.highlighted_row))

    def action_toggle_moderator(self) -> None:
        if self.row_count:
            self.post_message(self.ModeratorToggled(self.highlighted_row))
