"""``syndisco-tui import``: files of others into the library and the list of personas."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..text import safe
from ..workspace.exit_status import BAD_INPUT
from ..workspace.folders import SHIPPED_PERSONAS, Folders
from ..workspace.importing import Importer, importable, skipped_files, summarize_import
from ..workspace.inputs import InputError
from ..workspace.personas import own_or_shipped_personas, write_personas
from .counter import Counter
from .output import tell


def import_files(paths: Sequence[Path], folders: Folders) -> int:
    """Import every file; the new discussions' paths go to standard output, all else to error.

    Returns the exit status: 0 all imported, 2 some could not be.
    """
    personas = own_or_shipped_personas(folders.personas_file, SHIPPED_PERSONAS)
    importer = Importer.into(folders, personas)
    files = importable(paths)
    counter = Counter(len(files))
    results = []
    for number, file in enumerate(files, start=1):
        result = importer.import_file(file)
        results.append(result)
        if result.message or result.file:
            counter.clear()
        if result.message:
            tell(safe(result.message), sys.stderr)
        if result.file:
            tell(str(result.file), sys.stdout)
        counter.show(number)
    counter.clear()
    if importer.new_personas:
        try:
            write_personas(folders.personas_file, importer.personas)
        except OSError as error:
            raise InputError(
                f"{folders.personas_file}: the personas cannot be saved: {error.strerror}"
            ) from None
    if sentence := skipped_files(paths):
        tell(safe(sentence), sys.stderr)
    tell(summarize_import(results), sys.stderr)
    return BAD_INPUT if any(result.kind == "error" for result in results) else 0
