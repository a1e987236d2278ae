"""The batches of the app: they go on while one looks elsewhere, and can be returned to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from textual.app import App
from textual.content import Content
from textual.events import Click
from textual.timer import Timer
from textual.widgets import Static

from ...discussion import DiscussionSetup
from ...session import SessionEvent
from ...session.model_specs import local_specs
from ...text import duration, one_line, safe
from ..shell.keymap import key_of

if TYPE_CHECKING:  # not before the first picture
    from ...session.batch import Batch
    from ...session.batch_run import BatchRun
    from ...workspace.batches import SeedClaims

DRAINS_PER_SECOND = 5
NOTES_PER_SECOND = 2
PATIENCE = 3.0
"""Seconds that the sessions of a batch that is over may take to end."""

BatchEvents: TypeAlias = "Sequence[tuple[BatchRun, SessionEvent]]"


@dataclass(eq=False)
class ShownBatch:
    """A batch with its title, the speakers' colours, and who hears what happens in it.

    ``claims`` keep other processes from running its discussions while it runs.
    """

    batch: Batch
    title: str
    colours: dict[str, str]
    claims: SeedClaims
    listeners: list[Callable[[BatchEvents], object]] = field(default_factory=list)
    over_since: float = 0.0
    noun: ClassVar[str] = "batch"
    key_id: ClassVar[str] = "everywhere.repeat"
    """The action that returns to it while it runs."""

    def resume(self, open_path: Path | None) -> int:
        """Run unfinished discussions; returns how many other processes are running.

        ``open_path`` is the file that this process has open outside the batch.
        """
        from ...workspace.batches import continue_batch

        return continue_batch(self.batch, self.claims, open_path)

    def destination(self, app: App[Any]) -> str:
        """Where the discussions are saved, as the end of a sentence."""
        return f"in the library ({key_of(app, 'everywhere.library')})"


class Batches:
    """Drains the batch that is running, whichever screen is in front. There is one at a time."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._shown: list[ShownBatch] = []
        self._timer: Timer | None = None

    @property
    def running(self) -> ShownBatch | None:
        """The batch that is not over, if there is one."""
        return next((each for each in self._shown if not each.batch.is_over), None)

    @property
    def open_files(self) -> set[Path]:
        """The files that batches hold open."""
        return {path for shown in self._shown for path in shown.batch.open_files}

    def add(self, shown: ShownBatch) -> None:
        """Look after a batch that has been started."""
        shown.over_since = 0.0
        if shown not in self._shown:
            self._shown.append(shown)
        if self._timer is None:
            self._timer = self._app.set_interval(1 / DRAINS_PER_SECOND, self.drain)

    def drain(self) -> None:
        """Hand on what has happened."""
        for shown in tuple(self._shown):
            events = shown.batch.drain()
            for listener in tuple(shown.listeners):
                listener(events)
            if shown.batch.is_over:
                self._let_go(shown)

    def _let_go(self, shown: ShownBatch) -> None:
        if not shown.over_since:
            shown.over_since = time.monotonic()
            shown.claims.release()
            if not shown.listeners:
                self._tell_of_end(shown)
        is_late = time.monotonic() - shown.over_since > PATIENCE
        if is_late or shown.batch.has_ended:
            self._shown.remove(shown)

    def _tell_of_end(self, shown: ShownBatch) -> None:
        figures = shown.batch.figures()
        failed = sum(run.state == "failed" for run in shown.batch.runs)
        sentence = f"{shown.noun.capitalize()} ended: {figures.finished} of {figures.runs} "
        sentence += "discussions finished"
        sentence += f", {failed} failed" if failed else ""
        self._app.notify(
            safe(f"{sentence}. They are {shown.destination(self._app)}."),
            severity="warning" if failed else "information",
            markup=False,
            timeout=8,
        )

    def note(self) -> str:
        """What other screens say of the batch that is running; empty if there is none."""
        shown = self.running
        if shown is None:
            return ""
        figures = shown.batch.figures()
        parts = [f"{shown.noun}: {figures.finished} of {figures.runs} finished"]
        if figures.seconds_left:
            parts.append(f"{duration(figures.seconds_left)} left")
        return "  ".join([*parts, key_of(self._app, shown.key_id)])

    def lets_run(self, setup: DiscussionSetup) -> bool:
        """Whether ``setup`` can run beside the batch; if not, the user is told why.

        Its local models have to be the batch's, since others might have to be loaded for every
        reply. Models on servers always can.
        """
        shown = self.running
        theirs = shown.batch.local_models if shown else frozenset()
        # What “auto” stands for is known once a discussion has begun.
        known = theirs | {replace(each, model="auto") for each in theirs}
        if not theirs or local_specs(setup) <= known:
            return True
        assert shown
        key = key_of(self._app, shown.key_id)
        name = one_line(", ".join(sorted(each.short_name for each in theirs)), 40)
        noun = f"{'An' if shown.noun[0] in 'aeiou' else 'A'} {shown.noun}"
        sentence = f"{noun} is running with another model ({name}): stop it first ({key})."
        self._app.notify(safe(sentence), severity="warning", markup=False, timeout=8)
        return False

    def close(self) -> None:
        """Save all as paused and end their sessions."""
        for shown in self._shown:
            shown.batch.close()
            shown.claims.release()
        self._shown.clear()


def batches_of(app: App[Any]) -> Batches:
    """The batches of ``app``: whichever screen asks, they are the same."""
    batches = getattr(app, "batches", None)
    assert isinstance(batches, Batches)
    return batches


class BatchNote(Static):
    """Says how far the running batch is and how to return to it; takes no room without one."""

    DEFAULT_CSS = """
    BatchNote { display: none; width: auto; height: 1; margin: 0 0 0 3; color: $accent; }
    """

    def on_mount(self) -> None:
        self._note = ""
        self.set_interval(1 / NOTES_PER_SECOND, self._show_note)

    def _show_note(self) -> None:
        note = batches_of(self.app).note()
        if note != self._note:
            self._note = note
            self.display = bool(note)
            self.update(Content(safe(f"● {note}")))
            self.screen.refresh_bindings()

    async def on_click(self, _event: Click) -> None:
        running = batches_of(self.app).running
        is_experiment = running is not None and running.noun == "experiment"
        await self.run_action("screen.experiments" if is_experiment else "screen.repeat")
