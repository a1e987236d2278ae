"""Every way out from every state: in time, saved, the terminal as it was, the right status."""

from __future__ import annotations

import json
import os
import signal
import sys
import termios
import time
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionRecord
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.project import ROOT
from tests.support.pseudo_terminal import PseudoTerminal

IN_TIME = 3.5
"""Seconds, by the app's own clock, from the signal to the exit."""
ALLOWANCE = 6.0
"""Seconds more for a busy machine to bring the signal and to take the process away."""
SPINNING = 0.6
"""Share of a core; more than that for a second, while nothing happens, is spinning."""

ENDINGS = ("HUP", "TERM", "INT", "closed", "stalled")
STATES: dict[str, tuple[dict[str, str], tuple[str, ...], bytes]] = {
    "idle": ({}, (), b"Personas"),
    "loading": ({"LOAD_STEPS": "100000", "WORD_SECONDS": "0.05"}, ("--start",), b"weights"),
    "generating": ({"WORD_SECONDS": "0.2"}, ("--start",), b"comment"),
    "stuck": ({"STUCK": "1"}, ("--start",), b"speaking"),
}
IN_EVERY_RUN = [
    ("HUP", "loading"),
    ("TERM", "idle"),
    ("INT", "stuck"),
    ("closed", "generating"),
    ("stalled", "generating"),
]
"""Each ending and each state once; the others are campaigns."""


@dataclass
class Left:
    """How a run ended."""

    status: int
    seconds: float
    """By the clock of the app; where it has left no note, by ours."""
    outside: float
    computing: float
    spinning: float
    """Share of a core that it computed for in the second before, while its terminal stood still."""
    terminal: list[object] | None
    before: list[object]
    bytes_at_the_end: bytes
    records: list[DiscussionRecord] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def computed(pid: int) -> float:
    """Seconds of computing so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processes_with(mark: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().decode(errors="replace"):
                found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def leave(ending: str, state: str, home: Path) -> Left:
    more, arguments, sign = STATES[state]
    home.mkdir()
    note = home / "note.json"
    environment = {
        **{f"XDG_{name}_HOME": str(home / name) for name in ("DATA", "CONFIG", "STATE", "CACHE")},
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PYTHONPATH": str(ROOT),
        "LEAVING_NOTE": str(note),
        **more,
    }
    command = [sys.executable, "-m", "tests.support.scripted_app", *arguments]
    with (home / "stderr").open("wb") as log:
        window = PseudoTerminal(command, environment, log)
        try:
            return _leave(window, ending, sign, home, note)
        finally:
            window.end()


def _leave(window: PseudoTerminal, ending: str, sign: bytes, home: Path, note: Path) -> Left:
    window.wait(sign)
    process, spinning = window.process, 0.0
    if ending == "stalled":
        window.stop_reading()
        before = computed(process.pid)
        time.sleep(1)
        spinning = computed(process.pid) - before
    began = time.monotonic()
    if ending == "closed":
        window.close()
    else:
        wanted = {"HUP": signal.SIGHUP, "INT": signal.SIGINT}.get(ending, signal.SIGTERM)
        process.send_signal(wanted)
    status = process.wait(timeout=IN_TIME + ALLOWANCE)
    outside = time.monotonic() - began
    noted = json.loads(note.read_text()) if note.exists() else {}
    terminal = None
    if ending != "closed":
        window.read_again()
        terminal = termios.tcgetattr(window.slave)
        time.sleep(0.3)  # what is still on its way
    folder = home / "DATA" / "syndisco-tui" / "discussions"
    return Left(
        status=-status if status < 0 else status,
        seconds=noted.get("seconds", outside),
        outside=outside,
        computing=noted.get("computing", 0.0),
        spinning=spinning,
        terminal=terminal,
        before=window.before,
        bytes_at_the_end=window.received,
        records=[read_discussion(path) for path in discussion_files(folder)],
        orphans=processes_with(str(home)),
        files=[path.name for path in folder.iterdir() if path.name.startswith(".")],
    )


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        pytest.param(
            *way, id="-".join(way), marks=[] if way in IN_EVERY_RUN else pytest.mark.campaign
        )
        for way in product(ENDINGS, STATES)
    ],
)
def test_out_in_time_saved_and_the_terminal_is_back(
    ending: str, state: str, tmp_path: Path
) -> None:
    how = leave(ending, state, tmp_path / "home")
    number = {"HUP": 1, "INT": 2, "closed": 1}.get(ending, 15)
    assert how.status == 128 + number
    assert how.seconds < IN_TIME
    assert how.computing < 1.5
    assert how.spinning < SPINNING
    assert how.orphans == []
    if state in ("generating", "stuck"):
        (record,) = how.records
        assert record.status == "paused"
        # A seed opinion, and as many replies as were made; of a stuck engine none.
        assert (len(record.entries) == 1) == (state == "stuck") or state == "generating"
    else:
        assert how.records == []
    assert how.files == []
    if ending != "closed":
        assert how.terminal == how.before
        said = how.bytes_at_the_end
        for on, off in (
            (b"\x1b[?1049h", b"\x1b[?1049l"),  # the alternate screen
            (b"\x1b[?25l", b"\x1b[?25h"),  # the cursor
            (b"\x1b[?1000h", b"\x1b[?1000l"),  # the mouse
            (b"\x1b[?1003h", b"\x1b[?1003l"),
            (b"\x1b[?2004h", b"\x1b[?2004l"),  # bracketed paste
        ):
            assert said.rfind(off) > said.rfind(on) >= 0, (on, said[-300:])
