"""The turn lab: participation, lengths, diversity and speed of discussions while they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content

from ...analysis.figures import FigureCounter, Figures
from ...discussion import DiscussionRecord
from ...engine.machine import MachineMeter
from ...text import one_line
from ..laboratory.session_view import SessionView
from ..shell.screen import AppScreen
from ..widgets.key_line import KeyLine
from ..widgets.page import Page
from . import turn_lab_pages as pages

CHECKS_PER_SECOND = 4
GROUPS = (("turns", "talk", "follows"), ("lengths", "diversity", "models", "meters"))

Records = Callable[[], Sequence[DiscussionRecord]]


class TurnLab(AppScreen[None]):
    """Shows figures of ``records`` and follows them; they are counted on a thread.

    ``status`` gives the speeds of the session that the discussion belongs to, if there is one.
    """

    HELP = """Turn lab
    Turns: how many each user took; │ marks the expected share, from the turn manager's odds at
    every turn, and next is everybody's odds for the coming one. A → B → A: turns in which the
    speaker before last spoke again, of those in which that was possible. Words: each speaker's
    share of all words. Models, where several speak: their replies and how fast they come.
    Diversity: 1 − the mean ROUGE-L of all pairs of messages by models.
    """
    CSS_PATH = "inspect.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (116, "-wide")]  # two columns of tables
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,t,enter", "dismiss(None)", "back", key_display="esc")
    ]

    def __init__(
        self, records: Records, status: SessionView | None, colours: dict[str, str]
    ) -> None:
        super().__init__()
        self._records = records
        self._status = status
        self._colours = colours
        self._counter = FigureCounter()
        self._counted: Sequence[DiscussionRecord] | None = None
        self._is_counting = False
        self._meter = MachineMeter()

    def compose(self) -> ComposeResult:
        yield Page(classes="instrument-title")
        with VerticalScroll(id="lab"), Container(id="lab-columns"):
            for column in GROUPS:
                with Vertical(classes="lab-column"):
                    for group in column:
                        yield Page(id=group, classes="lab-group")
        yield KeyLine(classes="instrument-keys")

    def on_mount(self) -> None:
        self.query_one("#lab").focus()
        self._meter.start()
        self._check()
        self.set_interval(1 / CHECKS_PER_SECOND, self._check)

    def on_unmount(self) -> None:
        self._meter.stop()

    def _check(self) -> None:
        """Count again if there is something new, and show the meters."""
        records = list(self._records())
        is_new = self._counted is None or [*map(id, records)] != [*map(id, self._counted)]
        if is_new and not self._is_counting:
            self._is_counting, self._counted = True, records
            self._show_title(records)
            self._count(records)
        self._show_meters()

    @work(thread=True, exit_on_error=False)
    def _count(self, records: Sequence[DiscussionRecord]) -> None:
        try:
            figures = self._counter.figures(records)
            self.app.call_from_thread(self._show, figures, records)
        finally:
            self._is_counting = False

    def _show_title(self, records: Sequence[DiscussionRecord]) -> None:
        if len(records) == 1:
            record = records[0]
            name, note = record.heading, f"turn {record.turns_taken} of {record.setup.conv_len}"
        else:
            name, note = f"{len(records)} discussions", ""
        start, end = Content.styled("Turn lab   ", "bold $accent"), Content.styled(note, "$quiet")

        def title(width: int) -> Sequence[Content]:
            room = width - start.cell_length - end.cell_length - 3
            heading = Content(one_line(name, 120)).truncate(max(8, room), ellipsis=True)
            return [Content.assemble(start, heading, "   ", end)]

        self.query_one(".instrument-title", Page).show(title)

    def _show(self, figures: Figures, records: Sequence[DiscussionRecord]) -> None:
        colours, several = self._colours, len(records) > 1
        setup = records[0].setup if records else None
        rule = ""
        if setup:
            rule = setup.turn_manager
            rule += f", p_respond {setup.p_respond:g}" if rule == "RandomWeighted" else ""
        names = [each.name for each in figures.speaker_totals if each.messages]
        groups: dict[str, Callable[[int], Sequence[Content]]] = {
            "turns": lambda width: pages.turn_lines(figures.turns, rule, width, colours),
            "talk": lambda width: pages.talk_lines(figures.speaker_totals, width, colours),
            "follows": lambda width: pages.follow_lines(
                figures.succession_counts, names, width, colours
            ),
            "lengths": lambda width: pages.length_lines(figures.message_lengths, width, colours),
            "diversity": lambda width: pages.diversity_lines(figures.diversity, width, several),
            "models": lambda width: pages.model_lines(figures.model_totals, width),
        }
        for group, build in groups.items():
            self.query_one(f"#{group}", Page).show(build)
        self.query_one("#lengths").display = not several
        self.query_one("#models").display = len(figures.model_totals) > 1

    def _show_meters(self) -> None:
        status = self._status or SessionView()
        load = self._meter.latest
        self.query_one("#meters", Page).show(lambda width: pages.meter_lines(status, load, width))
