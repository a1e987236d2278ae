"""The list of personas: who is there, who takes part, who moderates, who has an odd field."""

from __future__ import annotations

from functools import partialmethod
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message as Event
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

from ...discussion import Persona, name_key
from ...text import one_line
from ..actions import ACTIONS, bindings
from ..cast import Cast
from ..keymap import key_of
from ..speaker_colours import SpeakerColours

NAME_WIDTH, AGE_WIDTH, SEX_WIDTH, OCCUPATION_WIDTH = 12, 8, 6, 12
"""Cells that the columns keep where there is no room for all; less where less is needed."""
BESIDE_COLUMNS = 8
"""Cells of the mark, the sign of a mistake, and the gaps."""
MEASURED = 300
"""Personas whose columns are measured: all of them, in any list that one reads."""
LIKELY_MISTAKE = "?"


class PersonaList(ScrollView, can_focus=True):
    """Shows a cast and asks for changes to it; whoever owns the cast makes them.

    A line a persona, drawn when it comes into sight: a thousand cost what ten do.
    """

    HELP = """Personas
    Who could speak. The persona under the cursor is the one that keys are about. ● takes part,
    ◆ moderates, · is not in the discussion; ? behind a name is likely a mistake. A change applies
    from the next turn."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"persona-list--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("home", "go(0)", show=False),
        Binding("end", "go(-1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        *bindings("personas"),
    ]

    class Asked(Event):
        """A change is asked for: ``what`` is the action's name, ``index`` the persona."""

        def __init__(self, what: str, index: int | None) -> None:
            super().__init__()
            self.what = what
            self.index = index

    def __init__(self, colours: SpeakerColours) -> None:
        super().__init__()
        self._colours = colours
        self._cast = Cast()
        self._doubtful: frozenset[str] = frozenset()
        self._widest = (NAME_WIDTH, 2, SEX_WIDTH, 0)
        self._at = 0

    @property
    def highlighted(self) -> int | None:
        """The persona under the cursor; None while there is nobody."""
        return self._at if self._cast.personas else None

    def show(self, cast: Cast, highlight: int | None = None) -> None:
        """Show ``cast``; the highlight stays where it was, or goes to ``highlight``."""
        if cast.personas is not self._cast.personas:
            rows = [("", "", "", ""), *map(_row_texts, cast.personas[:MEASURED])]
            name, age, sex, job = (max(map(cell_len, cells)) for cells in zip(*rows, strict=True))
            self._widest = (name, max(2, min(AGE_WIDTH, age)), sex, job)
        same_length = len(cast.personas) == len(self._cast.personas)
        self._cast = cast
        if not same_length:
            self.virtual_size = Size(0, len(cast.personas))
            self.refresh(layout=True)
        self._go(self._at if highlight is None else highlight)

    def mark(self, odd: frozenset[str]) -> None:
        """Put the sign of a likely mistake beside these, given as ``name_key`` gives names."""
        if odd != self._doubtful:
            self._doubtful = odd
            self.refresh()

    # Drawing -----------------------------------------------------------------------------------

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._cast.personas))

    def render_line(self, y: int) -> Strip:
        index = self.scroll_offset.y + y
        width = self.size.width
        if not self._cast.personas and y == 0:
            return self._line(self._nobody(), width, self.visual_style)
        if index >= len(self._cast.personas) or width < 1:
            return Strip.blank(width, self.rich_style)
        style = self.visual_style
        if index == self._at:
            style += self.get_visual_style("persona-list--cursor")
        return self._line(self._row(index, width - 1), width, style)

    def _line(self, row: Content, width: int, style: Style) -> Strip:
        row = row.truncate(max(8, width - 1), ellipsis=True)
        (strip,) = Visual.to_strips(self, row, width, 1, style)
        return strip.extend_cell_length(width, style.rich_style)

    def _nobody(self) -> Content:
        new, open_set = (key_of(self.app, f"personas.{name}") for name in ("new", "open_set"))
        return Content.styled(f"Nobody: {new} makes a persona, {open_set} opens a set", "$quiet")

    def _column_widths(self, width: int) -> tuple[int, int, int]:
        """Of name, age and sex: as wide as they need, where the occupation keeps enough too."""
        name, age, sex, occupation = self._widest
        least_name, least_sex = min(name, NAME_WIDTH), min(sex, SEX_WIDTH)
        least = BESIDE_COLUMNS + least_name + age + least_sex + min(occupation, OCCUPATION_WIDTH)
        spare = max(0, width - least)
        more_sex = min(spare, sex - least_sex)
        more_name = min(spare - more_sex, name - least_name)
        return least_name + more_name, age, least_sex + more_sex

    def _row(self, index: int, width: int) -> Content:
        persona = self._cast.personas[index]
        colour = self._colours.of(persona.name, dark=self.app.current_theme.dark)
        takes_part = self._cast.takes_part(persona)
        moderates = self._cast.moderates(persona)
        mark = "◆" if moderates else "●" if takes_part else "·"
        present = takes_part or moderates
        odd = LIKELY_MISTAKE if name_key(persona.name) in self._doubtful else " "
        widths = self._column_widths(width)
        name, *cells = map(_cell, _row_texts(persona), widths)
        rest = "  ".join([*cells, _shown(persona.current_employment)])
        return Content.assemble(
            Content.styled(f"{mark} ", colour if present else "$quiet"),
            Content.styled(name, f"bold {colour}" if present else "$quiet"),
            Content.styled(odd, "$warning"),
            Content.styled(f" {rest}", "" if present else "$quiet"),
        )

    # The cursor --------------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        last = len(self._cast.personas) - 1
        self._at = max(0, min(index, last))
        self.refresh()
        self.call_after_refresh(self._keep_cursor_in_sight)

    def _keep_cursor_in_sight(self) -> None:
        self.scroll_to_region(Region(0, self._at, 1, 1), animate=False, force=True)

    def on_resize(self, _event: Resize) -> None:
        self.call_after_refresh(self._keep_cursor_in_sight)

    def on_click(self, event: Click) -> None:
        index = self.scroll_offset.y + event.y
        if index < len(self._cast.personas):
            again = index == self._at and event.chain > 1
            self._go(index)
            if again:
                self._ask("edit")

    def action_move(self, by: int) -> None:
        self._go((self._at + by) % max(1, len(self._cast.personas)))

    def action_go(self, index: int) -> None:
        self._go(index % max(1, len(self._cast.personas)))

    def action_page(self, direction: int) -> None:
        self._go(self._at + direction * max(1, self.size.height - 1))

    def _ask(self, what: str) -> None:
        self.post_message(self.Asked(what, self.highlighted))


for _action in ACTIONS:  # what the pane can do is asked of whoever owns the cast
    if _action.where == "personas":
        setattr(
            PersonaList, f"action_{_action.name}", partialmethod(PersonaList._ask, _action.name)
        )


def _shown(value: object) -> str:
    return "" if value in (None, "", -1, "-1") else one_line(str(value), 40)


def _row_texts(persona: Persona) -> tuple[str, str, str, str]:
    employment = persona.current_employment
    name, age, sex, employment = map(_shown, (persona.name, persona.age, persona.sex, employment))
    return name, age, sex, employment


def _cell(text: str, width: int) -> str:
    """``text`` in exactly ``width`` cells (of which a character may take two)."""
    return set_cell_size(text if cell_len(text) <= width else f"{text[: width - 1]}…", width)


def persona_summary(persona: Persona) -> str:
    """Name, age, sex and occupation in one line."""
    parts = (persona.name, persona.age, persona.sex, persona.current_employment)
    return ", ".join(text for part in parts if (text := _shown(part)))
