"""The log: one for each of the last starts, short, and nobody else's business."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from syndisco_tui.tui.shell import log as log_module
from syndisco_tui.tui.shell.log import KEPT, MOST_BYTES, report_crash
from tests.support.project import python


def modes(folder: Path) -> set[str]:
    return {oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.glob("app*")}


START = """if True:
    import os, sys
    from pathlib import Path
    from syndisco_tui.tui.shell.log import output_to
    os.umask(int(sys.argv[3], 8))
    with output_to(Path(sys.argv[1])):
        os.write(1, sys.argv[2].encode() * int(sys.argv[4]))
"""


@pytest.mark.parametrize("umask", ["000", "022", "777"])
def test_the_last_starts_are_kept_and_private(tmp_path: Path, umask: str) -> None:
    for number in range(KEPT + 3):
        done = python(START, tmp_path / "app.log", f"start {number}", umask, 1)
        assert (done.returncode, done.stdout) == (0, "")
    names = sorted(path.name for path in tmp_path.glob("app*"))
    assert names == ["app.1.log", "app.2.log", "app.3.log", "app.4.log", "app.log"]
    assert (tmp_path / "app.log").read_text() == f"start {KEPT + 2}"
    assert (tmp_path / "app.4.log").read_text() == "start 3"
    assert modes(tmp_path) == {"0o600"}


def test_a_long_log_keeps_its_end(tmp_path: Path) -> None:
    python(START, tmp_path / "app.log", "0123456789", "022", 300_000)
    content = (tmp_path / "app.log").read_text()
    assert len(content) == MOST_BYTES // 2
    assert content.endswith("0123456789")


def test_a_log_is_shortened_while_it_is_written(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    for _ in range(5):
        os.write(descriptor, b"x" * (MOST_BYTES // 2 + 1))
        log_module.shorten(descriptor)
        assert os.fstat(descriptor).st_size <= MOST_BYTES
    os.write(descriptor, b"the end")
    os.close(descriptor)
    assert (tmp_path / "log").read_bytes().endswith(b"xthe end")


def test_without_a_place_for_a_log_all_goes_on(tmp_path: Path) -> None:
    done = python(START, tmp_path / "nowhere" / "app.log", "lost", "022", 1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_crash_is_told_without_local_variables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks() -> None:
        key = "hf_canary"
        raise RuntimeError("something broke" + key[:0])

    try:
        breaks()
    except RuntimeError as error:
        report_crash(tmp_path / "app.log", error, is_saved=False)
    assert "something broke" in (tmp_path / "app.log").read_text()
    assert 'key = "hf_canary"' not in (tmp_path / "app.log").read_text()
    assert "unexpected RuntimeError. The last messages could not" in capsys.readouterr().err
