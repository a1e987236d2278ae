"""Writes exported discussions and personas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..discussion import DiscussionRecord, Persona
from ..discussion.participants import participants
from ..store.discussions import read_discussion
from ..store.export import FORMAT_NAMES, FORMATS, Exported, ExportFormat, exported, format_named
from ..store.export.personas import PERSONA_FORMAT_NAMES, PERSONA_FORMATS, PersonaFormat
from ..store.foreign.content import read_content
from ..store.inputs import InputError
from .folders import write_output

__all__ = [
    "FORMATS",
    "FORMAT_NAMES",
    "PERSONA_FORMATS",
    "PERSONA_FORMAT_NAMES",
    "ExportFormat",
    "Exported",
    "PersonaFormat",
    "encoded",
    "export_names",
    "export_personas_to_folder",
    "export_to_folder",
    "exported",
    "format_named",
    "persona_files",
    "personas_in",
    "write_export",
]

_REFUSED = frozenset('/\\:*?"<>|')
LONGEST_NAME = 120
"""Bytes of a file's name that are made of a title."""


def export_to_folder(folder: Path, sources: Sequence[Path], to: ExportFormat) -> Path:
    """Write the discussions ``sources`` into ``folder``, in new files named by their titles.

    One file holds all of them where the format can. Returns the file, or the folder of several.
    Raises InputError and OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    records = [read_discussion(path) for path in sources]
    suffix, name_of = FORMATS[to].suffix, FORMATS[to].name_of
    if name_of:
        path = free_path(folder, name_of(records), suffix)
        write_export(path, FORMATS[to].write(records))
        return path
    if len(records) > 1 and FORMATS[to].holds_several:
        titles = {record.title for record in records}
        several = f"{len(records)} discussions"
        title = f"{titles.pop()}, {several}" if len(titles) == 1 and "" not in titles else several
        path = free_path(folder, name_of_title(title), suffix)
        write_export(path, FORMATS[to].write(records))
        return path
    path = folder
    for source, record in zip(sources, records, strict=True):
        path = free_path(folder, title_as_name(record) or source.stem, suffix)
        write_export(path, exported(record, to))
    return path if len(records) == 1 else folder


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


def personas_in(path: Path) -> list[Persona]:
    """The personas in a file, or the participants of the discussions in it. Raises InputError."""
    content = read_content(path)
    personas = list(content.personas)
    for record in content.discussions:
        users, moderator = participants(record)
        personas += (actor.persona for actor in (*users, *([moderator] if moderator else ())))
    if not personas:
        raise InputError(f"{path}: holds no personas")
    return personas


def persona_files(path: Path, content: str | dict[str, str]) -> dict[Path, str]:
    """The files of an export of personas: ``path``, or one file each in that folder."""
    if isinstance(content, str):
        return {path: content}
    files: dict[Path, str] = {}
    for name, text in content.items():
        stem, number = name_of_title(name) or "persona", 1
        file = path / f"{stem}.card.json"
        while str(file).casefold() in {str(each).casefold() for each in files}:
            number += 1
            file = path / f"{stem} ({number}).card.json"
        files[file] = text
    return files


def write_export(path: Path, content: Exported) -> None:
    """Write an export, a file or a folder of files. Raises InputError if that fails."""
    if isinstance(content, dict):
        for name, text in content.items():
            write_output(path / name, encoded(text))
    else:
        write_output(path, encoded(content))


def encoded(content: str | bytes) -> bytes:
    """Encode text in UTF-8; a lone surrogate becomes a question mark."""
    return content.encode("utf-8", errors="replace") if isinstance(content, str) else content


def export_personas_to_folder(folder: Path, personas: Sequence[Persona], to: PersonaFormat) -> Path:
    """Write ``personas`` to a new file or folder in ``folder``, and return its path.

    Raises InputError.
    """
    content = PERSONA_FORMATS[to].write(personas)
    title = personas[0].name if len(personas) == 1 else f"{len(personas)} personas"
    path = free_path(folder, name_of_title(title) or "persona", PERSONA_FORMATS[to].suffix)
    for file, text in persona_files(path, content).items():
        write_export(file, text)
    return path


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
