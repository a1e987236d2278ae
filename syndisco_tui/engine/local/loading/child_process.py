"""Child processes that can be cancelled at any moment and print nothing to the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...base import Cancelled, LoadProgress

POLL_SECONDS = 0.1

IsCancelled = Callable[[], bool]
Report = Callable[[LoadProgress], object]


def run_child(
    command: Sequence[str],
    work_folder: Path,
    on_output: Callable[[str], object],
    is_cancelled: IsCancelled,
    environment: Mapping[str, str] | None = None,
    *,
    umask: int = -1,
) -> tuple[int, str]:
    """Run ``command`` to its end; it never outlives this call.

    Args:
        command: The program and its arguments.
        work_folder: Where its output is written to a file.
        on_output: Called ten times a second with what was printed since the last call.
        is_cancelled: Asked as often.
        environment: Variables beside those of this process.
        umask: Of the files it makes; negative for that of this process.

    Returns:
        The exit status and everything printed.

    Raises:
        Cancelled: ``is_cancelled`` became true, and the program was killed.
    """
    path = work_folder / "output.txt"
    with path.open("wb") as output, path.open("rb") as reader:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            umask=umask,
            start_new_session=True,  # so that Ctrl+C in the terminal does not reach it
        )
        printed = b""
        try:
            while True:
                has_ended = process.poll() is not None
                chunk = reader.read()
                printed += chunk
                on_output(chunk.decode(errors="replace"))
                if has_ended:
                    break
                poll_pause(is_cancelled)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return process.returncode, printed.decode(errors="replace")


def poll_pause(is_cancelled: IsCancelled) -> None:
    """Sleep for ``POLL_SECONDS``. Raises Cancelled if ``is_cancelled()``."""
    raise_if_cancelled(is_cancelled)
    time.sleep(POLL_SECONDS)


def raise_if_cancelled(is_cancelled: IsCancelled) -> None:
    """Raise Cancelled if ``is_cancelled()``."""
    if is_cancelled():
        raise Cancelled("Loading was cancelled.")
