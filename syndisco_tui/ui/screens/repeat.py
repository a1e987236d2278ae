"""Many discussions at once: how many, a live table of them, and any of them to read along."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static

from ...batch import Batch, BatchRun, duration, repeated
from ...discussion import DiscussionSetup
from ...session import LiveSession, SessionEvent
from ...text import one_line, safe
from ..looking import Looking
from ..own_screen import OwnScreen
from ..widgets.key_line import KeyLine
from ..widgets.status_line import bar
from ..widgets.transcript import Transcript
from .how_many import HowMany
from .question import STILL_RUNNING, Question
from .turn_lab import TurnLab

MOST = 1000
DRAINS_PER_SECOND = 5
_STATES = {"waiting": "·", "speaking": "●", "finished": "✓", "stopped": "○", "failed": "!"}


def ask_to_repeat(
    app: App[int], session: LiveSession, setup: DiscussionSetup, colours: dict[str, str]
) -> None:
    """Ask how many discussions of ``setup`` are wanted, and show them being made."""

    def begin(count: int | None) -> None:
        if count:
            batch = Batch(session.sibling, repeated(setup, count))
            app.push_screen(BatchScreen(batch, one_line(setup.heading, 120), colours))

    how_many = HowMany(
        "Repeat this setup",
        f"So many discussions at once, with seeds from {setup.seed} on. "
        "Each is saved in its own file.",
        suggested=8,
        most=MOST,
    )
    app.push_screen(how_many, begin)


class BatchScreen(OwnScreen[None]):
    """The discussions of a batch, live. It stays open until they are stopped or left."""

    HELP = """Many discussions
    All discussions of one setup, as they go: their seeds, turns and last words. Each is saved in
    its own file; going back stops those that still run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "read along", key_display="⏎", priority=True),
        Binding("t", "turn_lab", "turn lab"),
        Binding("x", "stop", "stop all"),
        Binding("escape,q", "leave", "back", key_display="esc"),
    ]

    def __init__(self, batch: Batch, title: str, colours: dict[str, str]) -> None:
        super().__init__()
        self._colours = colours
        self._batch = batch
        self._title = title
        self._reader: RunReader | None = None
        self._behind: dict[int, BatchRun] = {}
        """Runs that have gone on since their rows were drawn, by number."""

    def compose(self) -> ComposeResult:
        yield Static(safe(self._title), classes="batch-title", markup=False)
        yield DataTable(cursor_type="row", zebra_stripes=False)
        yield Static("", id="batch-figures")
        yield KeyLine()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for label, width in (("", 1), ("seed", 8), ("turn", 9), ("tokens", 8), ("last words", 80)):
            table.add_column(label, width=width, key=label)
        for run in self._batch.runs:
            table.add_row(*self._cells(run), key=str(run.number))
        self.set_interval(1 / DRAINS_PER_SECOND, self._drain)
        self._show_figures()

    def on_unmount(self) -> None:
        self._batch.close()

    @property
    def is_over(self) -> bool:
        """Whether none of them runs any more."""
        return self._batch.is_over

    def _cells(self, run: BatchRun) -> list[Content]:
        style = {"speaking": "$accent", "failed": "$error"}.get(run.state, "$quiet")
        last = next((message for message in reversed(run.entries) if message.text), None)
        said = f"{last.name}: {last.text}" if last else ""
        if run.growing:
            said = f"{run.speaker}: {run.growing}"
        return [
            Content.styled(_STATES[run.state], style),
            Content(str(run.seed)),
            Content(f"{run.turn} of {run.turns}"),
            Content(str(run.tokens)),
            Content(one_line(run.trouble or said, max(20, min(80, self.size.width - 38)))),
        ]

    def on_resize(self) -> None:
        self._behind = {run.number: run for run in self._batch.runs}

    def _drain(self) -> None:
        events = self._batch.drain()
        self._behind |= {run.number: run for run, _ in events}
        if self._behind and self.is_current:  # what is read along has all the time there is
            self._show_runs()
        if self._reader and self._reader.is_current:
            reader = self._reader
            for run, event in events:
                if run is reader.run:
                    reader.show_event(event)

    def _show_runs(self) -> None:
        table = self.query_one(DataTable)
        for run in self._behind.values():
            for label, cell in zip(
                ("", "seed", "turn", "tokens", "last words"), self._cells(run), strict=True
            ):
                table.update_cell(str(run.number), label, cell)
        self._behind.clear()
        self._show_figures()
        if self._batch.is_over:
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "stop" or not self._batch.is_over

    def _show_figures(self) -> None:
        figures = self._batch.figures()
        parts = [
            bar(figures.turns_taken, figures.turns, 20),
            Content(f"  {figures.finished} of {figures.runs} finished"),
            Content.styled(f"   {figures.messages} messages", "$quiet"),
        ]
        if figures.tokens_per_second:
            parts.append(Content.styled(f"   {figures.tokens_per_second:.0f} tok/s", "$quiet"))
        if figures.seconds_left and not self._batch.is_over:
            parts.append(Content.styled(f"   {duration(figures.seconds_left)} left", "$quiet"))
        line = self.query_one("#batch-figures", Static)
        room = line.content_size.width
        while len(parts) > 2 and sum(part.cell_length for part in parts) > room:
            parts.pop(2)  # what is left of the time says most
        line.update(Content.assemble(*parts), layout=False)

    def action_open(self) -> None:
        row = self.query_one(DataTable).cursor_row
        run = self._batch.runs[row]
        self._reader = RunReader(run, self._batch.session_of(run), self._colours)
        self.app.push_screen(self._reader)

    def action_turn_lab(self) -> None:
        self.app.push_screen(TurnLab(self._batch.records, None, self._colours))

    def action_stop(self) -> None:
        self._batch.stop()

    def action_leave(self) -> None:
        if self.is_over:
            self.dismiss(None)
            return
        question = Question(
            "The discussions are still running. Stop them?",
            STILL_RUNNING,
            "stop and go back",
            "stay",
        )
        self.app.push_screen(question, self._left)

    def _left(self, leave: bool | None) -> None:
        if leave:
            self.dismiss(None)


class RunReader(OwnScreen[None]):
    """One discussion of a batch, to read along. Nothing can be changed here."""

    HELP = """One of many
    A discussion of the batch, to read along. Nothing can be changed here."""

    CSS_PATH = "laboratory.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "back", key_display="esc")
    ]

    def __init__(self, run: BatchRun, session: LiveSession, colours: dict[str, str]) -> None:
        super().__init__()
        self.run = run
        self._session = session
        self._colours = colours

    def compose(self) -> ComposeResult:
        title = f"Discussion {self.run.number}   seed {self.run.seed}"
        yield Static(safe(title), classes="batch-title", markup=False)
        yield Transcript()
        yield KeyLine()

    def on_mount(self) -> None:
        transcript = self.query_one(Transcript)
        transcript.set_colours(self._colours)
        transcript.show(self.run.entries)
        if self.run.role:
            transcript.begin_reply(self.run.speaker, self.run.role)
            transcript.grow_reply(self.run.growing)
        if self.run.path:
            self.notify(safe(str(self.run.path)), markup=False, timeout=4)
        transcript.focus()

    def show_event(self, event: SessionEvent) -> None:
        """Something happened in this discussion."""
        self.query_one(Transcript).take(event)

    def action_xray(self) -> None:
        """The transcript's key for the prompt behind a message."""
        transcript = self.query_one(Transcript)
        Looking(self.app, self._session, transcript, lambda: self._colours).into_message()
