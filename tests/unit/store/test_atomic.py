"""A valid file exists at every instant, and is on the disk when the writer returns."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from syndisco_tui.store.atomic import write_atomic
from tests.support.project import ROOT, python, start_python


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "discussions"
    folder.mkdir()
    return folder / "a.json"


def test_the_content_is_replaced(file: Path) -> None:
    write_atomic(file, b"old")
    write_atomic(file, b"new")
    assert file.read_bytes() == b"new"
    assert os.listdir(file.parent) == ["a.json"]


def test_of_a_link_what_it_points_to_is_replaced(file: Path) -> None:
    kept = file.parent.parent / "elsewhere.json"
    kept.write_bytes(b"old")
    file.symlink_to(Path("..") / kept.name)
    write_atomic(file, b"new")
    assert (file.is_symlink(), kept.read_bytes()) == (True, b"new")


@pytest.mark.parametrize("name", [f"{'a' * 252}.md", f"a{'ä' * 124}.json"])
def test_a_name_as_long_as_the_disk_takes(file: Path, name: str) -> None:
    write_atomic(file.with_name(name), b"new")
    assert os.listdir(file.parent) == [name]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_may_read_it(file: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomic(file, b"private")
    finally:
        os.umask(before)
    assert oct(stat.S_IMODE(file.stat().st_mode)) == "0o600"


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    write_atomic(file, b"old")
    result = python(
        """if True:
        import resource, sys
        from pathlib import Path
        from syndisco_tui.store.atomic import write_atomic
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # as if the disk ended here
        write_atomic(Path(sys.argv[1]), b"x" * 5000)
        """,
        file,
    )
    assert "OSError: [Errno 27] File too large" in result.stderr
    assert file.read_bytes() == b"old"
    assert os.listdir(file.parent) == ["a.json"]


def test_a_folder_in_its_place_stays(file: Path) -> None:
    (file / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_atomic(file, b"new")
    assert os.listdir(file.parent) == ["a.json"]
    assert (file / "inside").is_dir()


def test_an_interrupted_write_leaves_no_leftover(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    write_atomic(file, b"old")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(file, b"new")
    assert file.read_bytes() == b"old"
    assert os.listdir(file.parent) == ["a.json"]


WRITE_ONCE = """if True:
    import sys
    from pathlib import Path
    from syndisco_tui.store.atomic import write_atomic
    write_atomic(Path(sys.argv[1]), b"content")
"""


@pytest.mark.campaign
def test_the_kernel_is_asked_in_the_right_order(file: Path, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not here")
    log = tmp_path / "calls"
    calls = "write,fsync,fdatasync,rename,renameat,renameat2"
    command = [strace, "-y", "-o", str(log), "-e", f"trace={calls}"]
    result = subprocess.run(
        [*command, sys.executable, "-c", WRITE_ONCE, str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    if result.returncode:
        pytest.skip(f"strace may not trace here: {result.stderr[-100:]}")
    order = [
        re.sub(r"\W.*", "", line) + (" folder" if f"<{file.parent}>" in line else "")
        for line in log.read_text().splitlines()
        if str(file.parent) in line
    ]
    assert order[0] == "write"
    assert order[1] in ("fsync", "fdatasync")
    assert order[2].startswith("rename")
    assert order[3] == "fsync folder"
    assert len(order) == 4


def test_the_disk_has_the_content_before_the_name_and_then_the_name(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    really_sync, really_replace = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        kind = "folder" if stat.S_ISDIR(status.st_mode) else f"{status.st_size} bytes"
        done.append(f"sync {kind}")
        really_sync(descriptor)

    def replace(source: str, target: Path) -> None:
        done.append("rename")
        really_replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    write_atomic(file, b"content")
    assert done == ["sync 7 bytes", "rename", "sync folder"]


WRITE_ON_AND_ON = """if True:
    import sys
    from pathlib import Path
    from syndisco_tui.store.atomic import write_atomic
    number = 0
    while True:
        number += 1
        write_atomic(Path(sys.argv[1]), b"%d" % (number % 10) * (number % 2 * 300_000 + 5))
"""


def test_nobody_reads_half_a_file(file: Path) -> None:
    write_atomic(file, b"0" * 5)
    writer = start_python(WRITE_ON_AND_ON, file)
    seen = set()
    try:
        deadline = time.monotonic() + 15
        while len(seen) < 8 and time.monotonic() < deadline:
            content = file.read_bytes()
            assert len(content) in (5, 300_005)
            assert content == content[:1] * len(content)
            seen.add(content[:1])
    finally:
        writer.kill()
        writer.communicate()
    assert len(seen) >= 8


def test_a_killed_writer_leaves_a_whole_file(file: Path) -> None:
    for _ in range(3):
        writer = start_python(WRITE_ON_AND_ON, file)
        while not file.exists():
            time.sleep(0.01)
        time.sleep(0.05)
        writer.kill()
        writer.communicate()
        content = file.read_bytes()
        assert len(content) in (5, 300_005)
        assert content == content[:1] * len(content)
        file.unlink()
