"""Every folder there is. The only module that knows where things are kept."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from platformdirs import PlatformDirs

from .inputs import InputError

_DIRS = PlatformDirs("syndisco-tui", appauthor=False)
_PACKAGE = Path(__file__).parents[1]


def discussions_folder() -> Path:
    """Saved discussions, one JSON file each."""
    return _private(_DIRS.user_data_path / "discussions")


def personas_file() -> Path:
    """The user's own list of personas. It exists once something was changed."""
    return _private(_DIRS.user_data_path) / "personas.json"


def persona_sets_folder() -> Path:
    """Sets of personas that the user gave a name, one JSON list each."""
    return _private(_DIRS.user_data_path / "personas")


def setups_folder() -> Path:
    """Setups that the screen saved."""
    return _private(_DIRS.user_data_path / "setups")


def last_setup_file() -> Path:
    """The setup as the screen was left with it."""
    return _private(_DIRS.user_data_path) / "setup.toml"


def copied_file() -> Path:
    """What was copied last where there is no clipboard."""
    return _private(_DIRS.user_data_path) / "copied.txt"


def settings_file() -> Path:
    return _private_if_possible(_DIRS.user_config_path) / "settings.toml"


def user_themes_folder() -> Path:
    return _private_if_possible(_DIRS.user_config_path / "themes")


def cache_folder() -> Path:
    """What can be fetched or made again: the starter model."""
    return _private_if_possible(_DIRS.user_cache_path)


def library_cache() -> Path:
    """What is known of the saved discussions, so that a list of thousands opens at once."""
    return cache_folder() / "library.sqlite"


def exports_folder() -> Path:
    """Discussions in other formats, as the screen exported them."""
    return _private(_DIRS.user_data_path / "exports")


def last_model_file() -> Path:
    """Which model was loaded last."""
    return _private_if_possible(_DIRS.user_state_path) / "last-model.json"


def log_file() -> Path:
    return _private_if_possible(_DIRS.user_log_path) / "syndisco-tui.log"


def shipped_personas_folder() -> Path:
    return _shipped("personas")


def shipped_themes_folder() -> Path:
    return _shipped("themes")


def shipped_keymaps_folder() -> Path:
    return _PACKAGE / "tui" / "shell" / "keymaps"


def typed(path: str) -> Path:
    """What somebody typed as ``path``: ``~`` is a home, unless nobody has that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def shortened(path: Path | str) -> str:
    """``path`` for people: their home is ``~``."""
    home = str(Path.home())
    return f"~{str(path)[len(home) :]}" if str(path).startswith(home + os.sep) else str(path)


def _shipped(name: str) -> Path:
    """A top-level folder of the project: inside the package in a wheel, beside it in a clone."""
    inside = _PACKAGE / "shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def _private_if_possible(folder: Path) -> Path:
    """``folder``, for what can be done without: whoever needs to write there learns why not."""
    with contextlib.suppress(InputError):
        make_private(folder)
    return folder


def _private(folder: Path) -> Path:
    """``folder``, for what must be saved. Raises InputError where it cannot be made."""
    make_private(folder)
    return folder


def make_private(folder: Path) -> None:
    """Make ``folder`` if need be, for its owner's eyes only (platformdirs sets no modes).

    Raises InputError where it cannot be made.
    """
    try:
        missing = [part for part in (folder, *folder.parents) if not part.is_dir()]
        for part in reversed(missing):
            part.mkdir(mode=0o700, exist_ok=True)
            part.chmod(0o700)  # whatever the umask takes away
    except (FileExistsError, NotADirectoryError):
        file = next(part for part in (folder, *folder.parents) if part.exists())
        raise InputError(f"{folder}: cannot be made: {file} is no folder") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror or error}") from None
