"""Experiments: every planned discussion once, whatever interrupts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.engine.base import EngineError, GenerationRequest
from syndisco_tui.headless.experiment import dry_run_text, run_experiment, status_text
from syndisco_tui.session import LiveSession, Runner
from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.inputs import InputError
from syndisco_tui.workspace.conditions import observe
from syndisco_tui.workspace.experiments import ExperimentFolder, read_design
from tests.support.command_line import SCRIPTED
from tests.support.project import ROOT
from tests.support.scripted_engine import ScriptedEngine

DESIGN = """
title = "Does a moderator help?"
repeats = 4
seed = 1
users = {from = "people.json", count = 2}
topics = [["First.", "Second."], ["Opener."]]
[setup]
conv_len = 4
model = "scripted"
[factors.turns]
robin = {turn_manager = "RoundRobin"}
respond = {turn_manager = "RandomWeighted", p_respond = 0.4}
[factors.moderation]
none = {}
moderated = {moderator = "Moderator"}
"""
NAMES = ("Ann", "Bob", "Cem", "Dia", "Moderator")


@pytest.fixture
def design(tmp_path: Path) -> Path:
    (tmp_path / "people.json").write_text(json.dumps([{"username": name} for name in NAMES]))
    path = tmp_path / "design.toml"
    path.write_text(DESIGN)
    return path


def answer(request: GenerationRequest) -> str:
    """Words that follow from the request alone."""
    return f"words {request.seed % 1000} {len(request.chat[-1].content)}"


def run(design: Path, folder: Path, replies: Any = answer, **options: Any) -> int:
    experiment = ExperimentFolder(folder, read_design(design))
    experiment.begin(design)
    engine = ScriptedEngine(replies)
    runner = Runner(engine, folder)
    try:
        return run_experiment(experiment, partial(LiveSession, runner), **options)
    finally:
        engine.close()


def texts(folder: Path) -> dict[str, list[str]]:
    """What was said in each file."""
    return {
        path.name: [entry.text for entry in read_discussion(path).entries]
        for path in sorted(folder.glob("*.json"))
    }


def test_every_discussion_once_with_its_cell_in_the_record(design: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(design, out, max_in_flight=3) == 0
    assert len(texts(out)) == 16
    record = read_discussion(out / "c004-r0002-respond-moderated.json")
    assert record.experiment is not None
    assert record.experiment.cell == {"turns": "respond", "moderation": "moderated"}
    assert (record.experiment.repeat, record.status) == (2, "finished")
    assert record.title == "Does a moderator help?"
    found = observe([out]).observed
    assert {each.repeat for each in found} == {1, 2, 3, 4}
    assert len({tuple(each.cell.items()) for each in found}) == 4


def test_the_same_command_does_only_what_is_missing(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(design, out)
    whole = texts(out)
    for name in list(whole)[:3]:
        (out / name).unlink()
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.json")}
    assert run(design, out) == 0
    assert texts(out) == whole
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in before.items())
    assert run(design, out) == 0
    assert "Nothing to do" in capsys.readouterr().err


def scripted(design: Path, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own, with a quick engine."""
    arguments = ["experiment", "run", str(design), "--output", str(folder), *options]
    script = json.dumps({"replies": ["a b c d e f g h"], "delay": 0.005})
    environment = {"SCRIPT": script, "XDG_DATA_HOME": str(design.parent / "data")}
    return subprocess.Popen(
        [*SCRIPTED, *arguments], cwd=ROOT, env=os.environ | environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def test_shards_and_a_second_run_beside_them_do_nothing_twice(design: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    processes = [
        scripted(design, out, "--shard", "1/2"),
        scripted(design, out, "--shard", "2/2"),
        scripted(design, out),
    ]
    for process in processes:
        process.wait(timeout=30)
    assert scripted(design, out).wait(timeout=30) == 0
    assert scripted(design, tmp_path / "whole").wait(timeout=30) == 0
    assert len(texts(out)) == 16
    assert texts(out) == texts(tmp_path / "whole")
    for path in out.glob("*.json"):
        entries = read_discussion(path).entries
        turns = [(entry.turn, entry.role) for entry in entries if entry.is_prompted]
        assert len(turns) == len(set(turns)), "no turn was taken twice"


def test_killed_three_times_it_is_the_unbroken_run(design: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(3):
        process = scripted(design, out, "--max-concurrent", "4")
        done = len(texts(out))
        deadline = time.monotonic() + 20
        while len(list(out.glob("*.json"))) <= done:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert any(read_discussion(path).status != "finished" for path in out.glob("*.json"))
    assert scripted(design, out).wait(timeout=30) == 0
    assert scripted(design, tmp_path / "whole").wait(timeout=30) == 0
    assert len(texts(out)) == 16
    assert texts(out) == texts(tmp_path / "whole")


def test_a_failed_discussion_keeps_its_reason_and_stops_no_other(
    design: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(design, out, [EngineError("The model broke. Try again."), *["Yes."] * 200]) != 0
    failed = [path for path in out.glob("*.json") if read_discussion(path).error]
    assert len(failed) == 1
    assert read_discussion(failed[0]).error == "The model broke. Try again."
    text = status_text(ExperimentFolder.open(out))
    assert "15 of 16 discussions finished" in text
    assert "3/4 !1" in text
    assert "The model broke." in text
    assert run(design, out) == 0
    assert not any(read_discussion(path).error for path in out.glob("*.json"))


def test_the_status_is_a_matrix(design: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(design, out)
    lines = status_text(ExperimentFolder.open(out)).splitlines()
    assert lines[:2] == ["Does a moderator help?", "16 of 16 discussions finished"]
    assert lines[3].split() == ["turns", "×", "moderation", "none", "moderated"]
    assert lines[4].split() == ["robin", "4/4", "3", "±", "0", "4/4", "3", "±", "0"]


def test_a_dry_run_says_what_it_would_take(design: Path, tmp_path: Path) -> None:
    experiment = ExperimentFolder(tmp_path / "out", read_design(design))
    text = dry_run_text(experiment, {})
    assert "4 cells, 4 repeats: 16 discussions, 16 still to run" in text
    assert "64 turns of users, at most 96 replies" in text
    assert "not known before" in text
    assert not (tmp_path / "out").exists()


def test_more_repeats_are_the_same_experiment_and_another_design_is_not(
    design: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(design, out)
    first = texts(out)
    design.write_text(DESIGN.replace("repeats = 4", "repeats = 5"))
    assert run(design, out) == 0
    assert len(texts(out)) == 20
    assert first.items() <= texts(out).items()
    design.write_text(DESIGN.replace("conv_len = 4", "conv_len = 5"))
    with pytest.raises(InputError, match="holds another experiment"):
        run(design, out)


def test_a_discussion_that_cannot_be_read_is_named(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(design, out)
    path = next(out.glob("*.json"))
    path.write_text("{")
    assert run(design, out) != 0
    assert f"{path.name}" in capsys.readouterr().err
    assert path.read_text() == "{"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("repeats = 4", "repeats = 0", "repeats"),
        ("RoundRobin", "RoundRobbin", "the cell turns robin"),
        ("people.json", "nobody.json", "nobody.json"),
        ('turn_manager = "RoundRobin"', "turnmanager = 1", "did you mean turn_manager"),
        ("count = 2", "count = 9", "9 are to be drawn from 4"),
        ("[setup]", "[setups]", "setups"),
    ],
)
def test_what_is_wrong_with_a_design(
    design: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in DESIGN
    design.write_text(DESIGN.replace(old, new))
    with pytest.raises(InputError, match=message):
        ExperimentFolder(tmp_path / "out", read_design(design))
