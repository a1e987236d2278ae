"""The screen of an experiment: its conditions as a live matrix, leading to each discussion."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ...analysis.statistics import MEASURES
from ...discussion import DiscussionRecord, Persona
from ...session import LiveSession
from ...session.batch_run import BatchRun
from ...text import counted, duration, one_line, safe
from ...workspace.estimate import estimate, sentence, speed_of
from ...workspace.experiment_runs import FileChange
from ...workspace.folders import abbreviate_home
from ...workspace.inputs import InputError
from ...workspace.matrix import (
    DEFAULT_FIGURE,
    Levels,
    MatrixCell,
    cells_of,
    level_means,
    levels_of,
)
from ..library.open_request import OpenRequest
from ..shell.screen import AppScreen
from ..statistics.screen import show_statistics
from ..transcript.transcript import Transcript
from ..widgets.charts import bar
from ..widgets.key_line import KeyLine
from ..widgets.notices import show_error
from .batches import BatchEvents
from .cell_screen import CellScreen
from .matrix_lines import short
from .matrix_view import MatrixView
from .shown_experiment import ShownExperiment
from .starting import go_on

DRAWS_PER_SECOND = 4
LOOKS_PER_SECOND = 1
"""How often the folder is looked at for what other processes do."""
SECONDS_TO_BEGIN = 3.0
"""By then the first discussions have begun."""
COUNTED_AT_ONCE = 20
"""Discussions whose figures are counted before the matrix is drawn again."""


class ExperimentScreen(AppScreen[OpenRequest | None]):
    """Shows the experiment ``shown``. An OpenRequest is opened in the laboratory.

    ``session`` has the model with which prompts are rendered, ``open_path`` gives the file that the
    laboratory has open, and ``at_hand`` the personas that a fork may add.
    """

    HELP = """Experiment
    Levels against levels: in each cell how many discussions are finished of those planned (● are
    running, ! failed), and one figure, mean ± standard deviation of the finished ones; f shows
    the next figure. The higher it is, the deeper the colour. Enter opens a cell's discussions.
    The experiment goes on when you leave this screen, and can be continued after the app was
    left: the folder holds all there is. Discussions that another process runs are followed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_cell", "discussions", key_display="⏎"),
        Binding("f", "figure(1)", "next figure"),
        Binding("F", "figure(-1)", "previous figure", show=False),
        Binding("T", "statistics", "statistics"),
        Binding("r", "go_on", "run"),
        Binding("x", "stop", "stop all"),
        Binding("y", "copy_path", "copy path"),
        Binding("escape,q", "dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(
        self,
        shown: ShownExperiment,
        session: LiveSession,
        folder: Path,
        *,
        open_path: Callable[[], Path | None],
        at_hand: Callable[[], Sequence[Persona]],
    ) -> None:
        super().__init__()
        self._shown = shown
        self._batch = shown.batch
        self._new_cell_screen = partial(
            CellScreen, shown, session, folder, open_path=open_path, at_hand=at_hand
        )
        self._open_path = open_path
        self._library = folder
        self._figure = DEFAULT_FIGURE
        self._cells: dict[Levels, MatrixCell] = {}
        self._has_news = True
        self._is_reading = threading.Lock()
        self._read_so_far: tuple[int, int] | None = (0, len(shown.batch.runs))
        """Of the first reading: how many discussions, of how many; None once it is done."""
        self._is_counting = False
        self._finished_at_estimate = -1

    def compose(self) -> ComposeResult:
        with Horizontal(id="experiment-top"):
            yield Static(safe(self._shown.title), classes="batch-title", markup=False)
            path = abbreviate_home(self._shown.experiment.folder)
            yield Static(one_line(path, 200), id="experiment-folder", markup=False)
        yield Static("", id="experiment-about", markup=False)
        yield MatrixView(self._shown.experiment.design)
        yield Static("", id="experiment-cell", markup=False)
        yield Static("", id="experiment-estimate", markup=False)
        yield Static("", id="batch-figures", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        self._shown.listeners.append(self._take)
        self.set_interval(1 / DRAWS_PER_SECOND, self._draw_news)
        self.set_interval(1 / LOOKS_PER_SECOND, self._look)
        self.query_one(MatrixView).focus()
        if self._shown.has_begun:  # it was read when it was opened
            self._read_so_far = None
        self._look()
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        self._shown.listeners.remove(self._take)

    def on_screen_resume(self) -> None:
        self._has_news = True

    # What other processes do -------------------------------------------------------------------

    @work(thread=True, exit_on_error=False)
    def _look(self) -> None:
        if not self._is_reading.acquire(blocking=False):
            return
        try:
            changes = self._shown.runs.read_changes(self._batch.open_files, self._note_read)
        finally:
            self._is_reading.release()
        if changes or self._read_so_far:
            self.app.call_from_thread(self._follow, changes)

    def _note_read(self, done: int, total: int) -> None:
        """Note the progress of the first reading, on its thread."""
        if self._read_so_far:
            self._read_so_far = done, total

    def _follow(self, changes: list[FileChange]) -> None:
        if self._read_so_far:
            self._read_so_far = None
            gc.freeze()  # what was read stays: looking through it again only stalls keys
        self._shown.follow(changes)
        self._has_news = True

    @work(thread=True, exit_on_error=False)
    def _estimate(self) -> None:
        """Estimate what remains to be done, while nothing runs."""
        runs = self._batch.runs
        remaining = [run.setup for run in runs if run.state != "finished"]
        expected = estimate(remaining, speed_of(runs, self._library), self._shown.prices)
        self.app.call_from_thread(self._show_estimate, sentence(expected))

    def _show_estimate(self, text: str) -> None:
        line = self.query_one("#experiment-estimate", Static)
        line.update(Content.styled(one_line(f"to do: {text}", 300), "$quiet"))
        line.display = self._can_run

    @property
    def _can_run(self) -> bool:
        """Whether discussions are missing and none is running in this process."""
        is_read = self._read_so_far is None
        return is_read and self._batch.is_over and not self._batch.is_finished

    def _estimate_if_due(self, finished: int) -> None:
        """Estimate again after further discussions are finished, but not while any runs."""
        if not self._can_run:
            self.query_one("#experiment-estimate", Static).display = False
            self._finished_at_estimate = -1
        elif finished != self._finished_at_estimate:
            self._finished_at_estimate = finished
            self._estimate()

    # What is shown -----------------------------------------------------------------------------

    def _take(self, events: BatchEvents) -> None:
        self._has_news = self._has_news or bool(events)

    def _draw_news(self) -> None:
        """Draw changes at a limited rate; lines that show a time are always drawn."""
        if not self.is_current:
            return
        if self._has_news:
            self._draw()
        elif self._read_so_far or not self._batch.is_over:
            self._show_figures()

    def _draw(self) -> None:
        self._has_news = False
        figures = self._shown.figures
        values = figures.values(self._figure)
        design = self._shown.experiment.design
        self._cells = cells_of(design, self._batch.runs, values)
        means = level_means(design, self._batch.runs, values)
        self.query_one(MatrixView).show(self._cells, means, MEASURES[self._figure].label)
        self._show_about()
        self._show_cell()
        self._show_figures()
        self._estimate_if_due(sum(cell.finished for cell in self._cells.values()))
        self.refresh_bindings()
        uncounted = figures.uncounted(self._batch.runs)
        if uncounted and not self._is_counting:
            self._is_counting = True
            self._count(uncounted[:COUNTED_AT_ONCE])

    @work(thread=True, exit_on_error=False)
    def _count(self, runs: list[tuple[BatchRun, DiscussionRecord]]) -> None:
        try:
            for run, record in runs:
                self._shown.figures.count(run, record)
        finally:
            self._is_counting, self._has_news = False, True

    def _show_about(self) -> None:
        design = self._shown.experiment.design
        shape = f"{' × '.join(design.factors)} · " if design.factors else ""
        size = f"{counted(len(design.cells), 'cell')} × {counted(design.repeats, 'repeat')}"
        self.query_one("#experiment-about", Static).update(
            Content.assemble(
                Content.styled(MEASURES[self._figure].label, "bold"),
                Content.styled(f": {MEASURES[self._figure].unit}, mean ± sd", "$quiet"),
                Content.styled(f"   {one_line(shape, 120)}{size}", "$quiet"),
            ),
            layout=False,
        )

    @on(MatrixView.Highlighted)
    def _show_cell(self) -> None:
        """Show in a line what the highlighted cell is, and why discussions in it failed."""
        levels = self.query_one(MatrixView).cursor
        cell = self._cells.get(levels)
        if cell is None:
            return
        name = " · ".join(one_line(level, 60) for level in levels) or "all"
        parts = [Content.styled(name, "bold"), Content(f"   {cell.finished} of {cell.planned}")]
        parts.append(Content(" finished"))
        if cell.running:
            parts.append(Content.styled(f", {cell.running} running", "$accent"))
        if cell.mean is not None:
            figure = one_line(f"   {MEASURES[self._figure].label} {short(cell.mean)}")
            parts.append(Content(figure))
        failed = next((run for run in self._members(levels) if run.state == "failed"), None)
        if failed is not None:
            reason = one_line(failed.error, 300)
            parts.append(Content.styled(f"   {cell.failed} failed: {reason}", "$error"))
        self.query_one("#experiment-cell", Static).update(Content.assemble(*parts), layout=False)

    def _members(self, levels: Levels) -> list[BatchRun]:
        return [run for run in self._batch.runs if levels_of(run) == levels]

    def _show_figures(self) -> None:
        self.query_one("#batch-figures", Static).update(
            Content.assemble(*self._fitting(self._loading() or self._progress())), layout=False
        )

    def _fitting(self, parts: list[Content]) -> list[Content]:
        room = self.query_one("#batch-figures", Static).content_size.width
        while len(parts) > 2 and sum(part.cell_length for part in parts) > room:
            parts.pop(2)  # what is left of the time says most
        return parts

    def _loading(self) -> list[Content]:
        if self._read_so_far:
            done, total = self._read_so_far
            return [bar(done, total, 20), Content(f"  reading {done:,} of {total:,} discussions")]
        loading = self._batch.loading
        if loading is None or self._batch.is_over:
            return []
        return [bar(loading.done, loading.total, 20), Content(f"  {one_line(loading.stage, 40)}")]

    def _progress(self) -> list[Content]:
        figures = self._batch.figures()
        states = [run.state for run in self._batch.runs]
        parts = [
            bar(figures.turns_taken, figures.turns, 20),
            Content(f"  {figures.finished:,} of {figures.runs:,} finished"),
            Content.styled(f"   {figures.messages:,} messages", "$quiet"),
        ]
        if not self._batch.is_over:
            parts.append(Content.styled(f"   ● {self._batch.in_flight} at once", "$accent"))
        if figures.tokens_per_second and not self._batch.is_over:
            parts.append(Content.styled(f"   {figures.tokens_per_second:,.0f} tok/s", "$quiet"))
        if elsewhere := states.count("elsewhere"):
            parts.append(Content.styled(f"   ● {elsewhere} in another process", "$accent"))
        if failed := states.count("failed"):
            parts.append(Content.styled(f"   ! {failed} failed", "$error"))
        if figures.seconds_left and not self._batch.is_over:
            parts.append(Content.styled(f"   {duration(figures.seconds_left)} left", "bold"))
        if self._batch.is_over and not self._batch.is_finished:
            verb = "continues" if self._shown.has_begun else "starts"
            parts.append(Content.styled(f"   r {verb}", "$quiet"))
        return parts

    # What can be done --------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "stop":
                return not self._batch.is_over
            case "go_on":
                return self._can_run
        return True

    def action_figure(self, by: int) -> None:
        names = list(MEASURES)
        self._figure = names[(names.index(self._figure) + by) % len(names)]
        self._draw()

    @on(MatrixView.Selected)
    def action_open_cell(self) -> None:
        levels = self.query_one(MatrixView).cursor
        if not (runs := self._members(levels)):
            return

        def left(request: OpenRequest | None) -> None:
            if request:
                self.dismiss(request)

        self.app.push_screen(self._new_cell_screen(runs=runs), left)

    def action_go_on(self) -> None:
        try:
            go_on(self.app, self._shown, self._open_path())
        except (InputError, OSError) as error:
            show_error(self.app, str(error))
        else:
            self.set_timer(SECONDS_TO_BEGIN, gc.freeze)  # a thousand sessions
        self._draw()

    def action_stop(self) -> None:
        self._batch.stop()
        self._draw()

    def action_statistics(self) -> None:
        experiment = self._shown.experiment
        show_statistics(self.app, [experiment.folder], experiment.design.title)

    def action_copy_path(self) -> None:
        self.post_message(Transcript.Copied(str(self._shown.experiment.folder), "Path"))
