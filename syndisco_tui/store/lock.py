"""Who writes a discussion: an advisory lock, which the kernel releases when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

PATIENCE_SECONDS = 0.2
"""How long to retry: other processes hold a lock for a moment when they check it or clean up."""


class WriterLock:
    """Held by the one process that writes ``path``. Raises BlockingIOError if another holds it.

    ``patience`` is how many seconds to try.
    """

    def __init__(self, path: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        self._path = lock_path(path)
        self._descriptor: int | None = _acquired(self._path, patience)

    def renew(self) -> None:
        """Acquire the lock again if its file is gone, for example with the whole folder.

        Raises OSError; BlockingIOError if another process has acquired it meanwhile.
        """
        if self._descriptor is None or not _is_same_file(self._descriptor, self._path):
            descriptor = _acquired(self._path, PATIENCE_SECONDS)
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock and remove its file."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with contextlib.suppress(OSError):  # an unheld lock file does no harm
                if _is_same_file(descriptor, self._path):
                    self._path.unlink()
            os.close(descriptor)


def has_writer(path: Path) -> bool:
    """Whether a running process writes ``path``."""
    try:
        descriptor = os.open(lock_path(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _acquired(path: Path, patience: float) -> int:
    """A descriptor that holds the lock file, which is created if need be."""
    deadline = time.monotonic() + patience
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same_file(descriptor, path):
                return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise
            time.sleep(0.005)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # held by a passer-by, or removed by its last holder: try again


def lock_path(path: Path) -> Path:
    """The file whose lock says that ``path`` is being written."""
    return path.with_name(f".{path.name}.lock")


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
