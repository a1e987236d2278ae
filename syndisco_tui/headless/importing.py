"""``syndisco-tui import``: files of others into the library and the list of personas."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..discussion import Persona
from ..store.inputs import InputError
from ..store.library import Library
from ..store.personas import write_personas
from ..text import safe
from ..workspace.exit_status import BAD_INPUT
from ..workspace.importing import Import, importable, left_out, summarize_import
from .counter import Counter
from .output import tell


def import_files(
    paths: Sequence[Path],
    folder: Path,
    cache: Path,
    personas_file: Path,
    personas: Sequence[Persona],
) -> int:
    """Import every file; the new discussions' paths go to standard output, all else to error.

    Returns the exit status: 0 all imported, 2 some could not be.
    """
    library = Library(folder, cache)
    incoming = Import(folder, library.ids(), personas)
    files = importable(paths)
    counter = Counter(len(files))
    taken = []
    for number, file in enumerate(files, start=1):
        one = incoming.take(file)
        taken.append(one)
        if one.sentence:
            counter.clear()
            tell(safe(one.sentence), sys.stderr)
        if one.file:
            counter.clear()
            tell(str(one.file), sys.stdout)
        counter.show(number)
    counter.clear()
    if incoming.has_new_personas:
        try:
            write_personas(personas_file, incoming.personas)
        except OSError as error:
            raise InputError(
                f"{personas_file}: the personas cannot be saved: {error.strerror}"
            ) from None
    library.close()
    if sentence := left_out(paths):
        tell(safe(sentence), sys.stderr)
    tell(summarize_import(taken), sys.stderr)
    return BAD_INPUT if any(one.what == "bad" for one in taken) else 0
