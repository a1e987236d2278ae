"""Setups that can be opened: the user's TOML files in one folder, and the shipped ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..discussion import DiscussionSetup
from ..store.inputs import InputError
from ..store.setups import read_setup, write_setup
from .named_files import named_file


@dataclass(frozen=True)
class SavedSetup:
    """A setup that can be opened. ``setup`` is None where it cannot be read; ``error`` says why."""

    name: str
    path: Path
    is_own: bool
    saved_at: datetime
    setup: DiscussionSetup | None
    error: str = ""


class SavedSetups:
    """The user's in ``folder``, and those in ``shipped``."""

    def __init__(self, folder: Path, shipped: Path | None = None) -> None:
        self.folder = folder
        self._shipped = shipped

    def file(self, name: str) -> Path:
        """The file of the setup ``name``. Raises InputError where this cannot be a name."""
        return named_file(self.folder, name, ".toml", "setup")

    def save(self, name: str, setup: DiscussionSetup) -> Path:
        """Write ``setup`` under ``name``, over one that has it. Raises InputError, OSError."""
        path = self.file(name)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_setup(path, setup)
        return path

    def listed(self) -> list[SavedSetup]:
        """The user's, the last saved first, then the shipped ones."""
        own = _saved_in(self.folder, is_own=True)
        return [*own, *(_saved_in(self._shipped, is_own=False) if self._shipped else ())]


def _saved_in(folder: Path, *, is_own: bool) -> list[SavedSetup]:
    files = (path for path in folder.glob("*.toml") if not path.name.startswith("."))
    setups = (_saved_setup(path, is_own) for path in files)
    return sorted(setups, key=lambda each: each.saved_at, reverse=True)


def _saved_setup(path: Path, is_own: bool) -> SavedSetup:
    saved_at = datetime.fromtimestamp(0, UTC)
    try:
        saved_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return SavedSetup(path.stem, path, is_own, saved_at, read_setup(path))
    except InputError as error:
        return SavedSetup(path.stem, path, is_own, saved_at, None, str(error))
    except OSError as error:
        return SavedSetup(path.stem, path, is_own, saved_at, None, f"{path}: {error.strerror}")
