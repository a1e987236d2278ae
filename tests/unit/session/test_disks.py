"""Whatever the disk refuses, at whichever write: said, nothing lost, and it goes on."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.discussion.past_requests import rebuild_request
from syndisco_tui.session import (
    Condition,
    NotSaved,
    Opened,
    Posted,
    ReplyStarted,
    SetupApplied,
    SetupStaged,
    StateChanged,
)
from syndisco_tui.session import runner as runner_module
from syndisco_tui.store.atomic import write_atomic
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.store.lock import has_writer
from syndisco_tui.store.personas import write_personas
from syndisco_tui.store.setups import write_setup
from syndisco_tui.workspace.settings import save_setting
from tests.support.faulty_disk import FAULTS, STEPS, FaultyDisk
from tests.support.live_session import SETUP, Live, changed, seed_as_reply
from tests.support.scripted_engine import ScriptedEngine

PATIENT = 15
LONGER = changed(conv_len=6, moderator=Persona(username="Mod"))
NAMES = [errno.errorcode[error] for error in FAULTS]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FaultyDisk:
    monkeypatch.setattr(runner_module, "RETRY_SECONDS", 0.05)
    return FaultyDisk(monkeypatch)


@pytest.fixture
def begin() -> Iterator[Callable[..., Live]]:
    started: list[Live] = []

    def begin(folder: Path, setup: DiscussionSetup | None = LONGER, **options: Any) -> Live:
        live = Live(ScriptedEngine(seed_as_reply, **options), folder)
        started.append(live)
        if setup:
            live.session.start(setup)
        return live

    yield begin
    for live in started:
        live.session.close()
        live.engine.close()


def unbroken(begin: Callable[..., Live], folder: Path) -> list[tuple[str, str, int | None]]:
    folder.mkdir()
    live = begin(folder)
    live.until(StateChanged, lambda event: event.state == "finished", within=PATIENT)
    return words(live)


def words(live: Live) -> list[tuple[str, str, int | None]]:
    (path,) = discussion_files(live.folder)
    return [(entry.name, entry.text, entry.seed) for entry in read_discussion(path).entries]


REWRITES = [step for step in STEPS if step != "lock"]


@pytest.mark.parametrize("error", FAULTS, ids=NAMES)
@pytest.mark.parametrize("step", REWRITES)
def test_a_failed_save_pauses_and_continues_by_itself(
    begin: Callable[..., Live],
    folder: Path,
    disk: FaultyDisk,
    tmp_path: Path,
    step: str,
    error: int,
) -> None:
    expected = unbroken(begin, tmp_path / "unbroken")
    live = begin(folder, delay=0.002)
    live.until(Posted)
    live.until(ReplyStarted)
    disk.breaks(step, error)
    told = live.until(Condition)
    assert told.cause == "saving"
    assert os.strerror(error)[1:] in told.sentence
    assert told.where == str(folder)
    live.until_state("paused")
    asked = len(live.engine.requests)
    on_disk = read_discussion(discussion_files(folder)[0])  # valid, whatever happens
    disk.is_mended()
    assert live.until(Condition) == Condition("saving", "")
    live.until(StateChanged, lambda event: event.state == "finished", within=PATIENT)
    posted = [event.message for event in live.all(Posted)]
    assert all(event.message in posted for event in live.all(NotSaved))
    assert words(live) == expected
    assert asked <= len(on_disk.entries) + 1  # nothing was asked while it could not be saved
    assert live.texts() == [text for _, text, _ in expected]
    assert not [name for name in os.listdir(folder) if name.endswith(".part")]


@pytest.mark.parametrize("error", FAULTS, ids=NAMES)
@pytest.mark.parametrize("step", STEPS)
def test_a_discussion_that_cannot_begin_leaves_nothing_and_r_begins_it(
    begin: Callable[..., Live], folder: Path, disk: FaultyDisk, step: str, error: int
) -> None:
    disk.breaks(step, error)
    live = begin(folder, SETUP)
    assert live.until(Condition).cause == "saving"
    live.until_state("idle")
    assert live.engine.requests == []
    if step != "sync folder":  # the file is there by then, as far as anybody can tell
        assert os.listdir(folder) == []
    disk.is_mended()
    live.session.start(SETUP)
    assert live.until(Condition) == Condition("saving", "")
    live.until_state("finished")


def test_a_setup_that_waits_for_a_reply_waits_for_the_disk_as_well(
    begin: Callable[..., Live], folder: Path, disk: FaultyDisk
) -> None:
    """The reply in the making was asked for under the setup before."""
    live = begin(folder)
    live.engine.may_speak.clear()
    live.until(ReplyStarted)
    disk.breaks("write", errno.ENOSPC)
    live.session.rename("Another title")
    live.until(Condition)
    live.session.pause()
    live.session.change_setup(LONGER.model_copy(update={"context": "It is raining."}))
    live.until(SetupStaged)
    disk.is_mended()
    assert live.until(Condition) == Condition("saving", "")
    live.engine.may_speak.set()
    live.until(Posted)
    rebuild_request(live.record, 0)
    live.session.step()
    assert live.until(SetupApplied).from_turn == 2


@pytest.mark.parametrize("is_full", [True, False])
def test_what_cannot_be_saved_at_the_end_stays_open(
    begin: Callable[..., Live], folder: Path, disk: FaultyDisk, is_full: bool
) -> None:
    live = begin(folder, delay=0.002)
    live.until(Posted)
    if is_full:
        disk.breaks("sync", errno.ENOSPC)
        live.until(Condition)
    assert live.session.close()
    assert (live.session.record is not None) == is_full


def test_short_writes_make_whole_files(folder: Path, disk: FaultyDisk) -> None:
    disk.short_writes = True
    write_atomic(folder / "a", b"x" * 12_345 + b"y" * 54_321)
    assert (folder / "a").read_bytes() == b"x" * 12_345 + b"y" * 54_321


WRITERS: dict[str, Callable[[Path], object]] = {
    "settings": lambda path: save_setting(path, "theme", "daylight"),
    "personas": lambda path: write_personas(path, [Persona(username="Ann")]),
    "setup": lambda path: write_setup(path, SETUP),
}


@pytest.mark.parametrize("error", FAULTS, ids=NAMES)
@pytest.mark.parametrize("step", REWRITES)
@pytest.mark.parametrize("kind", WRITERS)
def test_other_files_are_named_and_the_old_ones_stay(
    folder: Path, disk: FaultyDisk, kind: str, step: str, error: int
) -> None:
    file = folder / kind
    WRITERS[kind](file)
    before = file.read_bytes()
    disk.breaks(step, error)
    with pytest.raises(OSError, match=str(file)) as caught:
        WRITERS[kind](file)
    assert caught.value.errno == error
    assert file.read_bytes() == before
    assert os.listdir(folder) == [kind]


def test_a_folder_that_vanishes_and_is_made_anew_is_locked_anew(
    begin: Callable[..., Live], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "RETRY_SECONDS", 0.05)
    live = begin(folder, delay=0.01)
    live.until(Posted)
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    folder.rmdir()
    live.until(Condition)
    folder.mkdir()
    live.until(Condition, lambda event: not event.sentence)
    live.until(Posted)
    (path,) = discussion_files(folder)
    assert has_writer(path) or read_discussion(path).status == "finished"
    live.until(StateChanged, lambda event: event.state == "finished", within=PATIENT)
    assert len(read_discussion(path).entries) == 12


def test_beginning_another_does_not_lose_what_is_not_saved(
    begin: Callable[..., Live], folder: Path, disk: FaultyDisk
) -> None:
    live = begin(folder, delay=0.01)
    first = live.until(Opened).path
    live.until(ReplyStarted)
    disk.breaks("sync", errno.ENOSPC)
    kept = live.until(NotSaved).message
    live.session.start(changed(title="another"))
    live.session.resume(first.with_name("nowhere.json"))
    disk.is_mended()
    assert live.until(Posted).message == kept
    assert read_discussion(first).entries[-1] == kept


# Real disks ------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 kB of its own, where the test may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.fixture
def quick_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "RETRY_SECONDS", 0.05)


@pytest.mark.campaign
@pytest.mark.usefixtures("quick_retry")
def test_a_disk_that_is_really_full(begin: Callable[..., Live], small_disk: Path) -> None:
    live = begin(small_disk, delay=0.01)
    live.until(Posted)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)
    told = live.until(Condition, lambda event: event.cause == "saving")
    assert "no space left on device" in told.sentence
    assert len(live.all(NotSaved)) == 1
    ballast.unlink()
    live.until(StateChanged, lambda event: event.state == "finished", within=PATIENT)
    assert len(words(live)) == 12


@pytest.mark.campaign
@pytest.mark.usefixtures("quick_retry")
def test_a_disk_that_is_really_read_only(begin: Callable[..., Live], small_disk: Path) -> None:
    live = begin(small_disk, delay=0.01)
    live.until(Posted)
    cover = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(small_disk)]
    subprocess.run(cover, check=True)
    told = live.until(Condition, lambda event: event.cause == "saving")
    assert "read-only file system" in told.sentence
    subprocess.run(["umount", str(small_disk)], check=True)
    live.until(StateChanged, lambda event: event.state == "finished", within=PATIENT)
    assert len(words(live)) == 12
