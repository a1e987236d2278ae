"""Personas from a table as spreadsheets write it: a row a persona, a column a field."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator
from typing import Any

from ..discussion import Persona
from .file_kinds import SEPARATOR_LINE
from .inputs import InputError, validated

LIST_SEPARATOR = ";"
"""Between the entries of a list in one cell, as in ``calm; curious``."""
_LISTS = ("personality_characteristics",)
_SEPARATORS = ",;\t"


def personas_of_table(text: str, path: object) -> list[Persona]:
    """The personas of a table with a header; comma, semicolon or tab between the columns.

    SynDisco's nine fields are known by their names, whatever their case and with spaces for
    underscores; every other column is a further field. Columns without a name are passed over
    while nothing stands in them. Raises InputError that names the line.
    """
    body, skipped, delimiter = text, 0, ""
    if line := SEPARATOR_LINE.match(text):
        body, skipped, delimiter = text[line.end() :], text.count("\n", 0, line.end()), line[1]
    delimiter = delimiter or _delimiter_of(body)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    personas = []
    columns: list[str] = []
    try:
        for cells in reader:
            where = f"{path}: line {skipped + reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _columns(cells, path)
                continue
            personas.append(validated(Persona, dict(_fields(columns, cells, where)), where))
    except csv.Error as error:
        line_number = skipped + reader.line_num
        raise InputError(f"{path}: line {line_number}: not a valid table: {error}") from None
    if not columns:
        raise InputError(f"{path}: is empty")
    return personas


def _delimiter_of(body: str) -> str:
    """The separator with which the header has a column of usernames; else the commonest there."""
    header_line = next((line for line in body.splitlines() if line.strip(f"{_SEPARATORS} ")), "")
    by_count = sorted(_SEPARATORS, key=header_line.count, reverse=True)
    for delimiter in by_count:
        try:
            cells = next(csv.reader([header_line], delimiter=delimiter), [])
        except csv.Error:
            continue
        if "username" in map(_plain, cells):
            return delimiter
    return by_count[0]


def _columns(header: list[str], path: object) -> list[str]:
    """The fields of the columns; empty for one without a name."""
    columns = [
        plain if (plain := _plain(name)) in Persona.model_fields else name.strip()
        for name in header
    ]
    if "username" not in columns:
        near = difflib.get_close_matches("username", [c.lower() for c in columns], n=1, cutoff=0.6)
        hint = f"; “{near[0]}” is near" if near else ""
        raise InputError(f"{path}: a table of personas needs a column username{hint}")
    for name in filter(None, columns):
        if columns.count(name) > 1:
            raise InputError(f"{path}: there are two columns {name}")
    return columns


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _fields(columns: list[str], cells: list[str], where: str) -> Iterator[tuple[str, Any]]:
    """The fields of one row. Raises InputError for a value that no column is for."""
    for number, cell in enumerate(cells, start=1):
        column = columns[number - 1] if number <= len(columns) else ""
        if column in Persona.model_fields or (column and cell.strip()):
            yield column, _value(column, cell)
        elif cell.strip() and number <= len(columns):
            raise InputError(f"{where}: column {number} has a value but no name in the header")
        elif cell.strip():
            raise InputError(
                f"{where}: has {len(cells)} cells and the header {len(columns)}; "
                "put quotation marks around a cell that holds the separator"
            )


def _value(column: str, cell: str) -> Any:
    text = cell.strip()
    if column in _LISTS:
        return [part.strip() for part in text.split(LIST_SEPARATOR) if part.strip()]
    if column == "age" and text.removeprefix("-").isdecimal() and len(text) < 10:
        return int(text)
    return text
