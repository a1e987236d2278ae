"""Persona files: JSON lists as SynDisco has them; the shipped ones, and the user's own list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..discussion import Persona
from ..inputs import InputError, read_json, validated
from .atomic import write_atomic


def read_personas(path: Path) -> list[Persona]:
    """The personas of a file, in its order. Raises InputError that names file, entry and field."""
    return personas_of(read_json(path), path)


def personas_of(values: object, path: object) -> list[Persona]:
    """The personas in the JSON value of a file. Raises InputError likewise."""
    if isinstance(values, dict):
        values = [values]
    if not isinstance(values, list):
        raise InputError(f"{path}: a persona file is a JSON list of objects")
    personas = []
    for number, value in enumerate(values, start=1):
        where = f"{path}: persona {number}"
        if not isinstance(value, dict):
            raise InputError(f"{where}: is not an object with fields")
        if isinstance(value.get("username"), str) and value["username"].strip():
            where += f" ({value['username'].strip()[:40]!r})"
        personas.append(validated(Persona, value, where))
    return personas


def write_personas(path: Path, personas: Sequence[Persona]) -> None:
    """Replace the file by a SynDisco JSON list of ``personas``. Raises OSError."""
    values = [persona.as_dict() for persona in personas]
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    write_atomic(path, text.encode("utf-8", errors="replace"))


def shipped_personas(folder: Path) -> list[Persona]:
    """The personas of every file in ``folder``, the demonstration's first, then by file name."""
    files = sorted(
        folder.glob("*.json"), key=lambda path: (path.stem != "demonstration", path.stem)
    )
    return [persona for path in files for persona in read_personas(path)]


def personas_at_hand(own: Path, shipped: Path) -> list[Persona]:
    """The user's own list, or the shipped personas while there is none. Raises InputError."""
    return read_personas(own) if own.exists() else shipped_personas(shipped)
