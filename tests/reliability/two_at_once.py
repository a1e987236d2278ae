"""Four processes, two thousand discussions, one folder, and a clock that stands still.

``python -m tests.reliability.two_at_once [EACH]`` prints the figures; it fails where two wrote
one file, or where a live run was taken for an interrupted one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.session import LiveSession, Opened, Runner, StateChanged
from syndisco_tui.store.discussions import discussion_files, read_discussion, resumable_discussions
from tests.support.scripted_engine import ScriptedEngine

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4
EACH = 500
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass
class Figures:
    """What the processes did, and what an onlooker saw."""

    discussions: int = 0
    collisions: list[str] = field(default_factory=list)
    mistaken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    looks: int = 0


def work(folder: Path, name: str, count: int) -> None:
    """Run ``count`` discussions one after the other; print the file of each."""
    setup = DiscussionSetup(
        personas=(Persona(username="Ann"), Persona(username="Bob")),
        conv_len=2,
        title=name,
        model="scripted",
    )
    session = LiveSession(Runner(ScriptedEngine(load_steps=0), folder, clock=lambda: NOON))
    for _ in range(count):
        session.start(setup)
        while True:
            event = session.events.get(timeout=60)
            if isinstance(event, Opened):
                print(event.path.name, flush=True)
            elif isinstance(event, StateChanged) and event.state == "finished":
                break
    session.close()


def together(folder: Path, processes: int, each: int) -> Figures:
    """All at once, while an onlooker asks over and over what could be resumed."""
    figures, over = Figures(), threading.Event()

    def look() -> None:
        while not over.is_set():
            figures.looks += 1
            # Nobody is ever interrupted here: whatever is offered is a live run.
            for path, record in resumable_discussions(folder, max_files=40):
                figures.mistaken.append(f"{path.name} ({record.status})")

    children = [
        subprocess.Popen(
            [sys.executable, "-m", __spec__.name, "--work", str(folder), f"writer {n}", str(each)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for n in range(processes)
    ]
    onlooker = threading.Thread(target=look)
    onlooker.start()
    owners: dict[str, int] = {}
    for number, child in enumerate(children):
        told, fault = child.communicate(timeout=1200)
        if child.returncode:
            figures.faults.append(fault.strip().rpartition("\n")[2])
        for name in told.split():
            if name in owners:
                figures.collisions.append(f"{name}: {owners[name]} and {number}")
            owners[name] = number
    over.set()
    onlooker.join()
    files = discussion_files(folder)
    figures.discussions = len(files)
    for path in files:
        record = read_discussion(path)
        if record.title != f"writer {owners.get(path.name)}" or record.status != "finished":
            figures.collisions.append(f"{path.name}: {record.title}, {record.status}")
    if left := [name for name in os.listdir(folder) if name.startswith(".")]:
        figures.faults.append(f"{len(left)} leftovers")
    return figures


def main() -> int:
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return 0
    each = int(sys.argv[1]) if len(sys.argv) > 1 else EACH
    began = time.monotonic()
    figures = together(Path(tempfile.mkdtemp(prefix="together-")), PROCESSES, each)
    print(f"{figures.discussions} discussions of {PROCESSES} processes at one moment of the clock")
    print(f"{len(figures.collisions)} collisions, {figures.looks} looks at what could be resumed,")
    print(f"{len(figures.mistaken)} live runs taken for unfinished ones")
    print(f"{time.monotonic() - began:.0f} s")
    faults = [*figures.collisions, *figures.mistaken, *figures.faults]
    if figures.discussions != PROCESSES * each:
        faults.append(f"{figures.discussions} files instead of {PROCESSES * each}")
    for fault in faults[:20]:
        print(f"  {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
