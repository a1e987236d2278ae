"""Saved discussions one at a time: open, rename, discard and restore them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..store.discussions import (
    TRASH,
    DiscussionFile,
    json_files,
    other_discussions,
    read_discussion,
    resumable_discussions,
)
from ..store.inputs import InputError
from ..store.lock import has_writer
from ..store.summary import summarize_file

__all__ = [
    "Trash",
    "has_writer",
    "json_files",
    "other_discussions",
    "read_discussion",
    "rename",
    "resumable_discussions",
]


def rename(path: Path, title: str) -> None:
    """Give a saved discussion another title; nobody else may be writing it.

    Raises InputError for a file as SynDisco wrote it, and OSError where it cannot be saved.
    """
    if not summarize_file(path)[0].own_format:
        raise InputError(f"{path.name} is SynDisco's own file: import it, then rename the copy")
    file = DiscussionFile(path)
    try:
        file.write(replace(read_discussion(path), title=title))
    finally:
        file.close()


class Trash:
    """The discarded discussions of ``folder``; what was discarded last is restored first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trash = folder / TRASH
        self._discarded: list[list[Path]] = []
        """What was discarded together, the latest last."""

    @property
    def is_empty(self) -> bool:
        return not any(self._trash.glob("*.json"))

    def discard(self, paths: Sequence[Path]) -> None:
        """Move discussions into the trash; nobody may be writing them.

        Raises InputError (one is being written) and OSError.
        """
        self._trash.mkdir(mode=0o700, exist_ok=True)
        together: list[Path] = []
        self._discarded.append(together)
        for path in paths:
            file = DiscussionFile(path)
            try:
                together.append(_move(path, self._trash))
            finally:
                file.close()

    def restore(self) -> list[Path]:
        """Move back what was discarded last: all that was discarded together in this session.

        After that, those of earlier sessions, one at a time. Returns the restored files. Raises
        OSError.
        """
        while self._discarded:
            if present := [path for path in self._discarded.pop() if path.exists()]:
                return [_move(path, self._folder) for path in present]
        earlier = list(self._trash.glob("*.json"))
        if not earlier:
            return []
        latest = max(earlier, key=lambda path: path.stat().st_ctime_ns)  # a move changes the ctime
        return [_move(latest, self._folder)]


def _move(path: Path, folder: Path) -> Path:
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem} ({number}){path.suffix}"
    os.rename(path, target)
    return target
