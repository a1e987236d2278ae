"""Imports discussions and personas from files recognized by their content."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ..discussion import DiscussionRecord, ExperimentMembership, Persona, name_key
from ..store.discussions import DiscussionFile, json_files
from ..store.distinct_names import with_distinct_names
from ..store.foreign.content import IMPORTABLE, SUFFIXES, fragment_in, read_content
from ..store.foreign.converted import Content
from ..store.foreign.convokit import UTTERANCES_FILE
from ..store.inputs import InputError
from ..text import counted
from .conditions import ConditionPattern
from .folders import Folders, write_output

__all__ = [
    "IMPORTABLE",
    "ImportResult",
    "Importer",
    "importable",
    "keep_pasted",
    "mapping_lines",
    "named_fragments",
    "skipped_files",
    "summarize_import",
]

NO_REPEAT = 0
"""An imported discussion is the repeat of none: nothing says with which others it is paired."""


@dataclass(frozen=True)
class ImportResult:
    """The result of importing one file. ``message`` is a sentence about it, or empty.

    ``files`` are the new files of discussions (none in a preview); ``new_…`` and ``known_…`` count
    what was added and what was there before. ``format`` names the file's format, and ``mapping``
    pairs its fields with those they became.
    """

    source: Path
    kind: Literal["discussion", "personas", "known", "error"]
    message: str = ""
    files: tuple[Path, ...] = ()
    new_discussions: int = 0
    known_discussions: int = 0
    new_personas: int = 0
    known_personas: int = 0
    format: str = ""
    mapping: tuple[tuple[str, str], ...] = ()


class Importer:
    """Imports files one after the other: discussions into ``folder``, personas into a list.

    ``known_ids`` are those of the saved discussions; ``personas`` is the user's list, which the
    caller saves when there are ``new_personas``. With ``preview`` nothing is written.
    ``fragments`` are TinyTroupe's, which are merged into every agent. ``conditions`` reads the
    factors of discussions from the folders that they lie in.
    """

    def __init__(
        self,
        folder: Path,
        known_ids: Iterable[str],
        personas: Sequence[Persona],
        *,
        preview: bool = False,
        fragments: Sequence[Mapping[str, Any]] = (),
        conditions: ConditionPattern | None = None,
    ) -> None:
        self._folder = folder
        self._known_ids = set(known_ids)
        self._known_personas = list(personas)
        self._by_name = {name_key(persona.name): persona for persona in personas}
        self._preview = preview
        self._fragments = tuple(fragments)
        self._conditions = conditions
        self.new_personas: list[Persona] = []

    @classmethod
    def into(
        cls,
        folders: Folders,
        personas: Sequence[Persona],
        *,
        preview: bool = False,
        fragments: Sequence[Mapping[str, Any]] = (),
        conditions: ConditionPattern | None = None,
    ) -> Importer:
        """An importer into the user's folders."""
        from .library import Library  # with sqlite3, which the first picture does not need

        library = Library(folders.discussions, folders.library_cache)
        try:
            ids = library.ids()
        finally:
            library.close()
        return cls(
            folders.discussions,
            ids,
            personas,
            preview=preview,
            fragments=fragments,
            conditions=conditions,
        )

    @property
    def personas(self) -> list[Persona]:
        """The user's list with the new ones."""
        return [*self._known_personas, *self.new_personas]

    def import_file(self, path: Path) -> ImportResult:
        """Import one file. One that cannot be read or saved changes nothing."""
        try:
            content = read_content(path, self._fragments)
            if content.discussions:
                return self._add_discussions(path, content)
            return self._add_personas(path, content)
        except InputError as error:
            return ImportResult(path, "error", str(error))
        except OSError as error:
            sentence = f"{path}: cannot be saved: {error.strerror or error}"
            return ImportResult(path, "error", sentence)

    def _add_discussions(self, path: Path, content: Content) -> ImportResult:
        new = [each for each in content.discussions if each.id not in self._known_ids]
        if new and self._conditions:
            member = ExperimentMembership(self._conditions.levels_of(path), NO_REPEAT)
            new = [replace(each, experiment=member) for each in new]
        files = [] if self._preview else [self._save(record) for record in new]
        self._known_ids |= {record.id for record in new}
        return ImportResult(
            path,
            "discussion" if new else "known",
            _message(path, content.notes) if new else "",
            files=tuple(files),
            new_discussions=len(new),
            known_discussions=len(content.discussions) - len(new),
            format=content.kind.name,
            mapping=content.mapping,
        )

    def _save(self, record: DiscussionRecord) -> Path:
        file = DiscussionFile.create(self._folder, datetime.fromisoformat(record.started_at))
        try:
            file.write(record)
        finally:
            file.close()
        return file.path

    def _add_personas(self, path: Path, content: Content) -> ImportResult:
        if not content.personas:
            return ImportResult(path, "error", f"{path}: holds no personas")
        distinct = with_distinct_names(content.personas, self._by_name)
        self.new_personas += distinct.personas
        self._by_name |= {name_key(persona.name): persona for persona in distinct.personas}
        notes = [distinct.summary] if distinct.renames else []
        return ImportResult(
            path,
            "personas" if distinct.personas else "known",
            _message(path, (*notes, *content.notes)) if distinct.personas else "",
            new_personas=len(distinct.personas),
            known_personas=distinct.duplicates,
            format=content.kind.name,
            mapping=content.mapping,
        )


def _message(path: Path, notes: Sequence[str]) -> str:
    return f"{path}: {'; '.join(notes)}" if notes else ""


def importable(paths: Iterable[Path]) -> list[Path]:
    """The files to import among ``paths``, and in folders among them.

    A ConvoKit corpus is represented by its file of utterances.
    """
    files = json_files(paths, *SUFFIXES)
    corpora = {path.parent for path in files if path.name == UTTERANCES_FILE}
    return [path for path in files if path.parent not in corpora or path.name == UTTERANCES_FILE]


def keep_pasted(folders: Folders, text: str) -> Path:
    """A file with pasted ``text``, replaced by the next, from which it can be imported.

    Raises InputError if it cannot be written.
    """
    path = folders.cache / "pasted.json"
    write_output(path, text.encode("utf-8", errors="replace"))
    return path


def named_fragments(paths: Iterable[Path]) -> tuple[list[Path], list[Mapping[str, Any]]]:
    """``paths`` without TinyTroupe's fragments, and those fragments.

    Only files named explicitly count: in a folder, it is unknown which fragment belongs to which
    agent.
    """
    rest: list[Path] = []
    fragments: list[Mapping[str, Any]] = []
    for path in paths:
        fragment = fragment_in(path) if path.suffix.lower() == ".json" and path.is_file() else None
        if fragment is None:
            rest.append(path)
        else:
            fragments.append(fragment)
    return (rest, fragments) if rest else (list(paths), [])


def mapping_lines(results: Sequence[ImportResult]) -> list[str]:
    """For each format among ``results``, the number of files and the mapping of fields."""
    lines: list[str] = []
    by_format = Counter(result.format for result in results if result.format)
    for name, count in by_format.most_common():
        mapping = next(result.mapping for result in results if result.format == name)
        lines.append(f"{counted(count, 'file')}: {name}")
        lines += [f"  {source} → {target}" for source, target in mapping]
    return lines


def summarize_import(results: Sequence[ImportResult], *, preview: bool = False) -> str:
    """Summarize all results in one sentence; with ``preview``, in the conditional."""
    new_discussions = sum(result.new_discussions for result in results)
    new_personas = sum(result.new_personas for result in results)
    imported = [
        counted(number, noun)
        for noun, number in (("discussion", new_discussions), ("persona", new_personas))
        if number
    ]
    verb = "would import" if preview else "imported"
    parts = [f"{verb} {' and '.join(imported)}"] if imported else []
    known_discussions = sum(result.known_discussions for result in results)
    known_personas = sum(result.known_personas for result in results)
    for noun, number in (("discussion", known_discussions), ("persona", known_personas)):
        if number:
            was = "was" if number == 1 else "were"
            parts.append(f"{counted(number, noun)} {was} already imported")
    if errors := sum(result.kind == "error" for result in results):
        parts.append(f"{counted(errors, 'file')} could not be imported")
    sentence = "; ".join(parts) or "nothing to import"
    return f"{sentence[0].upper()}{sentence[1:]}."


def skipped_files(paths: Iterable[Path]) -> str:
    """A sentence about files of other types in the folders among ``paths``; empty if none."""
    suffixes = Counter(
        Path(name).suffix.lower() or "no suffix"
        for path in paths
        if path.is_dir()
        for _, _, names in os.walk(path)
        for name in names
        if not name.startswith(".") and not name.lower().endswith(SUFFIXES)
    )
    if not suffixes:
        return ""
    kinds = ", ".join(suffix for suffix, _ in suffixes.most_common(5))
    return (
        f"Skipped {counted(suffixes.total(), 'file')} of other types ({kinds}); "
        "name a file to import it anyway."
    )
