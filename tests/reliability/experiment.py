"""An experiment of 2 × 2 × 4 discussions in two shards, killed three times, beside an unbroken one.

``python -m tests.reliability.experiment [--model starter] [--server URL]`` prints the figures; it
fails where a discussion is missing, was done twice, or says something else than in the unbroken
run. Without a server the model runs in the processes themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from syndisco_tui.store.discussions import read_discussion
from tests.support.command_line import COMMAND
from tests.support.project import ROOT

DESIGN = """
title = "Does a moderator help?"
repeats = 4
seed = 1
users = {from = "people.json", count = 2}
topics = [["First.", "Second."], ["Opener."]]
[setup]
conv_len = 4
max_out_tokens = 12
[factors.turns]
robin = {turn_manager = "RoundRobin"}
respond = {turn_manager = "RandomWeighted", p_respond = 0.4}
[factors.moderation]
none = {}
moderated = {moderator = "Moderator"}
"""
NAMES = ("Ann", "Bob", "Cem", "Dia", "Moderator")
DISCUSSIONS = 16
KILLS = 3


@dataclass(frozen=True)
class Outcome:
    """What two shards that were killed said, and what an unbroken run said, by file."""

    broken: dict[str, list[str]]
    whole: dict[str, list[str]]
    begun_at_kills: tuple[int, ...]
    """How many discussions had begun at each kill."""
    twice: tuple[str, ...]
    """Files in which a turn was taken twice."""


def run(
    folder: Path,
    command: Sequence[str] = COMMAND,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    patience: float = 60,
) -> Outcome:
    """Run the experiment both ways in ``folder``.

    Args:
        folder: Where the design and all discussions go.
        command: The command line's beginning.
        options: Further options of ``experiment run``.
        environment: Variables of the processes.
        patience: Seconds for a shard to go on after a kill, and for a run to end.
    """
    (folder / "people.json").write_text(json.dumps([{"username": name} for name in NAMES]))
    design = folder / "moderation.toml"
    design.write_text(DESIGN)
    environment = os.environ | {"XDG_DATA_HOME": str(folder / "data")} | dict(environment or {})

    def start(output: str, *more: str) -> subprocess.Popen[bytes]:
        arguments = ["experiment", "run", str(design), "--output", str(folder / output)]
        return subprocess.Popen(
            [*command, *arguments, *options, *more], cwd=ROOT, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    shards = [("--shard", f"{number}/2") for number in (1, 2)]
    begun_at_kills = []
    for _ in range(KILLS):
        before = _messages(folder / "broken")
        processes = [start("broken", *shard) for shard in shards]
        deadline = time.monotonic() + patience
        while _messages(folder / "broken") <= before + 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        begun_at_kills.append(len(_files(folder / "broken")))
    processes = [start("broken", *shard) for shard in shards]
    for process in (*processes, start("whole")):
        process.wait(timeout=patience)
    return Outcome(
        _texts(folder / "broken"),
        _texts(folder / "whole"),
        tuple(begun_at_kills),
        tuple(path.name for path in _files(folder / "broken") if _has_turn_twice(path)),
    )


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def _messages(folder: Path) -> int:
    return sum(len(read_discussion(path).entries) for path in _files(folder))


def _texts(folder: Path) -> dict[str, list[str]]:
    records = {path.name: read_discussion(path) for path in _files(folder)}
    return {
        name: [entry.text for entry in record.entries] if record.status == "finished" else []
        for name, record in records.items()
    }


def _has_turn_twice(path: Path) -> bool:
    entries = read_discussion(path).entries
    turns = [(entry.turn, entry.role) for entry in entries if entry.is_prompted]
    return len(turns) != len(set(turns))


def faults(outcome: Outcome) -> list[str]:
    """What is wrong; nothing, if all discussions are there once, as in the unbroken run."""
    found = [f"{name}: a turn was taken twice" for name in outcome.twice]
    if len(outcome.broken) != DISCUSSIONS:
        found.append(f"{len(outcome.broken)} of {DISCUSSIONS} discussions")
    found += [
        f"{name}: {texts} is not {outcome.whole.get(name)}"
        for name, texts in outcome.broken.items()
        if not texts or texts != outcome.whole.get(name)
    ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="starter")
    parser.add_argument("--server")
    arguments = parser.parse_args()
    options = ["--model", arguments.model]
    options += ["--server", arguments.server] if arguments.server else ["--threads", "1"]
    environment = {}
    if cache := os.environ.get("SYNDISCO_TUI_TEST_CACHE"):
        home = Path(tempfile.mkdtemp())
        (home / "syndisco-tui").symlink_to(cache)
        environment["XDG_CACHE_HOME"] = str(home)
    with tempfile.TemporaryDirectory() as folder:
        started_at = time.monotonic()
        outcome = run(Path(folder), options=options, environment=environment, patience=240)
        seconds = time.monotonic() - started_at
    print(f"begun at the kills: {outcome.begun_at_kills}; {seconds:.0f} s")
    found = faults(outcome)
    print("\n".join(found) or f"{len(outcome.broken)} discussions, each once, the same words")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
