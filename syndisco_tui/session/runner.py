"""The runner: one thread that drives any number of sessions on one engine."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from ..engine.base import Engine
from ..store.discussions import remove_leftovers
from .events import SessionEvent
from .inputs import SpaceChecked
from .last_model import LastModelFile
from .performer import Message, Performer, Surroundings

MAX_IN_FLIGHT = 64
"""Discussions of a batch that run at once: as many replies as an engine generates together."""
SILENCE = 60.0
"""Seconds without a token after which a warning is shown."""
SPACE_INTERVAL = 60.0
"""Seconds between two looks at how full the disk is."""
LOW_SPACE = 500_000_000
"""Free bytes on the disk below which a warning is shown."""
LOOK_INTERVAL = 1.0
"""Seconds between two looks at the engine while it works for a session."""
RETRY_SECONDS = 3.0
"""Seconds between two attempts to save what the disk refused."""


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


class Runner:
    """Runs transitions and performs their effects, one at a time, on a thread of its own.

    The thread starts with the first session and ends with the last one. Messages of any thread
    reach it through ``post``.
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        device: str = "auto",
        clock: Callable[[], datetime] = utc_now,
        silence: float = SILENCE,
        last_model: LastModelFile | None = None,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self.max_in_flight = max_in_flight
        """Discussions of a batch that are to run at once."""
        self._surroundings = Surroundings(engine, folder, device, clock, silence, last_model)
        self._inbox: SimpleQueue[tuple[Performer, Message]] = SimpleQueue()
        self._lock = threading.Lock()
        self._performers: list[Performer] = []
        self._thread: threading.Thread | None = None
        self._space_due = self._look_due = 0.0

    @property
    def engine(self) -> Engine:
        """The engine that all sessions share."""
        return self._surroundings.engine

    @property
    def device(self) -> str:
        """The device of local models."""
        return self._surroundings.device

    def add(self, emit: Callable[[SessionEvent], object]) -> Performer:
        """A new session; ``emit`` gets its events, on the runner's thread."""

        def post(message: Message) -> None:
            self.post(performer, message)

        performer = Performer(self._surroundings, post=post, emit=emit)
        with self._lock:
            self._performers.append(performer)
            self._space_due = 0.0
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="session", daemon=True)
                self._thread.start()
        return performer

    def post(self, performer: Performer, message: Message) -> None:
        """Have ``performer`` react to a message; returns at once."""
        self._inbox.put((performer, message))

    def _work(self) -> None:
        with contextlib.suppress(OSError):
            remove_leftovers(self._surroundings.folder)
        while True:
            self._look_around()
            due = min(self._space_due, self._look_due)
            try:
                performer, message = self._inbox.get(timeout=max(0.0, due - time.monotonic()))
            except Empty:
                continue
            performer.take(message)
            if performer.needs_looks:
                self._look_due = min(self._look_due, time.monotonic() + self._look_interval)
            if performer.state.is_closed and not self._has_sessions_after(performer):
                return

    def _has_sessions_after(self, closed: Performer) -> bool:
        """Forget a closed session; False where it was the last, and the thread ends."""
        with self._lock:
            if closed in self._performers:
                self._performers.remove(closed)
            if not self._performers:
                self._thread = None
            return bool(self._performers)

    @property
    def _look_interval(self) -> float:
        return min(LOOK_INTERVAL, RETRY_SECONDS, self._surroundings.silence)

    def _look_around(self) -> None:
        """Do what is due because time has passed."""
        now = time.monotonic()
        if now < min(self._space_due, self._look_due):
            return
        with self._lock:
            performers = tuple(self._performers)
        if now >= self._space_due:
            self._space_due = now + SPACE_INTERVAL
            folder = self._surroundings.folder
            warning = low_space(folder)
            for performer in performers:
                performer.take(SpaceChecked(warning, str(folder)))
        if now >= self._look_due:
            for performer in performers:
                performer.look(RETRY_SECONDS)
            is_needed = any(performer.needs_looks for performer in performers)
            self._look_due = now + (self._look_interval if is_needed else SPACE_INTERVAL)


def low_space(folder: Path) -> str:
    """A warning where the disk of ``folder`` is nearly full, else an empty string."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # the next save says it better
        return ""
    if free >= LOW_SPACE:
        return ""
    return f"Only {free / 1e6:.0f} MB are free where discussions are saved: make room."
