"""The discussions behind a figure: each with its own value, to open and read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from ...analysis.axis import Axis
from ...analysis.conditions import Observation
from ...analysis.statistics import Measure
from ...text import counted, one_line
from ...workspace.statistics_tables import figure
from ..shell.screen import AppScreen
from ..transcript.read_only import ReadOnlyScreen
from ..widgets.charts import interval_line
from ..widgets.key_line import KeyLine
from ..widgets.page import Page
from ..widgets.row_list import RowList
from ..widgets.speaker_colours import SpeakerColours


class ObservationList(RowList):
    """Discussions with their values of ``measure``, the lowest first."""

    def __init__(self, observations: Sequence[Observation], measure: Measure | None) -> None:
        super().__init__()
        self._measure = measure
        values = [(one, measure(one.statistics) if measure else None) for one in observations]
        if measure:
            values.sort(key=lambda pair: (pair[1] is None, pair[1] or 0.0))
        self._values = values
        known = [value for _, value in values if value is not None]
        self._axis = Axis.around(known, is_share=bool(measure and measure.is_share))
        self._names = _names([one for one, _ in values])

    @property
    def highlighted(self) -> Observation | None:
        """The discussion under the highlight."""
        return self._values[self.highlighted_row][0] if self._values else None

    def reverse(self) -> None:
        """Reverse the order; the same discussion stays highlighted."""
        self._values.reverse()
        self._names.reverse()
        self.update_rows(len(self._values) - 1 - self.highlighted_row)
        self.refresh()

    @property
    def row_count(self) -> int:
        return len(self._values)

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        one, value = self._values[index]
        sign = Content.styled("✓ " if one.is_finished else "○ ", "$quiet")
        counts = f"{one.statistics.rows:>4,} messages"
        file = one_line(Path(one.source).name, 200)
        chart = max(0, min(40, width // 3)) if self._measure else 0
        number = f"{figure(value):>8}" if self._measure else ""
        name = max(8, width - chart - len(number) - len(counts) - 8)
        text = Content.assemble(
            one_line(self._names[index], 120), "  ", Content.styled(file, "$quiet")
        )
        line = Content(" " * chart)
        if value is not None:
            line = interval_line(self._axis.share(value), None, (), chart)
        return (
            Content.assemble(
                "  ", sign, text.truncate(name, ellipsis=True, pad=True), "  ", line, number,
                Content.styled(f"  {counts}", "$quiet"),
            ),
        )  # fmt: skip


def _names(observations: Sequence[Observation]) -> list[str]:
    """Distinct names: repeat and cell of an experiment, or the title."""
    one_cell = len({tuple(one.cell.items()) for one in observations}) < 2
    return [
        f"repeat {one.repeat:>2}" + ("" if one_cell else f"  {' · '.join(one.cell.values())}")
        if one.repeat
        else one.title
        for one in observations
    ]


class DiscussionsBehind(AppScreen[None]):
    """Lists ``observations``, called ``name`` together, with their values of ``measure``."""

    HELP = """Discussions behind a figure
    Each with its own value of the figure, the lowest first; s turns the order round. Enter opens a
    discussion to read it."""
    CSS_PATH = "statistics.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "read", key_display="⏎"),
        Binding("s", "reverse", "reverse"),
        Binding("escape,q", "dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(
        self,
        name: str,
        observations: Sequence[Observation],
        measure: Measure | None,
    ) -> None:
        super().__init__()
        self._condition = name
        self._measure = measure
        self._observations = observations

    def compose(self) -> ComposeResult:
        yield Page(id="statistics-title")
        yield ObservationList(self._observations, self._measure)
        yield KeyLine()

    def on_mount(self) -> None:
        count = counted(len(self._observations), "discussion")
        parts = [Content.styled(one_line(self._condition, 80), "bold $accent")]
        if self._measure is not None:
            parts += [
                Content(f"   {one_line(self._measure.label, 40)}"),
                Content.styled(f"   {one_line(self._measure.unit, 80)}", "$quiet"),
            ]
        line = Content.assemble(*parts, Content.styled(f"   {count}", "$quiet"))
        self.query_one(Page).show(lambda width: [line.truncate(width, ellipsis=True)])
        self.query_one(ObservationList).focus()

    @on(RowList.Selected)
    def action_open(self) -> None:
        if one := self.query_one(ObservationList).highlighted:
            self.app.push_screen(ReadOnlyScreen(Path(one.source), SpeakerColours()))

    def action_reverse(self) -> None:
        self.query_one(ObservationList).reverse()
