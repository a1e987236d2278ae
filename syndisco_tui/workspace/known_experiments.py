"""The known experiments: those in the user's own folder, and those opened before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..discussion.design import ExperimentDesign
from ..store.atomic import write_atomic
from ..store.discussions import discussion_files
from ..store.inputs import InputError, read_json, validated
from .experiments import DESIGN_FILE, read_design
from .folders import Folders, make_private, named_file

MOST_REMEMBERED = 100


@dataclass(frozen=True)
class KnownExperiment:
    """An experiment's folder. If its design cannot be read, it is None and ``error`` says why.

    ``begun`` is the number of its discussions that have a file.
    """

    folder: Path
    design: ExperimentDesign | None
    begun: int
    changed_at: datetime
    error: str = ""


class _Remembered(BaseModel):
    model_config = ConfigDict(frozen=True)

    folders: tuple[str, ...] = ()


class KnownExperiments:
    """The experiments that the app can list."""

    def __init__(self, folders: Folders) -> None:
        self._own = folders.experiments
        self._file = folders.known_experiments_file

    def listed(self) -> list[KnownExperiment]:
        """All that still exist, the last changed first."""
        known = [_known(folder) for folder in self._folders()]
        return sorted(known, key=lambda each: each.changed_at, reverse=True)

    def _folders(self) -> Iterator[Path]:
        own: list[Path] = []
        with suppress(OSError):
            own = [folder for folder in self._own.iterdir() if is_experiment(folder)]
        yield from own
        for folder in self._remembered():
            if folder not in own and is_experiment(folder):
                yield folder

    def _remembered(self) -> list[Path]:
        try:
            if not self._file.exists():
                return []
            saved = validated(_Remembered, read_json(self._file), self._file)
        except (InputError, OSError):  # a list of where one was; the folders themselves stay
            return []
        return [Path(each) for each in saved.folders]

    def remember(self, folder: Path) -> None:
        """Note that ``folder`` was opened.

        Raises:
            OSError: The note cannot be written.
        """
        folder = folder.absolute()
        if folder.parent == self._own:
            return
        folders = [folder, *(each for each in self._remembered() if each != folder)]
        saved = _Remembered(folders=tuple(map(str, folders[:MOST_REMEMBERED])))
        write_atomic(self._file, saved.model_dump_json(indent=2).encode())

    def new_folder(self, name: str) -> Path:
        """Make the folder of a new experiment, with a number after a name that is in use.

        Raises:
            InputError: The name is invalid, or the folder cannot be made.
        """
        folder = named_file(self._own, name, "", "experiment")
        make_private(self._own)
        number = 2
        while folder.exists():
            folder = self._own / f"{name.strip()} {number}"
            number += 1
        return folder


def is_experiment(folder: Path) -> bool:
    """Whether ``folder`` holds an experiment."""
    try:
        return (folder / DESIGN_FILE).is_file()
    except OSError:
        return False


def _known(folder: Path) -> KnownExperiment:
    changed_at = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    try:
        design = read_design(folder / DESIGN_FILE)
        return KnownExperiment(folder, design, len(list(discussion_files(folder))), changed_at)
    except InputError as error:
        return KnownExperiment(folder, None, 0, changed_at, str(error))


def path_completions(typed: str, limit: int = 100) -> list[Path]:
    """Folders and TOML files whose path begins with ``typed``; hidden ones only if asked for."""
    path = Path(typed).expanduser()
    is_folder = typed.endswith(os.sep) or typed in ("~", ".", "..")
    parent, start = (path, "") if is_folder else (path.parent, path.name)
    try:
        entries = sorted(parent.iterdir(), key=lambda each: each.name)
    except OSError:
        return []
    return [
        each
        for each in entries
        if each.name.startswith(start)
        and (start.startswith(".") or not each.name.startswith("."))
        and (each.is_dir() or each.suffix == ".toml")
    ][:limit]
