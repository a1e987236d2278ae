"""Statistics of an experiment or a selection: charts of measures, a table, differences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from ...text import counted, one_line
from ...workspace.conditions import Observations, observe
from ...workspace.exporting import encoded, free_path, name_of_title
from ...workspace.folders import Folders, write_output
from ...workspace.inputs import InputError
from ...workspace.report.page import report_html, title_of
from ...workspace.statistics_tables import cautions
from ...workspace.study import Study
from ..shell.screen import AppScreen
from ..widgets.charts import wrapped
from ..widgets.key_line import KeyLine
from ..widgets.notices import show_error, tell
from ..widgets.page import Page
from ..widgets.row_list import RowList
from .condition_list import ConditionList, DifferenceView, EmptyView, MeasureView, TableView
from .discussions_behind import DiscussionsBehind

REPORT_EVERY = 20
"""Files read between two reports."""
TABLE, DIFFERENCES = "table", "differences"


class Tabs(Widget):
    """The names of the views, the current one marked; a click goes to one."""

    DEFAULT_CSS = "Tabs { height: auto; padding: 0 2; }"

    class Chosen(Message):
        """A view was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[str] = ()
        self._current = 0

    def show(self, names: Sequence[str], current: int) -> None:
        """Show these views."""
        self._names, self._current = names, current
        self.refresh(layout=True)

    def render(self) -> Content:
        return Content("   ").join(
            Content.styled(
                one_line(name, 30),
                "bold $accent underline" if index == self._current else "$quiet",
            )
            for index, name in enumerate(self._names)
        )

    def on_click(self, event: Click) -> None:
        start, line = 0, 0
        for index, name in enumerate(self._names):
            length = len(one_line(name, 30))
            if start and start + length > self.content_size.width:
                start, line = 0, line + 1
            if line == event.y and start <= event.x - 2 < start + length:
                self.post_message(self.Chosen(index))
            start += length + 3


def show_statistics(app: App[Any], paths: Sequence[Path], title: str = "") -> None:
    """Count the discussions in ``paths``, files or folders, and show them on a screen.

    ``title`` describes them all; empty for the title that they share.
    """
    folders = getattr(app, "folders", None)
    assert isinstance(folders, Folders)
    app.push_screen(StatisticsScreen(paths, title, folders.exports))


class StatisticsScreen(AppScreen[None]):
    """Counts the discussions in ``paths``, files or folders, and shows them by condition.

    Args:
        paths: Files and folders.
        title: Describes them all; empty for the title that they share.
        exports: The folder that reports are written to.
    """

    HELP = """Statistics
    A chart for each measure, a table of all figures, and the differences between levels: ← and →
    move between them. A dot is the figure of a condition, ┣━┫ its 95 % interval (bootstrap over
    discussions), · a single discussion. Enter shows the discussions behind a row. Differences are
    bold where the interval leaves out zero; they are not corrected for how many there are.
    """
    CSS_PATH = "statistics.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "discussions", "discussions", key_display="⏎"),
        Binding("right,l,tab", "view(1)", "next figure", key_display="→"),
        Binding("left,h,shift+tab", "view(-1)", "previous figure", key_display="←"),
        Binding("t", "go_to_table", "table"),
        Binding("d", "go_to_differences", "differences"),
        Binding("b", "by", "group by"),
        Binding("e", "report", "report"),
        Binding("escape,q", "dismiss(None)", "back", key_display="esc"),
    ]

    class Counted(Message):
        """Some or all discussions were read: ``done`` of ``total``."""

        def __init__(self, done: int, total: int, observations: Observations | None = None) -> None:
            super().__init__()
            self.done = done
            self.total = total
            self.observations = observations

    class Computed(Message):
        """The figures of ``study`` have been computed."""

        def __init__(self, study: Study) -> None:
            super().__init__()
            self.study = study

    def __init__(self, paths: Sequence[Path], title: str, exports: Path) -> None:
        super().__init__()
        self._paths = paths
        self._title = title
        self._exports = exports
        self._observations: Observations | None = None
        self._study: Study | None = None
        self._groupings: list[list[str]] = [[]]
        self._grouping = 0
        self._current = 0
        self._is_left = Event()

    def compose(self) -> ComposeResult:
        yield Page(id="statistics-title")
        yield Tabs()
        yield Page(id="statistics-heading")
        yield ConditionList()
        yield Page(id="statistics-notes")
        yield KeyLine()

    def on_mount(self) -> None:
        self.conditions.keeps_highlight = True
        self.conditions.focus()
        self._show_title("reading …")
        self._read()

    def on_unmount(self) -> None:
        self._is_left.set()

    @property
    def conditions(self) -> ConditionList:
        return self.query_one(ConditionList)

    # Reading and computing ---------------------------------------------------------------------

    @work(thread=True, exit_on_error=False)
    def _read(self) -> None:
        def report(done: int, total: int) -> None:
            if done % REPORT_EVERY == 0:
                self.post_message(self.Counted(done, total))

        observations = observe(self._paths, progress=report, is_cancelled=self._is_left.is_set)
        if not self._is_left.is_set():
            self.post_message(self.Counted(0, 0, observations))

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        if event.observations is None:
            self._show_title(f"reading {event.done:,} of {event.total:,}")
            return
        observations = event.observations
        self._observations = observations
        factors = observations.varying_factors()
        single = [[factor] for factor in factors] if len(factors) > 1 else []
        self._groupings = [factors, *single, *([[]] if factors else [])]
        if observations.errors:
            count = counted(len(observations.errors), "file")
            show_error(self.app, f"{count} cannot be read. {observations.errors[0]}")
        self._compute(observations, self._groupings[0])

    @work(thread=True, exit_on_error=False, exclusive=True, group="compute")
    def _compute(self, observations: Observations, factors: Sequence[str]) -> None:
        study = Study(observations.observed, factors)
        _ = study.figures, study.differences  # computed here, where nothing waits for it
        if not self._is_left.is_set():
            self.post_message(self.Computed(study))

    @on(Computed)
    def _computed(self, event: Computed) -> None:
        before = self._view_name
        self._study = event.study
        names = self._view_names
        self._current = names.index(before) if before in names else 0
        self._show()

    # Views -------------------------------------------------------------------------------------

    @property
    def _view_names(self) -> list[str]:
        """The measures, the table, and the differences if there are any."""
        study = self._study
        if study is None or not study.observed:
            return []
        names = [measure.label for measure in study.measures]
        return [*names, TABLE, *([DIFFERENCES] if study.differences else [])]

    @property
    def _view_name(self) -> str:
        names = self._view_names
        return names[self._current] if names else ""

    def _show(self) -> None:
        study = self._study
        if study is None:
            return
        self._show_title()
        self.query_one(Tabs).show(self._view_names, self._current)
        name, notes = self._view_name, list[str]()
        if not name:
            self.conditions.show(EmptyView())
            notes = ["There are no discussions here."]
        elif name == TABLE:
            self.conditions.show(TableView(study))
            self._show_heading("All figures", "± is the standard deviation")
        elif name == DIFFERENCES:
            self.conditions.show(DifferenceView(study))
            self._show_heading("Differences between levels", "second less first, │ is zero")
            notes = cautions(study.differences)
        else:
            measure = study.measures[self._current]
            self.conditions.show(MeasureView(measure, study.figures[measure.name]))
            self._show_heading(measure.label.capitalize(), measure.unit)
        self.query_one("#statistics-notes", Page).show(lambda width: _notes(notes, width))
        self.refresh_bindings()

    def _show_title(self, note: str = "") -> None:
        study = self._study
        parts = [note]
        if not note and study is not None:
            parts = [
                counted(len(study.observed), "discussion"),
                counted(len(study.conditions), "condition"),
                f"{study.messages:,} messages",
            ]
            if self._observations and (unfinished := self._observations.unfinished):
                parts.insert(1, f"{unfinished} not finished")
        name = Content(one_line(self._title or (title_of(study) if study else ""), 120))
        start = Content.styled("Statistics   ", "bold $accent")

        def title(width: int) -> Sequence[Content]:
            shown = list(parts)
            while True:
                end = Content.styled(" · ".join(shown), "$quiet")
                room = width - start.cell_length - end.cell_length - 3
                if room >= min(name.cell_length, 30) or len(shown) == 1:
                    break
                shown.pop()
            cut = name.truncate(max(8, room), ellipsis=True)
            return [Content.assemble(start, cut, "   " if cut.plain else "", end)]

        self.query_one("#statistics-title", Page).show(title)

    def _show_heading(self, name: str, note: str) -> None:
        factors = self._study.factors if self._study else ()
        names = " × ".join(one_line(factor, 40) for factor in factors)
        by = Content.styled(f"by {names}" if names else "all together", "$accent")
        heading = Content.assemble(
            Content.styled(one_line(name, 60), "bold"), "   ", Content.styled(note, "$quiet")
        )

        def lines(width: int) -> Sequence[Content]:
            gap = width - heading.cell_length - by.cell_length
            return [heading, by] if gap < 3 else [Content.assemble(heading, " " * gap, by)]

        self.query_one("#statistics-heading", Page).show(lines)

    # What can be done --------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "view" | "report" | "go_to_table" | "discussions":
                return bool(self._view_names)
            case "go_to_differences":
                return DIFFERENCES in self._view_names
            case "by":
                return len(self._groupings) > 1
        return super().check_action(action, parameters)

    def action_view(self, by: int) -> None:
        self._current = (self._current + by) % len(self._view_names)
        self._show()

    def action_go_to_table(self) -> None:
        self._go_to(self._view_names.index(TABLE))

    def action_go_to_differences(self) -> None:
        self._go_to(self._view_names.index(DIFFERENCES))

    @on(Tabs.Chosen)
    def _tab_chosen(self, event: Tabs.Chosen) -> None:
        self._go_to(event.index)

    def _go_to(self, index: int) -> None:
        self._current = index
        self._show()

    def action_by(self) -> None:
        if self._observations is not None:
            self._grouping = (self._grouping + 1) % len(self._groupings)
            self._compute(self._observations, self._groupings[self._grouping])

    @on(RowList.Selected)
    def action_discussions(self) -> None:
        conditions = self.conditions
        if observations := conditions.observations:
            screen = DiscussionsBehind(conditions.row_name, observations, conditions.measure)
            self.app.push_screen(screen)

    def action_report(self) -> None:
        if self._study is not None and self._observations is not None:
            self._write_report(self._study, self._observations)

    @work(thread=True, exit_on_error=False)
    def _write_report(self, study: Study, observations: Observations) -> None:
        try:
            html = report_html(study, annotations=observations.annotations, title=self._title)
            self._exports.mkdir(mode=0o700, parents=True, exist_ok=True)
            name = name_of_title(self._title or title_of(study)) or "statistics"
            path = free_path(self._exports, name, ".html")
            write_output(path, encoded(html))
        except (InputError, OSError) as error:
            self.app.call_from_thread(show_error, self.app, str(error))
        else:
            self.app.call_from_thread(self._report_written, path)

    def _report_written(self, path: Path) -> None:
        tell(self.app, f"Report written: {path}", seconds=12)


def _notes(sentences: Sequence[str], width: int) -> list[Content]:
    lines: list[Content] = []
    for sentence in sentences:
        lines += wrapped(Content.styled(sentence, "$quiet"), width)
    return lines
