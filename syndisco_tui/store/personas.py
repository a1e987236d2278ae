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
from .persona_table import personas_of_table

TABLE_SUFFIXES = (".csv", ".tsv", ".tab")
PERSONA_FILES = "personas (a JSON list, or a table with a column username)"
"""How a sentence calls the files that hold personas."""


def read_personas(path: Path) -> list[Persona]:
    """The personas of a file, in its order: a JSON list or a table, whatever its name.

    Raises InputError that names file, entry and field.
    """
    text = read_text(path, expected=PERSONA_FILES)
    if is_table(text, path):
        return personas_of_table(text, path)
    return personas_of(parse_json_file(text, path, PERSONA_FILES), path)


def is_table(text: str, path: Path) -> bool:
    """Whether a text is a table of personas, or meant to be one: content first, then its name."""
    if text.lstrip()[:1] in ("", "{", "["):
        return False
    kind = text_kind(text)
    if kind is not None:
        return kind is PERSONA_TABLE
    return path.suffix.lower() in (*TABLE_SUFFIXES, ".txt")


def personas_of(values: object, path: object) -> list[Persona]:
    """The personas in the JSON value of a file. Raises InputError likewise."""
    kind = json_kind(values)
    if kind and kind not in PERSONAS:
        raise InputError(refusal_of(path, kind, PERSONA_FILES))
    if isinstance(values, dict):
        values = [values]
    if not isinstance(values, list):
        raise InputError(f"{path}: a persona file is a JSON list of objects")
    personas = []
    for number, value in enumerate(values, start=1):
        where = f"{path}: persona {number}"
        if not isinstance(value, dict):
            raise InputError(f"{where}: {_NO_OBJECT}")
        if isinstance(value.get("username"), str) and value["username"].strip():
            where += f" ({value['username'].strip()[:40]!r})"
        personas.append(validated(Persona, value, where))
    return personas


def parse_personas(text: str, where: str) -> list[Persona]:
    """The personas of a text that somebody edits. Raises InputError that names the line."""
    values = parse_json(text, where)
    single = isinstance(values, dict)
    if not single and not isinstance(values, list):
        raise InputError(f"{where}: it is to be an object with fields, or a list of such")
    personas = []
    starts = [0] if single else _starts_of_entries(text)
    for value, start in zip([values] if single else values, starts, strict=True):
        try:
            personas.append(Persona.model_validate(value))
        except ValidationError as error:
            place = error.errors(include_url=False)[0]["loc"]
            at = text.find(f'"{place[0]}"', start) if place else start
            line = text.count("\n", 0, max(at, start)) + 1
            sentence = describe(error, Persona) if isinstance(value, dict) else _NO_OBJECT
            raise InputError(f"{where}: line {line}: {sentence}") from None
    return personas


_NO_OBJECT = "is not an object with fields"


def _starts_of_entries(text: str) -> list[int]:
    """Where the entries of the JSON list ``text`` begin; it has been read before."""
    starts, decoder, at = [], json.JSONDecoder(), text.index("[") + 1
    while text[at := _past(text, at, " \t\r\n,")] != "]":
        starts.append(at)
        _, at = decoder.raw_decode(text, at)
    return starts


def _past(text: str, at: int, skipped: str) -> int:
    while text[at] in skipped:
        at += 1
    return at


def write_personas(path: Path, personas: Sequence[Persona]) -> None:
    """Replace the file by a SynDisco JSON list of ``personas``. Raises OSError."""
    write_atomic(path, as_json(personas).encode("utf-8", errors="replace"))


def as_json(personas: Sequence[Persona] | Persona) -> str:
    """The text of such a list, or of one persona."""
    if isinstance(personas, Persona):
        values: object = personas.as_dict()
    else:
        values = [persona.as_dict() for persona in personas]
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def shipped_personas(folder: Path) -> list[Persona]:
    """The personas of every file in ``folder``, the demonstration's first, then by file name."""
    files = sorted(
        folder.glob("*.json"), key=lambda path: (path.stem != "demonstration", path.stem)
    )
    return [persona for path in files for persona in read_personas(path)]


def own_or_shipped_personas(own: Path, shipped: Path) -> list[Persona]:
    """The user's own list, or the shipped personas while there is none. Raises InputError."""
    return read_personas(own) if own.exists() else shipped_personas(shipped)
