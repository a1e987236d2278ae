"""Many discussions of one setup at once: seeds follow from the first, each has its own file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TextIO

from ..discussion import DiscussionSetup
from ..engine.base import LoadProgress
from ..inputs import InputError
from ..session import LiveSession, ModelReady, Opened, Posted, SessionEvent, StateChanged, Trouble
from ..store.discussions import newest_first, read_discussion
from ..text import safe
from .live import NO_MODEL, forgive_encoding
from .printer import FINISHED, progress_bar
from .signals import caught_signals

TELL_SECONDS = 0.2


def repeated(setup: DiscussionSetup, count: int) -> list[DiscussionSetup]:
    """``count`` setups that differ in their seed: the first one's and those that follow."""
    return [setup.model_copy(update={"seed": setup.seed + n}) for n in range(count)]


def saved_runs(folder: Path, setups: list[DiscussionSetup]) -> list[Path | None]:
    """For each setup the newest saved discussion of it, or None.

    A saved setup names the model where the wanted one may say ``auto``.
    """
    found: dict[str, Path] = {}
    for path in newest_first(folder):
        try:
            record = read_discussion(path)
        except InputError:
            continue
        found.setdefault(_key(record.setup), path)
        found.setdefault(_key(record.setup.model_copy(update={"model": "auto"})), path)
    return [found.get(_key(setup)) for setup in setups]


def _key(setup: DiscussionSetup) -> str:
    return setup.model_dump_json()


@dataclass
class _Run:
    """One discussion of the batch."""

    number: int
    begin: DiscussionSetup | Path
    turns: int
    turn: int = 0
    path: Path | None = None
    finished: bool = False
    trouble: str = ""


@dataclass
class _Batch:
    runs: list[_Run]
    taken_before: int
    first_reply: float = 0.0
    messages: int = 0
    tokens: int = 0

    @property
    def finished(self) -> int:
        return sum(run.finished for run in self.runs)

    def line(self) -> str:
        """Discussions done, messages, tokens a second, and how long it will take."""
        turns = sum(run.turns for run in self.runs)
        taken = sum(min(run.turn, run.turns) for run in self.runs)
        line = f"{self.finished} of {len(self.runs)} discussions  {self.messages} messages"
        seconds = time.monotonic() - self.first_reply if self.first_reply else 0.0
        if seconds > 0 and self.tokens:
            line += f"  {self.tokens / seconds:.0f} tok/s"
            if (here := taken - self.taken_before) and taken < turns:
                line += f"  {_duration(seconds * (turns - taken) / here)} left"
        return f"{progress_bar(taken, turns)} {line}"


def run_repeat(
    new_session: Callable[[Callable[[SessionEvent], object]], LiveSession],
    begins: list[DiscussionSetup | Path],
    *,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Run them all at once, each on a session of its own that
    ``new_session`` makes for a listener. Returns the exit status.

    A path is a saved discussion to go on with. Paths of the files go to standard output as the
    discussions finish, progress to standard error.
    """
    out, err = out or sys.stdout, err or sys.stderr
    forgive_encoding(out, err)
    runs = [_run_of(number, begin) for number, begin in enumerate(begins)]
    batch = _Batch(runs, sum(run.turn for run in runs))
    news: SimpleQueue[tuple[_Run, SessionEvent]] = SimpleQueue()
    sessions = [new_session(partial(_pass_on, news, run)) for run in runs]
    with caught_signals() as received:
        for session, run in zip(sessions, batch.runs, strict=True):
            if isinstance(run.begin, Path):
                session.resume(run.begin)
            else:
                session.start(run.begin)
        status = _follow(batch, news, received, out, err)
        for session in sessions:
            session.close()
    return status


def _pass_on(news: SimpleQueue[tuple[_Run, SessionEvent]], run: _Run, event: SessionEvent) -> None:
    news.put((run, event))


def _run_of(number: int, begin: DiscussionSetup | Path) -> _Run:
    if isinstance(begin, DiscussionSetup):
        return _Run(number, begin, begin.conv_len)
    record = read_discussion(begin)
    return _Run(number, begin, record.setup.conv_len, record.turns_taken, begin)


def _follow(
    batch: _Batch,
    news: SimpleQueue[tuple[_Run, SessionEvent]],
    received: list[int],
    out: TextIO,
    err: TextIO,
) -> int:
    told, has_bar, stage = 0.0, err.isatty(), ""
    while not received:
        try:
            run, event = news.get(timeout=TELL_SECONDS)
        except Empty:
            continue
        line = ""
        if isinstance(event, LoadProgress) and event.stage != stage:
            stage = event.stage
            line = f"{stage} …"
        elif isinstance(event, ModelReady) and stage != "ready":
            stage = "ready"
            line = f"{event.info.name or event.info.model} on {event.info.device}"
        elif isinstance(event, Opened):
            run.path = event.path
        elif isinstance(event, Posted):
            batch.first_reply = batch.first_reply or time.monotonic() - event.message.seconds
            batch.messages += 1
            batch.tokens += event.message.completion_tokens
            run.turn = max(run.turn, event.message.turn)
        elif isinstance(event, Trouble):
            if event.fatal:
                _say(err, has_bar, safe(event.sentence))
                return NO_MODEL
            run.trouble = event.sentence
            line = f"discussion {run.number + 1}: {safe(event.sentence)}"
        elif isinstance(event, StateChanged) and event.state == "finished" and not run.finished:
            run.finished = True
            print(run.path, file=out, flush=True)
            line = "" if has_bar else batch.line()
        if line:
            _say(err, has_bar, line)
        if has_bar and time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            err.write(f"\r\x1b[K{batch.line()}")
            err.flush()
        if all(run.finished or run.trouble for run in batch.runs):
            _say(err, has_bar, batch.line())
            return FINISHED if all(run.finished for run in batch.runs) else 1
    _say(err, has_bar, f"{batch.line()}; the same command with --resume goes on")
    return 128 + received[0]


def _say(err: TextIO, has_bar: bool, line: str) -> None:
    print(f"\r\x1b[K{line}" if has_bar else line, file=err, flush=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
