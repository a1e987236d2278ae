"""Where exports go: a name for each, a folder or one file, and never over what is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...discussion import DiscussionRecord
from ..atomic import write_atomic
from ..inputs import InputError
from . import FORMATS, ExportFormat, exported

_REFUSED = frozenset('/\\:*?"<>|')
LONGEST_NAME = 120
"""Bytes of a file's name that are made of a title."""


def export_into(folder: Path, source: Path, record: DiscussionRecord, to: ExportFormat) -> Path:
    """Write one export into ``folder``, named by its title, else like ``source``.

    A name that is taken gets a number. Returns the new file. Raises InputError where it cannot
    be written.
    """
    path = free_path(folder, title_as_name(record) or source.stem, FORMATS[to].suffix)
    write_export(path, exported(record, to))
    return path


def export_together(
    folder: Path, name: str, records: Sequence[DiscussionRecord], to: ExportFormat
) -> Path | None:
    """Write all into one new file called ``name``; None where the format holds only one.

    Raises InputError where it cannot be written.
    """
    write_many = FORMATS[to].write_many
    if write_many is None:
        return None
    path = free_path(folder, name_of_title(name) or "discussions", FORMATS[to].suffix)
    write_export(path, write_many(records))
    return path


def title_as_name(record: DiscussionRecord) -> str:
    """A file name made of the title, of a batch's discussion with its number and seed."""
    name = name_of_title(record.title)
    if name and record.batch:
        return f"{name}, {record.batch.number} of {record.batch.count}, seed {record.setup.seed}"
    return name


def name_of_title(title: str) -> str:
    """``title`` without what file systems refuse or shells trip over; it may be empty."""
    name = "".join(" " if each in _REFUSED or not each.isprintable() else each for each in title)
    name = " ".join(name.split()).strip(" .-~")
    while len(name.encode("utf-8", errors="replace")) > LONGEST_NAME:
        name = name[:-1].rstrip()
    return name


def free_path(folder: Path, name: str, suffix: str) -> Path:
    """``name`` in ``folder``, with the first number behind it that is not taken."""
    number, path = 1, folder / f"{name}{suffix}"
    while path.exists():
        number += 1
        path = folder / f"{name} ({number}){suffix}"
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
