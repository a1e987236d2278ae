"""Discussions on disk: one JSON file each, rewritten whole after every message."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from ..discussion import DiscussionRecord
from .atomic import TEMPORARY_SUFFIX, write_atomic
from .inputs import MAX_DISCUSSION_BYTES, InputError, read_json
from .lock import WriterLock, has_writer

TRASH = "trash"
"""The folder of deleted discussions, among the saved ones."""


class BusyElsewhere(InputError):
    """Another process writes this discussion."""


class DiscussionFile:
    """A discussion's file, held for writing until ``close``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._lock = WriterLock(path)
        except BlockingIOError:
            raise BusyElsewhere(
                f"{path.name}: another syndisco-tui is running this discussion"
            ) from None

    @classmethod
    def create(cls, folder: Path, started_at: datetime) -> DiscussionFile:
        """A new file in ``folder``, named by its start to the millisecond and by chance."""
        start = f"{started_at:%Y%m%dT%H%M%S}{started_at.microsecond // 1000:03}Z"
        while True:
            path = folder / f"{start}-{uuid.uuid4().hex[:8]}.json"
            with contextlib.suppress(BusyElsewhere):
                file = cls(path)
                if not path.exists():
                    return file
                file.close()

    def write(self, record: DiscussionRecord) -> None:
        """Replace the content, durably. Raises OSError; the old content is then still there."""
        try:
            self._lock.keep()
        except BlockingIOError:
            busy = "another syndisco-tui is writing it now"
            raise OSError(errno.EBUSY, busy, str(self.path)) from None
        except OSError as error:
            error.filename = str(self.path)  # the lock file is nobody's concern
            raise
        from .discussion_format import to_bytes  # pydantic's models, which the first paint skips

        write_atomic(self.path, to_bytes(record))

    def close(self) -> None:
        self._lock.release()


def read_discussion(path: Path) -> DiscussionRecord:
    """The record in a file of ours or of SynDisco's. Raises InputError."""
    from .discussion_format import A_DISCUSSION, from_json

    value = read_json(path, max_bytes=MAX_DISCUSSION_BYTES, expected=A_DISCUSSION)
    return from_json(value, path)


def _is_left_alone(path: Path, record: DiscussionRecord) -> bool:
    """Whether nobody writes it, and it is still as it was read.

    Its writer may have ended, and said so, between our reading and our look at the lock.
    """
    if has_writer(path):
        return False
    try:
        now = read_discussion(path)
    except InputError:
        return False
    return (now.status, len(now.entries)) == (record.status, len(record.entries))


def discussion_files(folder: Path) -> list[Path]:
    """The discussion files in a folder; their names begin with the time."""
    return sorted(
        (path for path in folder.glob("*.json") if not path.name.startswith(".")), reverse=True
    )


def json_files(paths: Iterable[Path], *suffixes: str) -> list[Path]:
    """The files among ``paths``, and of folders those within, at any depth, by name.

    Hidden ones, and folders of what was deleted, are passed over. ``suffixes`` are those looked
    for besides ``.json``.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(f for f in folders if not f.startswith(".") and f != TRASH)
            found += [
                Path(folder, name)
                for name in sorted(names)
                if not name.startswith(".") and name.lower().endswith((".json", *suffixes))
            ]
    return found


def resumable_discussions(
    folder: Path, *, look_at: int = 200
) -> Iterator[tuple[Path, DiscussionRecord]]:
    """Discussions that can be resumed, newest first: paused ones and interrupted ones.

    Files that cannot be read, and those that another process is writing, are passed over.
    """
    for path in discussion_files(folder)[:look_at]:
        with contextlib.suppress(InputError):
            record = read_discussion(path)
            if record.status != "finished" and _is_left_alone(path, record):
                yield path, record


def other_discussions(
    folder: Path, record: DiscussionRecord, *, look_at: int = 200
) -> Iterator[tuple[Path, DiscussionRecord]]:
    """The newest discussions beside ``record``, newest first, unreadable ones left out."""
    for path in discussion_files(folder)[:look_at]:
        with contextlib.suppress(InputError):
            other = read_discussion(path)
            if other.id != record.id:
                yield path, other


def remove_leftovers(folder: Path) -> int:
    """Remove what a killed process left: half-written files and locks nobody holds."""
    removed = 0
    for leftover in (*folder.glob(f".*{TEMPORARY_SUFFIX}"), *folder.glob(".*.json.lock")):
        name, _, _ = leftover.name[1:].partition(".json.")
        target = folder / f"{name}.json"
        with contextlib.suppress(OSError):
            lock = WriterLock(target)  # nobody becomes its writer while we tidy up
            leftover.unlink(missing_ok=True)
            lock.release()
            removed += 1
    return removed
