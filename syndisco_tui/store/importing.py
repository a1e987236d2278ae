"""Taking in files of others: SynDisco's discussions in all their layouts, and personas."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..discussion import IMPORTED_FROM, DiscussionRecord, DiscussionSetup, Persona, name_key
from ..discussion.persona import MAX_NAME_LENGTH
from ..inputs import MAX_DISCUSSION_BYTES, InputError, read_json, validated
from ..text import one_line
from .discussions import DiscussionFile, json_files
from .format import from_json
from .persona_table import read_persona_table
from .personas import personas_of
from .syndisco import NO_TIME

TABLE = ".csv"


@dataclass(frozen=True)
class Taken:
    """What became of one file. ``sentence`` says it, where there is something to say.

    ``file`` is the new one of a discussion; ``personas`` counts those that were added.
    """

    source: Path
    what: Literal["discussion", "personas", "there", "bad"]
    sentence: str = ""
    file: Path | None = None
    personas: int = 0


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

    def take(self, path: Path) -> Taken:
        """Take one file in. A bad one changes nothing and is told of."""
        try:
            found = read_any(path)
            if isinstance(found, list):
                return self._take_personas(path, found)
            return self._take_discussion(path, found)
        except InputError as error:
            return Taken(path, "bad", str(error))
        except OSError as error:
            return Taken(path, "bad", f"{path}: cannot be saved: {error.strerror or error}")

    def _take_discussion(self, path: Path, record: DiscussionRecord) -> Taken:
        if record.id in self._known:
            return Taken(path, "there")
        file = DiscussionFile.create(self._folder, datetime.fromisoformat(record.started_at))
        try:
            file.write(record)
        finally:
            file.close()
        self._known.add(record.id)
        return Taken(path, "discussion", file=file.path)

    def _take_personas(self, path: Path, personas: list[Persona]) -> Taken:
        added, renamed = 0, []
        for persona in personas:
            own = _kept_as(persona, self._named)
            if own is None:
                continue
            self.personas.append(own)
            self._named[name_key(own.name)] = own
            added += 1
            if own.name != persona.name:
                renamed.append(f"{one_line(persona.name, 40)} is now {one_line(own.name, 45)}")
        sentence = f"{path}: {_at_most(renamed, 5)}" if renamed else ""
        what: Literal["personas", "there"] = "personas" if added else "there"
        return Taken(path, what, sentence, personas=added)


def importable(paths: Iterable[Path]) -> list[Path]:
    """The files among ``paths`` and in the folders among them."""
    return json_files(paths, TABLE)


def told(taken: Sequence[Taken]) -> str:
    """What became of all the files, in one sentence."""
    count = Counter(one.what for one in taken)
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


def read_any(path: Path) -> DiscussionRecord | list[Persona]:
    """The discussion or the personas in a file. Raises InputError."""
    if path.suffix.lower() == TABLE:
        return read_persona_table(path)
    value = read_json(path, max_bytes=MAX_DISCUSSION_BYTES)
    if isinstance(value, list) or (isinstance(value, dict) and "username" in value):
        return personas_of(value, path)
    if not isinstance(value, dict) or "logs" not in value:
        raise InputError(f"{path}: holds neither a discussion nor personas")
    return converted(value, path)


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


def _kept_as(persona: Persona, there: Mapping[str, Persona]) -> Persona | None:
    """``persona`` under a name that nobody has; None where the same is there already.

    ``there``: who has a name, by its key.
    """
    number, own = 1, persona
    while other := there.get(name_key(own.name)):
        if other.model_copy(update={"username": persona.username}) == persona:
            return None
        number += 1
        suffix = f" ({number})"
        stem = re.sub(r" \(\d+\)$", "", persona.name)
        own = persona.model_copy(
            update={"username": f"{stem[: MAX_NAME_LENGTH - len(suffix)]}{suffix}"}
        )
    return own


def _at_most(parts: list[str], most: int) -> str:
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return f"{', '.join(parts[:most])}{more}"
