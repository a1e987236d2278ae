"""What is done to a saved discussion as a file: another title, into the trash, and back."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from ..store.discussions import TRASH, DiscussionFile, read_discussion
from ..store.inputs import InputError
from ..store.summary import summarize_file


def rename(path: Path, title: str) -> None:
    """Give the discussion another title; nobody else may be writing it.

    Raises InputError for a file as SynDisco wrote it, and OSError where it cannot be saved.
    """
    if not summarize_file(path)[0].own_format:
        raise InputError(
            f"{path.name}: is SynDisco's own file: import it and rename the imported one"
        )
    file = DiscussionFile(path)
    try:
        file.write(replace(read_discussion(path), title=title))
    finally:
        file.close()


def discard(path: Path) -> Path:
    """Move the discussion into the trash; nobody may be writing it.

    Returns its path there. Raises InputError (it is being written) and OSError.
    """
    trash = path.parent / TRASH
    trash.mkdir(mode=0o700, exist_ok=True)
    file = DiscussionFile(path)
    try:
        return _moved(path, trash)
    finally:
        file.close()


def restore(trashed: Path, folder: Path) -> Path:
    """Move a deleted discussion back into ``folder``. Raises OSError."""
    return _moved(trashed, folder)


def bring_back(folder: Path) -> Path | None:
    """Move what was deleted last back into ``folder``. None where there is nothing.

    Raises OSError.
    """
    deleted = list((folder / TRASH).glob("*.json"))
    if not deleted:
        return None
    return _moved(max(deleted, key=_moved_at), folder)


def _moved_at(path: Path) -> int:
    return path.stat().st_ctime_ns  # a move changes the entry, not the content


def _moved(path: Path, folder: Path) -> Path:
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem} ({number}){path.suffix}"
    os.rename(path, target)
    return target
