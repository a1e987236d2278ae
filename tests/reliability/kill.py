"""``kill -9`` at random moments: nothing that was shown is lost, and the words are the same.

``python -m tests.reliability.kill [COUNT]`` prints the figures and fails where one is not as
promised. Each child is the real command line with the scripted engine; with ``--starter`` nothing
is replaced, and the starter speaks (``SYNDISCO_TUI_TEST_CACHE`` names a folder that has it).
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from syndisco_tui.engine.local.loading.starter import STARTER, prepare_starter
from syndisco_tui.store.discussions import discussion_files, read_discussion, resumable_discussions
from syndisco_tui.store.inputs import InputError

ROOT = Path(__file__).resolve().parents[2]
COUNT = 200
CHILD = [sys.executable, "-m", "tests.reliability.scripted_child"]
POSTED = re.compile(r"^turn (\d+) of \d+: (.*), \d+ tokens, ", re.MULTILINE)


@dataclass(frozen=True)
class Campaign:
    """What is killed, and within how many seconds after its first line."""

    command: tuple[str, ...] = tuple(CHILD)
    run: tuple[str, ...] = ("run", "--turns", "30")
    longest: float = 0.5
    cache: Path | None = None
    """A folder with the starter in it."""


STARTER_RUN = ("run", "--model", "starter", "--device", "cpu", "--dtype", "float32")


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


def with_starter(cache: Path) -> Campaign:
    """Nothing is replaced: the command line, and the starter of ``cache``."""
    command = (sys.executable, "-m", "syndisco_tui")
    return Campaign(command, (*STARTER_RUN, "--turns", "4"), 15.0, cache)


SCRIPTED = Campaign()


def starter_cache() -> Path:
    """A folder with the starter; fetched into a folder of its own where none is named."""
    kept = os.environ.get("SYNDISCO_TUI_TEST_CACHE")
    folder = Path(kept) if kept else Path(tempfile.gettempdir()) / "syndisco-tui-starter"
    prepare_starter(folder)
    return folder


def start(home: Path, campaign: Campaign, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
        environment[f"XDG_{kind}_HOME"] = str(home / kind)
    if campaign.cache is not None:
        place = home / "CACHE" / "syndisco-tui" / STARTER
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(campaign.cache / STARTER)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "progress").open("w") as progress:
        return subprocess.Popen(
            [*campaign.command, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=progress,
            text=True,
        )


def discussions(home: Path) -> Path:
    return home / "DATA" / "syndisco-tui" / "discussions"


def words(path: Path) -> list[tuple[str, int, str, int | None]]:
    record = read_discussion(path)
    return [(entry.name, entry.turn, entry.text, entry.seed) for entry in record.entries]


def run_to_the_end(home: Path, campaign: Campaign) -> list[tuple[str, int, str, int | None]]:
    process = start(home, campaign, *campaign.run)
    process.communicate(timeout=120)
    (path,) = discussion_files(discussions(home))
    return words(path)


def kill_once(home: Path, seconds: float, figures: Figures, campaign: Campaign) -> Path | None:
    """Start a run, kill it ``seconds`` after its first word, and look at what is there."""
    process = start(home, campaign, *campaign.run)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    figures.kills += 1
    folder = discussions(home)
    paths = discussion_files(folder)
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
    figures.saved += len(record.entries)
    # What was said to be posted must be on the disk.
    posted = POSTED.findall((home / "progress").read_text())
    figures.shown += len(posted)
    turns = {(entry.turn, entry.name) for entry in record.entries}
    for turn, name in posted:
        if (int(turn), name) not in turns:
            figures.lost.append(f"{home.name}: turn {turn} of {name} was posted and is not saved")
    # And so must a message that was shown whole, with its blank line. (A real model makes blank
    # lines in the midst of a message, too.)
    lines = (first + rest).split("\n\n")[:-1] if campaign.cache is None else []
    saved = {entry.text for entry in record.entries}
    for line in lines:
        _, _, text = line.partition("\n")
        if text and not text.endswith(".json") and text not in saved:
            figures.lost.append(f"{home.name}: {text!r} was shown and is not saved")
    if record.status == "running" and path not in dict(resumable_discussions(folder)):
        figures.broken.append(f"{path}: not seen as interrupted")
    figures.leftovers += len(os.listdir(folder)) - 1
    return path


def resume(home: Path, path: Path, figures: Figures, campaign: Campaign) -> None:
    """Go on with it to the end, and look whether the leftovers are gone and the words the same."""
    if read_discussion(path).status != "finished":
        start(home, campaign, "resume").communicate(timeout=120)
    else:
        start(home, campaign, *campaign.run[:-1], "1").communicate(timeout=120)
    hidden = [name for name in os.listdir(discussions(home)) if name.startswith(".")]
    if hidden:
        figures.not_cleaned.append(f"{home.name}: {hidden}")


def campaign(count: int, folder: Path, seed: int = 0, campaign: Campaign = SCRIPTED) -> Figures:
    """Kill ``count`` runs; go on with each."""
    chance, figures = random.Random(seed), Figures()
    unbroken = run_to_the_end(folder / "unbroken", campaign)
    for number in range(count):
        home = folder / f"run-{number}"
        path = kill_once(home, chance.uniform(0, campaign.longest), figures, campaign)
        if path is None:
            continue
        resume(home, path, figures, campaign)
        if words(path) != unbroken:
            figures.other_words.append(f"{path}: not the words of an unbroken run")
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.kill")
    parser.add_argument("count", nargs="?", type=int)
    parser.add_argument("--starter", nargs="?", type=int, const=10, metavar="COUNT")
    asked = parser.parse_args()
    kind = with_starter(starter_cache()) if asked.starter else SCRIPTED
    count = asked.starter or asked.count or COUNT
    began = time.monotonic()
    figures = campaign(count, Path(tempfile.mkdtemp(prefix="kill-")), campaign=kind)
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
