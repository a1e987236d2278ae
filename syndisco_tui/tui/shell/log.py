"""The log: what libraries print while the screen is up, and crashes. Private, few and small.

One file for each of the last starts, the newest without a number. No prompt is written here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

KEPT = 5
"""Logs of that many starts are kept, this one included."""
MOST_BYTES = 1_000_000
LOOK_INTERVAL = 5.0
"""Seconds between two looks at how long the log has grown."""


@contextlib.contextmanager
def output_to(log: Path) -> Iterator[None]:
    """While the screen is up, what libraries print goes to a log file, not into the picture."""
    terminal = os.dup(1)
    saved = sys.__stdout__, sys.__stderr__
    log_descriptor = _begin(log)
    error_descriptor = os.dup(2)
    screen = open(terminal, "w", encoding="utf-8", errors="replace")  # noqa: SIM115
    sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
    os.dup2(log_descriptor, 1)
    os.dup2(log_descriptor, 2)
    over = threading.Event()
    threading.Thread(target=_keep_short, args=(log_descriptor, over), daemon=True).start()
    try:
        with _notes_to(log_descriptor):
            yield
    finally:
        over.set()
        with contextlib.suppress(OSError):
            screen.flush()
        os.dup2(terminal, 1)
        os.dup2(error_descriptor, 2)
        sys.__stdout__, sys.__stderr__ = saved  # type: ignore[misc]
        shorten(log_descriptor)


@contextlib.contextmanager
def _notes_to(descriptor: int) -> Iterator[None]:
    """What this package notes for whoever looks for a reason is written there as well."""
    logger = logging.getLogger(__package__.partition(".")[0])
    stream = os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        with contextlib.suppress(OSError):
            stream.close()


def report_crash(log: Path, error: BaseException, *, is_saved: bool) -> None:
    """What went wrong to the log, without local variables; to the user, and what is saved."""
    with contextlib.suppress(OSError), log.open("a", encoding="utf-8", errors="replace") as file:
        traceback.print_exception(error, file=file)
    saved = "Everything is saved" if is_saved else "The last messages could not be saved"
    print(
        f"syndisco-tui stopped on an unexpected {type(error).__name__}. {saved}; "
        f"details are in {log}.",
        file=sys.stderr,
    )


def _begin(log: Path) -> int:
    """A new log, the ones before pushed back; where none can be had, what is printed is lost."""
    with contextlib.suppress(OSError):
        for number in range(KEPT - 1, 0, -1):
            older = log.with_suffix(f".{number}.log")
            newer = log.with_suffix(f".{number - 1}.log") if number > 1 else log
            if newer.exists():
                newer.replace(older)
    try:
        descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        return descriptor
    except OSError:
        return os.open(os.devnull, os.O_RDWR)


def _keep_short(descriptor: int, over: threading.Event) -> None:
    while not over.wait(LOOK_INTERVAL):
        shorten(descriptor)


def shorten(descriptor: int) -> None:
    """Of a log that is too long keep the newer half."""
    with contextlib.suppress(OSError):
        length = os.fstat(descriptor).st_size
        if length > MOST_BYTES:
            newest = os.pread(descriptor, MOST_BYTES // 2, length - MOST_BYTES // 2)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, newest)
