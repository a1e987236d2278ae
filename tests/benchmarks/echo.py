"""How long a key takes to be seen while eight discussions are being made.

Runs the real app with the starter in a terminal (a pty), starts a repeat of eight, reads the first
of them along and types into its search line, which searches as one types; each key is timed from
its writing until the terminal shows it.

    python tests/benchmarks/echo.py [--keys 300] [--at-once 8] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pexpect

ROWS, COLUMNS = 40, 120
REPEAT, CLEAR = "\x12", "\x15"  # ctrl+r, ctrl+u
CONTROLS = re.compile(rb"\x1b(\[[0-9;:?<>=]*[ -/]*[@-~]|[\]P_][^\x07\x1b]*(\x07|\x1b\\)|[ -~])")
APP = "from syndisco_tui.cli.main import main; main()"


class Terminal:
    """The app in a pty, and what it has painted."""

    def __init__(self, home: Path, arguments: list[str]) -> None:
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
        }
        if cache := os.environ.get("SYNDISCO_TUI_TEST_CACHE"):
            (home / "cache").mkdir()
            (home / "cache" / "syndisco-tui").symlink_to(cache)
            environment["XDG_CACHE_HOME"] = str(home / "cache")
        self.app = pexpect.spawn(
            sys.executable, ["-c", APP, *arguments], env=environment, dimensions=(ROWS, COLUMNS)
        )
        self._got = b""

    def forget(self) -> None:
        """Look only at what is painted from now on."""
        self._got = b""

    def shows(self, text: str) -> bool:
        """Whether ``text`` has been painted, spaces aside."""
        painted = CONTROLS.sub(b"", self._got).decode(errors="replace")
        return text in "".join(painted.split())

    def read(self, seconds: float) -> None:
        """Take what comes, waiting for the first of it at most so long."""
        with contextlib.suppress(pexpect.TIMEOUT):
            self._got = self._got[-100_000:] + self.app.read_nonblocking(1 << 16, timeout=seconds)

    def wait_for(self, text: str, seconds: float) -> None:
        """Until the screen shows ``text``."""
        until = time.monotonic() + seconds
        while not self.shows(text):
            if time.monotonic() > until:
                raise SystemExit(f"The screen did not show “{text}” in {seconds:.0f} s.")
            self.read(0.2)

    def echo(self, key: str, text: str) -> float:
        """Seconds from ``key`` to its ``text`` on the screen."""
        self.forget()
        began = time.perf_counter()
        self.app.send(key)
        while not self.shows(text):
            if time.perf_counter() - began > 5:
                raise SystemExit("A key was not answered within five seconds.")
            self.read(0.5)
        return time.perf_counter() - began


def measure(home: Path, keys: int, at_once: int) -> list[float]:
    """The echo of every key typed while ``at_once`` discussions are made, seconds."""
    setup = home / "setup.toml"
    personas = Path(__file__).parents[2] / "personas" / "demonstration.json"
    setup.write_text(
        f'conv_len = 500\nmax_out_tokens = 40\nmodel = "starter"\npersona_file = "{personas}"\n'
    )
    terminal = Terminal(home, ["--setup", str(setup)])
    terminal.wait_for("starter", 60)
    terminal.read(1)
    terminal.app.send(REPEAT)
    terminal.wait_for("Repeatthissetup", 20)
    terminal.app.send(CLEAR)
    terminal.read(1)  # Textual may act on a control key after the letters sent along with it
    terminal.app.send(f"{at_once}\r")
    terminal.wait_for("tok/s", 180)  # words are coming
    terminal.wait_for("1of500", 120)  # somebody has said something that can be searched
    for _ in range(50):
        terminal.read(0.1)
    terminal.app.send("\r")  # read the first of them along
    terminal.wait_for("Discussion1", 20)
    terminal.app.send("/")
    terminal.wait_for("escleave", 20)
    terminal.app.delaybeforesend = None  # pexpect waits 50 ms before every key otherwise
    taken: list[float] = []
    pause = random.Random(1)
    typed = ""
    for number in range(keys):
        if len(typed) == 20:
            terminal.app.send(CLEAR)
            terminal.read(0.5)
            typed = ""
        typed += "qzjx"[number % 4]
        until = time.monotonic() + pause.uniform(0.05, 0.2)  # as a person types
        while time.monotonic() < until:
            terminal.read(0.01)
        taken.append(terminal.echo(typed[-1], typed))
    terminal.app.close(force=True)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        taken = measure(Path(folder), options.keys, options.at_once)
    taken.sort()
    row: dict[str, Any] = {
        "keys": len(taken),
        "at_once": options.at_once,
        **{f"p{p}": taken[min(len(taken) - 1, len(taken) * p // 100)] for p in (50, 95, 99)},
        "most": taken[-1],
    }
    print(", ".join(f"{k}: {v * 1e3:.0f} ms" if isinstance(v, float) else f"{k}: {v}"
                    for k, v in row.items()))  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(row, indent=2) + "\n")


if __name__ == "__main__":
    main()
