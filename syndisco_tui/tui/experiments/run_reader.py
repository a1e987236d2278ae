"""One discussion of a batch, to read while it grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from ...session import LiveSession, SessionEvent
from ...session.batch_run import BatchRun
from ...text import one_line, safe
from ..inspect.xray import XRay
from ..shell.screen import AppScreen
from ..transcript.transcript import Transcript
from ..widgets.key_line import KeyLine
from .batches import BatchEvents, ShownBatch

if TYPE_CHECKING:
    from ..annotation.controller import AnnotationController


class RunReader(AppScreen[None]):
    """Shows ``run`` of ``shown``; ``session`` knows the model that its prompts are read with."""

    HELP = """A discussion of a batch
    It grows while you read. To change it, open it once it is finished or stopped; to try
    something else from some turn on, fork it."""

    CSS_PATH = "../laboratory/laboratory.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "back", key_display="esc")
    ]

    def __init__(self, shown: ShownBatch, run: BatchRun, session: LiveSession) -> None:
        super().__init__()
        self._shown = shown
        self._run = run
        self._session = session

    def compose(self) -> ComposeResult:
        run = self._run
        title = f"Discussion {run.number} of {run.membership.count}   seed {run.seed}"
        if run.experiment:
            levels = " · ".join(one_line(level, 40) for level in run.experiment.cell.values())
            title = f"{levels}   repeat {run.experiment.repeat}   seed {run.seed}".strip()
        yield Static(safe(title), classes="batch-title", markup=False)
        yield Transcript()
        yield KeyLine()

    def on_mount(self) -> None:
        run, transcript = self._run, self.query_one(Transcript)
        transcript.set_colours(self._shown.colours)
        transcript.show(run.entries)
        if run.role:
            transcript.begin_reply(run.speaker, run.role)
            transcript.grow_reply(run.partial_reply)
        transcript.focus()
        self._shown.listeners.append(self._take)

    def on_unmount(self) -> None:
        self._shown.listeners.remove(self._take)

    def _take(self, events: BatchEvents) -> None:
        for event in _of(events, self._run):
            self.query_one(Transcript).handle(event)

    def action_xray(self) -> None:
        """The transcript's key for the prompt behind a message."""
        record, index = self._run.record, self.query_one(Transcript).current
        if record is None or index is None or index >= len(record.entries):
            self.notify("Nobody has said anything yet.", timeout=3)
            return
        self.app.push_screen(XRay(self._session, record, index, self._shown.colours))

    def action_annotate(self) -> None:
        """The transcript's key for annotating by hand."""
        if self._run.path:
            self._annotation.annotate(self._run.path)

    def action_annotations(self) -> None:
        """The transcript's key for all annotations."""
        if self._run.path:
            self._annotation.show(self._run.path)

    @property
    def _annotation(self) -> AnnotationController:
        from ..annotation.controller import annotation_of

        return annotation_of(self.app, lambda _record: self._shown.colours)


def _of(events: BatchEvents, run: BatchRun) -> Sequence[SessionEvent]:
    return [event for each, event in events if each is run]
