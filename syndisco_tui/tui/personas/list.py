"""The list of personas: who takes part, who moderates, who is marked, who has an odd field."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import partialmethod
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

from ...discussion import Persona, name_key
from ...text import one_line
from ..shell.actions import ACTIONS, bindings
from ..shell.keymap import key_of
from ..widgets.speaker_colours import SpeakerColours
from .fields import as_text
from .selection import PersonaSelection

NAME_WIDTH, AGE_WIDTH, SEX_WIDTH, OCCUPATION_WIDTH = 12, 8, 6, 12
"""Cells that the columns keep where there is no room for all; less where less is needed."""
BESIDE_COLUMNS = 8
"""Cells of the mark, the sign of a mistake, and the gaps."""
MEASURED = 300
"""Personas whose columns are measured: all of them, in any list that one reads."""
LIKELY_MISTAKE, MARK = "?", "✓"


class PersonaList(ScrollView, can_focus=True):
    """Shows a cast and asks for changes to it; whoever owns the cast makes them.

    A line a persona, drawn when it comes into sight: a thousand cost what ten do.
    """

    HELP = """Personas
    Everyone who can take part. ● takes part, ◆ moderates, · is not in the discussion; ? behind a
    name is a likely mistake. Keys act on the highlighted persona. Where some are marked (✓),
    adding, deleting, saving as a set and changing a field act on these. The filter looks in all
    fields. A change applies from the next turn."""

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

    class Asked(Message):
        """``action`` is asked for, by its name; ``index`` is the highlighted persona's."""

        def __init__(self, action: str, index: int | None) -> None:
            super().__init__()
            self.action = action
            self.index = index

    def __init__(self, colours: SpeakerColours) -> None:
        super().__init__()
        self._colours = colours
        self._selection = PersonaSelection()
        self._doubtful: frozenset[str] = frozenset()
        self._widest = (NAME_WIDTH, 2, SEX_WIDTH, 0)
        self._words = ""
        self._marked_names: frozenset[str] = frozenset()
        self._listed: tuple[int, ...] = ()
        """Indices of the personas that have the filter's words, in order."""
        self._cursor = 0
        """The highlighted one, as a place in ``_listed``."""

    @property
    def highlighted(self) -> int | None:
        """The index of the highlighted persona; None while none is listed."""
        return self._listed[self._cursor] if self._listed else None

    @property
    def listed(self) -> tuple[int, ...]:
        """The indices of the personas that the filter leaves."""
        return self._listed

    @property
    def marked(self) -> tuple[int, ...]:
        """The indices of the marked personas, also of those that the filter hides."""
        if not self._marked_names:
            return ()
        names = (name_key(persona.name) for persona in self._selection.personas)
        return tuple(index for index, name in enumerate(names) if name in self._marked_names)

    @property
    def is_filtered(self) -> bool:
        return bool(self._words)

    def lists(self, persona: Persona) -> bool:
        """Whether the filter leaves ``persona``."""
        return has_words(persona, self._words)

    def turn_marks(self, indices: Iterable[int]) -> None:
        """Mark these; unmark them if all are marked."""
        names = frozenset(name_key(self._selection.personas[index].name) for index in indices)
        marked = self._marked_names
        self._marked_names = marked - names if names <= marked else marked | names
        self.refresh()

    def rename_mark(self, old: str, new: str) -> None:
        """Let whoever was marked under the name ``old`` stay marked under ``new``."""
        if name_key(old) in self._marked_names:
            self._marked_names = self._marked_names - {name_key(old)} | {name_key(new)}

    def unmark_all(self) -> None:
        self._marked_names = frozenset()
        self.refresh()

    def filter(self, words: str) -> None:
        """List only personas in whose fields all ``words`` begin a word."""
        self._words = words
        self._list_again(self.highlighted)

    def _list_again(self, highlight: int | None) -> None:
        """Find out who is listed; the highlight goes to ``highlight``, or the next that is."""
        personas = self._selection.personas
        self._listed = tuple(
            index for index, persona in enumerate(personas) if has_words(persona, self._words)
        )
        self.virtual_size = Size(0, len(self._listed))
        self.refresh(layout=True)
        self._go(bisect_left(self._listed, highlight or 0))

    def show(
        self, selection: PersonaSelection, highlight: int | None = None, *, count: int = 1
    ) -> None:
        """Show ``selection``; the highlight stays where it was, or goes to ``highlight``.

        ``count``: so many from there on are to be seen, as far as there is room.
        """
        if selection.personas is not self._selection.personas:
            rows = [("", "", "", ""), *map(_row_texts, selection.personas[:MEASURED])]
            name, age, sex, job = (max(map(cell_len, cells)) for cells in zip(*rows, strict=True))
            self._widest = (name, max(2, min(AGE_WIDTH, age)), sex, job)
        is_same = not self._words and len(selection.personas) == len(self._selection.personas)
        self._selection = selection
        if not is_same:
            self._list_again(self.highlighted if highlight is None else highlight)
        else:
            self._go(self._cursor if highlight is None else highlight)
        if count > 1:
            self.call_after_refresh(self._reveal, self._cursor, count)

    def mark(self, odd: frozenset[str]) -> None:
        """Put the sign of a likely mistake beside these, given as ``name_key`` gives names."""
        if odd != self._doubtful:
            self._doubtful = odd
            self.refresh()

    # Drawing -----------------------------------------------------------------------------------

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._listed))

    def render_line(self, y: int) -> Strip:
        line = self.scroll_offset.y + y
        width = self.size.width
        if not self._listed and y == 0:
            return self._line(self._nobody(), width, self.visual_style)
        if line >= len(self._listed) or width < 1:
            return Strip.blank(width, self.rich_style)
        style = self.visual_style
        if line == self._cursor:
            style += self.get_visual_style("persona-list--cursor")
        return self._line(self._row(self._listed[line], width - 1), width, style)

    def _line(self, row: Content, width: int, style: Style) -> Strip:
        row = row.truncate(max(8, width - 1), ellipsis=True)
        (strip,) = Visual.to_strips(self, row, width, 1, style)
        return strip.extend_cell_length(width, style.rich_style)

    def _nobody(self) -> Content:
        if self._selection.personas:
            return Content.styled("No match. esc clears the filter.", "$quiet")
        new, open_set = (key_of(self.app, f"personas.{name}") for name in ("new", "open_set"))
        return Content.styled(f"No personas: {new} makes one, {open_set} opens a set", "$quiet")

    def _column_widths(self, width: int) -> tuple[int, int, int]:
        """Of name, age and sex: as wide as they need, where the occupation keeps enough too."""
        name, age, sex, occupation = self._widest
        least_name, least_sex = min(name, NAME_WIDTH), min(sex, SEX_WIDTH)
        beside = BESIDE_COLUMNS + (2 if self._marked_names else 0)
        least = beside + least_name + age + least_sex + min(occupation, OCCUPATION_WIDTH)
        spare = max(0, width - least)
        more_sex = min(spare, sex - least_sex)
        more_name = min(spare - more_sex, name - least_name)
        return least_name + more_name, age, least_sex + more_sex

    def _row(self, index: int, width: int) -> Content:
        persona = self._selection.personas[index]
        colour = self._colours.of(persona.name, dark=self.app.current_theme.dark)
        takes_part = self._selection.takes_part(persona)
        moderates = self._selection.moderates(persona)
        mark = "◆" if moderates else "●" if takes_part else "·"
        present = takes_part or moderates
        marks = (f"{MARK} " if name_key(persona.name) in self._marked_names else "  ") * bool(
            self._marked_names
        )
        odd = LIKELY_MISTAKE if name_key(persona.name) in self._doubtful else " "
        widths = self._column_widths(width)
        name, *cells = map(_cell, _row_texts(persona), widths)
        rest = "  ".join([*cells, _shown(persona.current_employment)])
        return Content.assemble(
            Content.styled(marks, "$accent"),
            Content.styled(f"{mark} ", colour if present else "$quiet"),
            Content.styled(name, f"bold {colour}" if present else "$quiet"),
            Content.styled(odd, "$warning"),
            Content.styled(f" {rest}", "" if present else "$quiet"),
        )

    # The cursor --------------------------------------------------------------------------------

    def _go(self, line: int) -> None:
        self._cursor = max(0, min(line, len(self._listed) - 1))
        self.refresh()
        self.call_after_refresh(self._keep_cursor_in_sight)

    def _keep_cursor_in_sight(self) -> None:
        self.scroll_to_region(Region(0, self._cursor, 1, 1), animate=False, force=True)

    def _reveal(self, line: int, count: int) -> None:
        """Bring so many lines from ``line`` on into sight; the first, where not all have room."""
        for height in (count, 1):
            self.scroll_to_region(Region(0, line, 1, height), animate=False, force=True)

    def on_resize(self, _event: Resize) -> None:
        self.call_after_refresh(self._keep_cursor_in_sight)

    def on_click(self, event: Click) -> None:
        line = self.scroll_offset.y + event.y
        if line < len(self._listed):
            again = line == self._cursor and event.chain > 1
            self._go(line)
            if again:
                self._ask("edit")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "clear":
            return bool(self._words or self._marked_names)
        return True

    def action_move(self, by: int) -> None:
        self._go((self._cursor + by) % max(1, len(self._listed)))

    def action_step(self, by: int) -> None:
        """Move the highlight, but not beyond the ends."""
        self._go(self._cursor + by)

    def action_go(self, line: int) -> None:
        self._go(line % max(1, len(self._listed)))

    def action_page(self, direction: int) -> None:
        self._go(self._cursor + direction * max(1, self.size.height - 1))

    def _ask(self, action: str) -> None:
        self.post_message(self.Asked(action, self.highlighted))


for _action in ACTIONS:  # what the pane can do is asked of whoever owns the cast
    if _action.where == "personas":
        setattr(
            PersonaList, f"action_{_action.name}", partialmethod(PersonaList._ask, _action.name)
        )


def has_words(persona: Persona, words: str) -> bool:
    """Whether each of ``words`` begins a word in one of the persona's fields, in any case."""
    searched = words.casefold().split()
    if not searched:
        return True
    text = " ".join(map(as_text, persona.as_dict().values())).casefold()
    return all(re.search(rf"(?<!\w){re.escape(word)}", text) for word in searched)


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
