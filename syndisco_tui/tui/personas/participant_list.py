"""A short list of personas to choose from: who takes part, who moderates."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from .list import persona_summary
from .selection import PersonaSelection


class ParticipantList(OptionList):
    """Shows a selection; whoever owns it makes the changes that are asked for."""

    HELP = """Who takes part
    ● takes part, ◆ moderates, · does not take part."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "ask('take_part')", "takes part", key_display="space"),
        Binding("m", "ask('moderate')", "moderator"),
    ]

    class Asked(Message):
        """Toggle whether the persona at ``index`` is a user, or with ``moderate`` the moderator."""

        def __init__(self, index: int, *, moderate: bool) -> None:
            super().__init__()
            self.index = index
            self.moderate = moderate

    def __init__(self, selection: PersonaSelection, *, id: str | None = None) -> None:
        super().__init__(*_options(selection), markup=False, compact=True, id=id)

    def show(self, selection: PersonaSelection) -> None:
        """Show other parts of the personas listed."""
        for index, option in enumerate(_options(selection)):
            self.replace_option_prompt_at_index(index, option.prompt)

    def action_ask(self, part: str) -> None:
        if self.highlighted is not None:
            self.post_message(self.Asked(self.highlighted, moderate=part == "moderate"))


def _options(selection: PersonaSelection) -> list[Option]:
    options = []
    for persona in selection.personas:
        style = "" if selection.is_present(persona) else "$quiet"
        line = Content.styled(f"{selection.sign(persona)} {persona_summary(persona)}", style)
        options.append(Option(line))
    return options
