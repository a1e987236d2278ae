"""A batch: how many discussions, a live table of them, and what can be done with each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static

from ...analysis.figures import FigureCounter, Spread
from ...discussion import DiscussionRecord, DiscussionSetup, Persona
from ...session import LiveSession
from ...session.batch_run import BatchRun
from ...text import duration, one_line, safe
from ..inspect.compare import Compare, CompareWith
from ..inspect.turn_lab import TurnLab
from ..interventions.fork import ForkScreen
from ..library.open_request import OpenRequest
from ..shell.screen import AppScreen
from ..statistics.screen import show_statistics
from ..widgets.charts import bar
from ..widgets.key_line import KeyLine
from .batch_table import COLUMNS, NARROWEST_WORDS, NO_SPREAD, cells, in_order, labels
from .batches import BatchEvents, ShownBatch
from .run_reader import RunReader
from .starting import go_on

SPREAD_SECONDS = 2.0
"""Between two looks at how far the discussions are apart, at least."""
LOOKS_PER_SECOND = 4
SPREAD_SHARE = 20
"""The pause between two looks, as a multiple of how long the last one took."""
DRAW_SHARE = 15
"""The pause between two drawings of the table, as a multiple of how long the last one took."""


class BatchScreen(AppScreen[OpenRequest | None]):
    """The discussions of a batch, live or as they were saved; a OpenRequest is opened elsewhere.

    ``session`` is the laboratory's, ``folder`` is where discussions are saved, ``open_path`` gives
    the file that the laboratory has open, and ``at_hand`` the personas that a fork may add.
    ``runs`` are the listed ones; by default all.
    """

    HELP = """Batch
    All discussions of one setup: their seeds, turns and last words. The batch goes on when you
    leave this screen. Diversity is 1 − the mean pairwise ROUGE-L of a discussion's replies;
    distance is 1 − the mean ROUGE-L of all its replies together with those of each other
    discussion (the first 800 words, up to 200 discussions). ✓ is finished, ● running, ○ stopped,
    · not started, ! failed. s sorts by the next column, S turns the order round; so does a click
    on a column's name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "read", "read", key_display="⏎", priority=True),
        Binding("o", "open", "open"),
        Binding("f", "fork", "fork"),
        Binding("c", "compare", "compare"),
        Binding("t", "turn_lab", "turn lab"),
        Binding("T", "statistics", "statistics"),
        Binding("s", "sort(1)", "sort"),
        Binding("S", "reverse", "reverse", show=False),
        Binding("x", "stop", "stop all"),
        Binding("r", "go_on", "continue"),
        Binding("escape,q", "dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(
        self,
        shown: ShownBatch,
        session: LiveSession,
        folder: Path,
        *,
        open_path: Callable[[], Path | None],
        at_hand: Callable[[], Sequence[Persona]],
        runs: Sequence[BatchRun] | None = None,
    ) -> None:
        super().__init__()
        self._shown = shown
        self._batch = shown.batch
        self._runs = tuple(shown.batch.runs if runs is None else runs)
        self._session = session
        self._folder = folder
        self._open_path = open_path
        self._at_hand = at_hand
        self._counting = FigureCounter()
        self._spreads: dict[BatchRun, Spread] = {}
        self._is_counting = False
        self._count_due = 0.0
        self._has_news = True
        self._sorted_by, self._is_descending = 1, False
        self._behind: set[BatchRun] = set()
        """Runs that have changed since their rows were drawn."""
        self._draw_due = 0.0

    def compose(self) -> ComposeResult:
        yield Static(safe(self._shown.title), classes="batch-title", markup=False)
        yield DataTable(cursor_type="row", zebra_stripes=False)
        yield Static("", id="batch-figures")
        yield KeyLine()

    def on_mount(self) -> None:
        table = self._table
        for column in COLUMNS:
            table.add_column(column.label, width=column.width or NARROWEST_WORDS, key=column.name)
        for run in self._runs:
            table.add_row(*self._cells(run), key=str(run.number))
        self._show_labels()
        self._shown.listeners.append(self._take)
        self.set_interval(1 / LOOKS_PER_SECOND, self._count_if_due)
        self._count_if_due()
        self.call_after_refresh(self._show_all)

    def on_unmount(self) -> None:
        self._shown.listeners.remove(self._take)

    @property
    def _table(self) -> DataTable[Content]:
        return self.query_one(DataTable)

    @property
    def _run(self) -> BatchRun | None:
        """The discussion under the cursor."""
        table = self._table
        if not table.is_valid_row_index(table.cursor_row):
            return None
        key = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        return next((run for run in self._runs if str(run.number) == key), None)

    # The table ---------------------------------------------------------------------------------

    def _cells(self, run: BatchRun) -> list[Content]:
        return cells(run, self._spreads.get(run, NO_SPREAD), self._words_width)

    @property
    def _words_width(self) -> int:
        used = sum(column.width + 2 for column in COLUMNS)  # a cell on either side
        return max(NARROWEST_WORDS, self.size.width - used - 4)

    def on_resize(self) -> None:
        self._behind = set(self._runs)
        self.call_after_refresh(self._show_all)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._show_all)

    def _show_all(self) -> None:
        words = next(reversed(self._table.columns.values()))
        if words.width != self._words_width:
            words.width = self._words_width
            self._show_labels()
            self._table.refresh(layout=True)
        self._behind = set(self._runs)
        self._show_runs()

    def _take(self, events: BatchEvents) -> None:
        changed = {run for run, _ in events}.intersection(self._runs)
        self._behind |= changed
        self._has_news = self._has_news or bool(changed)
        if self.is_current and (time.monotonic() >= self._draw_due or self._batch.is_over):
            self._show_runs()

    def _drawn(self, began_at: float) -> None:
        """The faster the discussions, the more of the time is theirs."""
        ended_at = time.monotonic()
        self._draw_due = ended_at + DRAW_SHARE * (ended_at - began_at)

    def _show_runs(self) -> None:
        table = self._table
        if self._behind:
            self._draw_due = math.inf  # until it has been drawn
            self.call_after_refresh(self._drawn, time.monotonic())
        for run in self._behind:
            for column, cell in zip(COLUMNS, self._cells(run), strict=True):
                table.update_cell(str(run.number), column.name, cell)
        if self._behind:
            self._behind.clear()
            self._show_figures()
            self.refresh_bindings()

    def _show_labels(self) -> None:
        shown = labels(self._sorted_by, is_descending=self._is_descending)
        for column, label in zip(self._table.ordered_columns, shown, strict=True):
            column.label = Content(label).truncate(column.width).plain  # type: ignore[assignment]
        self._table.refresh()

    def _sort(self) -> None:
        """Put the rows in order; the cursor stays on its discussion."""
        current = self._run
        pairs = ((run, self._spreads.get(run, NO_SPREAD)) for run in self._runs)
        order = in_order(pairs, self._sorted_by, is_descending=self._is_descending)
        row_of = {str(run.shown_number): index for index, run in enumerate(order)}
        self._table.sort("number", key=lambda cell: row_of[cell.plain])
        if current is not None:
            self._table.move_cursor(row=row_of[str(current.shown_number)])

    def action_sort(self, by: int) -> None:
        self._sort_by((self._sorted_by + by) % len(COLUMNS), is_descending=False)

    def action_reverse(self) -> None:
        self._sort_by(self._sorted_by, is_descending=not self._is_descending)

    def _sort_by(self, column: int, *, is_descending: bool) -> None:
        self._sorted_by, self._is_descending = column, is_descending
        self._show_labels()
        self._sort()
        self._show_figures()

    @on(DataTable.HeaderSelected)
    def _header_clicked(self, event: DataTable.HeaderSelected) -> None:
        same = event.column_index == self._sorted_by
        self._sort_by(event.column_index, is_descending=same and not self._is_descending)

    # Diversity and distance --------------------------------------------------------------------

    def _count_if_due(self) -> None:
        is_due = time.monotonic() >= self._count_due or self._batch.is_over
        begun = [(run, run.record) for run in self._runs if run.record]
        if begun and self._has_news and is_due and not self._is_counting:
            self._has_news, self._is_counting = False, True
            self._count(begun)

    @work(thread=True, exit_on_error=False)
    def _count(self, begun: list[tuple[BatchRun, DiscussionRecord]]) -> None:
        started_at = time.monotonic()
        try:
            spreads = self._counting.spread([record for _, record in begun])
            runs = [run for run, _ in begun]
            self.app.call_from_thread(self._counted, dict(zip(runs, spreads, strict=True)))
        finally:
            spent = time.monotonic() - started_at
            self._count_due = time.monotonic() + max(SPREAD_SECONDS, SPREAD_SHARE * spent)
            self._is_counting = False

    def _counted(self, spreads: dict[BatchRun, Spread]) -> None:
        self._spreads = spreads
        if self.is_attached and self.is_current:
            self._behind |= set(spreads)
            self._show_runs()
            self._sort()

    # The line below ----------------------------------------------------------------------------

    def _show_figures(self) -> None:
        parts = self._loading() or self._figures()
        line = self.query_one("#batch-figures", Static)
        room = line.content_size.width
        while len(parts) > 2 and sum(part.cell_length for part in parts) > room:
            parts.pop(2)  # what is left of the time says most
        line.update(Content.assemble(*parts), layout=False)

    def _loading(self) -> list[Content]:
        """How far the model is; nothing once it is loaded."""
        loading = self._batch.loading
        if loading is None or self._batch.is_over:
            return []
        return [bar(loading.done, loading.total, 20), Content(f"  {one_line(loading.stage, 40)}")]

    def _figures(self) -> list[Content]:
        figures = self._batch.figures(self._runs)
        parts = [
            bar(figures.turns_taken, figures.turns, 20),
            Content(f"  {figures.finished} of {figures.runs} finished"),
            Content.styled(f"   {figures.messages:,} messages", "$quiet"),
        ]
        if figures.tokens_per_second and not self._batch.is_over:
            parts.append(Content.styled(f"   {figures.tokens_per_second:.0f} tok/s", "$quiet"))
        if figures.seconds_left and not self._batch.is_over:
            parts.append(Content.styled(f"   {duration(figures.seconds_left)} left", "$quiet"))
        return parts

    # What can be done --------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted or not self.query(DataTable):
            return True
        run = self._run
        match action:
            case "stop":
                return not self._batch.is_over
            case "go_on":
                return self._batch.is_over and not self._batch.is_finished
            case "open":
                is_here = run is not None and run.is_over and run.state != "elsewhere"
                return bool(run and run.record and run.path and is_here)
            case "fork":
                return bool(run and run.record and run.path)
            case "compare":
                return bool(run and run.record)
            case "statistics":
                return any(each.path for each in self._batch.runs)
        return True

    @on(DataTable.RowHighlighted)
    def _highlighted(self) -> None:
        self.refresh_bindings()

    def action_read(self) -> None:
        if run := self._run:
            self.app.push_screen(RunReader(self._shown, run, self._session))

    def action_open(self) -> None:
        if (run := self._run) and run.path:
            self.dismiss(OpenRequest(run.path))

    def action_fork(self) -> None:
        run = self._run
        if run is None or run.path is None or run.record is None:
            return
        path, record = run.path, run.record

        def asked(setup: DiscussionSetup | None) -> None:
            if setup:
                self.dismiss(OpenRequest(path, fork=(record, setup)))

        screen = ForkScreen(record, record.setup, len(record.entries), at_hand=self._at_hand())
        self.app.push_screen(screen, asked)

    def action_compare(self) -> None:
        run = self._run
        if run is None or run.record is None:
            return
        record = run.record
        others = [each.record for each in self._runs if each.record and each is not run]

        def show(other: DiscussionRecord | None) -> None:
            if other:
                latest = self._latest(run, record)
                self.app.push_screen(Compare(latest, other, self._shown.colours))

        self.app.push_screen(CompareWith(record, self._folder, first=others), show)

    @staticmethod
    def _latest(run: BatchRun, record: DiscussionRecord) -> Callable[[], DiscussionRecord]:
        return lambda: run.record or record

    def action_statistics(self) -> None:
        paths = [run.path for run in self._batch.runs if run.path]
        show_statistics(self.app, paths, self._shown.title)

    def action_turn_lab(self) -> None:
        self.app.push_screen(TurnLab(self._records, None, self._shown.colours))

    def _records(self) -> list[DiscussionRecord]:
        return [run.record for run in self._runs if run.record]

    def action_stop(self) -> None:
        self._batch.stop()
        self._show_all()

    def action_go_on(self) -> None:
        if go_on(self.app, self._shown, self._open_path()):
            self._show_all()
