"""Who writes a discussion now: an advisory lock that the kernel lets go when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class WriterLock:
    """Held by the one process that writes ``path``. Raises BlockingIOError where it is taken."""

    def __init__(self, path: Path) -> None:
        self._path = _lock_path(path)
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise
            if _is_same_file(descriptor, self._path):
                self._descriptor: int | None = descriptor
                return
            os.close(descriptor)  # its last holder removed it in between: once more

    def release(self) -> None:
        """Let go, and leave no lock file behind."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def has_writer(path: Path) -> bool:
    """Whether a living process writes ``path``."""
    try:
        descriptor = os.open(_lock_path(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
