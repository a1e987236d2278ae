"""A live session: commands in, events out. Every front end works with this."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from ..discussion import (
    BatchMembership,
    DiscussionRecord,
    DiscussionSetup,
    ExperimentMembership,
    TurnRequest,
)
from ..engine.base import EngineError, RenderedPrompt
from . import inputs
from .events import Closed, ReplyGrew, SessionEvent
from .intervention import Intervention
from .model_specs import participant_spec
from .performer import Message, PreloadIfLast
from .runner import Runner
from .stream import generation_request

MAX_UNREAD = 1000
"""Unread events beyond which growing replies are left out."""


class LiveSession:
    """Drives one discussion at a time on a runner. Every method returns at once.

    Whoever shows the session drains ``events``. A ``listener`` gets the events instead, on the
    runner's thread: it must be quick.
    """

    def __init__(
        self, runner: Runner, listener: Callable[[SessionEvent], object] | None = None
    ) -> None:
        self.events: SimpleQueue[SessionEvent] = SimpleQueue()
        self._listener = listener
        self._ended = threading.Event()
        self._runner = runner
        self._performer = runner.add(self._emit)

    def sibling(self, listener: Callable[[SessionEvent], object]) -> LiveSession:
        """Another session on the same runner, for a discussion beside this one."""
        return LiveSession(self._runner, listener)

    @property
    def max_in_flight(self) -> int:
        """Discussions of a batch that are to run at once on the same runner."""
        return self._runner.max_in_flight

    @property
    def record(self) -> DiscussionRecord | None:
        """The open discussion as it was last saved, or None. A value: safe on any thread."""
        return self._performer.state.record

    def start(
        self,
        setup: DiscussionSetup,
        *,
        step: bool = False,
        batch: BatchMembership | None = None,
        experiment: ExperimentMembership | None = None,
        path: Path | None = None,
    ) -> None:
        """Begin a new discussion.

        Args:
            setup: All that defines it.
            step: Pause after one message.
            batch: The batch that it is a member of.
            experiment: The experiment that it is a member of.
            path: Where to save it; by default a new file in the folder of discussions. A
                discussion that is there already is continued.
        """
        intent: inputs.Intent = "step" if step else "run"
        self._post(inputs.Start(setup, intent, batch, experiment, path))

    def resume(self, path: Path, *, run: bool = True) -> None:
        """Open a saved discussion at the turn where it was left, and run it if ``run``."""
        self._post(inputs.Resume(path, run))

    def run(self) -> None:
        """Run the open discussion to its end."""
        self._post(inputs.Continue("run"))

    def step(self) -> None:
        """Run the open discussion for one message."""
        self._post(inputs.Continue("step"))

    def pause(self) -> None:
        """Pause after the reply in progress."""
        self._post(inputs.Pause())

    def stop(self) -> None:
        """Pause now and drop the reply in progress; its turn stays open."""
        self._post(inputs.Stop())

    def render(
        self,
        request: TurnRequest,
        setup: DiscussionSetup,
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        """Render the prompt of a turn under ``setup`` as its model reads it.

        See ``Engine.render``.
        """
        spec = participant_spec(setup, request.name, self._runner.device)
        self._runner.engine.render(generation_request(request, setup, model=spec), listener)

    def change_setup(self, setup: DiscussionSetup) -> None:
        """Stage ``setup``: it applies from the next turn on, once the user continues."""
        self._post(inputs.ChangeSetup(setup))

    def intervene(self, intervention: Intervention) -> None:
        """Change the messages or the next speaker of the open discussion."""
        self._post(inputs.Intervene(intervention))

    def offer_candidates(self, count: int) -> None:
        """Pause and generate ``count`` alternatives to the last message."""
        self._post(inputs.OfferCandidates(count))

    def choose(self, number: int | None) -> None:
        """Replace the last message by the candidate ``number`` (from 0); None keeps it."""
        self._post(inputs.Choose(number))

    def fork(
        self, position: int, setup: DiscussionSetup, parent: DiscussionRecord | None = None
    ) -> None:
        """Open a paused copy of the first ``position`` entries, with ``setup``.

        They are those of ``parent``, or of the open discussion.
        """
        self._post(inputs.Fork(position, setup, parent))

    def close_discussion(self) -> None:
        """Save and close the open discussion. A reply in progress is dropped."""
        self._post(inputs.CloseDiscussion())

    def rename(self, title: str) -> None:
        """Change the title of the open discussion."""
        self._post(inputs.Rename(title))

    def load(self, setup: DiscussionSetup) -> None:
        """Load the model of ``setup`` before a discussion needs it."""
        self._post(inputs.LoadModel(setup))

    def preload(self, setup: DiscussionSetup) -> None:
        """Load the model of ``setup`` if it is the one that was loaded last; errors stay quiet."""
        self._post(PreloadIfLast(setup))

    def cancel_preload(self, *, unless: DiscussionSetup) -> None:
        """Cancel a preload unless it is of the model of ``unless``."""
        self._post(inputs.CancelPreload(unless))

    def close(self, timeout: float = 2.5) -> bool:
        """Save as paused and end. True if it ended within ``timeout`` seconds."""
        self._post(inputs.Quit())
        return self._ended.wait(timeout)

    def _post(self, message: Message) -> None:
        self._runner.post(self._performer, message)

    def _emit(self, event: SessionEvent) -> None:
        if self._listener:
            self._listener(event)
        # If nobody drains, growth would fill the memory; the next event holds the whole text.
        elif not (isinstance(event, ReplyGrew) and self.events.qsize() > MAX_UNREAD):
            self.events.put(event)
        if isinstance(event, Closed):
            self._ended.set()
