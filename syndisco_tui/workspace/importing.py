"""Importing files of others: SynDisco's discussions in all their layouts, and personas."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..discussion import IMPORTED_FROM, DiscussionRecord, DiscussionSetup, Persona, name_key
from ..store.discussion_format import from_json
from ..store.discussions import DiscussionFile, json_files
from ..store.distinct_names import with_distinct_names
from ..store.file_kinds import DISCUSSIONS, PERSONAS, json_kind, refusal_of
from ..store.inputs import MAX_DISCUSSION_BYTES, InputError, parse_json_file, read_text, validated
from ..store.persona_table import parse_table
from ..store.personas import PERSONA_FILES, TABLE_SUFFIXES, is_table, personas_of
from ..store.syndisco import UNKNOWN_START
from ..text import counted, one_line
from .folders import Folders

IMPORTABLE = f"a discussion (JSON) or {PERSONA_FILES}"
"""How a sentence calls the files that can be imported."""


@dataclass(frozen=True)
class ImportResult:
    """What became of one file. ``message`` is a sentence, where there is something to say.

    ``file`` is the new file of a discussion; ``new_personas`` and ``known_personas`` count those
    that were added and those that the list had before.
    """

    source: Path
    kind: Literal["discussion", "personas", "known", "error"]
    message: str = ""
    file: Path | None = None
    new_personas: int = 0
    known_personas: int = 0


class Importer:
    """Imports files one after the other: discussions into ``folder``, personas into a list.

    ``known_ids`` are those of the saved discussions; ``personas`` is the user's list, which the
    caller saves when there are ``new_personas``.
    """

    def __init__(self, folder: Path, known_ids: Iterable[str], personas: Sequence[Persona]) -> None:
        self._folder = folder
        self._known_ids = set(known_ids)
        self._known_personas = list(personas)
        self._by_name = {name_key(persona.name): persona for persona in personas}
        self.new_personas: list[Persona] = []

    @classmethod
    def into(cls, folders: Folders, personas: Sequence[Persona]) -> Importer:
        """An importer into the user's folders."""
        from .library import Library  # with sqlite3, which the first picture does not need

        library = Library(folders.discussions, folders.library_cache)
        try:
            return cls(folders.discussions, library.ids(), personas)
        finally:
            library.close()

    @property
    def personas(self) -> list[Persona]:
        """The user's list with the new ones."""
        return [*self._known_personas, *self.new_personas]

    def import_file(self, path: Path) -> ImportResult:
        """Import one file. One that cannot be read or saved changes nothing."""
        try:
            content = read_any(path)
            if isinstance(content, list):
                return self._add_personas(path, content)
            return self._add_discussion(path, content)
        except InputError as error:
            return ImportResult(path, "error", str(error))
        except OSError as error:
            sentence = f"{path}: cannot be saved: {error.strerror or error}"
            return ImportResult(path, "error", sentence)

    def _add_discussion(self, path: Path, record: DiscussionRecord) -> ImportResult:
        if record.id in self._known_ids:
            return ImportResult(path, "known")
        file = DiscussionFile.create(self._folder, datetime.fromisoformat(record.started_at))
        try:
            file.write(record)
        finally:
            file.close()
        self._known_ids.add(record.id)
        return ImportResult(path, "discussion", file=file.path)

    def _add_personas(self, path: Path, personas: list[Persona]) -> ImportResult:
        if not personas:
            return ImportResult(path, "error", f"{path}: holds no personas")
        distinct = with_distinct_names(personas, self._by_name)
        self.new_personas += distinct.personas
        self._by_name |= {name_key(persona.name): persona for persona in distinct.personas}
        return ImportResult(
            path,
            "personas" if distinct.personas else "known",
            f"{path}: {distinct.summary}" if distinct.renames else "",
            new_personas=len(distinct.personas),
            known_personas=distinct.duplicates,
        )


def importable(paths: Iterable[Path]) -> list[Path]:
    """The files among ``paths`` and in the folders among them that are looked at."""
    return json_files(paths, *TABLE_SUFFIXES)


def summarize_import(results: Sequence[ImportResult]) -> str:
    """What became of all the files, in one sentence."""
    count = Counter(result.kind for result in results)
    known_personas = sum(result.known_personas for result in results)
    known_discussions = sum(
        result.kind == "known" and not result.known_personas for result in results
    )
    new_personas = sum(result.new_personas for result in results)
    imported = [
        counted(number, noun)
        for noun, number in (("discussion", count["discussion"]), ("persona", new_personas))
        if number
    ]
    parts = [f"imported {' and '.join(imported)}"] if imported else []
    for noun, number in (("discussion", known_discussions), ("persona", known_personas)):
        if number:
            verb = "was" if number == 1 else "were"
            parts.append(f"{counted(number, noun)} {verb} there already")
    if count["error"]:
        parts.append(f"{counted(count['error'], 'file')} could not be imported")
    sentence = "; ".join(parts) or "nothing to import"
    return f"{sentence[0].upper()}{sentence[1:]}."


def skipped_files(paths: Iterable[Path]) -> str:
    """A sentence about files of other kinds in the folders among ``paths``; empty if none."""
    looked_at = (".json", *TABLE_SUFFIXES)
    suffixes = Counter(
        Path(name).suffix.lower() or "no suffix"
        for path in paths
        if path.is_dir()
        for _, _, names in os.walk(path)
        for name in names
        if not name.startswith(".") and not name.lower().endswith(looked_at)
    )
    if not suffixes:
        return ""
    kinds = ", ".join(suffix for suffix, _ in suffixes.most_common(5))
    return (
        f"{counted(suffixes.total(), 'file')} of other kinds in the folder left out ({kinds}); "
        "name one to see what it is."
    )


def read_any(path: Path) -> DiscussionRecord | list[Persona]:
    """The discussion or the personas in a file. Raises InputError."""
    text = read_text(path, max_bytes=MAX_DISCUSSION_BYTES, expected=IMPORTABLE)
    if is_table(text, path):
        return parse_table(text, path)
    value = parse_json_file(text, path, IMPORTABLE)
    kind = json_kind(value)
    if kind in DISCUSSIONS:
        return converted(value, path)
    if kind and kind not in PERSONAS:
        raise InputError(refusal_of(path, kind, IMPORTABLE))
    if kind or isinstance(value, list):
        return personas_of(value, path)
    raise InputError(f"{path}: holds neither a discussion nor personas")


def converted(value: dict[str, Any], path: Path) -> DiscussionRecord:
    """A discussion file's value as a record of ours. Raises InputError.

    SynDisco's are titled by their folder and file, and marked with where they come from; one that
    does not say when it began is as old as its file.
    """
    record = from_json(value, path)
    if "syndisco_tui" in value:
        return record
    version = "2.0" if "users" in value else "2.2"
    started_at = record.started_at
    if started_at == UNKNOWN_START:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        started_at = changed.isoformat(timespec="seconds")
    return replace(
        record,
        setup=validated(DiscussionSetup, record.setup.model_dump(), path),
        started_at=started_at,
        title=one_line(f"{path.absolute().parent.name}/{path.stem}", 100),
        engine={IMPORTED_FROM: f"SynDisco {version}"},
    )
