"""Other programs, run so that they can be stopped at any moment and print nothing here.

Knows processes; nothing of models.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...base import Cancelled

POLL_SECONDS = 0.1

IsCancelled = Callable[[], bool]


def run_child(
    command: Sequence[str],
    work: Path,
    show: Callable[[str], object],
    is_cancelled: IsCancelled,
    environment: Mapping[str, str] | None = None,
    *,
    umask: int = -1,
) -> tuple[int, str]:
    """Run ``command`` to its end: its exit status and all it printed.

    ``show`` is called ten times a second with what was printed last. The program reads nothing,
    writes to a file in the folder ``work``, and never outlives this call. ``umask``: for the
    files that it makes; this process's own if it is negative.

    Raises:
        Cancelled: ``is_cancelled`` became true; the program is gone by then.
    """
    path = work / "output.txt"
    with path.open("wb") as output, path.open("rb") as printed:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            umask=umask,
            start_new_session=True,  # Ctrl+C in the terminal is for the app, not for this
        )
        everything = b""
        try:
            while True:
                ended = process.poll() is not None
                news = printed.read()
                everything += news
                show(news.decode(errors="replace"))
                if ended:
                    break
                pause(is_cancelled)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return process.returncode, everything.decode(errors="replace")


def pause(is_cancelled: IsCancelled) -> None:
    """Wait for a moment. Raises Cancelled."""
    stop_if(is_cancelled)
    time.sleep(POLL_SECONDS)


def stop_if(is_cancelled: IsCancelled) -> None:
    """Raises Cancelled if ``is_cancelled``."""
    if is_cancelled():
        raise Cancelled("Loading was cancelled.")
