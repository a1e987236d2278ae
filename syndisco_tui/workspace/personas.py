"""Personas: the user's own list, named sets, and the shipped ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..discussion import Persona, name_key
from ..discussion.sampling_personas import free_name
from ..store.foreign.cards import first_message_of, scenario_of
from ..store.inputs import InputError
from ..store.personas import (
    as_json,
    own_or_shipped_personas,
    parse_personas,
    read_personas,
    shipped_personas,
    write_personas,
)
from .folders import SHIPPED_PERSONAS, named_file

__all__ = [
    "OwnPersonas",
    "PersonaSet",
    "PersonaSets",
    "as_json",
    "first_message_of",
    "named_apart",
    "own_or_shipped",
    "own_or_shipped_personas",
    "parse_personas",
    "read_personas",
    "scenario_of",
    "write_personas",
]

PersonaTuple: TypeAlias = tuple[Persona, ...]


def own_or_shipped(file: Path) -> tuple[PersonaTuple, list[str]]:
    """The user's list in ``file``, or the shipped personas where it is missing or unreadable.

    Returns them with the notices to show.
    """
    try:
        return tuple(own_or_shipped_personas(file, SHIPPED_PERSONAS)), []
    except InputError as error:
        notice = f"{error}. The shipped personas are shown; the file is kept until you change one."
        return tuple(shipped_personas(SHIPPED_PERSONAS)), [notice]


class OwnPersonas:
    """The user's list of personas in ``file``, which imports and other windows write as well."""

    def __init__(self, file: Path, personas: PersonaTuple) -> None:
        self.personas = personas
        self._file = file
        self._known_content = self._content()

    def save(self, personas: PersonaTuple) -> PersonaTuple:
        """Write ``personas``, merged with what others wrote into the file meanwhile.

        Returns the personas that others added. Raises InputError where the file cannot be
        written, or what others wrote cannot be read.
        """
        before, self.personas = self.personas, personas  # if this fails, the next call saves them
        mine, added = merge_lists(personas, before, self._written_by_others())
        try:
            write_personas(self._file, (*mine, *added))
        except OSError as error:
            sentence = f"{self._file}: the personas cannot be saved: {error.strerror}"
            raise InputError(sentence) from None
        self.personas, self._known_content = (*mine, *added), self._content()
        return added

    def _written_by_others(self) -> list[Persona]:
        if self._content() in (None, self._known_content):
            return []
        try:
            return read_personas(self._file)
        except InputError as error:
            sentence = f"The personas are not saved; correct their file first: {error}"
            raise InputError(sentence) from None

    def _content(self) -> bytes | None:
        try:
            return self._file.read_bytes()
        except OSError:
            return None


def merge_lists(
    mine: PersonaTuple, before: PersonaTuple, theirs: Iterable[Persona]
) -> tuple[PersonaTuple, PersonaTuple]:
    """Merge two changed versions of the list ``before``: mine, and whom others added to it.

    A persona that only others changed is taken from them. Of one that both changed, mine stays
    and theirs is added under a name with a number.
    """
    by_name = {name_key(persona.name): persona for persona in before}
    changed_by_others = {
        name_key(persona.name): persona
        for persona in theirs
        if persona not in mine and persona != by_name.get(name_key(persona.name))
    }
    merged = []
    for persona in mine:
        key = name_key(persona.name)
        is_unchanged = persona == by_name.get(key)
        merged.append(changed_by_others.pop(key, persona) if is_unchanged else persona)
    taken = (name_key(persona.name) for persona in merged)
    return tuple(merged), named_apart(changed_by_others.values(), taken)


def named_apart(personas: Iterable[Persona], taken: Iterable[str] = ()) -> PersonaTuple:
    """``personas`` with a number behind every name that somebody has before them."""
    used, apart = set(taken), []
    for persona in personas:
        name = free_name(persona.name, used)
        used.add(name_key(name))
        is_free = name == persona.name
        apart.append(persona if is_free else persona.model_copy(update={"username": name}))
    return tuple(apart)


@dataclass(frozen=True)
class PersonaSet:
    """A set that can be opened. ``count`` is None where it cannot be read."""

    name: str
    path: Path
    is_own: bool
    count: int | None


class PersonaSets:
    """The user's named sets in ``folder``, and the shipped ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, name: str) -> Path:
        """The file of the user's set ``name``. Raises InputError where it cannot be a name."""
        return named_file(self._folder, name, ".json", "set")

    def save(self, name: str, personas: Sequence[Persona]) -> Path:
        """Write ``personas`` as the set ``name``, replacing one of that name. Returns the file.

        Raises InputError for a name that cannot be one, OSError where it cannot be written.
        """
        path = self.file(name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_personas(path, personas)
        return path

    def listed(self) -> list[PersonaSet]:
        """The user's sets by name, then the shipped ones."""
        return [
            _set_of(file, folder == self._folder)
            for folder in (self._folder, SHIPPED_PERSONAS)
            for file in sorted(folder.glob("[!.]*.json"), key=lambda path: path.stem.casefold())
        ]


def _set_of(file: Path, is_own: bool) -> PersonaSet:
    try:
        count = len(read_personas(file))
    except InputError:
        count = None
    return PersonaSet(file.stem, file, is_own, count)
