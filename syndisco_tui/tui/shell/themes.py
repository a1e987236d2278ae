"""Themes from TOML files: the shipped ones and the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from ...text import one_line
from ...workspace.inputs import InputError, read_toml, unknown_key

_KINDS = dict.fromkeys((field.name for field in fields(Theme)), "colour") | {
    "name": "text",
    "dark": "switch",
    "ansi": "switch",
    "variables": "table",
    "luminosity_spread": "number",
    "text_alpha": "number",
}
"""What each entry of a theme's file is."""
_NAME = re.compile(r"[\w-]{1,40}")
_VARIABLE = re.compile(r"[a-z0-9-]{1,60}")
_SHARE = re.compile(r" [0-9]{1,3}%\Z")
_STYLES = {"none", "bold", "dim", "italic", "reverse", "strike", "underline"}
_MOST_FAULTS = 6


def read_theme(path: Path) -> Theme:
    """The theme in a file. Raises InputError that names the file and the keys at fault."""
    values = read_toml(path)
    values.setdefault("name", path.stem)
    faults = [fault for key, value in values.items() if (fault := _fault(key, value))]
    if "primary" not in values:
        faults.append('primary is missing; give a colour such as "#e0a458"')
    if not faults:
        try:
            theme = Theme(**values)
            theme.to_color_system().generate()
            return theme
        except Exception as error:
            faults.append(f"not a theme: {one_line(str(error), 120)}")
    sentences = faults[:_MOST_FAULTS]
    if len(faults) > _MOST_FAULTS:
        sentences.append(f"and {len(faults) - _MOST_FAULTS} more")
    raise InputError(f"{path}: {'; '.join(sentences)}")


def read_themes(*folders: Path) -> tuple[list[Theme], list[str]]:
    """The themes of all folders, the last of a name; and a sentence for each faulty file."""
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
        return _colour_fault(key, value)
    if kind == "switch" and not isinstance(value, bool):
        return f"{key}: must be true or false, not {_shown(value)}"
    if kind == "text" and not (isinstance(value, str) and _NAME.fullmatch(value)):
        return f"{key}: must be a word of letters, digits, - and _, not {_shown(value)}"
    if kind == "number" and (not isinstance(value, (int, float)) or isinstance(value, bool)):
        return f"{key}: must be a number, not {_shown(value)}"
    if kind == "table":
        if not isinstance(value, dict):
            return f"{key} must be a table of names and values"
        return next(_variable_faults(value), None)
    return None


def _variable_faults(variables: dict[str, Any]) -> Iterator[str]:
    """Variables go into style sheets, where anything but a colour or a style would be code."""
    for key, value in variables.items():
        where = f"variables, {key}"
        if not _VARIABLE.fullmatch(key):
            yield f"variables: {_shown(key)} is no name of a variable"
        elif key.endswith("-style"):
            if not isinstance(value, str) or not set(value.split()) <= _STYLES:
                yield f"{where}: {_shown(value)} is none of {', '.join(sorted(_STYLES))}"
        else:
            colour = _SHARE.sub("", value) if isinstance(value, str) and "-" in key else value
            if fault := _colour_fault(where, colour):
                yield fault


def _colour_fault(where: str, value: Any) -> str | None:
    try:
        Color.parse(value)
    except (ColorParseError, TypeError, AttributeError):
        return f'{where}: {_shown(value)} is no colour; write it as "#e0a458" or by name'
    return None


def _shown(value: object) -> str:
    return one_line(repr(value), 60)
