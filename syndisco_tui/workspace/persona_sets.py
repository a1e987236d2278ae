"""Named sets of personas: SynDisco's JSON lists in the user's folder, and the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..discussion import Persona
from ..store.inputs import InputError
from ..store.personas import read_personas, write_personas
from .named_files import named_file


@dataclass(frozen=True)
class PersonaSet:
    """A set that can be opened. ``count`` is None where it cannot be read; ``fault`` says why."""

    name: str
    path: Path
    is_own: bool
    count: int | None
    fault: str = ""


class PersonaSets:
    """The sets in the user's folder and those in the shipped one."""

    def __init__(self, own: Path, shipped: Path) -> None:
        self._own = own
        self._shipped = shipped

    def file(self, name: str) -> Path:
        """The file of the user's set ``name``. Raises InputError where it cannot be a name."""
        return named_file(self._own, name, ".json", "set")

    def save(self, name: str, personas: Sequence[Persona]) -> Path:
        """Write ``personas`` as the set ``name``, over one that is there. Gives back the file.

        Raises InputError for a name that cannot be one, OSError where it cannot be written.
        """
        path = self.file(name)
        self._own.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_personas(path, personas)
        return path

    def read(self, path: Path) -> list[Persona]:
        """The personas of any file, a JSON list or a table. Raises InputError."""
        return read_personas(path)

    def listed(self) -> list[PersonaSet]:
        """The user's sets by name, then the shipped ones."""
        return [*_sets_in(self._own, is_own=True), *_sets_in(self._shipped, is_own=False)]


def _sets_in(folder: Path, *, is_own: bool) -> list[PersonaSet]:
    files = sorted(folder.glob("*.json"), key=lambda path: path.stem.casefold())
    return [_set_of(file, is_own) for file in files if not file.name.startswith(".")]


def _set_of(file: Path, is_own: bool) -> PersonaSet:
    try:
        return PersonaSet(file.stem, file, is_own, len(read_personas(file)))
    except InputError as error:
        return PersonaSet(file.stem, file, is_own, None, str(error))
