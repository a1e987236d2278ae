"""Batches of several processes: which discussions this one runs, and which it leaves to others.

A seed is claimed before its discussion has a file. A claim is an advisory lock that the kernel
releases when its holder dies, so nothing has to be cleaned up after a crash.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from ..discussion import DiscussionSetup
from ..discussion.chance import SEED_BITS
from ..session.batch import Batch, allow_more_files
from ..session.batch_run import BatchIdentity, BatchRun
from ..store.discussions import discussion_files, read_discussion
from ..store.inputs import InputError
from ..store.lock import WriterLock, has_writer

RETRY_SECONDS = 0.05
"""Longer than a process holds a lock that it only looks at or tidies up."""
OPEN_HERE = "It is open in the laboratory."
ELSEWHERE = "Another syndisco-tui is running it."


class SeedClaims:
    """One batch's claims on its setups, each with a seed of its own, until ``release``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[Path, WriterLock] = {}

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
        allow_more_files(len(setups))
        is_ours = [self._claim(setup) for setup in setups]
        if not all(is_ours):
            time.sleep(RETRY_SECONDS)
            is_ours = [
                ours or self._claim(setup) for ours, setup in zip(is_ours, setups, strict=True)
            ]
        return is_ours

    def _claim(self, setup: DiscussionSetup) -> bool:
        digest = hashlib.sha256(repr(setup).encode()).hexdigest()[:16]
        path = self._folder / f"batch-{digest}.json"  # its lock is cleaned up like any other
        if path in self._locks:
            return True
        if has_writer(path):
            return False
        try:
            self._locks[path] = WriterLock(path)
        except BlockingIOError:
            return False
        except OSError:  # a folder without locks: saving the discussion reports the error
            return True
        return True

    def release(self) -> None:
        """Give all claims up."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()


_MEMBERSHIP = re.compile(rb'"batch": \{\s*"id": "([^"]+)"')
_TAIL = 8192
"""Bytes at the end of a discussion's file in which its batch is named."""


def used_seeds(folder: Path, setup: DiscussionSetup) -> list[range]:
    """The seeds of all batches of ``setup``, with whatever seed, in ``folder``.

    One file of each batch is read, and only the end of every other file.
    """
    ids: set[bytes] = set()
    seeds: list[range] = []
    for path in discussion_files(folder):
        with contextlib.suppress(OSError, InputError):
            match = _MEMBERSHIP.search(_end_of(path))
            if match is None or match[1] in ids:
                continue
            ids.add(match[1])
            record = read_discussion(path)
            same = {"seed": setup.seed, "title": setup.title}
            if record.batch and record.setup.model_copy(update=same).names_models_of(setup):
                identity = BatchIdentity.of_member(record.batch, record.setup.seed)
                seeds.append(range(identity.first_seed, identity.first_seed + identity.count))
    return seeds


def first_unused_seed(used: Sequence[range], seed: int, count: int) -> int:
    """The first seed, from ``seed`` on, of ``count`` consecutive unused seeds."""
    for taken in sorted(used, key=lambda each: each.start):
        if seed < taken.stop and taken.start < seed + count:
            seed = taken.stop
    return seed % (1 << SEED_BITS)


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _TAIL))
        return file.read()


@dataclass
class RemainingRuns:
    """``sources`` are those to run: a path where one is saved already, else its setup."""

    sources: list[DiscussionSetup | Path] = field(default_factory=list)
    finished: int = 0
    elsewhere: int = 0
    """How many another process is running or about to run."""

    @property
    def total(self) -> int:
        return len(self.sources) + self.finished + self.elsewhere


def remaining_runs(
    setups: Sequence[DiscussionSetup], saved: Sequence[Path | None], is_ours: Sequence[bool]
) -> RemainingRuns:
    """Sort ``setups`` into finished ones, ours to run, and those of other processes.

    ``saved`` are their files, looked up after ``is_ours`` was claimed. Raises InputError.
    """
    remaining = RemainingRuns()
    for setup, path, ours in zip(setups, saved, is_ours, strict=True):
        if path and read_discussion(path).status == "finished":
            remaining.finished += 1
        elif not ours or (path and has_writer(path)):
            remaining.elsewhere += 1
        else:
            remaining.sources.append(path or setup)
    return remaining


def continue_batch(batch: Batch, claims: SeedClaims, open_path: Path | None) -> int:
    """Continue what is unfinished in ``batch``; what is open elsewhere is left out and says why.

    ``open_path`` is open in this process outside the batch. Returns how many discussions are
    left to other processes.
    """
    runs = batch.unfinished
    own_files = batch.open_files
    skipped: dict[BatchRun, str] = {}
    for run, ours in zip(runs, claims.claim([run.setup for run in runs]), strict=True):
        if run.path is not None and run.path == open_path:
            skipped[run] = OPEN_HERE
        elif not ours or (run.path and run.path not in own_files and has_writer(run.path)):
            skipped[run] = ELSEWHERE
    batch.resume(skipped)
    return sum(reason == ELSEWHERE for reason in skipped.values())


def elsewhere_sentence(count: int, total: int) -> str:
    """How many discussions of a batch other processes are running."""
    verb = "is" if count == 1 else "are"
    return f"{count} of {total} {verb} being run by another syndisco-tui and left to it."
