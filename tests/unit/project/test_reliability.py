"""Small versions of the campaigns in ``tests/reliability``, and the order of the system calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.reliability import days, kill, two_at_once
from tests.support.project import ROOT


@pytest.mark.parametrize("count", [2, pytest.param(15, marks=pytest.mark.campaign)])
def test_kills_lose_nothing(tmp_path: Path, count: int) -> None:
    figures = kill.campaign(count, tmp_path, seed=1)
    assert figures.faults == []
    assert figures.kills == count
    assert figures.shown > 5 * count


@pytest.mark.parametrize(
    ("processes", "each"), [(2, 20), pytest.param(4, 100, marks=pytest.mark.campaign)]
)
def test_many_processes_in_one_folder_at_one_moment(
    tmp_path: Path, processes: int, each: int
) -> None:
    figures = two_at_once.together(tmp_path, processes, each)
    made = processes * each
    assert (figures.discussions, figures.collisions, figures.mistaken) == (made, [], [])
    assert figures.faults == []
    assert figures.looks > 5


@pytest.mark.parametrize(
    ("messages", "turns"), [(200, 40), pytest.param(5000, 500, marks=pytest.mark.campaign)]
)
def test_messages_leave_nothing_behind(tmp_path: Path, messages: int, turns: int) -> None:
    course = days.live_through(messages, tmp_path, turns=turns)
    assert course.messages >= messages
    assert course.threads_gained == 0
    assert course.descriptors_gained == 0


@pytest.mark.campaign
def test_every_message_is_on_the_disk_before_it_is_shown(tmp_path: Path, home: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not here")
    log = tmp_path / "calls"
    calls = "write,fsync,fdatasync,rename,renameat,renameat2"
    command = [strace, "-f", "-y", "-s", "2000", "-o", str(log), "-e", f"trace={calls}"]
    result = subprocess.run(
        [*command, *kill.CHILD, "run", "--turns", "3"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if result.returncode:
        pytest.skip(f"strace may not trace here: {result.stderr[-100:]}")
    done, shown, saved = "", 0, 0
    for line in log.read_text().splitlines():
        call = line.partition(" ")[2].lstrip()
        if re.match(r"write\(\d+<.*/discussions/.*\.part>", call):
            assert done in ("", "write")
            done = "write"
        elif re.match(r"f(data)?sync\(\d+<.*/discussions/.*\.part>", call):
            assert done == "write"
            done = "sync"
        elif re.match(r"rename.*/discussions/.*\.part", call):
            assert done == "sync"
            done = "rename"
        elif re.match(r"fsync\(\d+<.*/discussions>", call):
            assert done == "rename"
            done, saved = "", saved + 1
        elif call.startswith("write(1<") and r"\n\n" in call:
            shown += 1
            assert done == ""
            assert shown <= saved  # the first save has the seed opinion, which is shown first
    assert shown >= 6
