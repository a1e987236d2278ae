"""The discussions of an experiment, kept up to date with what any process saves."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..discussion import DiscussionRecord
from ..session import Opened, Posted, SessionEvent, StateChanged
from ..session.batch_run import BatchRun
from ..store.discussions import read_discussion
from ..store.inputs import InputError
from ..store.lock import has_writer, lock_path
from .experiments import ExperimentFolder

RunEvents = list[tuple[BatchRun, SessionEvent]]


@dataclass(frozen=True)
class FileChange:
    """The state of a discussion's file. Without ``record``, it is missing or has the ``error``."""

    run: BatchRun
    path: Path
    record: DiscussionRecord | None
    error: str
    has_writer: bool


class ExperimentRuns:
    """Every planned discussion of ``experiment`` as a run, in the order of the plan.

    Call ``read_changes`` on any thread, and ``apply`` on the thread that shows the runs.
    """

    def __init__(self, experiment: ExperimentFolder) -> None:
        self.experiment = experiment
        self.runs = experiment.runs()
        self._seen: dict[BatchRun, object] = {}

    def read_changes(
        self,
        own_files: Collection[Path] = (),
        progress: Callable[[int, int], object] = lambda done, total: None,
    ) -> list[FileChange]:
        """Read what has changed since the last call.

        Args:
            own_files: Files that this process writes, which are skipped.
            progress: Called with the number of discussions done and their total.
        """
        stamps: dict[str, tuple[int, int]] = {}
        with (
            suppress(FileNotFoundError, NotADirectoryError),
            os.scandir(self.experiment.folder) as listed,
        ):
            for file in listed:
                with suppress(FileNotFoundError):  # removed since it was listed
                    stat = file.stat()
                    stamps[file.name] = stat.st_mtime_ns, stat.st_size
        changes = []
        for number, run in enumerate(self.runs, start=1):
            if run.target and run.is_over and run.target not in own_files:
                changes += self._change(run, run.target, stamps)
            progress(number, len(self.runs))
        return changes

    def _change(
        self, run: BatchRun, path: Path, stamps: dict[str, tuple[int, int]]
    ) -> list[FileChange]:
        stamp = stamps.get(path.name)
        is_written = lock_path(path).name in stamps and has_writer(path)
        if self._seen.get(run, (None, False)) == (stamp, is_written):
            return []
        self._seen[run] = stamp, is_written
        if stamp is None:
            return [FileChange(run, path, None, "", is_written)]
        try:
            return [FileChange(run, path, read_discussion(path), "", is_written)]
        except InputError as error:
            return [FileChange(run, path, None, str(error), is_written)]

    def apply(self, changes: Sequence[FileChange], own_files: Collection[Path] = ()) -> RunEvents:
        """Update the runs; returns the changes as the events a session would emit."""
        events: RunEvents = []
        for change in changes:
            run = change.run
            if not run.is_over or change.path in own_files:  # this process has begun it since
                continue
            events += [(run, event) for event in _follow(run, change)]
        return events


def _follow(run: BatchRun, change: FileChange) -> list[SessionEvent]:
    record, before = change.record, run.entries
    if record is None:
        run.state = "elsewhere" if change.has_writer else "failed" if change.error else "missing"
        run.error = change.error
        return [StateChanged("idle")]
    run.follow(record, change.path, has_writer=change.has_writer)
    if before and run.entries[: len(before)] == before:
        turn, turns = record.turns_taken, record.setup.conv_len
        posted = [Posted(entry, 0.0) for entry in run.entries[len(before) :]]
        return [*posted, StateChanged("paused", turn=turn, turns=turns, path=change.path)]
    return [Opened(record, change.path)]
