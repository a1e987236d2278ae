"""The screen with all annotations of a discussion and the annotators' agreement."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from ...analysis.annotations import TaskSummary, summarize_tasks
from ...discussion import DiscussionRecord
from ...text import one_line, safe
from ...workspace.annotations import annotations_of_record
from ...workspace.inputs import InputError
from ..shell.screen import AppScreen
from ..widgets.charts import wrapped
from ..widgets.key_line import KeyLine
from ..widgets.page import Page
from .annotation_lines import answer_lines, summary_lines


class AnnotationsScreen(AppScreen[None]):
    """Shows the annotations of the discussion ``record`` in the file ``path``, task by task."""

    HELP = """Annotations
    A row is a message, a column an annotator; several answers are repeats, – is no valid one.
    nDFU is 0 where answers have one peak and 1 where they are split. α is Krippendorff's: 1 is
    perfect agreement, 0 is chance.
    """
    CSS_PATH = "annotation.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "go(-1)", "previous task", key_display="←", priority=True),
        Binding("right", "go(1)", "next task", key_display="→", priority=True),
        Binding("escape,q,enter", "dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(self, path: Path, record: DiscussionRecord, colours: dict[str, str]) -> None:
        super().__init__()
        self._path = path
        self._record = record
        self._colours = {one_line(name, 40): colour for name, colour in colours.items()}
        self._tasks: list[TaskSummary] = []
        self._number = 0
        self._note = "Reading the annotations …"

    def compose(self) -> ComposeResult:
        yield Page(classes="instrument-title")
        with VerticalScroll(id="annotations"):
            yield Page(id="annotations-head")
            yield Page(id="annotations-rows")
        yield KeyLine(classes="instrument-keys")

    def on_mount(self) -> None:
        self.query_one("#annotations").focus()
        self._show()
        self._read()

    @work(thread=True, exit_on_error=False)
    def _read(self) -> None:
        try:
            tasks = summarize_tasks(annotations_of_record(self._path, self._record))
        except InputError as error:
            self.app.call_from_thread(self._take, [], str(error))
        else:
            self.app.call_from_thread(
                self._take, tasks, "" if tasks else "Nobody has annotated this discussion yet."
            )

    def _take(self, tasks: list[TaskSummary], note: str) -> None:
        self._tasks, self._note = tasks, note
        self._show()
        self.refresh_bindings()

    def _show(self) -> None:
        task = self._tasks[self._number] if self._tasks else None
        name = f"   {one_line(task.question.name, 40)}" if task else ""
        count = f"   task {self._number + 1} of {len(self._tasks)}" if len(self._tasks) > 1 else ""
        title = Content.assemble(
            Content.styled("Annotations", "bold $accent"),
            name,
            Content.styled(f"   {one_line(self._record.heading, 80)}{count}", "$quiet"),
        )
        self.query_one(".instrument-title", Page).show(lambda _width: [title])
        head, rows = self.query_one("#annotations-head", Page), self.query_one("#annotations-rows")
        assert isinstance(rows, Page)
        if task is None:
            note = Content.styled(safe(self._note), "$quiet")
            head.show(lambda width: wrapped(note, width))
            rows.show(lambda _width: [])
            return
        entries = self._record.entries
        head.show(lambda width: summary_lines(task, width))
        rows.show(lambda width: answer_lines(task, entries, width, self._colours))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "go":
            return 0 <= self._number + int(str(parameters[0])) < len(self._tasks)
        return super().check_action(action, parameters)

    def action_go(self, step: int) -> None:
        """Show another task."""
        self._number = max(0, min(len(self._tasks) - 1, self._number + step))
        self.query_one("#annotations").scroll_home(animate=False)
        self._show()
        self.refresh_bindings()
