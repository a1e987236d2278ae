"""Personas from a spreadsheet's table: a row for each persona, a column for each field."""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
from collections.abc import Iterator
from typing import Any

from ..discussion import Persona
from .file_kinds import SEPARATOR_LINE
from .inputs import InputError, parse_json, validated

LIST_SEPARATOR = ";"
"""Between the entries of a list in one cell, as in ``calm; curious``."""
_LIST_FIELDS = ("personality_characteristics",)
_DELIMITERS = ",;\t"


def parse_table(text: str, path: object) -> list[Persona]:
    """The personas of a table with a header, in columns separated by comma, semicolon or tab.

    Columns are SynDisco's nine fields, in any case and with spaces for underscores, or further
    fields. Columns without a name must be empty. Raises InputError, which names the line.
    """
    body, skipped_lines, delimiter = text, 0, ""
    if line := SEPARATOR_LINE.match(text):
        body, delimiter = text[line.end() :], line[1]
        skipped_lines = text.count("\n", 0, line.end())
    delimiter = delimiter or _delimiter_of(body)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    personas = []
    columns: list[str] = []
    try:
        for cells in reader:
            where = f"{path}: line {skipped_lines + reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _columns(cells, path)
                continue
            personas.append(validated(Persona, dict(_fields(columns, cells, where)), where))
    except csv.Error as error:
        line_number = skipped_lines + reader.line_num
        raise InputError(f"{path}: line {line_number}: not a valid table: {error}") from None
    if not columns:
        raise InputError(f"{path}: is empty")
    return personas


def _delimiter_of(body: str) -> str:
    """The delimiter that gives the header a column ``username``; else its most frequent one."""
    header = next((line for line in body.splitlines() if line.strip(f"{_DELIMITERS} ")), "")
    by_count = sorted(_DELIMITERS, key=header.count, reverse=True)
    for delimiter in by_count:
        try:
            cells = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue
        if "username" in map(_field_name, cells):
            return delimiter
    return by_count[0]


def _columns(header: list[str], path: object) -> list[str]:
    """The fields of the columns; empty for a column without a name."""
    columns = [
        field if (field := _field_name(name)) in Persona.model_fields else name.strip()
        for name in header
    ]
    if "username" not in columns:
        near = difflib.get_close_matches("username", [c.lower() for c in columns], n=1, cutoff=0.6)
        hint = f" (is it “{near[0]}”?)" if near else ""
        raise InputError(f"{path}: a table of personas needs a column username{hint}")
    for name in filter(None, columns):
        if columns.count(name) > 1:
            raise InputError(f"{path}: there are two columns {name}")
    return columns


def _field_name(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _fields(columns: list[str], cells: list[str], where: str) -> Iterator[tuple[str, Any]]:
    """The fields of a row. Raises InputError for a value without a column."""
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
    if column in _LIST_FIELDS:
        return [entry.strip() for entry in text.split(LIST_SEPARATOR) if entry.strip()]
    if column == "age" and text.removeprefix("-").isdecimal() and len(text) < 10:
        return int(text)
    if column not in Persona.model_fields and text[:1] in ("{", "["):
        with contextlib.suppress(InputError):
            return parse_json(text, column)
    return text
