"""``syndisco-tui import``: files of others into the library and the list of personas."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..text import safe
from ..workspace.conditions import ConditionPattern
from ..workspace.exit_status import BAD_INPUT
from ..workspace.folders import SHIPPED_PERSONAS, Folders
from ..workspace.importing import (
    Importer,
    importable,
    mapping_lines,
    named_fragments,
    skipped_files,
    summarize_import,
)
from ..workspace.inputs import InputError
from ..workspace.personas import own_or_shipped_personas, write_personas
from .counter import Counter
from .output import tell


def import_files(
    paths: Sequence[Path],
    folders: Folders,
    *,
    dry_run: bool = False,
    condition_from: str | None = None,
) -> int:
    """Import every file; the new discussions' paths go to standard output, all else to error.

    With ``dry_run`` nothing is saved, and the mapping of fields is printed. ``condition_from`` is a
    pattern by which factors are read from folder names.

    Returns the exit status: 0 all imported, 2 some could not be.
    """
    conditions = ConditionPattern(condition_from) if condition_from else None
    personas = own_or_shipped_personas(folders.personas_file, SHIPPED_PERSONAS)
    named, fragments = named_fragments(paths)
    importer = Importer.into(
        folders, personas, preview=dry_run, fragments=fragments, conditions=conditions
    )
    files = importable(named)
    counter = Counter(len(files))
    results = []
    for number, file in enumerate(files, start=1):
        result = importer.import_file(file)
        results.append(result)
        if result.message or result.files:
            counter.clear()
        if result.message:
            tell(safe(result.message), sys.stderr)
        for path in result.files:
            tell(str(path), sys.stdout)
        counter.show(number)
    counter.clear()
    if dry_run:
        for line in mapping_lines(results):
            tell(safe(line), sys.stdout)
    elif importer.new_personas:
        try:
            write_personas(folders.personas_file, importer.personas)
        except OSError as error:
            raise InputError(
                f"{folders.personas_file}: the personas cannot be saved: {error.strerror}"
            ) from None
    if sentence := skipped_files(paths):
        tell(safe(sentence), sys.stderr)
    tell(summarize_import(results, preview=dry_run), sys.stderr)
    return BAD_INPUT if any(result.kind == "error" for result in results) else 0
