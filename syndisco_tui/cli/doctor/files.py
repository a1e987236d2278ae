"""What is kept on disk: folders, the starter model, settings, keys, themes and personas."""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...engine.base import ModelUnavailable
from ...engine.local.loading.checkpoint import read_checkpoint
from ...engine.local.loading.starter import CONVERTED_BYTES, STARTER, WHEEL_BYTES
from ...tui.shell.keymap import read_keymap
from ...tui.shell.themes import read_themes
from ...workspace.folders import SHIPPED_THEMES, Folders, abbreviate_home, make_private
from ...workspace.inputs import InputError
from ...workspace.personas import read_personas
from ...workspace.settings import load_settings
from .check import Check, CheckFunction, State

LEAST_FREE = 200e6
"""Bytes below which a folder is nearly full."""


@dataclass(frozen=True)
class _Folder:
    """``variable`` puts it elsewhere; ``loss``: what cannot be done where it cannot be written.

    Without a ``needed`` folder the app does not run.
    """

    name: str
    path: Path
    variable: str
    loss: str
    needed: bool = False

    @property
    def fault(self) -> State:
        return "at fault" if self.needed else "could be better"


def folders() -> Iterator[Check]:
    """Each can be written to, by its owner alone, and has room."""
    paths = Folders.from_environment()
    for folder in (
        _Folder(
            "discussions",
            paths.discussions,
            "XDG_DATA_HOME",
            "No discussion can be saved",
            needed=True,
        ),
        _Folder("configuration", paths.config, "XDG_CONFIG_HOME", "Settings cannot be saved"),
        _Folder(
            "cache",
            paths.cache,
            "XDG_CACHE_HOME",
            "The starter model cannot be stored, and the library opens slowly",
        ),
        _Folder("log", paths.log, "XDG_STATE_HOME", "No log is written"),
    ):
        yield _folder_check(folder)


def _folder_check(folder: _Folder) -> Check:
    path, elsewhere = folder.path, f"or name another place with {folder.variable}"
    try:
        make_private(path)
    except InputError as error:
        advice = f"{folder.loss}: make it yourself, {elsewhere}."
        return Check(folder.name, str(error), folder.fault, advice)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        free = shutil.disk_usage(path).free
        is_read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError as error:
        advice = f"{folder.loss}: check the folder, {elsewhere}."
        return Check(folder.name, f"{path}: {error.strerror}", folder.fault, advice)
    value = f"{abbreviate_home(path)}, {free / 1e9:.1f} GB free"
    if is_read_only or not os.access(path, os.W_OK | os.X_OK):
        mend = "make its disk writable" if is_read_only else f"chmod u+rwx {path}"
        advice = f"{folder.loss}: {mend}, {elsewhere}."
        value = f"{abbreviate_home(path)} cannot be written"
        return Check(folder.name, value, folder.fault, advice)
    if free < LEAST_FREE:
        advice = "The disk is nearly full: free some space."
        return Check(folder.name, value, "could be better", advice)
    if mode & 0o077:
        advice = f"Others can read it: chmod 700 {path}"
        return Check(folder.name, f"{value}, mode {mode:o}", "could be better", advice)
    return Check(folder.name, value)


def starter() -> Iterator[Check]:
    """The built-in model: there and whole, or still to be fetched."""
    folder = Folders.from_environment().cache / STARTER
    try:
        make_private(folder.parent)
    except InputError:
        yield Check("starter", "cannot be stored, see cache", "could be better")
        return
    if not folder.is_dir():
        needed = (WHEEL_BYTES * 3 + CONVERTED_BYTES) / 1e9
        if shutil.disk_usage(folder.parent).free / 1e9 < needed:
            advice = f"Free {needed:.1f} GB in {folder.parent}."
            value = "not downloaded yet; not enough disk space"
            yield Check("starter", value, "could be better", advice)
        else:
            value = f"not downloaded yet; {WHEEL_BYTES / 1e6:.0f} MB at first use"
            yield Check("starter", value)
        return
    try:
        size = read_checkpoint(folder).file_bytes
        if size < _bytes_announced(folder / "model.safetensors"):
            raise ModelUnavailable("its weights are incomplete")
    except (ModelUnavailable, OSError) as error:
        advice = f"Remove it to download it again: rm -r {folder}"
        yield Check("starter", f"incomplete: {error}", "could be better", advice)
        return
    yield Check("starter", f"{STARTER}, {size / 1e6:.0f} MB")


def _bytes_announced(file: Path) -> int:
    """How long a safetensors file is by its own header: the last tensor's end."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return int(8 + length + max(ends, default=0))


def settings() -> Iterator[Check]:
    """The settings, the keys in them, and the theme that they name."""
    file = Folders.from_environment().settings_file
    try:
        settings = load_settings(file, {})
    except InputError as error:
        advice = "Correct the file; syndisco-tui does not start until then."
        yield Check("settings", str(error), "at fault", advice)
        return
    yield Check("settings", abbreviate_home(file) if file.exists() else "the defaults")
    _, faults = read_keymap(settings.keymap, settings.keys)
    for fault in faults:
        yield Check("keys", fault, "could be better", f"Correct it in {file}, under [keys].")
    if not faults:
        yield Check("keys", f"{settings.keymap}, {len(settings.keys)} changed")
    themes, wrong = read_themes(SHIPPED_THEMES, Folders.from_environment().themes)
    for sentence in wrong:
        yield Check("themes", sentence, "could be better", "The theme is ignored until then.")
    names = {theme.name for theme in themes}
    if not wrong:
        yield Check("themes", ", ".join(sorted(names)))
    if settings.theme not in names and not _is_textual_s(settings.theme):
        advice = f"Choose another in the app's settings (key ,) or in {file}."
        yield Check("theme", f"there is no “{settings.theme}”", "could be better", advice)


def _is_textual_s(theme: str) -> bool:
    from textual.theme import BUILTIN_THEMES

    return theme in BUILTIN_THEMES


def personas() -> Iterator[Check]:
    """The user's own personas, once there are some."""
    file = Folders.from_environment().personas_file
    if not file.exists():
        yield Check("personas", "the shipped ones")
        return
    try:
        people = read_personas(file)
    except InputError as error:
        advice = "Correct the file; until then the shipped personas are shown."
        yield Check("personas", str(error), "could be better", advice)
    else:
        yield Check("personas", f"{len(people)} of your own")


CHECKS: tuple[CheckFunction, ...] = (folders, starter, settings, personas)
