"""Where files are kept: the only module that reads the environment's folders."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

from ..store.atomic import write_atomic
from ..store.inputs import InputError

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Folders:
    """The user's folders, and the files in them. They exist after ``create``."""

    data: Path
    config: Path
    cache: Path
    state: Path
    log: Path

    @classmethod
    def from_environment(cls) -> Folders:
        """The folders that XDG variables (or the platform's customs) name."""
        dirs = PlatformDirs("syndisco-tui", appauthor=False)
        return cls(
            dirs.user_data_path,
            dirs.user_config_path,
            dirs.user_cache_path,
            dirs.user_state_path,
            dirs.user_log_path,
        )

    @classmethod
    def within(cls, folder: Path) -> Folders:
        """Everything in one folder."""
        return cls(folder, folder, folder, folder, folder)

    def create(self) -> None:
        """Create the folders, readable by their owner only.

        Raises InputError where no discussion could be saved. The other folders are not needed to
        run: whoever writes to one that is missing reports the error.
        """
        make_private(self.discussions)
        for folder in (self.config, self.themes, self.cache, self.state, self.log):
            with contextlib.suppress(InputError):
                make_private(folder)

    @property
    def discussions(self) -> Path:
        """Saved discussions, one JSON file each."""
        return self.data / "discussions"

    @property
    def personas_file(self) -> Path:
        """The user's own list of personas. It exists once something was changed."""
        return self.data / "personas.json"

    @property
    def persona_sets(self) -> Path:
        """Named sets of personas, one JSON list each."""
        return self.data / "personas"

    @property
    def setups(self) -> Path:
        """Setups saved in the app, one TOML file each."""
        return self.data / "setups"

    @property
    def experiments(self) -> Path:
        """The folder of experiments started in the app, with one folder for each."""
        return self.data / "experiments"

    @property
    def known_experiments_file(self) -> Path:
        """The file that lists experiments in other folders that were opened in the app."""
        return self.state / "experiments.json"

    @property
    def exports(self) -> Path:
        """Discussions in other formats, as exported in the app."""
        return self.data / "exports"

    @property
    def last_setup_file(self) -> Path:
        """The setup that was shown when the app was left."""
        return self.data / "setup.toml"

    @property
    def copied_file(self) -> Path:
        """The last copied text, where there is no clipboard."""
        return self.data / "copied.txt"

    @property
    def settings_file(self) -> Path:
        """The user's settings (TOML)."""
        return self.config / "settings.toml"

    @property
    def themes(self) -> Path:
        """The user's own themes, one TOML file each."""
        return self.config / "themes"

    @property
    def library_cache(self) -> Path:
        """Summaries of the saved discussions, so that a list of thousands opens at once."""
        return self.cache / "library.sqlite"

    @property
    def known_servers_file(self) -> Path:
        """What has been learned of servers."""
        return self.cache / "servers.json"

    @property
    def last_model_file(self) -> Path:
        """Which model was loaded last."""
        return self.state / "last-model.json"

    @property
    def annotation_tasks_file(self) -> Path:
        """The file that lists the annotation tasks used last."""
        return self.state / "annotation-tasks.json"

    @property
    def log_file(self) -> Path:
        """What libraries print while the app is on the screen, and crashes."""
        return self.log / "syndisco-tui.log"


def _shipped(name: str) -> Path:
    """A top-level folder of the project: inside the package in a wheel, beside it in a clone."""
    installed = _PACKAGE / "shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


SHIPPED_PERSONAS = _shipped("personas")
SHIPPED_THEMES = _shipped("themes")
DEMONSTRATION = SHIPPED_PERSONAS / "demonstration.toml"
"""The setup that is used where none is given."""


_NAME = re.compile(r"[^\W_][\w -]{0,49}")
"""No dots and no slashes, so that a name never becomes a path; at most 200 bytes."""


def named_file(folder: Path, name: str, suffix: str, kind: str) -> Path:
    """The file in ``folder`` that the user calls ``name``. ``kind``: “set” or “setup”.

    Raises InputError where this cannot be a name.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise InputError(
            f"The name of a {kind} begins with a letter or digit and goes on with those, spaces, "
            "“-” and “_”; at most 50."
        )
    return folder / f"{name}{suffix}"


def abbreviate_home(path: Path | str) -> str:
    """``path`` as it is shown: with ``~`` for the home folder."""
    home = str(Path.home())
    return f"~{str(path)[len(home) :]}" if str(path).startswith(home + os.sep) else str(path)


def make_private(folder: Path) -> None:
    """Create ``folder`` and its parents, as far as they are missing, with mode 0700.

    Raises InputError where it cannot be created.
    """
    try:
        missing = [part for part in (folder, *folder.parents) if not part.is_dir()]
        for part in reversed(missing):
            part.mkdir(mode=0o700, exist_ok=True)
            part.chmod(0o700)  # whatever the umask takes away
    except (FileExistsError, NotADirectoryError):
        file = next(part for part in (folder, *folder.parents) if part.exists())
        raise InputError(f"{folder}: cannot be created: {file} is not a folder") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot be created: {error.strerror or error}") from None


def write_output(path: Path, content: bytes) -> None:
    """Write a file that the user named; a pipe or a device is written to, not replaced.

    Raises InputError where that fails.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
