"""Many discussions of one setup, run at once. Each is a live session; the engine batches them."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from .discussion import DiscussionRecord, DiscussionSetup, Entries
from .discussion.chance import SEED_BITS
from .inputs import InputError
from .session import (
    Hindrance,
    LiveSession,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    StateChanged,
    Trouble,
)
from .store.discussions import newest_first, read_discussion

CLOSE_SECONDS = 2.5
FILES_OF_A_RUN = 4
"""Open at once, at most: its lock, what was saved last, what is being written, the folder."""

NewSession = Callable[[Callable[[SessionEvent], object]], LiveSession]
RunState = Literal["waiting", "speaking", "finished", "stopped", "failed"]


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
    for path in newest_first(folder):
        try:
            setup = read_discussion(path).setup
        except InputError:
            continue
        for known in (setup, setup.model_copy(update={"model": "auto"})):
            found.setdefault(known.model_dump_json(), path)
    return [found.get(setup.model_dump_json()) for setup in setups]


class BatchRun:
    """One discussion of a batch, as far as it has come."""

    def __init__(self, number: int, begin: DiscussionSetup | Path) -> None:
        self.number = number
        self.begin = begin
        self.path: Path | None = None
        self.turn = 0
        self.entries = Entries()
        if isinstance(begin, Path):
            record = read_discussion(begin)
            self.path, self.turn = begin, record.turns_taken
            self.entries = Entries.of(record.entries)
        setup = record.setup if isinstance(begin, Path) else begin
        self.seed, self.turns = setup.seed, setup.conv_len
        self.growing = ""
        """What the speaker has said so far of the reply in the making."""
        self.speaker = ""
        self.role = ""
        self.tokens = 0
        self.state: RunState = "waiting"
        self.trouble = ""
        self.held = False
        """It waits for the disk, and goes on by itself."""

    @property
    def is_over(self) -> bool:
        return self.state in ("finished", "stopped", "failed")

    def take(self, event: SessionEvent) -> None:
        """Note what an event says."""
        match event:
            case Opened():
                self.path, self.entries = event.path, Entries.of(event.record.entries)
            case ReplyStarted():
                self.state, self.speaker, self.role = "speaking", event.name, event.role
                self.growing = ""
            case ReplyGrew():
                self.growing = event.text
            case Posted():
                message = event.message
                self.entries = self.entries.plus(message)
                self.tokens += message.completion_tokens
                self.turn = max(self.turn, message.turn)
                self.growing = self.role = ""
            case ReplyDropped():
                self.growing = self.role = ""
            case Hindrance(cause="saving"):
                self.trouble, self.held = event.sentence, bool(event.sentence)
                if event.sentence and self.path is None:  # it could not even begin
                    self.state = "failed"
            case Hindrance(cause="engine") if event.sentence:
                self.state, self.trouble = "failed", event.sentence
            case Trouble() if self.state != "stopped":  # that loading was given up is no trouble
                self.state, self.trouble = "failed", event.sentence
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
    """Runs ``begins`` at once, each on a session that ``new_session`` makes for a listener.

    A path is a saved discussion to go on with. Call ``drain`` again and again.
    """

    def __init__(self, new_session: NewSession, begins: Sequence[DiscussionSetup | Path]) -> None:
        self.runs = [BatchRun(number, begin) for number, begin in enumerate(begins, start=1)]
        self._news: SimpleQueue[tuple[BatchRun, SessionEvent]] = SimpleQueue()
        self._turns_before = sum(run.turn for run in self.runs)
        self._messages = 0
        self._tokens = 0
        self._first_reply = 0.0
        have_room_for_files(FILES_OF_A_RUN * len(self.runs))
        self._sessions = [new_session(partial(self._hear, run)) for run in self.runs]
        for session, run in zip(self._sessions, self.runs, strict=True):
            if isinstance(run.begin, DiscussionSetup):
                session.start(run.begin)
            else:
                session.resume(run.begin)

    def _hear(self, run: BatchRun, event: SessionEvent) -> None:
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
            if isinstance(event, Posted):
                self._first_reply = self._first_reply or time.monotonic() - event.message.seconds
                self._messages += 1
                self._tokens += event.message.completion_tokens
        return events

    def session_of(self, run: BatchRun) -> LiveSession:
        """The session that drives a run."""
        return self._sessions[self.runs.index(run)]

    def records(self) -> list[DiscussionRecord]:
        """The discussions that have begun, as they were last saved."""
        records = (session.record for session in self._sessions)
        return [record for record in records if record]

    @property
    def is_over(self) -> bool:
        return all(run.is_over for run in self.runs)

    def figures(self) -> BatchFigures:
        """Where the batch stands."""
        turns = sum(run.turns for run in self.runs)
        taken = sum(min(run.turn, run.turns) for run in self.runs)
        seconds = time.monotonic() - self._first_reply if self._first_reply else 0.0
        here = taken - self._turns_before
        return BatchFigures(
            runs=len(self.runs),
            finished=sum(run.state == "finished" for run in self.runs),
            messages=self._messages,
            turns_taken=taken,
            turns=turns,
            tokens_per_second=self._tokens / seconds if seconds else 0.0,
            seconds_left=seconds * (turns - taken) / here if here else None,
        )

    def stop(self) -> None:
        """Pause all of them now; replies in the making are dropped."""
        for session, run in zip(self._sessions, self.runs, strict=True):
            run.held = False
            if not run.is_over:
                run.state = "stopped"
            session.stop()

    def close(self) -> None:
        """Save all as paused and end their sessions, within the time that one may take."""
        for session in self._sessions:
            session.close(0)
        deadline = time.monotonic() + CLOSE_SECONDS
        for session in self._sessions:
            session.close(max(0.0, deadline - time.monotonic()))


def have_room_for_files(count: int) -> None:
    """Let this process open ``count`` more files than it may, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    wanted = soft + count if hard == resource.RLIM_INFINITY else min(soft + count, hard)
    with contextlib.suppress(OSError, ValueError):  # then some runs cannot begin, and say why
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def duration(seconds: float) -> str:
    """A time to wait, as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
