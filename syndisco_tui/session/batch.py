"""Runs many discussions with a limit on how many run at the same time."""

from __future__ import annotations

import contextlib
import resource
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from ..discussion import DiscussionRecord, DiscussionSetup
from ..engine.base import LoadProgress
from ..engine.model import ModelSpec
from ..store.discussions import read_discussion
from ..store.lock import has_writer
from .batch_run import BatchIdentity, BatchRun, repeated
from .events import (
    Closed,
    Condition,
    ErrorRaised,
    ModelReady,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    StateChanged,
)
from .live import LiveSession
from .model_specs import local_specs
from .runner import MAX_IN_FLIGHT

CLOSE_SECONDS = 2.5
FILES_PER_RUN = 4
"""Open at once, at most: the lock, what was saved last, what is being written, the folder."""

NewSession = Callable[[Callable[[SessionEvent], object]], LiveSession]


@dataclass(frozen=True)
class BatchFigures:
    """A batch in numbers. ``seconds_left`` is None while it cannot be estimated."""

    runs: int
    finished: int
    messages: int
    turns_taken: int
    turns: int
    tokens_per_second: float
    seconds_left: float | None


class Batch:
    """Runs ``sources``, each on a session that ``new_session`` makes for a listener.

    A source is a setup, the path of a saved discussion to continue, or an existing run. At most
    ``max_in_flight`` run at once. Discussions with different local models run one group after the
    other, and those on servers at the same time. Call ``drain`` repeatedly: it starts the next
    discussion when one has ended. With ``start`` false nothing runs before ``resume``. Raises
    InputError if a path cannot be read.
    """

    def __init__(
        self,
        new_session: NewSession,
        sources: Sequence[DiscussionSetup | Path | BatchRun],
        *,
        identity: BatchIdentity | None = None,
        start: bool = True,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self.runs: list[BatchRun] = [each for each in sources if isinstance(each, BatchRun)]
        given = [each for each in sources if not isinstance(each, BatchRun)]
        read = [read_discussion(each) if isinstance(each, Path) else each for each in given]
        self.identity = identity or BatchIdentity.of_sources(read)
        for origin, source in zip(given, read, strict=True):
            path = origin if isinstance(origin, Path) else None
            setup = source.setup if isinstance(source, DiscussionRecord) else source
            membership = source.batch if isinstance(source, DiscussionRecord) else None
            membership = membership or self.identity.membership(setup.seed)
            self.runs.append(BatchRun(membership, source, path))
        self.loading: LoadProgress | None = None
        """How far the model is, while it is being loaded."""
        self._new_session = new_session
        self._max_in_flight = max_in_flight
        self._waiting: deque[BatchRun] = deque()
        """Those that begin as soon as there is room."""
        self._sessions: dict[BatchRun, LiveSession] = {}
        self._open: set[BatchRun] = set()
        """Those whose sessions have not ended."""
        self._events: SimpleQueue[tuple[BatchRun, SessionEvent]] = SimpleQueue()
        self._growing: dict[BatchRun, ReplyGrew] = {}
        """The reply in progress of each, since the last drain: a thousand grow at once."""
        self._turns_before = self._tokens = 0
        self._first_reply_at = 0.0
        if start:
            self.resume()

    @classmethod
    def saved(
        cls, new_session: NewSession, paths: Sequence[Path], *, max_in_flight: int = MAX_IN_FLIGHT
    ) -> Batch:
        """The batch that ``paths`` are the saved discussions of, with those that are missing.

        Nothing runs before ``resume``. Raises InputError.
        """
        records = [read_discussion(path) for path in paths]
        sources: list[DiscussionSetup | Path] = list(paths)
        members = [record.batch for record in records if record.batch]
        first = next((record for record in records if record.batch), None)
        if first is None or first.batch is None:
            return cls(new_session, sources, start=False, max_in_flight=max_in_flight)
        earliest = first.earlier_setups[0].setup if first.earlier_setups else first.setup
        identity = BatchIdentity.of_member(first.batch, earliest.seed)
        setup = earliest.model_copy(update={"seed": identity.first_seed})
        numbers = {member.number for member in members}
        whole = enumerate(repeated(setup, identity.count), start=1)
        sources += [each for number, each in whole if number not in numbers]
        batch = cls(
            new_session, sources, identity=identity, start=False, max_in_flight=max_in_flight
        )
        batch.runs.sort(key=lambda run: run.number)
        return batch

    @property
    def unfinished(self) -> list[BatchRun]:
        """The runs that have stopped, failed or not begun."""
        return [run for run in self.runs if run.is_over and run.state != "finished"]

    def resume(self, skipped: Mapping[BatchRun, str] | None = None) -> None:
        """Run all that are not finished, except the ``skipped``, which say why."""
        unfinished = self.unfinished
        self._close([session for run, session in self._sessions.items() if run in unfinished])
        self.drain()  # or the last events of these sessions would be taken for the new ones'
        self._turns_before = sum(run.turns_done for run in self.runs)
        self._tokens, self._first_reply_at = 0, 0.0
        allow_more_files(FILES_PER_RUN * min(len(unfinished), self._max_in_flight))
        for run in unfinished:
            if skipped and run in skipped:
                run.error = skipped[run]
                continue
            run.state, run.error, run.waits_for_disk = "waiting", "", False
            self._waiting.append(run)
        self._start_waiting()

    def _start_waiting(self) -> None:
        while len(self._open) < self._max_in_flight and (run := self._next_waiting()):
            self._waiting.remove(run)
            if run.target and has_writer(run.target):  # it was begun elsewhere meanwhile
                run.state = "elsewhere"
                continue
            session = self._sessions[run] = self._new_session(partial(self._listen, run))
            self._open.add(run)
            if run.path is None:
                session.start(
                    run.setup, batch=run.membership, experiment=run.experiment, path=run.target
                )
            else:
                session.resume(run.path)

    def _next_waiting(self) -> BatchRun | None:
        """The next waiting run that needs no further local model, or any if none is loaded."""
        loaded = frozenset[ModelSpec]().union(*(run.local_models for run in self._open))
        return next(
            (run for run in self._waiting if not loaded or run.local_models <= loaded), None
        )

    @property
    def local_models(self) -> frozenset[ModelSpec]:
        """The local models that its unfinished discussions need."""
        going_on = (local_specs(run.setup) for run in self.runs if not run.is_over)
        return frozenset[ModelSpec]().union(*going_on)

    def _listen(self, run: BatchRun, event: SessionEvent) -> None:
        """Queue an event, on the runner's thread. Its message has been saved by then."""
        if isinstance(event, ReplyGrew):
            self._growing[run] = event
            return
        if isinstance(event, ReplyStarted | ReplyDropped | Posted):
            self._growing.pop(run, None)
        if isinstance(event, Opened):
            run.record = event.record
        elif isinstance(event, Posted) and (session := self._sessions.get(run)):
            run.record = session.record or run.record
        self._events.put((run, event))

    def drain(self, timeout: float = 0.0) -> list[tuple[BatchRun, SessionEvent]]:
        """The events since the last call, noted in the runs.

        Waits at most ``timeout`` seconds for the first one.
        """
        events: list[tuple[BatchRun, SessionEvent]] = []
        with contextlib.suppress(Empty):
            events.append(self._events.get(block=timeout > 0, timeout=timeout or None))
            while True:
                events.append(self._events.get_nowait())
        with contextlib.suppress(KeyError):  # none is left
            while True:
                events.append(self._growing.popitem())
        for run, event in events:
            run.note(event)
            self._note(run, event)
        self._start_waiting()
        return events

    def _note(self, run: BatchRun, event: SessionEvent) -> None:
        match event:
            case LoadProgress():
                self.loading = event
            case ModelReady() | ReplyStarted() | ErrorRaised():
                self.loading = None
            case Closed():
                self._open.discard(run)
            case Posted():
                began_at = time.monotonic() - event.message.seconds
                self._first_reply_at = self._first_reply_at or began_at
                self._tokens += event.message.completion_tokens
            case StateChanged(state="idle" | "paused" | "finished") if run.is_over:
                self._sessions[run].close(0)  # others may open its file from then on
        match event:
            case ErrorRaised(fatal=True) | Condition(cause="engine") if event.sentence:
                self._fail_waiting(run.models, event.sentence)

    def _fail_waiting(self, models: frozenset[ModelSpec], sentence: str) -> None:
        """Fail the waiting runs that need the same models."""
        for run in [each for each in self._waiting if each.models == models]:
            run.state, run.error = "failed", sentence
            self._waiting.remove(run)

    def records(self) -> list[DiscussionRecord]:
        """The discussions that have begun, as they were last saved."""
        return [run.record for run in self.runs if run.record]

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens unless somebody continues it."""
        return all(run.is_over for run in self.runs)

    @property
    def in_flight(self) -> int:
        """Number of running discussions."""
        return len(self._open)

    @property
    def has_ended(self) -> bool:
        """Whether all its sessions have ended: no event follows, no file is open."""
        return not self._open

    @property
    def is_finished(self) -> bool:
        """Whether all its discussions are finished."""
        return all(run.state == "finished" for run in self.runs)

    @property
    def open_files(self) -> set[Path]:
        """The files that its sessions have open for writing."""
        return {run.path for run in self._open if run.path}

    def figures(self, members: Sequence[BatchRun] | None = None) -> BatchFigures:
        """Progress and speed of the batch; of some ``members`` only progress."""
        runs = self.runs if members is None else members
        is_whole = len(runs) == len(self.runs)
        turns = sum(run.turns for run in runs)
        taken = sum(run.turns_done for run in runs)
        seconds = time.monotonic() - self._first_reply_at if self._first_reply_at else 0.0
        seconds = seconds if is_whole else 0.0
        taken_since = taken - self._turns_before if is_whole else 0
        return BatchFigures(
            runs=len(runs),
            finished=sum(run.state == "finished" for run in runs),
            messages=sum(run.messages for run in runs),
            turns_taken=taken,
            turns=turns,
            tokens_per_second=self._tokens / seconds if seconds else 0.0,
            seconds_left=seconds * (turns - taken) / taken_since if taken_since > 0 else None,
        )

    def stop(self) -> None:
        """Pause all of them at once; unfinished replies are dropped."""
        for run in self._waiting:
            run.state = "stopped" if run.path else "missing"
        self._waiting.clear()
        for run, session in self._sessions.items():
            run.waits_for_disk = False
            if not run.is_over:
                run.state = "stopped"
            session.stop()

    def close(self) -> None:
        """Save all as paused and end their sessions, within the time that one may take."""
        self._waiting.clear()
        self._close(self._sessions.values())

    def _close(self, sessions: Iterable[LiveSession]) -> None:
        closing = list(sessions)
        for session in closing:
            session.close(0)
        deadline = time.monotonic() + CLOSE_SECONDS
        for session in closing:
            session.close(max(0.0, deadline - time.monotonic()))


def allow_more_files(count: int) -> None:
    """Let this process open ``count`` more files than it may, as far as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    limit = soft + count if hard == resource.RLIM_INFINITY else min(soft + count, hard)
    with contextlib.suppress(OSError, ValueError):  # then some runs cannot begin, and say why
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
