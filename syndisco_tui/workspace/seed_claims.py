"""Which discussions of a batch somebody is about to make: claimed before their files exist.

A claim is an advisory lock that the kernel lets go when its holder dies, as the lock of a
discussion's file is: nothing has to be cleaned up after a crash.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from ..discussion import DiscussionSetup
from ..store.lock import WriterLock, has_writer

LOOK_SECONDS = 0.05
"""Longer than others hold a lock that they do not mean to keep."""


class SeedClaims:
    """The claims of one batch on its setups, each with a seed of its own, until ``release``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: list[WriterLock] = []

    def __enter__(self) -> SeedClaims:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def claim(self, setups: Sequence[DiscussionSetup]) -> list[bool]:
        """For each setup whether it is ours to run; another process has the rest."""
        is_ours = [self._claim(setup) for setup in setups]
        if not all(is_ours):
            time.sleep(LOOK_SECONDS)  # somebody may only have looked at a lock, or tidied up
            is_ours = [
                ours or self._claim(setup) for ours, setup in zip(is_ours, setups, strict=True)
            ]
        return is_ours

    def _claim(self, setup: DiscussionSetup) -> bool:
        digest = hashlib.sha256(setup.model_dump_json().encode()).hexdigest()[:16]
        path = self._folder / f"batch-{digest}.json"  # whose lock is tidied up like any other
        if has_writer(path):
            return False
        try:
            self._locks.append(WriterLock(path))
        except BlockingIOError:
            return False
        except OSError:  # a folder that takes no lock takes no discussion, which is said then
            return True
        return True

    def release(self) -> None:
        """Let all of them go."""
        while self._locks:
            self._locks.pop().release()
