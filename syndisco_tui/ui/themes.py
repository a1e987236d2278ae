"""Themes from TOML files: the shipped ones and the user's own."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from ..inputs import InputError, read_toml, unknown_key

_KEYS = [field.name for field in fields(Theme)]


def read_theme(path: Path) -> Theme:
    """The theme in a file. Raises InputError that names file and key."""
    values = read_toml(path)
    values.setdefault("name", path.stem)
    for key, value in values.items():
        if key not in _KEYS:
            raise InputError(f"{path}: {unknown_key(key, _KEYS)}")
        if key not in ("name", "dark", "ansi", "variables", "luminosity_spread", "text_alpha"):
            _check_colour(path, key, value)
    if "primary" not in values:
        raise InputError(f'{path}: primary is missing; give a colour such as "#e0a458"')
    variables = values.get("variables", {})
    if not isinstance(variables, dict):
        raise InputError(f"{path}: variables must be a table")
    values["variables"] = {str(key): str(value) for key, value in variables.items()}
    try:
        theme = Theme(**values)
        theme.to_color_system().generate()
    except Exception as error:
        raise InputError(f"{path}: not a theme: {error}") from None
    return theme


def read_themes(*folders: Path) -> tuple[list[Theme], list[str]]:
    """The themes of all folders, later ones first in right; and a sentence for each faulty file."""
    themes: dict[str, Theme] = {}
    faults = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            try:
                theme = read_theme(path)
            except InputError as error:
                faults.append(str(error))
            else:
                themes[theme.name] = theme
    return list(themes.values()), faults


def _check_colour(path: Path, key: str, value: Any) -> None:
    try:
        Color.parse(value)
    except (ColorParseError, TypeError, AttributeError):
        raise InputError(
            f'{path}: {key}: {value!r} is no colour; write it as "#e0a458" or by name'
        ) from None
