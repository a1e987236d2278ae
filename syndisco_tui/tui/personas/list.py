"""The list of personas: who takes part, who moderates, who is marked, who has an odd field."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from ...discussion import Persona, name_key
from ...text import one_line, search_key
from ..shell.keymap import key_of
from ..widgets.row_list import RowList
from ..widgets.speaker_colours import SpeakerColours
from .fields import as_text
from .selection import PersonaSelection

NAME_WIDTH, AGE_WIDTH, SEX_WIDTH, OCCUPATION_WIDTH = 12, 8, 6, 12
"""Cells that the columns keep where there is no room for all; less where less is needed."""
MODEL_WIDTH = 12
"""Cells that models have at least, where they differ."""
BESIDE_COLUMNS = 8
"""Cells of the mark, the sign of a mistake, and the gaps."""
MEASURED = 300
"""Personas whose columns are measured: all of them, in any list that one reads."""
LIKELY_MISTAKE, MARK = "?", "✓"


class PersonaList(RowList):
    """Shows the personas of a selection, those that a filter leaves, with marks beside them."""

    HELP = """Personas
    Everyone who can take part. ● takes part, ◆ moderates, · is not in the discussion; ? behind a
    name is a likely mistake. Keys act on the highlighted persona. Where some are marked (✓),
    adding, deleting, saving as a set and changing a field act on these. The filter looks in all
    fields. A change applies from the next turn."""

    def __init__(self, colours: SpeakerColours) -> None:
        super().__init__()
        self._colours = colours
        self._selection = PersonaSelection()
        self._names_with_warning: frozenset[str] = frozenset()
        self._widest = (NAME_WIDTH, 2, SEX_WIDTH, 0)
        self._filter_words = ""
        self._marked_names: frozenset[str] = frozenset()
        self._models: Mapping[str, str] = {}
        self.listed: tuple[int, ...] = ()
        """The indices of the personas that the filter leaves, in order."""

    # Highlight, filter and marks ---------------------------------------------------------------

    @property
    def highlighted(self) -> int | None:
        """The index of the highlighted persona; None while none is listed."""
        return self.listed[self.highlighted_row] if self.listed else None

    @property
    def marked(self) -> tuple[int, ...]:
        """The indices of the marked personas, also of those that the filter hides."""
        if not self._marked_names:
            return ()
        names = (name_key(persona.name) for persona in self._selection.personas)
        return tuple(index for index, name in enumerate(names) if name in self._marked_names)

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is set, even one that leaves all."""
        return bool(self._filter_words)

    def lists(self, persona: Persona) -> bool:
        """Whether the filter leaves ``persona``."""
        return has_words(persona, self._filter_words)

    def toggle_marks(self, indices: Iterable[int]) -> None:
        """Mark these personas; unmark them if all are marked."""
        names = frozenset(name_key(self._selection.personas[index].name) for index in indices)
        marked = self._marked_names
        self._marked_names = marked - names if names <= marked else marked | names
        self.refresh()

    def rename_mark(self, old: str, new: str) -> None:
        """Let whoever was marked under the name ``old`` stay marked under ``new``."""
        if name_key(old) in self._marked_names:
            self._marked_names = self._marked_names - {name_key(old)} | {name_key(new)}

    def unmark_all(self) -> None:
        """Remove all marks."""
        self._marked_names = frozenset()
        self.refresh()

    def filter(self, words: str) -> None:
        """List only personas in whose fields all ``words`` begin a word."""
        self._filter_words = words
        self._list_personas(self.highlighted)

    def show(
        self, selection: PersonaSelection, highlight: int | None = None, *, count: int = 1
    ) -> None:
        """Show ``selection``; the highlight stays, or goes to the persona at ``highlight``.

        ``count`` personas from the highlighted one on come into sight, as far as there is room.
        """
        if selection.personas is not self._selection.personas:
            rows = [("", "", "", ""), *map(_row_texts, selection.personas[:MEASURED])]
            name, age, sex, job = (max(map(cell_len, cells)) for cells in zip(*rows, strict=True))
            self._widest = (name, max(2, min(AGE_WIDTH, age)), sex, job)
        self._selection = selection
        self._list_personas(self.highlighted if highlight is None else highlight)
        if count > 1:
            self.call_after_refresh(self.scroll_to_rows, self.highlighted_row, count)

    def _list_personas(self, highlight: int | None) -> None:
        """List who has the filter's words; the highlight goes to ``highlight``, or the next."""
        personas = self._selection.personas
        if self._filter_words:
            indices = (index for index, each in enumerate(personas) if self.lists(each))
            self.listed = tuple(indices)
        else:
            self.listed = tuple(range(len(personas)))
        self.update_rows(bisect_left(self.listed, highlight or 0))

    def show_warnings(self, names: frozenset[str]) -> None:
        """Put the sign of a likely mistake beside these, given as ``name_key`` gives names."""
        if names != self._names_with_warning:
            self._names_with_warning = names
            self.refresh()

    # Drawing -----------------------------------------------------------------------------------

    @property
    def row_count(self) -> int:
        return len(self.listed)

    def draw_empty(self) -> Content:
        if self._selection.personas:
            return Content.styled("No match. esc clears the filter.", "$quiet")
        return Content.styled(self.empty_hint, "$quiet")

    @property
    def empty_hint(self) -> str:
        """What an empty list says: the keys that give it its first personas."""
        new, open_set = (key_of(self.app, f"personas.{name}") for name in ("new", "open_set"))
        return f"No personas: {new} makes one, {open_set} opens a set"

    def show_models(self, labels: Mapping[str, str]) -> None:
        """Show in a column what ``labels`` call the models, by ``name_key``; none: no column."""
        self._models = labels
        self.refresh()

    def _model_width(self, width: int) -> int:
        """Cells of the models' column; 0 while there is none."""
        longest = max(map(cell_len, self._models.values()), default=0)
        return min(longest, max(MODEL_WIDTH, width // 3))

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

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        persona = self._selection.personas[self.listed[index]]
        width = self.size.width - 1  # the same columns whether or not there is a scrollbar
        key = name_key(persona.name)
        colour = self._colours.of(persona.name, dark=self.app.current_theme.dark)
        is_present = self._selection.is_present(persona)
        mark = ""
        if self._marked_names:
            mark = f"{MARK} " if key in self._marked_names else "  "
        model_width = self._model_width(width)
        left = width - (model_width + 2 if model_width else 0)
        name, *cells = map(_cell, _row_texts(persona), self._column_widths(left))
        if model_width:
            cells.insert(0, _cell(self._models.get(key, ""), model_width))
        rest = "  ".join([*cells, _shown(persona.current_employment)])
        row = Content.assemble(
            Content.styled(mark, "$accent"),
            Content.styled(f"{self._selection.sign(persona)} ", colour if is_present else "$quiet"),
            Content.styled(name, f"bold {colour}" if is_present else "$quiet"),
            Content.styled(LIKELY_MISTAKE if key in self._names_with_warning else " ", "$warning"),
            Content.styled(f" {rest}", "" if is_present else "$quiet"),
        )
        return [row.truncate(max(8, width), ellipsis=True)]


def has_words(persona: Persona, words: str) -> bool:
    """Whether each of ``words`` begins a word in a field, whatever the case and accents."""
    searched = search_key(words).split()
    if not searched:
        return True
    text = search_key(" ".join(map(as_text, persona.as_dict().values())))
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
