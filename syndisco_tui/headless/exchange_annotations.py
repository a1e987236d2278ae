"""Exports and imports annotations in other formats."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..discussion.annotation import Question
from ..text import counted, safe
from ..workspace.annotation_exchange import (
    TABLE,
    AnnotatedDiscussions,
    AnnotationFormat,
    AnnotationImporter,
    exported_files,
    exported_table,
)
from ..workspace.exit_status import BAD_INPUT
from ..workspace.exporting import encoded, write_export
from ..workspace.inputs import InputError
from .output import tell

TO_STDOUT = "-"


def export_annotations(
    paths: Sequence[Path],
    to: AnnotationFormat,
    output: str | None = None,
    *,
    overwrite: bool = False,
) -> int:
    """Export the annotations of the discussions in ``paths``.

    The table is one file or goes to standard output; SynDisco's layouts have one file for each
    annotator and repeat, in the folder ``output``; a single file may go to standard output.

    Returns the exit status: 2 if a file could not be read. Raises InputError if nothing can be
    exported.
    """
    discussions = AnnotatedDiscussions(paths)
    to_stdout = output in (None, TO_STDOUT)
    if to == TABLE:
        text = exported_table(discussions)
        if to_stdout:
            _print(text)
        else:
            _write({Path(str(output)): text}, overwrite)
    else:
        files = dict(exported_files(discussions, to))
        if not files:
            raise InputError(
                "None of these discussions has annotations; make some with `syndisco-tui annotate`"
            )
        if not to_stdout:
            _write({Path(str(output)) / name: text for name, text in files.items()}, overwrite)
        elif len(files) > 1:
            raise InputError(f"{len(files)} files as {to} need a folder: use --output FOLDER/")
        else:
            _print(next(iter(files.values())))
    for sentence in discussions.errors:
        tell(safe(sentence), sys.stderr)
    return BAD_INPUT if discussions.errors else 0


def _print(text: str) -> None:
    sys.stdout.buffer.write(encoded(text))
    sys.stdout.flush()


def _write(files: dict[Path, str], overwrite: bool) -> None:
    existing = next((path for path in files if path.exists()), None)
    if existing and not overwrite:
        raise InputError(f"{existing}: already exists; use --overwrite to replace it")
    for path, text in files.items():
        write_export(path, text)
    tell(safe(f"{counted(len(files), 'file')} written"), sys.stderr)


def import_annotations(
    files: Sequence[Path], candidates: Sequence[Path], question: Question | None
) -> int:
    """Import annotations of the discussions in ``candidates``, and print the new files' paths.

    Returns the exit status: 2 where a file could not be imported.
    """
    importer, status = AnnotationImporter(candidates, question), 0
    new = known = 0
    for file in files:
        try:
            result = importer.import_file(file)
        except InputError as error:
            tell(safe(str(error)), sys.stderr)
            status = BAD_INPUT
        except OSError as error:
            tell(safe(f"{file}: cannot be saved: {error.strerror or error}"), sys.stderr)
            status = BAD_INPUT
        else:
            known += result.path is None
            new += result.count
            if result.path:
                tell(str(result.path), sys.stdout)
    skipped = f"; {counted(known, 'file')} were there already" if known else ""
    tell(f"Imported {counted(new, 'annotation')}{skipped}.", sys.stderr)
    return status
