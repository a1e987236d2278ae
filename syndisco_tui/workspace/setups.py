"""Setup files: the user's saved ones, the shipped ones, and the setup of the last session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..discussion import DiscussionSetup
from ..store.inputs import InputError
from ..store.setups import read_setup, write_setup
from .folders import named_file

__all__ = ["LastSetup", "SavedSetup", "SavedSetups", "read_setup", "save_setup"]

_DRAFT = "A draft: no discussion has had this setup yet."


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
    """The user's setups in ``folder``, and those in ``shipped``."""

    def __init__(self, folder: Path, shipped: Path | None = None) -> None:
        self.folder = folder
        self._shipped = shipped

    def file(self, name: str) -> Path:
        """The file of the setup ``name``. Raises InputError where this cannot be a name."""
        return named_file(self.folder, name, ".toml", "setup")

    def name_for(self, setup: DiscussionSetup) -> str:
        """The title of ``setup`` as a name of a file; empty where it cannot be one."""
        name = "".join(letter for letter in setup.title if letter.isalnum() or letter in " -_")
        name = " ".join(name.split())[:50].strip()
        try:
            self.file(name)
        except InputError:
            return ""
        return name

    def save(self, name: str, setup: DiscussionSetup) -> Path:
        """Write ``setup`` under ``name``, replacing one of that name. Returns the file.

        Raises InputError for a name that cannot be one, OSError where it cannot be written.
        """
        path = self.file(name)
        save_setup(path, setup)
        return path

    def listed(self) -> list[SavedSetup]:
        """The user's setups, the last saved first, then the shipped ones."""
        shipped = _saved_in(self._shipped, is_own=False) if self._shipped else []
        return [*_saved_in(self.folder, is_own=True), *shipped]


def save_setup(path: Path, setup: DiscussionSetup) -> None:
    """Write ``setup`` into ``path``, whose folder may be missing. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_setup(path, setup)


def _saved_in(folder: Path, *, is_own: bool) -> list[SavedSetup]:
    setups = (_saved_setup(path, is_own) for path in folder.glob("[!.]*.toml"))
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


class LastSetup:
    """The setup that was shown when the app was left, in ``path``.

    ``settings`` are the values that a setup's “auto” stands for, by key. They are saved as
    “auto”, so that a setting that is changed later applies.
    """

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        self._path = path
        self._settings = dict(settings)
        self._model_of_auto = ""
        self._saved: tuple[DiscussionSetup, bool] | None = None

    def read(self) -> DiscussionSetup | None:
        """The saved setup, or None where there is none. Raises InputError."""
        return read_setup(self._path) if self._path.exists() else None

    @property
    def is_draft(self) -> bool:
        """Whether no discussion has had the saved setup; False where that is not known."""
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                return file.readline().strip() == f"# {_DRAFT}"
        except OSError:
            return False

    def note_model_of_auto(self, model: str) -> None:
        """The model “auto” turned out to be ``model``."""
        self._model_of_auto = model

    def save(self, setup: DiscussionSetup, *, is_draft: bool = False) -> None:
        """Save ``setup``, if it differs from what was saved last. Raises OSError.

        ``is_draft``: it was edited, and no discussion has had it since.
        """
        settings = {key: value for key, value in self._settings.items() if value != "auto"}
        from_settings = {key for key, value in settings.items() if getattr(setup, key) == value}
        if setup.model == self._model_of_auto:
            from_settings.add("model")
        setup = setup.model_copy(update=dict.fromkeys(from_settings, "auto"))
        if (setup, is_draft) != self._saved:
            write_setup(self._path, setup, comment=_DRAFT if is_draft else "")
            self._saved = setup, is_draft
