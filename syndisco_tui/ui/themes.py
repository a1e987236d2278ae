"""Themes from TOML files: the shipped ones and the user's own."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from ..inputs import InputError, read_toml, unknown_key

_KINDS = dict.fromkeys((field.name for field in fields(Theme)), "colour") | {
    "name": "text",
    "dark": "switch",
    "ansi": "switch",
    "variables": "table",
    "luminosity_spread": "number",
    "text_alpha": "number",
}
"""What each entry of a theme's file is."""


def read_theme(path: Path) -> Theme:
    """The theme in a file. Raises InputError that names the file and every key at fault."""
    values = read_toml(path)
    values.setdefault("name", path.stem)
    faults = [fault for key, value in values.items() if (fault := _fault(key, value))]
    if "primary" not in values:
        faults.append('primary is missing; give a colour such as "#e0a458"')
    if not faults:
        variables = values.get("variables", {})
        values["variables"] = {str(key): str(value) for key, value in variables.items()}
        try:
            theme = Theme(**values)
            theme.to_color_system().generate()
            return theme
        except Exception as error:
            faults.append(f"not a theme: {error}")
    raise InputError(f"{path}: {'; '.join(faults)}")


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


def _fault(key: str, value: Any) -> str | None:
    """What is wrong with one entry, and what to write instead; None if nothing is."""
    if key not in _KINDS:
        return unknown_key(key, _KINDS)
    kind = _KINDS[key]
    if kind == "colour":
        try:
            Color.parse(value)
        except (ColorParseError, TypeError, AttributeError):
            return f'{key}: {value!r} is no colour; write it as "#e0a458" or by name'
    elif kind == "switch" and not isinstance(value, bool):
        return f"{key}: must be true or false, not {value!r}"
    elif kind == "text" and (not isinstance(value, str) or not value.strip()):
        return f"{key}: must be a word, not {value!r}"
    elif kind == "number" and (not isinstance(value, (int, float)) or isinstance(value, bool)):
        return f"{key}: must be a number, not {value!r}"
    elif kind == "table" and not isinstance(value, dict):
        return f"{key} must be a table of names and values"
    return None
