"""Events of a session → lines on standard output and a progress bar on standard error."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TextIO

from ..engine.base import LoadProgress
from ..session import (
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
from ..session.runner import RETRY_SECONDS
from ..text import counted, duration, one_line, safe
from ..workspace.exit_status import FINISHED
from .status_line import StatusLine, progress_bar

WAITING = (
    f"Saving failed; retrying every {RETRY_SECONDS:g} s. Ctrl+C and TERM are "
    "safe: what is saved stays, and the discussion can be resumed."
)
HEADER_ROOM = 60
"""A line of fewer characters may still turn out to be somebody else's header: it waits."""
ENDINGS = " \n\t\"'“”„«»’`\\"
"""What the guard may take from the end of a reply."""
MARKS = 20
"""How many characters the guard may still take from the front of a reply, or give back to it."""


def _rest(text: str, shown: str) -> str:
    """What of ``text`` is still to be printed after ``shown``: only the marks in front may differ.

    Whether a quotation mark or a fence opened the whole reply is known at its end.
    """
    if shown.startswith(text):
        return ""
    for skipped in range(min(MARKS, len(shown)) + 1):
        place = text.find(shown[skipped:], 0, len(shown) + MARKS)
        if place >= 0:
            return text[place + len(shown) - skipped :]
    return f"\n{text}"


class Printer:
    """Turns events into lines. A growing reply is printed as far as it can no longer change."""

    def __init__(self, out: TextIO | None, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._status_line = StatusLine(err)
        # Where both go to one terminal, the bar must keep off lines that hold half a reply.
        self._shared = self._status_line.is_shown and bool(out and out.isatty())
        self._mid_line = False
        self._speaker = ""
        self._shown = ""
        self._stage = ""
        self._turn, self._turns = 0, 0
        self._first_turn, self._began_at = 0, 0.0
        self._posted_turn, self._posted_at = 0, 0.0
        self.path: Path | None = None

    def show(self, event: SessionEvent) -> None:
        if isinstance(event, LoadProgress):
            self._loading(event)
        elif isinstance(event, ModelReady):
            for info in (event.info, *event.others):
                precision = f", {info.dtype}" if info.dtype else ""
                self._line(one_line(f"{info.name or info.model} on {info.where}{precision}"))
        elif isinstance(event, Opened):
            self.path = event.path
            for entry in event.record.entries:
                if not entry.is_silence:
                    self._print(f"{one_line(entry.name)}:\n{safe(entry.text)}\n\n")
        elif isinstance(event, ReplyStarted):
            self._speaker, self._shown = one_line(event.name), ""
            self._turn = event.turn
            if not self._began_at:
                self._first_turn, self._began_at = event.turn, time.monotonic()
            self._bar(self._speaker)
        elif isinstance(event, ReplyGrew):
            self._grow(event)
        elif isinstance(event, Posted):
            self._posted(event)
        elif isinstance(event, ReplyDropped):
            self._print(" […]\n\n" if self._shown else "")
        elif isinstance(event, StateChanged):
            self._turns = event.turns or self._turns
            if event.state == "finished" and event.end:
                self._line(safe(f"Ended early: {event.end}."))
        elif isinstance(event, ErrorRaised):
            self._line(safe(event.sentence))
        elif isinstance(event, Condition):
            waits = event.cause == "saving" and self.path is not None
            if line := condition_line(event, waits=waits):
                self._line(line)
            if waits and event.sentence:
                self._bar("waiting until it can be saved")

    def lose_output(self) -> None:
        """Nobody reads the messages any more."""
        self._out = None

    def end(self, status: int) -> None:
        """The last line: where the discussion is."""
        if self._mid_line:
            self._print(" […]\n\n")
        if status != FINISHED:
            self._line("Not finished: it can be resumed.")
        self._status_line.clear()
        print(self.path, file=self._out or self._err, flush=True)

    def _grow(self, event: ReplyGrew) -> None:
        text = safe(event.text)
        line_start = text.rfind("\n") + 1
        settled = text.rfind(" ") + 1 if len(text) - line_start >= HEADER_ROOM else line_start
        settled = len(text[:settled].rstrip(ENDINGS))  # a reply may end here, and without these
        if settled > len(self._shown) and text.startswith(self._shown):
            self._say(text[len(self._shown) : settled])
        speed = f"{event.tokens_per_second:.0f} tok/s" if event.tokens_per_second else ""
        speaker = self._speaker if event.text else f"{self._speaker} thinks"
        parts = [
            speaker if event.reasoning_tokens else self._speaker,
            counted(event.tokens, "token"),
            speed,
            self._time_left(),
        ]
        self._bar("  ".join(filter(None, parts)))

    def _posted(self, event: Posted) -> None:
        message = event.message
        text = safe(message.text) if not message.is_silence else "(silent)"
        if rest := _rest(text, self._shown):
            self._say(rest)
        self._print(" […]\n\n" if message.is_cut else "\n\n")
        self._shown = ""
        self._posted_turn, self._posted_at = message.turn, time.monotonic()
        if self._status_line.is_shown:
            self._turn = message.turn
            self._bar("  ".join(filter(None, [one_line(message.name), self._time_left()])))
        else:
            notes = "".join(f", {one_line(note)}" for note in message.mark_labels)
            self._line(
                f"turn {message.turn} of {self._turns}: {one_line(message.name)}, "
                f"{message.completion_tokens} tokens, {event.tokens_per_second:.0f} tok/s{notes}"
            )

    def _time_left(self) -> str:
        """How long the turns that are left will take, going by those of this run."""
        if not self._posted_at or self._posted_turn < self._first_turn:
            return ""
        taken = self._posted_turn - self._first_turn + 1
        seconds_a_turn = (self._posted_at - self._began_at) / taken
        since = time.monotonic() - self._posted_at
        seconds = seconds_a_turn * (self._turns - self._posted_turn) - since
        return f"{duration(seconds)} left" if seconds > 0 else ""

    def _say(self, text: str) -> None:
        if not self._shown:
            self._print(f"{self._speaker}:\n")
        self._shown += text
        self._print(text)

    def _loading(self, progress: LoadProgress) -> None:
        stage = one_line(progress.stage)
        if progress.stage != self._stage and not self._status_line.is_shown:
            self._line(f"{stage} …")
        self._stage = progress.stage
        amount = ""
        if progress.unit == "bytes":
            amount = f"  {progress.done / 1e6:.0f} MB"
            amount += f" of {progress.total / 1e6:.0f}" if progress.total else ""
        self._bar(stage + amount, progress.done, progress.total)

    def _bar(self, label: str, done: float | None = None, total: float | None = None) -> None:
        if self._shared and self._mid_line:
            return
        done = self._turn if done is None else done
        total = self._turns if total is None else total
        self._status_line.show(f"{progress_bar(done, total)} {label}")

    def _print(self, text: str) -> None:
        if self._out and text:
            self._status_line.clear()
            self._out.write(text)
            self._out.flush()
            self._mid_line = not text.endswith("\n")

    def _line(self, text: str) -> None:
        self._status_line.clear()
        print(text, file=self._err, flush=True)


def condition_line(event: Condition, *, waits: bool = False) -> str:
    """What stays wrong, or that it is over; empty where that need not be said.

    ``waits``: the run goes on by itself as soon as saving succeeds.
    """
    over = "Saved; the discussion continues." if event.cause == "saving" else ""
    line = event.sentence or over
    if event.where:
        line += f" ({event.where})"
    if waits and event.sentence:
        line += f"\n{WAITING}"
    return safe(line)
