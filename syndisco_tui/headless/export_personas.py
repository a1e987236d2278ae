"""``syndisco-tui export`` of personas: a list, a table or character cards."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..discussion import Persona
from ..text import counted, safe
from ..workspace.exit_status import BAD_INPUT
from ..workspace.exporting import (
    PERSONA_FORMATS,
    PersonaFormat,
    encoded,
    persona_files,
    personas_in,
    write_export,
)
from ..workspace.importing import importable
from ..workspace.inputs import InputError
from ..workspace.personas import named_apart
from .output import tell

TO_STDOUT = "-"


def export_personas(
    files: Sequence[Path], to: PersonaFormat, output: str | None = None, *, overwrite: bool = False
) -> int:
    """Export all personas in ``files``: lists, tables, cards, and discussions' participants.

    A list or a table goes to ``output`` or to standard output, cards into a folder. If two
    different personas have the same name, the second becomes ``NAME (2)``; duplicates are left out.

    Returns the exit status: 0 all exported, 2 some files could not be read. Raises InputError if
    nothing can be exported.
    """
    personas: list[Persona] = []
    status = 0
    for file in importable(files):
        try:
            personas += (each for each in personas_in(file) if each not in personas)
        except InputError as error:
            status = BAD_INPUT
            tell(safe(str(error)), sys.stderr)
    distinct = named_apart(personas)
    content = PERSONA_FORMATS[to].write(distinct)
    if output in (None, TO_STDOUT):
        if isinstance(content, dict):
            raise InputError(f"{to} are written one file each: use --output FOLDER")
        sys.stdout.buffer.write(encoded(content))
        sys.stdout.flush()
        return status
    path = Path(str(output))
    if not isinstance(content, dict) and (path.is_dir() or str(output).endswith("/")):
        path = path / f"personas{PERSONA_FORMATS[to].suffix}"
    named = persona_files(path, content)
    existing = next((each for each in named if each.exists()), None)
    if existing and not overwrite:
        raise InputError(f"{existing}: already exists; use --overwrite to replace it")
    for each, text in named.items():
        write_export(each, text)
    tell(safe(f"{counted(len(distinct), 'persona')} exported to {path}"), sys.stderr)
    return status
