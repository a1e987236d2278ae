"""``syndisco-tui import``: files of others into the library and the list of personas."""

from __future__ import annotations

import sys
from collections import Counter as Tally
from collections.abc import Sequence
from pathlib import Path

from ..discussion import Persona
from ..inputs import InputError
from ..store.importing import Import, Taken, importable
from ..store.library import Library
from ..store.personas import write_personas
from ..text import safe
from .counter import Counter

BAD_INPUT = 2


def import_files(
    paths: Sequence[Path],
    folder: Path,
    cache: Path,
    personas_file: Path,
    personas: Sequence[Persona],
) -> int:
    """Take in every file; the new discussions' paths go to standard output, all else to error.

    Returns the exit status: 0 all taken in, 2 some were bad.
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
            print(safe(one.sentence), file=sys.stderr)
        if one.file:
            counter.clear()
            print(one.file)
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
    print(told(taken), file=sys.stderr)
    return BAD_INPUT if any(one.what == "bad" for one in taken) else 0


def told(taken: Sequence[Taken]) -> str:
    """What became of all the files, in one sentence."""
    count = Tally(one.what for one in taken)
    personas = sum(one.personas for one in taken)
    parts = [f"{count['discussion']} {'discussion' if count['discussion'] == 1 else 'discussions'}"]
    if personas or count["personas"]:
        parts.append(f"{personas} {'persona' if personas == 1 else 'personas'}")
    sentence = f"Imported {' and '.join(parts)}"
    if count["there"]:
        sentence += f"; {count['there']} {'file was' if count['there'] == 1 else 'files were'} "
        sentence += "there already"
    if count["bad"]:
        sentence += f"; {count['bad']} could not be read"
    return f"{sentence}."
