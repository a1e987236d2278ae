"""``syndisco-tui export``: saved discussions in other formats, on standard output or in files."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..discussion import DiscussionRecord
from ..text import counted, safe
from ..workspace.discussions import json_files, read_discussion
from ..workspace.exit_status import BAD_INPUT
from ..workspace.exporting import (
    FORMATS,
    Exported,
    ExportFormat,
    encoded,
    export_names,
    exported,
    write_export,
)
from ..workspace.inputs import InputError
from .counter import Counter

TO_STDOUT = "-"


def export(
    files: Sequence[Path],
    to: ExportFormat,
    output: str | None = None,
    *,
    overwrite: bool = False,
) -> int:
    """Export every file (of a folder, all in it); a bad one is named, and the rest goes on.

    ``output`` names a folder where it ends in a slash, where it is one, and where one file
    cannot hold what is to be exported; without it (or ``-``) standard output takes all.

    Returns the exit status: 0 all exported, 2 some could not be read. Raises InputError where
    nothing can be done: no output for many, or an output that is there already.
    """
    readable = _Readable(json_files(files))
    form = FORMATS[to]
    is_one_each = len(readable.files) > 1 and not form.holds_several
    if output in (None, TO_STDOUT):
        if is_one_each:
            raise InputError(f"Several discussions as {to} need a folder: use --output FOLDER/")
        if form.is_folder:
            raise InputError(f"{to} is written as a folder: use --output FOLDER")
        if form.holds_bytes and sys.stdout.isatty():
            raise InputError(f"{to} is a binary format: use --output FILE")
        return _print(_in_one(readable, to)) or readable.status
    path = Path(str(output))
    if is_one_each and path.exists() and not path.is_dir():
        raise InputError(f"{path}: is a file; several discussions as {to} need a folder")
    into_folder = path.is_dir() or str(output).endswith("/")
    if form.is_folder:
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: is a file; {to} is a folder of files")
        if path.is_dir() and any(path.iterdir()):
            _refuse_taken([path], overwrite=overwrite)
    elif is_one_each or (into_folder and not form.name_of):
        _into_folder(readable, path, to, overwrite=overwrite)
        return readable.status
    elif not into_folder:
        _refuse_taken([path], overwrite=overwrite)
    if records := [record for _, record in readable]:
        if form.name_of and into_folder:
            path = path / f"{form.name_of(records)}{form.suffix}"
            _refuse_taken([path], overwrite=overwrite)
        write_export(path, form.write(records))
        _say(str(path))
    return readable.status


def _in_one(readable: _Readable, to: ExportFormat) -> Exported:
    """All discussions that can be read in one file or folder."""
    records = [record for _, record in readable]
    return FORMATS[to].write(records) if records else ""


def _print(content: Exported) -> int:
    """UTF-8, whatever the terminal speaks. Returns the exit status."""
    assert not isinstance(content, dict)
    try:
        sys.stdout.buffer.write(encoded(content))
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return 128 + signal.SIGPIPE
    return 0


class _Readable:
    """The discussions in ``files``, one at a time; those that cannot be read are named."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._faults = 0

    @property
    def files(self) -> Sequence[Path]:
        return self._files

    @property
    def status(self) -> int:
        return BAD_INPUT if self._faults else 0

    def __iter__(self) -> Iterator[tuple[int, DiscussionRecord]]:
        counter = Counter(len(self._files))
        for number, file in enumerate(self._files):
            try:
                record = read_discussion(file)
            except InputError as error:
                self._faults += 1
                counter.clear()
                print(safe(str(error)), file=sys.stderr)
            else:
                yield number, record
            counter.show(number + 1)
        counter.clear()


def _into_folder(readable: _Readable, folder: Path, to: ExportFormat, *, overwrite: bool) -> None:
    paths = [folder / name for name in export_names(readable.files, to)]
    _refuse_taken(paths, overwrite=overwrite)
    written = 0
    for number, record in readable:
        write_export(paths[number], exported(record, to))
        written += 1
    _say(f"{counted(written, 'discussion')} exported to {folder}")


def _refuse_taken(paths: Sequence[Path], *, overwrite: bool) -> None:
    if overwrite:
        return
    for path in paths:
        if path.exists():
            raise InputError(f"{path}: already exists; use --overwrite to replace it")


def _say(sentence: str) -> None:
    print(safe(sentence), file=sys.stderr)
