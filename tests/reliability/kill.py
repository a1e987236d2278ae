"""``kill -9`` at random moments: nothing that was shown is lost, and the words are the same.

``python -m tests.reliability.kill [COUNT]`` prints the figures and fails where one is not as
promised. Each child is the real command line with the scripted engine.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from syndisco_tui.inputs import InputError
from syndisco_tui.store.discussions import is_interrupted, newest_first, read_discussion

ROOT = Path(__file__).resolve().parents[2]
COUNT = 200
TURNS = 30
LONGEST = 0.5
"""Seconds after the first message within which a child is killed."""
CHILD = [sys.executable, "-m", "tests.reliability.scripted_child"]


@dataclass
class Figures:
    """What came of the kills."""

    kills: int = 0
    shown: int = 0
    saved: int = 0
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    leftovers: int = 0
    not_cleaned: list[str] = field(default_factory=list)
    other_words: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.lost, *self.broken, *self.not_cleaned, *self.other_words]


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
        environment[f"XDG_{kind}_HOME"] = str(home / kind)
    return subprocess.Popen(
        [*CHILD, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def discussions(home: Path) -> Path:
    return home / "DATA" / "syndisco-tui" / "discussions"


def words(path: Path) -> list[tuple[str, int, str, int | None]]:
    record = read_discussion(path)
    return [(entry.name, entry.turn, entry.text, entry.seed) for entry in record.entries]


def run_to_the_end(home: Path, *arguments: str) -> list[tuple[str, int, str, int | None]]:
    process = start(home, *arguments)
    process.communicate(timeout=120)
    (path,) = newest_first(discussions(home))
    return words(path)


def kill_once(home: Path, seconds: float, figures: Figures) -> Path | None:
    """Start a run, kill it ``seconds`` after its first word, and look at what is there."""
    process = start(home, "run", "--turns", str(TURNS))
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    figures.kills += 1
    folder = discussions(home)
    paths = newest_first(folder)
    if not paths:
        if first:
            figures.lost.append(f"{home.name}: something was shown and there is no file")
        return None
    (path,) = paths
    try:
        record = read_discussion(path)
    except InputError as error:
        figures.broken.append(str(error))
        return None
    # A message is shown whole once its blank line is: by then it must be on the disk.
    lines = (first + rest).split("\n\n")[:-1]
    saved = {entry.text for entry in record.entries}
    figures.shown += len(lines)
    figures.saved += len(record.entries)
    for line in lines:
        _, _, text = line.partition("\n")
        if text and not text.endswith(".json") and text not in saved:
            figures.lost.append(f"{home.name}: {text!r} was shown and is not saved")
    if record.status == "running" and not is_interrupted(path, record):
        figures.broken.append(f"{path}: not seen as interrupted")
    figures.leftovers += len(os.listdir(folder)) - 1
    return path


def resume(home: Path, path: Path, figures: Figures) -> None:
    """Go on with it to the end, and look whether the leftovers are gone and the words the same."""
    if read_discussion(path).status != "finished":
        start(home, "resume").communicate(timeout=120)
    else:
        start(home, "run", "--turns", "1").communicate(timeout=120)
    hidden = [name for name in os.listdir(discussions(home)) if name.startswith(".")]
    if hidden:
        figures.not_cleaned.append(f"{home.name}: {hidden}")


def campaign(count: int, folder: Path, seed: int = 0) -> Figures:
    """Kill ``count`` runs; go on with each."""
    chance, figures = random.Random(seed), Figures()
    unbroken = run_to_the_end(folder / "unbroken", "run", "--turns", str(TURNS))
    for number in range(count):
        home = folder / f"run-{number}"
        path = kill_once(home, chance.uniform(0, LONGEST), figures)
        if path is None:
            continue
        resume(home, path, figures)
        if words(path) != unbroken:
            figures.other_words.append(f"{path}: not the words of an unbroken run")
    return figures


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    began = time.monotonic()
    figures = campaign(count, Path(tempfile.mkdtemp(prefix="kill-")))
    print(f"{figures.kills} kills in {time.monotonic() - began:.0f} s")
    print(f"{figures.shown} messages shown, {figures.saved} saved, {len(figures.lost)} lost")
    print(f"{len(figures.broken)} files that cannot be read or resumed")
    print(f"{figures.leftovers} leftovers, {len(figures.not_cleaned)} not cleaned up")
    print(f"{len(figures.other_words)} resumed runs with other words")
    for fault in figures.faults[:20]:
        print(f"  {fault}")
    return 1 if figures.faults else 0


if __name__ == "__main__":
    sys.exit(main())
