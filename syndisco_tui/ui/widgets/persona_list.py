"""The list of personas: who is there, who takes part, who moderates."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.binding import BindingType
from textual.content import Content
from textual.events import Resize
from textual.message import Message as Event
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ...discussion import Persona
from ...text import one_line
from ..actions import bindings
from ..cast import Cast
from ..speaker_colours import SpeakerColours

NAME_WIDTH, AGE_WIDTH, SEX_WIDTH = 12, 8, 6
"""Cells of the columns; that of ages is as narrow as the ages allow."""


class PersonaList(OptionList):
    """Shows a cast and asks for changes to it; whoever owns the cast makes them."""

    HELP = """Personas
    Who could speak. The persona under the cursor is the one that keys are about. ● takes part,
    ◆ moderates, · is not in the discussion. A change applies from the next turn."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("personas")

    class Asked(Event):
        """A change is asked for: ``what`` is the action's name, ``index`` the persona."""

        def __init__(self, what: str, index: int | None) -> None:
            super().__init__()
            self.what = what
            self.index = index

    def __init__(self, colours: SpeakerColours) -> None:
        super().__init__(markup=False, compact=True)
        self._colours = colours
        self._cast = Cast()
        self._age_width = 2

    def show(self, cast: Cast, highlight: int | None = None) -> None:
        """Show ``cast``; the highlight stays where it was, or goes to ``highlight``."""
        same_length = len(cast.personas) == len(self._cast.personas) == self.option_count
        self._cast = cast
        ages = [cell_len(_shown(persona.age)) for persona in cast.personas]
        self._age_width = max(2, min(AGE_WIDTH, max(ages, default=2)))
        if same_length:
            for index in range(len(cast.personas)):
                self.replace_option_prompt_at_index(index, self._row(index))
        else:
            at = self.highlighted or 0
            self.clear_options()
            self.add_options(Option(self._row(index)) for index in range(len(cast.personas)))
            if cast.personas:
                self.highlighted = min(at, len(cast.personas) - 1)
        if highlight is not None and cast.personas:
            self.highlighted = max(0, min(highlight, len(cast.personas) - 1))

    def on_resize(self, _event: Resize) -> None:
        self.show(self._cast)

    def _row(self, index: int) -> Content:
        persona = self._cast.personas[index]
        colour = self._colours.of(persona.name, dark=self.app.current_theme.dark)
        takes_part = self._cast.takes_part(persona)
        moderates = self._cast.moderates(persona)
        mark = "◆" if moderates else "●" if takes_part else "·"
        present = takes_part or moderates
        name = _cell(persona.name, NAME_WIDTH)
        rest = "  ".join(
            (
                _cell(persona.age, self._age_width),
                _cell(persona.sex, SEX_WIDTH),
                _shown(persona.current_employment),
            )
        )
        width = max(8, self.scrollable_content_region.width - 1)
        return Content.assemble(
            Content.styled(f"{mark} ", colour if present else "$quiet"),
            Content.styled(name, f"bold {colour}" if present else "$quiet"),
            Content.styled(f"  {rest}", "" if present else "$quiet"),
        ).truncate(width, ellipsis=True)

    def action_page_up(self) -> None:
        if self.size.height:  # Textual's list fails where it has no height
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        if self.size.height:
            super().action_page_down()  # type: ignore[no-untyped-call]

    def _ask(self, what: str) -> None:
        self.post_message(self.Asked(what, self.highlighted))

    def action_take_part(self) -> None:
        self._ask("take_part")

    def action_moderate(self) -> None:
        self._ask("moderate")

    def action_edit(self) -> None:
        self._ask("edit")

    def action_new(self) -> None:
        self._ask("new")

    def action_duplicate(self) -> None:
        self._ask("duplicate")

    def action_delete(self) -> None:
        self._ask("delete")

    def action_undo(self) -> None:
        self._ask("undo")


def _shown(value: object) -> str:
    return "" if value in (None, "", -1, "-1") else one_line(str(value), 40)


def _cell(value: object, width: int) -> str:
    """The value in exactly ``width`` cells (of which a character may take two)."""
    text = _shown(value)
    return set_cell_size(text if cell_len(text) <= width else f"{text[: width - 1]}…", width)


def persona_summary(persona: Persona) -> str:
    """Name, age, sex and occupation in one line."""
    parts = (persona.name, persona.age, persona.sex, persona.current_employment)
    return ", ".join(text for part in parts if (text := _shown(part)))
