"""Where exports go: a name for each, a folder or one file, and never over what is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...discussion import DiscussionRecord
from ...inputs import InputError
from ..atomic import write_atomic
from . import FORMATS, ExportFormat, exported


def export_into(folder: Path, source: Path, record: DiscussionRecord, to: ExportFormat) -> Path:
    """Write one export into ``folder``, named like ``source``; a name that is taken gets a number.

    Returns the new file. Raises InputError where it cannot be written.
    """
    suffix, number = FORMATS[to].suffix, 1
    path = folder / f"{source.stem}{suffix}"
    while path.exists():
        number += 1
        path = folder / f"{source.stem} ({number}){suffix}"
    write_export(path, exported(record, to))
    return path


def write_export(path: Path, text: str) -> None:
    """Write the text of an export. Raises InputError where that fails."""
    try:
        if path.exists() and not path.is_file():  # a pipe or a device is written, not replaced
            path.write_bytes(encoded(text))
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, encoded(text))
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


def encoded(text: str) -> bytes:
    """UTF-8; a lone surrogate becomes a question mark."""
    return text.encode("utf-8", errors="replace")


def export_names(sources: Sequence[Path], to: ExportFormat) -> list[str]:
    """A name for the export of each source, no two alike (compared as macOS and Windows do)."""
    taken: set[str] = set()
    names = []
    for source in sources:
        number, name = 1, f"{source.stem}{FORMATS[to].suffix}"
        while name.casefold() in taken:
            number += 1
            name = f"{source.stem} ({number}){FORMATS[to].suffix}"
        taken.add(name.casefold())
        names.append(name)
    return names
