"""Taking in files of others: SynDisco's discussions in all their layouts, and personas."""

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
from ..store.persona_table import personas_of_table
from ..store.personas import PERSONA_FILES, TABLE_SUFFIXES, is_table, personas_of
from ..store.syndisco import NO_TIME
from ..text import counted, one_line

IMPORTABLE = f"a discussion (JSON) or {PERSONA_FILES}"
"""How a sentence calls the files that can be imported."""


@dataclass(frozen=True)
class ImportResult:
    """What became of one file. ``sentence`` says it, where there is something to say.

    ``file`` is the new one of a discussion; ``personas`` counts those that were added, and
    ``known_personas`` those that were there before.
    """

    source: Path
    what: Literal["discussion", "personas", "there", "bad"]
    sentence: str = ""
    file: Path | None = None
    personas: int = 0
    known_personas: int = 0


class Import:
    """Takes files in, one after the other: discussions into ``folder``, personas into a list.

    ``known`` are the ids of the discussions that are there; ``personas`` is the user's list,
    which the caller saves when ``has_new_personas``.
    """

    def __init__(self, folder: Path, known: Iterable[str], personas: Sequence[Persona]) -> None:
        self._folder = folder
        self._known = set(known)
        self.personas = list(personas)
        self._had = len(self.personas)
        self._named = {name_key(persona.name): persona for persona in personas}

    @property
    def has_new_personas(self) -> bool:
        return len(self.personas) > self._had

    def take(self, path: Path) -> ImportResult:
        """Take one file in. A bad one changes nothing and is told of."""
        try:
            found = read_any(path)
            if isinstance(found, list):
                return self._take_personas(path, found)
            return self._take_discussion(path, found)
        except InputError as error:
            return ImportResult(path, "bad", str(error))
        except OSError as error:
            return ImportResult(path, "bad", f"{path}: cannot be saved: {error.strerror or error}")

    def _take_discussion(self, path: Path, record: DiscussionRecord) -> ImportResult:
        if record.id in self._known:
            return ImportResult(path, "there")
        file = DiscussionFile.create(self._folder, datetime.fromisoformat(record.started_at))
        try:
            file.write(record)
        finally:
            file.close()
        self._known.add(record.id)
        return ImportResult(path, "discussion", file=file.path)

    def _take_personas(self, path: Path, personas: list[Persona]) -> ImportResult:
        if not personas:
            return ImportResult(path, "bad", f"{path}: holds no personas")
        new = with_distinct_names(personas, self._named)
        self.personas += new.personas
        self._named |= {name_key(persona.name): persona for persona in new.personas}
        sentence = f"{path}: {new.summary}" if new.renames else ""
        what: Literal["personas", "there"] = "personas" if new.personas else "there"
        return ImportResult(
            path,
            what,
            sentence,
            personas=len(new.personas),
            known_personas=new.already_there,
        )


def importable(paths: Iterable[Path]) -> list[Path]:
    """The files among ``paths`` and in the folders among them."""
    return json_files(paths, *TABLE_SUFFIXES)


def summarize_import(taken: Sequence[ImportResult]) -> str:
    """What became of all the files, in one sentence."""
    count = Counter(one.what for one in taken)
    known_personas = sum(one.known_personas for one in taken)
    known_discussions = sum(one.what == "there" and not one.known_personas for one in taken)
    personas = sum(one.personas for one in taken)
    new = {"discussion": count["discussion"], "persona": personas}
    known = {"discussion": known_discussions, "persona": known_personas}
    imported = " and ".join(counted(number, noun) for noun, number in new.items() if number)
    parts = [f"imported {imported}"] if imported else []
    parts += [
        f"{counted(number, noun)} {'was' if number == 1 else 'were'} there already"
        for noun, number in known.items()
        if number
    ]
    if count["bad"]:
        parts.append(f"{counted(count['bad'], 'file')} could not be imported")
    sentence = "; ".join(parts) or "nothing to import"
    return f"{sentence[0].upper()}{sentence[1:]}."


def left_out(paths: Iterable[Path]) -> str:
    """A sentence about the files in folders among ``paths`` that are not looked at, or nothing."""
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
        return personas_of_table(text, path)
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
    if started_at == NO_TIME:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        started_at = changed.isoformat(timespec="seconds")
    return replace(
        record,
        setup=validated(DiscussionSetup, record.setup.model_dump(), path),
        started_at=started_at,
        title=one_line(f"{path.absolute().parent.name}/{path.stem}", 100),
        engine={IMPORTED_FROM: f"SynDisco {version}"},
    )
