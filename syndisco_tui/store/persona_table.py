"""Personas from a CSV file: a row a persona, a column a field."""

from __future__ import annotations

import csv
import difflib
from pathlib import Path
from typing import Any

from ..discussion import Persona
from ..inputs import InputError, read_text, validated

LIST_SEPARATOR = ";"
"""Between the entries of a list in one cell, as in ``calm; curious``."""
_LISTS = ("personality_characteristics",)


def read_persona_table(path: Path) -> list[Persona]:
    """The personas of a CSV file with a header; comma, semicolon or tab between the columns.

    SynDisco's nine fields are known by their names, whatever their case and with spaces for
    underscores; every other column is a further field. Raises InputError that names the line.
    """
    text = read_text(path)
    header_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=header_line.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    personas = []
    try:
        columns = _columns(next(reader, []), path)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}: line {reader.line_num}"
            if len(cells) > len(columns):
                raise InputError(
                    f"{where}: has {len(cells)} cells and the header {len(columns)}; "
                    "put quotation marks around a cell that holds the separator"
                )
            fields = {
                column: _value(column, cell)
                for column, cell in zip(columns, cells, strict=False)
                if column in Persona.model_fields or cell.strip()
            }
            personas.append(validated(Persona, fields, where))
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: not valid CSV: {error}") from None
    return personas


def _columns(header: list[str], path: Path) -> list[str]:
    columns = []
    for name in header:
        plain = name.strip().lower().replace(" ", "_")
        columns.append(plain if plain in Persona.model_fields else name.strip())
    if "username" not in columns:
        near = difflib.get_close_matches("username", [c.lower() for c in columns], n=1, cutoff=0.6)
        hint = f"; “{near[0]}” is near" if near else ""
        raise InputError(f"{path}: a persona table needs a column username{hint}")
    for number, name in enumerate(columns, start=1):
        if not name:
            raise InputError(f"{path}: column {number} has no name")
        if columns.index(name) != number - 1:
            raise InputError(f"{path}: there are two columns {name}")
    return columns


def _value(column: str, cell: str) -> Any:
    text = cell.strip()
    if column in _LISTS:
        return [part.strip() for part in text.split(LIST_SEPARATOR) if part.strip()]
    if column == "age" and text.removeprefix("-").isdecimal() and len(text) < 10:
        return int(text)
    return text
