"""How quick the screen is, in a real terminal of 120×40, beside a Textual app of Static widgets.

    python -m tests.benchmarks.screen [--messages 10000] [--static 2000] [--streamed 50000]

Times are from the key that is pressed to the last byte of the picture it makes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pexpect

COLUMNS, ROWS = 120, 40
QUIET = 0.12
"""Seconds without a byte after which a picture is complete."""
PAGE_UP, F5, F6, F7 = "\x1b[5~", "\x1b[15~", "\x1b[17~", "\x1b[18~"
NOTHING_BUT_TEXTUAL = """
from textual.app import App
from textual.widgets import Static
class Smallest(App):
    def compose(self):
        yield Static("Emma35")
Smallest().run()
"""
"""The floor of the first paint."""
GOALS = {
    "first paint, s": 0.4,
    "open, s": 0.3,
    "page, ms": 40.0,
    "streaming, KiB/s": 40.0,
    "key to echo p99, ms": 30.0,
}


class Terminal:
    """A command in a pty; bytes with the times at which they came."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.started = time.perf_counter()
        self._child = pexpect.spawn(
            command[0], command[1:], env=environment, dimensions=(ROWS, COLUMNS), echo=False
        )
        self._child.delaybeforesend = None

    def press(self, key: str) -> float:
        now = time.perf_counter()
        os.write(self._child.child_fd, key.encode())
        return now

    def read(self, seconds: float) -> bytes:
        """What comes next, as soon as it comes; nothing if nothing does."""
        ready, _, _ = select.select([self._child.child_fd], [], [], seconds)
        try:
            return os.read(self._child.child_fd, 1 << 16) if ready else b""
        except OSError:
            raise SystemExit("the app ended") from None

    def wait(self, wanted: bytes, seconds: float = 120) -> float:
        """When ``wanted`` had come."""
        seen = b""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            seen = seen[-4096:] + self.read(0.05)
            if wanted in seen:
                return time.perf_counter()
        raise SystemExit(f"not within {seconds} s: {wanted!r}; the last bytes: {seen[-2000:]!r}")

    def settle(self, first: float = 60, quiet: float = QUIET) -> float:
        """When the last byte of a picture came, of which the first may take a while."""
        last = time.perf_counter()
        wait = first
        while self.read(wait):
            last, wait = time.perf_counter(), quiet
        return last

    def count(self, seconds: float) -> int:
        """Bytes within so many seconds."""
        end, count = time.perf_counter() + seconds, 0
        while (left := end - time.perf_counter()) > 0:
            count += len(self.read(left))
        return count

    def close(self) -> None:
        self._child.close(force=True)


def opened(terminal: Terminal, last: int) -> float:
    """Seconds from the key to the picture of so many messages."""
    start = terminal.press(F5)
    terminal.wait(f"#{last}".encode())
    return terminal.settle(first=QUIET, quiet=QUIET) - start


def paged(terminal: Terminal, pages: int = 30, seconds: float = 10) -> list[float]:
    """Milliseconds for each page, as many as there is time for."""
    times: list[float] = []
    while len(times) < pages and sum(times) < 1000 * seconds:
        start = terminal.press(PAGE_UP)
        times.append(1000 * (terminal.settle(first=5) - start))
    return times


def echoed(terminal: Terminal, keys: int) -> list[float]:
    """Milliseconds from a letter that is typed to its echo, while text streams."""
    times = []
    for _ in range(keys):
        start = terminal.press("q")
        times.append(1000 * (terminal.wait(b"q", 10) - start))
        terminal.press("\x7f")
        terminal.count(0.05 + 0.03 * (len(times) % 3))
    return times


def streaming(terminal: Terminal, seconds: float, keys: int) -> dict[str, float]:
    terminal.press(F6)
    terminal.count(3)
    rate = terminal.count(seconds) / seconds / 1024
    terminal.press("/")
    terminal.count(1)
    times = sorted(echoed(terminal, keys))
    return {
        "streaming, KiB/s": rate,
        "key to echo p50, ms": statistics.median(times),
        "key to echo p99, ms": times[int(0.99 * (len(times) - 1))],
    }


def first_paint(command: list[str], environment: dict[str, str], runs: int = 5) -> float:
    """Seconds from the process's start to the personas on the screen; the best of some runs.

    As installed: with the bytecode that pip makes, which the first run leaves here.
    """
    installed = {**environment, "PYTHONDONTWRITEBYTECODE": ""}
    best = 99.0
    for _ in range(runs):
        terminal = Terminal([sys.executable, *command], installed)
        best = min(best, terminal.wait(b"Emma35", 30) - terminal.started)
        terminal.close()
    return best


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            **{f"XDG_{kind}_HOME": home for kind in ("DATA", "CONFIG", "CACHE", "STATE")},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "STREAMED": str(options.streamed),
        }
        for name in ("COLUMNS", "LINES", "TMUX", "NO_COLOR"):
            environment.pop(name, None)
        first, floor = ["-m", "syndisco_tui"], ["-c", NOTHING_BUT_TEXTUAL]
        table: dict[str, Any] = {
            "laboratory": {"first paint, s": first_paint(first, environment)},
            "static": {"first paint, s": first_paint(floor, environment)},
        }
        figures = Path(home) / "memory.json"
        for app, count in (("laboratory", options.messages), ("static", options.static)):
            environment["MANY"] = str(count)
            row: dict[str, Any] = table.setdefault(app, {})
            command = [sys.executable, "-m", "tests.benchmarks.screen_apps", app]
            terminal = Terminal([*command, "--json", str(figures)], environment)
            terminal.settle(first=20, quiet=0.7)
            row["messages"] = count
            row["open, s"] = opened(terminal, count - 1)
            row["page, ms"] = statistics.median(paged(terminal))
            terminal.close()
            terminal = Terminal([*command, "--json", str(figures)], environment)
            terminal.settle(first=20, quiet=0.7)
            row |= streaming(terminal, options.seconds, options.keys)
            if app == "laboratory" and options.streamed:
                terminal.press("\x1b")
                terminal.press(F7)
                while not figures.exists():
                    terminal.count(0.5)
                row["memory"] = json.loads(figures.read_text())
            terminal.close()
    return table


def show(table: dict[str, Any]) -> None:
    print(f"{'':24}{'laboratory':>12}{'Static':>12}{'goal':>10}")
    for name in table["laboratory"]:
        if name == "memory":
            continue
        cells = [table[app].get(name) for app in ("laboratory", "static")]
        shown = "".join("           –" if cell is None else f"{cell:12.2f}" for cell in cells)
        print(f"{name:24}{shown}{GOALS.get(name, ''):>10}")
    if memory := table["laboratory"].get("memory"):
        megabytes = [f"{each['messages'] // 1000}k {each['bytes'] / 2**20:.0f}" for each in memory]
        print("memory, MiB, after so many messages:", ", ".join(megabytes))


def main() -> None:
    parser = argparse.ArgumentParser(description=re.split(r"\n\n", __doc__ or "")[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--static", type=int, default=2000, help="messages for the other app")
    parser.add_argument("--streamed", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = measure(options)
    show(table)
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
