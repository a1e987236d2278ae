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

# The format is imported where it is needed: its models take time that the first paint has not.

ANNOTATIONS_SUFFIX = ".annotations.json"
"""Of the files with annotations of discussions."""
TRASH = "trash"
"""The folder of deleted discussions, in that of the saved ones."""


class BusyElsewhere(InputError):
    """Another process writes this discussion."""


class DiscussionFile:
    """A discussion's file, locked for writing until ``close``.

    Raises:
        BusyElsewhere: another process has locked it.
        OSError: the lock file cannot be created.
    """

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
        """A new file in ``folder``, named by its start (to the millisecond) and a random number."""
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
        from .discussion_format import to_bytes

        try:
            self._lock.renew()
        except BlockingIOError:
            reason = "another syndisco-tui is writing it now"
            raise OSError(errno.EBUSY, reason, str(self.path)) from None
        except OSError as error:
            error.filename = str(self.path)  # not the lock file, which users need not know
            raise
        write_atomic(self.path, to_bytes(record))

    def close(self) -> None:
        """Release the lock."""
        self._lock.release()


def read_discussion(path: Path) -> DiscussionRecord:
    """The record in a file of ours or of SynDisco's. Raises InputError."""
    from .discussion_format import A_DISCUSSION, from_json

    value = read_json(path, max_bytes=MAX_DISCUSSION_BYTES, expected=A_DISCUSSION)
    return from_json(value, path)


def discussion_files(folder: Path) -> list[Path]:
    """The discussion files in a folder, newest first: their names begin with the time."""
    return sorted(
        (path for path in folder.glob("*.json") if not path.name.startswith(".")), reverse=True
    )


def json_files(paths: Iterable[Path], *suffixes: str) -> list[Path]:
    """``paths``, with every folder replaced by the JSON files in it, at any depth, by name.

    Hidden files, trash and annotations are left out. Files with other ``suffixes`` are included.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(f for f in folders if not f.startswith(".") and f != TRASH)
            files += [
                Path(folder, name)
                for name in sorted(names)
                if not name.startswith(".")
                and name.lower().endswith((".json", *suffixes))
                and not name.endswith(ANNOTATIONS_SUFFIX)
            ]
    return files


def resumable_discussions(
    folder: Path, *, max_files: int = 200
) -> Iterator[tuple[Path, DiscussionRecord]]:
    """Paused and interrupted discussions among the newest ``max_files`` files, newest first.

    Unreadable files and those that another process is writing are left out.
    """
    for path in discussion_files(folder)[:max_files]:
        with contextlib.suppress(InputError):
            record = read_discussion(path)
            if record.status != "finished" and not has_writer(path):
                # Its writer may have ended between our reading and our look at the lock.
                latest = read_discussion(path)
                if (latest.status, len(latest.entries)) == (record.status, len(record.entries)):
                    yield path, record


def other_discussions(
    folder: Path, record: DiscussionRecord, *, max_files: int = 200
) -> Iterator[tuple[Path, DiscussionRecord]]:
    """The readable ones among the newest ``max_files`` files, newest first, without ``record``."""
    for path in discussion_files(folder)[:max_files]:
        with contextlib.suppress(InputError):
            other = read_discussion(path)
            if other.id != record.id:
                yield path, other


def remove_leftovers(folder: Path) -> int:
    """Remove half-written files and unheld locks of killed processes. Returns their number."""
    removed = 0
    for leftover in (*folder.glob(f".*{TEMPORARY_SUFFIX}"), *folder.glob(".*.json.lock")):
        name, _, _ = leftover.name[1:].partition(".json.")
        with contextlib.suppress(OSError):
            # So that nobody starts writing it now.
            lock = WriterLock(folder / f"{name}.json", patience=0)
            leftover.unlink(missing_ok=True)
            lock.release()
            removed += 1
    return removed
