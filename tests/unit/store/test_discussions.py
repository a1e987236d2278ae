"""One writer a discussion, at most; what a killed one left is found, resumed and tidied up."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Persona, Status
from syndisco_tui.store import discussion_format as format
from syndisco_tui.store.discussions import (
    BusyElsewhere,
    DiscussionFile,
    discussion_files,
    read_discussion,
    remove_leftovers,
    resumable_discussions,
)
from syndisco_tui.store.lock import WriterLock, has_writer
from tests.support.project import python, start_python

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)

HOLD = """if True:
    import sys, time
    from pathlib import Path
    from syndisco_tui.store.discussions import DiscussionFile
    file = DiscussionFile(Path(sys.argv[1]))
    print("held", flush=True)
    sys.stdin.read()
    file.close()
"""

TRY = """if True:
    import sys
    from pathlib import Path
    from syndisco_tui.store.discussions import BusyElsewhere, DiscussionFile
    try:
        DiscussionFile(Path(sys.argv[1]))
    except BusyElsewhere as error:
        print(error)
"""


def record(status: Status = "running") -> DiscussionRecord:
    setup = DiscussionSetup(personas=(Persona(username="Ann"),))
    return DiscussionRecord(id="1", started_at=NOON.isoformat(), setup=setup, status=status)


def saved(folder: Path, status: Status, minutes: int = 0) -> Path:
    file = DiscussionFile.create(folder, NOON + timedelta(minutes=minutes))
    file.write(record(status))
    file.close()
    return file.path


@contextmanager
def another_process_holds(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = start_python(HOLD, path, stdin=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


class TestOneWriter:
    def test_another_process_is_kept_out(self, folder: Path) -> None:
        file = DiscussionFile.create(folder, NOON)
        told = python(TRY, file.path).stdout
        assert told == f"{file.path.name}: another syndisco-tui is running this discussion\n"
        file.close()
        assert python(TRY, file.path).stdout == ""

    def test_this_process_is_kept_out_by_another(self, folder: Path) -> None:
        path = saved(folder, "running")
        with another_process_holds(path):
            assert has_writer(path)
            with pytest.raises(BusyElsewhere):
                DiscussionFile(path)

    def test_the_same_process_is_kept_out_too(self, folder: Path) -> None:
        file = DiscussionFile.create(folder, NOON)
        with pytest.raises(BusyElsewhere):
            DiscussionFile(file.path)
        file.close()

    def test_a_killed_writer_lets_go(self, folder: Path) -> None:
        path = saved(folder, "running")
        with another_process_holds(path) as process:
            process.kill()
            process.wait()
            assert not has_writer(path)
            DiscussionFile(path).close()
            assert os.listdir(folder) == [path.name]

    def test_looking_leaves_no_trace(self, folder: Path) -> None:
        path = saved(folder, "paused")
        assert not has_writer(path)
        assert os.listdir(folder) == [path.name]

    def test_a_clean_end_leaves_the_file_alone(self, folder: Path) -> None:
        file = DiscussionFile.create(folder, NOON)
        file.write(record())
        assert len(os.listdir(folder)) == 2
        file.close()
        file.close()
        assert os.listdir(folder) == [file.path.name]

    def test_the_lock_file_is_private_and_not_passed_on(self, folder: Path) -> None:
        file = DiscussionFile.create(folder, NOON)
        (lock,) = folder.glob(".*.lock")
        assert oct(lock.stat().st_mode)[-3:] == "600"
        subprocess.run(["true"], check=True, close_fds=False)
        sleeper = subprocess.Popen(["sleep", "20"], close_fds=False)
        file.close()
        try:
            DiscussionFile(file.path).close()
        finally:
            sleeper.kill()
            sleeper.wait()


class TestNames:
    def test_a_file_is_named_by_its_start_to_the_millisecond(self, folder: Path) -> None:
        path = saved(folder, "paused")
        assert re.fullmatch(r"20260304T120000000Z-[0-9a-f]{8}\.json", path.name)

    def test_two_that_start_at_once_get_two_files(self, folder: Path) -> None:
        assert len({saved(folder, "paused") for _ in range(20)}) == 20

    def test_the_newest_comes_first(self, folder: Path) -> None:
        paths = [saved(folder, "paused", minutes) for minutes in (5, 1, 3)]
        (folder / ".hidden.json").touch()
        (folder / "notes.txt").touch()
        assert discussion_files(folder) == [paths[0], paths[2], paths[1]]


class TestInterrupted:
    def test_what_can_be_resumed_newest_first(self, folder: Path) -> None:
        interrupted = saved(folder, "running", 1)
        paused = saved(folder, "paused", 2)
        saved(folder, "finished", 3)
        busy = saved(folder, "running", 4)
        (folder / "zzz-garbage.json").write_text("{")
        (folder / "zzz-newer.json").write_text('{"syndisco_tui": {"format": 99}, "logs": []}')
        with another_process_holds(busy):
            found = list(resumable_discussions(folder))
        assert [path for path, _ in found] == [paused, interrupted]
        assert [record.status for _, record in found] == ["paused", "running"]


class TestTidyingUp:
    def leftovers(self, path: Path) -> list[Path]:
        """What ``kill -9`` leaves of a writer of ``path``."""
        left = [path.with_name(f".{path.name}.k3j2.part"), path.with_name(f".{path.name}.lock")]
        for leftover in left:
            leftover.touch()
        return left

    def test_leftovers_go_and_discussions_stay(self, folder: Path) -> None:
        path = saved(folder, "running")
        content = path.read_bytes()
        self.leftovers(path)
        self.leftovers(folder / "20260101T000000Z-00000000.json")  # killed before its first write
        assert remove_leftovers(folder) >= 3
        assert os.listdir(folder) == [path.name]
        assert path.read_bytes() == content

    def test_a_living_writer_s_are_left_alone(self, folder: Path) -> None:
        path = saved(folder, "running")
        with another_process_holds(path):
            left = self.leftovers(path)
            assert remove_leftovers(folder) == 0
            assert all(leftover.exists() for leftover in left)
            assert has_writer(path)

    def test_a_lock_is_only_removed_by_who_holds_it(self, folder: Path) -> None:
        """Else a writer that took it in between would hold a lock that nobody sees."""
        path = saved(folder, "running")
        _, lock = self.leftovers(path)
        with lock.open() as reader:
            fcntl.flock(reader, fcntl.LOCK_SH)
            remove_leftovers(folder)
            assert lock.exists()
        remove_leftovers(folder)
        assert not lock.exists()

    def test_locks_that_are_held_are_not_waited_for(self, folder: Path) -> None:
        held = [WriterLock(folder / f"batch-{number}.json") for number in range(50)]
        started = time.monotonic()
        assert remove_leftovers(folder) == 0
        assert time.monotonic() - started < 2, "a batch of fifty would begin ten seconds later"
        for lock in held:
            lock.release()

    def test_a_clean_folder_stays_as_it_is(self, folder: Path) -> None:
        saved(folder, "paused")
        assert remove_leftovers(folder) == 0
        assert len(os.listdir(folder)) == 1

    def test_what_a_real_kill_leaves_is_tidied(self, folder: Path) -> None:
        path = saved(folder, "running")
        with another_process_holds(path) as process:
            process.kill()
            process.wait()
            assert len(os.listdir(folder)) == 2
            assert remove_leftovers(folder) == 1
        assert os.listdir(folder) == [path.name]


def test_what_was_written_is_read(folder: Path) -> None:
    path = saved(folder, "paused")
    assert read_discussion(path) == record("paused")
    assert path.read_bytes() == format.to_bytes(record("paused"))
    assert oct(path.stat().st_mode)[-3:] == "600"
