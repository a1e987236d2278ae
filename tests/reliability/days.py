"""Days in minutes: tens of thousands of messages in one process. Does anything pile up?

``python -m tests.reliability.days [MESSAGES]`` prints the figures and fails where memory grows by
more than 1 MB an hour, or threads or descriptors are left behind. With ``--starter [MINUTES]``
the starter speaks, for so long.

The memory's slope is a straight line through the samples of the second half (the first warms up
caches), in bytes a message. An hour is taken as 3,600 messages: one a second, without a pause,
is more than a real model on one GPU says in one discussion. With the starter an hour is an hour.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from syndisco_tui.session import ErrorRaised, LiveSession, Posted, Runner, StateChanged
from syndisco_tui.store.setups import read_setup
from syndisco_tui.workspace.folders import DEMONSTRATION
from tests.support.scripted_engine import ScriptedEngine

MESSAGES = 50_000
TURNS = 500
MESSAGES_AN_HOUR = 3600
MINUTES = 20.0
STARTER_TURNS = 12
SAMPLE_SECONDS = 2.0
MOST_GROWTH = 1_000_000
"""Bytes an hour."""


@dataclass
class Course:
    """What was measured on the way. A sample: messages (or seconds) so far, resident bytes."""

    messages: int = 0
    seconds: float = 0.0
    samples: list[tuple[float, int]] = field(default_factory=list)
    threads_gained: int = 0
    descriptors_gained: int = 0

    @property
    def growth(self) -> float:
        """Bytes an hour, by least squares over the second half."""
        late = self.samples[len(self.samples) // 2 :]
        count = len(late)
        x, y = sum(at for at, _ in late) / count, sum(size for _, size in late) / count
        spread = sum((at - x) ** 2 for at, _ in late)
        slope = sum((at - x) * (size - y) for at, size in late) / spread if spread else 0.0
        return slope * MESSAGES_AN_HOUR


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class ForgetfulEngine(ScriptedEngine):
    """A scripted engine that keeps no list of what it was asked."""

    class _Nothing(list):  # type: ignore[type-arg]
        def append(self, _request: object) -> None:
            pass

    def __init__(self) -> None:
        super().__init__(load_steps=0)
        self.requests = self._Nothing()


def live_through(messages: int, folder: Path, turns: int = TURNS) -> Course:
    """Run discussions of ``turns`` turns, one after the other, until so much has been said."""
    setup = read_setup(DEMONSTRATION)
    setup = setup.model_copy(update={"conv_len": turns, "model": "scripted"})
    engine = ForgetfulEngine()
    session = LiveSession(Runner(engine, folder))
    course, began = Course(), time.monotonic()
    before: tuple[int, int] | None = None
    while course.messages < messages:
        session.start(setup.model_copy(update={"seed": course.messages}))
        while True:
            event = session.events.get(timeout=60)
            if isinstance(event, Posted):
                course.messages += 1
            elif isinstance(event, StateChanged) and event.state == "finished":
                open_file = event.path
                break
        del event
        gc.collect()
        course.samples.append((course.messages, resident_bytes()))
        before = before or (threading.active_count(), descriptors())
        for path in folder.glob("2*.json"):
            if path != open_file:
                path.unlink()
    course.seconds = time.monotonic() - began
    assert before is not None
    course.threads_gained = threading.active_count() - before[0]
    course.descriptors_gained = descriptors() - before[1]
    session.close()
    engine.close()
    return course


def live_with_starter(minutes: float, folder: Path) -> Course:
    """Have the starter speak for so long, in discussions one after the other."""
    from syndisco_tui.engine.local import LocalEngine
    from tests.reliability.kill import starter_cache

    setup = read_setup(DEMONSTRATION)
    setup = setup.model_copy(update={"conv_len": STARTER_TURNS, "model": "starter"})
    engine = LocalEngine(starter_cache())
    session = LiveSession(Runner(engine, folder, device="cpu"))
    course, began, discussions = Course(), 0.0, 0
    before: tuple[int, int] | None = None
    session.start(setup)
    while not began or course.seconds < 60 * minutes:
        event = session.events.get(timeout=300)
        if isinstance(event, Posted):
            began = began or time.monotonic()
            course.messages += 1
            course.seconds = time.monotonic() - began
            if not course.samples or course.seconds - course.samples[-1][0] > SAMPLE_SECONDS:
                gc.collect()
                course.samples.append((course.seconds, resident_bytes()))
            before = before or (threading.active_count(), descriptors())
        elif isinstance(event, StateChanged) and event.state == "finished":
            discussions += 1
            session.start(setup.model_copy(update={"seed": discussions}))
        elif isinstance(event, ErrorRaised):
            raise RuntimeError(event.sentence)
    assert before is not None
    course.threads_gained = threading.active_count() - before[0]
    course.descriptors_gained = descriptors() - before[1]
    session.close()
    engine.close()
    return course


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.days")
    parser.add_argument("messages", nargs="?", type=int, default=MESSAGES)
    parser.add_argument("--starter", nargs="?", type=float, const=MINUTES, metavar="MINUTES")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="days-"))
    if asked.starter:
        course, unit = live_with_starter(asked.starter, folder), "s"
    else:
        course, unit = live_through(asked.messages, folder), "messages"
    shutil.rmtree(folder)
    first, last = course.samples[len(course.samples) // 2], course.samples[-1]
    print(f"{course.messages} messages in {course.seconds:.0f} s")
    for at, size in (first, last):
        print(f"resident {size / 1e6:.1f} MB at {at:.0f} {unit}")
    hour = "" if asked.starter else f" at {MESSAGES_AN_HOUR} messages an hour"
    print(f"growth {course.growth / 1e6:+.3f} MB an hour{hour}, by {len(course.samples)} samples")
    print(f"{course.threads_gained:+} threads, {course.descriptors_gained:+} descriptors")
    whole = course.growth <= MOST_GROWTH and not course.threads_gained
    return 0 if whole and not course.descriptors_gained else 1


if __name__ == "__main__":
    sys.exit(main())
