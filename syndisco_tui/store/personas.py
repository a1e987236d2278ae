"""Persona files: JSON lists as SynDisco has them, tables, the shipped ones, the user's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ..discussion import Persona
from .atomic import write_atomic
from .file_kinds import PERSONA_TABLE, PERSONAS, json_kind, refusal_of, text_kind
from .inputs import InputError, describe, parse_json, parse_json_file, read_text, validated
from .persona_table import parse_table

TABLE_SUFFIXES = (".csv", ".tsv", ".tab")
PERSONA_FILES = "personas (a JSON list, or a table with a column username)"
"""What error messages call the files that hold personas."""
_NOT_AN_OBJECT = "is not an object with fields"


def read_personas(path: Path) -> list[Persona]:
    """The personas of a file, in its order: a JSON list or a table, whatever its name.

    Raises InputError, which names the file, the persona and the field.
    """
    text = read_text(path, expected=PERSONA_FILES)
    if is_table(text, path):
        return parse_table(text, path)
    return personas_of(parse_json_file(text, path, PERSONA_FILES), path)


def is_table(text: str, path: Path) -> bool:
    """Whether a text is, or is meant to be, a table of personas: by its content, then its name."""
    if text.lstrip()[:1] in ("", "{", "["):
        return False
    kind = text_kind(text)
    if kind is not None:
        return kind is PERSONA_TABLE
    return path.suffix.lower() in (*TABLE_SUFFIXES, ".txt")


def personas_of(value: object, path: object) -> list[Persona]:
    """The personas in the JSON value of a file.

    Raises InputError, which names ``path``, the persona and the field.
    """
    kind = json_kind(value)
    if kind and kind not in PERSONAS:
        raise InputError(refusal_of(path, kind, PERSONA_FILES))
    values = [value] if isinstance(value, dict) else value
    if not isinstance(values, list):
        raise InputError(f"{path}: a persona file is a JSON list of objects")
    personas = []
    for number, fields in enumerate(values, start=1):
        where = f"{path}: persona {number}"
        if not isinstance(fields, dict):
            raise InputError(f"{where}: {_NOT_AN_OBJECT}")
        if isinstance(fields.get("username"), str) and fields["username"].strip():
            where += f" ({fields['username'].strip()[:40]!r})"
        personas.append(validated(Persona, fields, where))
    return personas


def parse_personas(text: str, where: str) -> list[Persona]:
    """The personas in an edited JSON text: a list or one object.

    Raises InputError, which names ``where``, the line and the field.
    """
    value = parse_json(text, where)
    if isinstance(value, dict):
        values, starts = [value], [0]
    elif isinstance(value, list):
        values, starts = value, _starts_of_entries(text)
    else:
        raise InputError(f"{where}: expected an object with fields, or a list of such objects")
    personas = []
    for fields, start in zip(values, starts, strict=True):
        try:
            personas.append(Persona.model_validate(fields))
        except ValidationError as error:
            location = error.errors(include_url=False)[0]["loc"]
            position = text.find(f'"{location[0]}"', start) if location else start
            line = text.count("\n", 0, max(position, start)) + 1
            sentence = describe(error, Persona) if isinstance(fields, dict) else _NOT_AN_OBJECT
            raise InputError(f"{where}: line {line}: {sentence}") from None
    return personas


def _starts_of_entries(text: str) -> list[int]:
    """The positions of the entries in the valid JSON list ``text``."""
    starts: list[int] = []
    decoder, position = json.JSONDecoder(), text.index("[") + 1
    while True:
        while text[position] in " \t\r\n,":
            position += 1
        if text[position] == "]":
            return starts
        starts.append(position)
        _, position = decoder.raw_decode(text, position)


def write_personas(path: Path, personas: Sequence[Persona]) -> None:
    """Replace the file by a SynDisco JSON list of ``personas``. Raises OSError."""
    write_atomic(path, as_json(personas).encode("utf-8", errors="replace"))


def as_json(personas: Sequence[Persona] | Persona) -> str:
    """The JSON text of a persona list, or of one persona."""
    if isinstance(personas, Persona):
        value: object = personas.as_dict()
    else:
        value = [persona.as_dict() for persona in personas]
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def shipped_personas(folder: Path) -> list[Persona]:
    """The personas of every file in ``folder``, the demonstration's first, then by file name."""
    files = sorted(
        folder.glob("*.json"), key=lambda path: (path.stem != "demonstration", path.stem)
    )
    return [persona for path in files for persona in read_personas(path)]


def own_or_shipped_personas(own: Path, shipped: Path) -> list[Persona]:
    """The user's list in the file ``own``, or those shipped if it is missing. Raises InputError."""
    return read_personas(own) if own.exists() else shipped_personas(shipped)
