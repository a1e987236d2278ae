"""How quick the screen of an experiment is while a thousand discussions run at the same time.

    python -m tests.benchmarks.experiment [--discussions 1000] [--seconds 30] [--keys 200]

The real app in a terminal of 120×40; the engine is scripted: every discussion gets some words a
second, as from a server. Prints how long a key takes to be seen, how much of a core the screen's
thread uses for a thousand messages, and how much memory the process has.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from syndisco_tui.engine.base import (
    Chunk,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    Started,
)
from syndisco_tui.session import LiveSession, Runner
from syndisco_tui.store.personas import shipped_personas
from syndisco_tui.store.setups import read_setup
from syndisco_tui.tui.experiments.experiment_screen import ExperimentScreen
from syndisco_tui.tui.experiments.shown_experiment import ShownExperiment
from syndisco_tui.tui.laboratory.screen import Laboratory
from syndisco_tui.tui.shell import app as ui_app
from syndisco_tui.tui.shell.app import SyndiscoApp
from syndisco_tui.tui.shell.themes import read_themes
from syndisco_tui.workspace.experiment_runs import ExperimentRuns
from syndisco_tui.workspace.experiments import ExperimentFolder, read_design
from syndisco_tui.workspace.folders import (
    DEMONSTRATION,
    SHIPPED_PERSONAS,
    SHIPPED_THEMES,
    Folders,
)
from tests.benchmarks.screen import Terminal
from tests.benchmarks.screen_apps import WORDS
from tests.support.scripted_engine import ScriptedEngine

LEFT, RIGHT = "\x1b[D", "\x1b[C"
FIRST, SECOND = "quartz", "zephyr"
"""Two levels without a word in common: the one under the cursor stands in a line below."""
GOALS = {
    "key to echo p99, ms": 50.0,
    "screen, % of a core for 1,000 messages a minute": 2.0,
    "memory, MB": 500.0,
}


class ServerLikeEngine(ScriptedEngine):
    """Gives every request a word at the same time, ``rate`` times a second."""

    def __init__(self, rate: float, words: int) -> None:
        self._active: dict[Generation, list[str]] = {}
        self._lock = threading.Lock()
        self._rate, self._length = rate, words
        super().__init__()
        threading.Thread(target=self._tick, daemon=True).start()

    def submit(self, request: GenerationRequest, listener: Any = None) -> Generation:
        generation = Generation(request, listener)
        chance = random.Random(request.seed)
        count = self._length // 2 + chance.randrange(self._length)
        with self._lock:
            self._active[generation] = [chance.choice(WORDS) for _ in range(count)]
        return generation

    def _tick(self) -> None:
        said: dict[Generation, int] = {}
        while True:
            started_at = time.monotonic()
            with self._lock:
                active = list(self._active.items())
            for generation, words in active:
                count = said.get(generation, 0)
                if count == 0:
                    generation.emit(Started(generation, 200))
                if generation.is_cancelled or count >= len(words):
                    with self._lock:
                        del self._active[generation]
                    said.pop(generation, None)
                    generation.emit(self._end(generation, words[:count]))
                    continue
                said[generation] = count + 1
                generation.emit(
                    Chunk(generation, f"{' ' if count else ''}{words[count]}", count + 1)
                )
            time.sleep(max(0.0, 1 / self._rate - (time.monotonic() - started_at)))

    def _end(self, generation: Generation, words: list[str]) -> GenerationEvent:
        reason = "cancelled" if generation.is_cancelled else "stop"
        seconds = len(words) / self._rate
        text = " ".join(words)
        return Finished(
            generation, GenerationResult(text, reason, 200, len(words), 0, seconds, 0.0)
        )


def design_file(folder: Path, discussions: int) -> Path:
    names = json.dumps([{"username": f"User{number}"} for number in range(20)])
    (folder / "people.json").write_text(names)
    path = folder / "thousand.toml"
    path.write_text(
        f'repeats = {discussions // 4}\nusers = {{from = "people.json", count = 5}}\n'
        'setup = {conv_len = 30, model = "scripted", max_out_tokens = 200}\n'
        '[factors.turns]\nrobin = {}\nweighted = {turn_manager = "RandomWeighted"}\n'
        f"[factors.level]\n{FIRST} = {{}}\n{SECOND} = {{temperature = 1.0}}\n"
    )
    return path


class ExperimentApp(SyndiscoApp):
    """Opens an experiment at once and starts it; writes its figures every second."""

    CSS_PATH = Path(ui_app.__file__).with_name("app.tcss")

    def __init__(self, discussions: int, rate: float, figures: Path) -> None:
        self._folder = Path(tempfile.mkdtemp())
        folders = Folders.within(self._folder)
        folders.discussions.mkdir()
        self._session = LiveSession(Runner(ServerLikeEngine(rate, 40), folders.discussions))
        laboratory = Laboratory(
            self._session,
            read_setup(DEMONSTRATION),
            tuple(shipped_personas(SHIPPED_PERSONAS)),
            folders,
        )
        super().__init__(lambda: laboratory, folders=folders, themes=read_themes(SHIPPED_THEMES)[0])
        self._design = design_file(self._folder, discussions)
        self._figures = figures
        self._collecting_since = self._longest_collection = self._longest_stall = 0.0
        self._looked_at = 0.0
        gc.callbacks.append(self._note_collection)

    def _note_collection(self, phase: str, _info: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._collecting_since = now
        else:
            self._longest_collection = max(self._longest_collection, now - self._collecting_since)

    def _note_stall(self) -> None:
        """Called a hundred times a second: what is late was kept waiting by the screen's thread."""
        now = time.perf_counter()
        if self._looked_at:
            self._longest_stall = max(self._longest_stall, now - self._looked_at - 0.01)
        self._looked_at = now

    def on_mount(self) -> None:
        super().on_mount()
        self.set_timer(1, self._start)

    def _start(self) -> None:
        folder = self._folder / "out"
        runs = ExperimentRuns(ExperimentFolder(folder, read_design(self._design)))
        self._shown = ShownExperiment.of(runs, self._session, {}, self._design)
        self._shown.batch._max_in_flight = len(runs.runs)
        self.push_screen(
            ExperimentScreen(
                self._shown, self._session, folder, open_path=lambda: None, at_hand=lambda: ()
            )
        )
        self.set_timer(1, lambda: self.screen.run_action("go_on"))
        self.set_interval(1, self._write)
        self.set_interval(0.01, self._note_stall)

    def _write(self) -> None:
        batch = self._shown.batch
        figures = {
            "time": time.monotonic(),
            "screen": time.thread_time(),
            "process": time.process_time(),
            "messages": batch.figures().messages,
            "in_flight": batch.in_flight,
            "bytes": memory_now(),
            "collection": self._longest_collection,
            "stall": self._longest_stall,
        }
        temporary = self._figures.with_suffix(".new")
        temporary.write_text(json.dumps(figures))
        temporary.replace(self._figures)


def memory_now() -> int:
    """Resident memory in bytes, without collecting garbage first."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def echoed(terminal: Terminal, keys: int, seconds: float) -> list[float]:
    """Milliseconds from a key to the name of the cell that it goes to."""
    times = []
    chance = random.Random(0)
    for number in range(keys):
        key, name = (RIGHT, SECOND) if number % 2 == 0 else (LEFT, FIRST)
        pressed_at = terminal.press(key)
        times.append(1000 * (terminal.wait(name.encode(), 20) - pressed_at))
        terminal.count(chance.uniform(0.5, 1.5) * seconds / keys)
    return times


def measure(options: argparse.Namespace) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        figures = Path(home) / "figures.json"
        environment = {
            **os.environ,
            **{f"XDG_{kind}_HOME": home for kind in ("DATA", "CONFIG", "CACHE", "STATE")},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        for name in ("COLUMNS", "LINES", "TMUX", "NO_COLOR"):
            environment.pop(name, None)
        command = [
            sys.executable, "-m", "tests.benchmarks.experiment", "--app", str(figures),
            "--discussions", str(options.discussions), "--rate", str(options.rate),
        ]  # fmt: skip
        terminal = Terminal(command, environment)

        def read() -> dict[str, float]:
            terminal.count(1.2)
            return dict(json.loads(figures.read_text())) if figures.exists() else {}

        deadline = time.monotonic() + 120
        while read().get("messages", 0) < options.discussions / 10:
            if time.monotonic() > deadline:
                raise SystemExit("the discussions did not begin")
        before = read()
        times = sorted(echoed(terminal, options.keys, options.seconds))
        after = read()
        terminal.close()
    seconds = after["time"] - before["time"]
    messages = max(1.0, after["messages"] - before["messages"])
    screen = after["screen"] - before["screen"]
    return {
        "discussions at once": after["in_flight"],
        "messages a minute": 60 * messages / seconds,
        "key to echo p50, ms": statistics.median(times),
        "key to echo p99, ms": times[int(0.99 * (len(times) - 1))],
        "longest garbage collection, ms": 1000 * after["collection"],
        "longest stall of the screen, ms": 1000 * after["stall"],
        "screen, % of a core": 100 * screen / seconds,
        "process, % of a core": 100 * (after["process"] - before["process"]) / seconds,
        "screen, % of a core for 1,000 messages a minute": 100 * screen / messages * 1000 / 60,
        "memory, MB": after["bytes"] / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=re.split(r"\n\n", __doc__ or "")[0])
    parser.add_argument("--discussions", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=4.0, help="words a second of each")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--app", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.app:
        app = ExperimentApp(options.discussions, options.rate, options.app)
        app.run()
        os._exit(1 if app.crash else 0)
    table = measure(options)
    for name, value in table.items():
        print(f"{name:50}{value:10.1f}{GOALS.get(name, ''):>8}")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
