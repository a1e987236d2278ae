"""A disk that refuses, at the step of a write that a test names, until it is mended."""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
from collections.abc import Callable
from typing import Any

import pytest

FAULTS = [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOENT, errno.EIO]
STEPS = ["make", "write", "sync", "rename", "sync folder", "lock"]


class _ShortWrites(io.FileIO):
    """Takes a few bytes at a time, as a pipe or a nearly full disk may."""

    def write(self, content: Any) -> int:
        return super().write(bytes(content)[:1000])


class FaultyDisk:
    """``error`` comes at ``step`` while ``is_faulty``. Steps are those of ``STEPS``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.step, self.error = "", 0
        self.short_writes = False
        self._really_open, self._really_fdopen = os.open, os.fdopen
        really_sync = os.fsync
        make = self._faulty("make", tempfile.mkstemp)
        monkeypatch.setattr("syndisco_tui.store.atomic.tempfile.mkstemp", make)
        monkeypatch.setattr("syndisco_tui.store.atomic.os.fdopen", self._fdopen)
        monkeypatch.setattr("syndisco_tui.store.atomic.os.fsync", self._fsync)
        rename = self._faulty("rename", os.replace)
        monkeypatch.setattr("syndisco_tui.store.atomic.os.replace", rename)
        monkeypatch.setattr("syndisco_tui.store.lock.os.open", self._open)
        self._sync = self._faulty("sync", really_sync)
        self._sync_folder = self._faulty("sync folder", really_sync)

    def breaks(self, step: str, error: int) -> None:
        """From now on."""
        self.step, self.error = step, error

    def is_mended(self) -> None:
        self.step, self.error = "", 0

    def _fail(self, step: str) -> None:
        if step == self.step:
            raise OSError(self.error, os.strerror(self.error))

    def _faulty(self, step: str, really: Callable[..., Any]) -> Callable[..., Any]:
        def done(*arguments: Any, **options: Any) -> Any:
            self._fail(step)
            return really(*arguments, **options)

        return done

    def _fsync(self, descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        (self._sync_folder if is_folder else self._sync)(descriptor)

    def _fdopen(self, descriptor: int, mode: str, buffering: int = -1, **options: Any) -> Any:
        if mode != "wb":
            return self._really_fdopen(descriptor, mode, buffering, **options)
        disk = self

        class Raw(_ShortWrites if self.short_writes else io.FileIO):  # type: ignore[misc]
            def write(self, content: Any) -> int:
                disk._fail("write")
                return int(super().write(content))

        return io.BufferedWriter(Raw(descriptor, mode))

    def _open(self, path: Any, flags: int, *mode: int) -> int:
        if str(path).endswith(".lock"):
            self._fail("lock")
        return self._really_open(path, flags, *mode)
