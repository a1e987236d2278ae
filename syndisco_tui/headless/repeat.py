"""A batch without a screen: files as they are finished, progress on standard error."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TextIO

from ..engine.base import LoadProgress
from ..session import Condition, ErrorRaised, ModelReady
from ..session.batch import Batch
from ..session.events import Cause
from ..text import counted, duration, one_line, safe
from ..workspace.exit_status import FINISHED, NO_MODEL, NOT_FINISHED
from .output import forgive_encoding, tell
from .printer import condition_line
from .signals import caught_signals
from .status_line import StatusLine, progress_bar

TELL_SECONDS = 0.2


RESUME_HINT = "run the same command with --resume to continue them"


def run_repeat(
    batch: Batch,
    *,
    out: TextIO | None = None,
    err: TextIO | None = None,
    hint: str = RESUME_HINT,
) -> int:
    """Follow ``batch`` to its end and close it. Returns the exit status.

    Paths of the files go to standard output as the discussions finish. ``hint`` says how to
    continue unfinished discussions.
    """
    out, err = out or sys.stdout, err or sys.stderr
    forgive_encoding(out, err)
    with caught_signals() as received:
        try:
            return _follow(batch, received, out, err, hint)
        finally:
            batch.close()


def _follow(batch: Batch, received: list[int], out: TextIO, err: TextIO, hint: str) -> int:
    status_line, stage, finished = StatusLine(err, interval=TELL_SECONDS), "", set[int]()
    conditions: dict[Cause, str] = {}
    errors, is_fatal, has_model = Counter[str](), False, False

    def say(line: str) -> None:
        if line:
            status_line.clear()
            tell(line, err)

    while not received:
        for run, event in batch.drain(TELL_SECONDS):
            if isinstance(event, LoadProgress) and event.stage != stage:
                stage = event.stage
                say(f"{one_line(stage)} …")
            elif isinstance(event, ModelReady) and stage != "ready":
                stage, has_model = "ready", True
                for info in (event.info, *event.others):
                    say(one_line(f"{info.name or info.model} on {info.where}"))
            elif isinstance(event, Condition):
                if conditions.get(event.cause, "") != event.sentence:  # of all of them, once
                    conditions[event.cause] = event.sentence
                    say(condition_line(event, waits=run.waits_for_disk and run.path is not None))
            elif isinstance(event, ErrorRaised):
                is_fatal = is_fatal or event.fatal
                if not errors[event.sentence]:  # many fail for one reason: it is said once
                    whose = "" if event.fatal else f"discussion {run.number}: "
                    say(f"{whose}{safe(event.sentence)}")
                errors[event.sentence] += 1
            elif run.state == "finished" and run.number not in finished:
                finished.add(run.number)
                status_line.clear()
                tell(str(run.path), out)
                if not status_line.is_shown:
                    say(progress_line(batch))
        status_line.show(progress_line(batch))
        if batch.is_over:
            break
    if len(finished) == len(batch.runs):
        say(progress_line(batch))
        return FINISHED
    if is_fatal and not has_model:
        return NO_MODEL
    for sentence, count in errors.items():
        if count > 1:
            say(f"{counted(count, 'discussion')} stopped: {safe(sentence)}")
    say(f"{progress_line(batch)}; {hint}")
    return 128 + received[0] if received else NOT_FINISHED


def progress_line(batch: Batch) -> str:
    """Discussions done, messages, tokens a second, and how long it will take."""
    figures = batch.figures()
    bar = progress_bar(figures.turns_taken, figures.turns)
    parts = [f"{bar} {figures.finished} of {figures.runs} discussions finished"]
    parts.append(counted(figures.messages, "message"))
    if figures.tokens_per_second:
        parts.append(f"{figures.tokens_per_second:.0f} tok/s")
    if figures.seconds_left:
        parts.append(f"{duration(figures.seconds_left)} left")
    return "  ".join(parts)
