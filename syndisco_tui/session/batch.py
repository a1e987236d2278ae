"""Many discussions of one setup: so many at once, the others as soon as one of them ends."""

from __future__ import annotations

import contextlib
import resource
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from ..discussion import BatchMembership, DiscussionRecord, DiscussionSetup, Message
from ..discussion.chance import SEED_BITS
from ..engine.base import LoadProgress
from ..store.discussions import discussion_files, read_discussion
from ..store.inputs import InputError
from . import (
    Closed,
    Condition,
    ErrorRaised,
    LiveSession,
    ModelReady,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    StateChanged,
)

CLOSE_SECONDS = 2.5
MAX_IN_FLIGHT = 64
"""Discussions that run at once: as many replies as an engine generates together."""
FILES_OF_A_RUN = 4
"""Open at once, at most: its lock, what was saved last, what is being written, the folder."""

STANDS_STILL = ("idle", "paused", "finished")
"""States in which a session that is no longer needed is ended."""

NewSession = Callable[[Callable[[SessionEvent], object]], LiveSession]
RunState = Literal["missing", "waiting", "speaking", "finished", "stopped", "failed"]


def repeated(setup: DiscussionSetup, count: int) -> list[DiscussionSetup]:
    """``count`` setups that differ in their seed: the first one's and those that follow.

    After the largest seed comes 0.
    """
    seeds = ((setup.seed + n) % (1 << SEED_BITS) for n in range(count))
    return [setup.model_copy(update={"seed": seed}) for seed in seeds]


def saved_runs(folder: Path, setups: Sequence[DiscussionSetup]) -> list[Path | None]:
    """For each setup the newest saved discussion of it, or None.

    A saved setup names the model where the wanted one may say ``auto``.
    """
    found: dict[str, Path] = {}
    for path in discussion_files(folder):
        try:
            setup = read_discussion(path).setup
        except InputError:
            continue
        for known in (setup, setup.model_copy(update={"model": "auto"})):
            found.setdefault(known.model_dump_json(), path)
    return [found.get(setup.model_dump_json()) for setup in setups]


@dataclass(frozen=True)
class BatchIdentity:
    """What makes discussions one batch: seeds that follow ``first_seed``, ``count`` of them."""

    id: str
    first_seed: int
    count: int

    @classmethod
    def of(
        cls, first_seed: int, count: int, records: Iterable[DiscussionRecord] = ()
    ) -> BatchIdentity:
        """That of a new batch, or of the one that ``records`` belong to."""
        known = next((record.batch.id for record in records if record.batch), "")
        return cls(known or str(uuid.uuid4()), first_seed, count)

    @classmethod
    def of_begins(cls, begins: Sequence[DiscussionSetup | DiscussionRecord]) -> BatchIdentity:
        """That of the first saved one among ``begins``, or that of a new batch."""
        for begin in begins:
            if isinstance(begin, DiscussionRecord) and begin.batch:
                first_seed = (begin.setup.seed - begin.batch.number + 1) % (1 << SEED_BITS)
                return cls(begin.batch.id, first_seed, begin.batch.count)
        seeds = [b.setup.seed if isinstance(b, DiscussionRecord) else b.seed for b in begins]
        return cls.of(seeds[0] if seeds else 0, len(begins))

    def membership(self, seed: int) -> BatchMembership:
        """That of the discussion with this seed."""
        number = (seed - self.first_seed) % (1 << SEED_BITS) + 1
        return BatchMembership(self.id, number, max(number, self.count))


class BatchRun:
    """One discussion of a batch, as far as it has come."""

    def __init__(
        self, membership: BatchMembership, begin: DiscussionSetup | DiscussionRecord
    ) -> None:
        self.membership = membership
        self.path: Path | None = None
        self.record: DiscussionRecord | None = None
        """As it was last saved; None before it has begun."""
        self.turn = self.tokens = self.messages = 0
        self.entries: tuple[Message, ...] = ()
        self.state: RunState = "missing"
        if isinstance(begin, DiscussionRecord):
            self.record, self.turn = begin, begin.turns_taken
            self.entries = begin.entries
            self.state = "finished" if begin.status == "finished" else "stopped"
            self.messages = sum(entry.is_prompted for entry in begin.entries)
            self.tokens = sum(entry.completion_tokens for entry in begin.entries)
        self.setup = begin.setup if isinstance(begin, DiscussionRecord) else begin
        self.growing = ""
        """What the speaker has said so far of the current reply."""
        self.speaker = ""
        self.role = ""
        self.error = ""
        self.held = False
        """It waits for the disk, and goes on by itself."""

    @property
    def number(self) -> int:
        return self.membership.number

    @property
    def seed(self) -> int:
        return self.setup.seed

    @property
    def turns(self) -> int:
        return self.setup.conv_len

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in it unless somebody continues it."""
        return self.state in ("finished", "stopped", "failed", "missing")

    def take(self, event: SessionEvent) -> None:
        """Note what an event says."""
        match event:
            case Opened():
                self.path, self.setup = event.path, event.record.setup
                self.entries = event.record.entries
            case ReplyStarted():
                self.state, self.speaker, self.role = "speaking", event.name, event.role
                self.growing = ""
            case ReplyGrew():
                self.growing = event.text
            case Posted():
                message = event.message
                self.entries = (*self.entries, message)
                self.messages += 1
                self.tokens += message.completion_tokens
                self.turn = max(self.turn, message.turn)
                self.growing = self.role = ""
            case ReplyDropped():
                self.growing = self.role = ""
            case Condition(cause="saving"):
                self.error, self.held = event.sentence, bool(event.sentence)
                if event.sentence and self.path is None:  # it could not even begin
                    self.state = "failed"
            case Condition(cause="engine") if event.sentence:
                self.state, self.error = "failed", event.sentence
            case ErrorRaised() if self.state != "stopped":
                self.state, self.error = "failed", event.sentence
            case StateChanged(state="finished"):
                self.state = "finished"
            case StateChanged(state="paused") if self.state == "speaking" and not self.held:
                self.state = "stopped"


@dataclass(frozen=True)
class BatchFigures:
    """A batch in numbers. ``seconds_left`` is None where nothing can be said yet."""

    runs: int
    finished: int
    messages: int
    turns_taken: int
    turns: int
    tokens_per_second: float
    seconds_left: float | None


class Batch:
    """Runs ``begins``, each on a session that ``new_session`` makes for a listener.

    A path is a saved discussion to continue. At most ``max_in_flight`` run at once; ``drain``,
    to be called again and again, starts the next one when one has ended. With ``start`` false
    nothing runs before ``go_on``. Raises InputError where a path cannot be read.
    """

    def __init__(
        self,
        new_session: NewSession,
        begins: Sequence[DiscussionSetup | Path],
        *,
        identity: BatchIdentity | None = None,
        start: bool = True,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        read = [read_discussion(each) if isinstance(each, Path) else each for each in begins]
        self.identity = identity or BatchIdentity.of_begins(read)
        self.runs: list[BatchRun] = []
        for path, begin in zip(begins, read, strict=True):
            is_saved = isinstance(begin, DiscussionRecord)
            setup = begin.setup if isinstance(begin, DiscussionRecord) else begin
            membership = begin.batch if isinstance(begin, DiscussionRecord) else None
            run = BatchRun(membership or self.identity.membership(setup.seed), begin)
            run.path = path if is_saved and isinstance(path, Path) else None
            self.runs.append(run)
        self._new_session = new_session
        self._max_in_flight = max_in_flight
        self._waiting: deque[BatchRun] = deque()
        """Those that begin as soon as there is room."""
        self._sessions: dict[BatchRun, LiveSession] = {}
        self.loading: LoadProgress | None = None
        """How far the model is, while it is being loaded."""
        self._open: set[BatchRun] = set()
        """Those whose sessions have not ended."""
        self._news: SimpleQueue[tuple[BatchRun, SessionEvent]] = SimpleQueue()
        self._turns_before = 0
        self._tokens = 0
        self._first_reply = 0.0
        if start:
            self.go_on()

    @classmethod
    def saved(cls, new_session: NewSession, paths: Sequence[Path]) -> Batch:
        """The batch that ``paths`` are the saved discussions of, with those that are missing.

        Nothing runs before ``go_on``. Raises InputError.
        """
        records = {path: read_discussion(path) for path in paths}
        first = next((record for record in records.values() if record.batch), None)
        begins: list[DiscussionSetup | Path] = list(paths)
        if first is None or first.batch is None:
            return cls(new_session, begins, start=False)
        earliest = first.earlier_setups[0].setup if first.earlier_setups else first.setup
        first_seed = (earliest.seed - first.batch.number + 1) % (1 << SEED_BITS)
        numbers = {record.batch.number for record in records.values() if record.batch}
        setup = earliest.model_copy(update={"seed": first_seed})
        whole = repeated(setup, first.batch.count)
        begins += [each for number, each in enumerate(whole, start=1) if number not in numbers]
        identity = BatchIdentity(first.batch.id, first_seed, first.batch.count)
        batch = cls(new_session, begins, identity=identity, start=False)
        batch.runs.sort(key=lambda run: run.number)
        return batch

    def go_on(self, held: Collection[Path] = ()) -> None:
        """Run all that are not finished, but for those whose files are ``held`` by somebody."""
        unfinished = [run for run in self.runs if run.is_over and run.state != "finished"]
        self._await([session for run, session in self._sessions.items() if run in unfinished])
        self.drain()  # or the last events of these sessions would be taken for the new ones'
        self._turns_before = sum(min(run.turn, run.turns) for run in self.runs)
        self._tokens, self._first_reply = 0, 0.0
        have_room_for_files(FILES_OF_A_RUN * min(len(unfinished), self._max_in_flight))
        for run in unfinished:
            if run.path in held:
                run.error = "It is open in the laboratory."
                continue
            run.state, run.error, run.held = "waiting", "", False
            self._waiting.append(run)
        self._start_waiting()

    def _start_waiting(self) -> None:
        while self._waiting and len(self._open) < self._max_in_flight:
            run = self._waiting.popleft()
            session = self._sessions[run] = self._new_session(partial(self._hear, run))
            self._open.add(run)
            if run.path is None:
                session.start(run.setup, batch=run.membership)
            else:
                session.resume(run.path)

    def _hear(self, run: BatchRun, event: SessionEvent) -> None:
        """On the session's thread: what is told of has been saved."""
        if isinstance(event, Opened):
            run.record = event.record
        elif isinstance(event, Posted) and (session := self._sessions.get(run)):
            run.record = session.record or run.record
        self._news.put((run, event))

    def drain(self, timeout: float = 0.0) -> list[tuple[BatchRun, SessionEvent]]:
        """What has happened since the last time, noted in the runs. Waits for the first event."""
        events: list[tuple[BatchRun, SessionEvent]] = []
        try:
            events.append(self._news.get(timeout=timeout) if timeout else self._news.get_nowait())
            while True:
                events.append(self._news.get_nowait())
        except Empty:
            pass
        for run, event in events:
            run.take(event)
            if isinstance(event, LoadProgress):
                self.loading = event
            elif isinstance(event, ModelReady | ReplyStarted | ErrorRaised):
                self.loading = None
            if isinstance(event, Closed):
                self._open.discard(run)
            if isinstance(event, Posted):
                self._first_reply = self._first_reply or time.monotonic() - event.message.seconds
                self._tokens += event.message.completion_tokens
            if run.is_over and isinstance(event, StateChanged) and event.state in STANDS_STILL:
                self._sessions[run].close(0)  # others may open its file from then on
            match event:
                case ErrorRaised(fatal=True) | Condition(cause="engine") if event.sentence:
                    self._fail_waiting(event.sentence)
        self._start_waiting()
        return events

    def _fail_waiting(self, sentence: str) -> None:
        """Without a model none of the others can run either."""
        for run in self._waiting:
            run.state, run.error = "failed", sentence
        self._waiting.clear()

    def records(self) -> list[DiscussionRecord]:
        """The discussions that have begun, as they were last saved."""
        return [run.record for run in self.runs if run.record]

    @property
    def is_over(self) -> bool:
        return all(run.is_over for run in self.runs)

    @property
    def has_ended(self) -> bool:
        """Whether its sessions have ended, too: nothing more is told, no file is open."""
        return not self._open

    @property
    def is_finished(self) -> bool:
        return all(run.state == "finished" for run in self.runs)

    @property
    def open_files(self) -> set[Path]:
        """The files that are held open to be written."""
        return {run.path for run in self._open if run.path}

    def figures(self) -> BatchFigures:
        """Where the batch stands."""
        turns = sum(run.turns for run in self.runs)
        taken = sum(min(run.turn, run.turns) for run in self.runs)
        seconds = time.monotonic() - self._first_reply if self._first_reply else 0.0
        taken_since = taken - self._turns_before
        return BatchFigures(
            runs=len(self.runs),
            finished=sum(run.state == "finished" for run in self.runs),
            messages=sum(run.messages for run in self.runs),
            turns_taken=taken,
            turns=turns,
            tokens_per_second=self._tokens / seconds if seconds else 0.0,
            seconds_left=seconds * (turns - taken) / taken_since if taken_since else None,
        )

    def stop(self) -> None:
        """Pause all of them at once; unfinished replies are dropped."""
        for run in self._waiting:
            run.state = "stopped" if run.path else "missing"
        self._waiting.clear()
        for run, session in self._sessions.items():
            run.held = False
            if not run.is_over:
                run.state = "stopped"
            session.stop()

    def close(self) -> None:
        """Save all as paused and end their sessions, within the time that one may take."""
        self._waiting.clear()
        self._await(list(self._sessions.values()))

    def _await(self, sessions: Sequence[LiveSession]) -> None:
        for session in sessions:
            session.close(0)
        deadline = time.monotonic() + CLOSE_SECONDS
        for session in sessions:
            session.close(max(0.0, deadline - time.monotonic()))


def have_room_for_files(count: int) -> None:
    """Let this process open ``count`` more files than it may, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    wanted = soft + count if hard == resource.RLIM_INFINITY else min(soft + count, hard)
    with contextlib.suppress(OSError, ValueError):  # then some runs cannot begin, and say why
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
