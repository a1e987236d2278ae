"""Exports personas: SynDisco's list, a table, and character cards."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...discussion import Persona
from ...discussion.persona import CHARACTER_CARD
from ..foreign.cards import card_v2
from ..persona_table import LIST_SEPARATOR
from ..personas import as_json
from . import PERSONA_FORMAT_NAMES, PersonaFormat
from .csv_rows import cell

__all__ = ["PERSONA_FORMATS", "PERSONA_FORMAT_NAMES", "PersonaFileFormat", "PersonaFormat"]


@dataclass(frozen=True)
class PersonaFileFormat:
    """A format for personas. ``suffix`` is empty if each persona gets its own file."""

    suffix: str
    meaning: str
    write: Callable[[Sequence[Persona]], str | dict[str, str]]


def as_table(personas: Sequence[Persona]) -> str:
    """A CSV table with a column for each field; entries of a list are separated by ``;``.

    Other values that are not text are JSON. The character card that a persona comes from is left
    out. ``import`` reads the table.
    """
    further = dict.fromkeys(key for each in personas for key in each.model_extra or {})
    columns = [*Persona.model_fields, *(key for key in further if key != CHARACTER_CARD)]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([cell(column) for column in columns])
    for persona in personas:
        fields = persona.as_dict()
        writer.writerow([cell(_as_text(fields.get(column))) for column in columns])
    return text.getvalue()


def as_cards(personas: Sequence[Persona]) -> dict[str, str]:
    """A character card (V2, JSON) for each persona, by its name."""
    return {
        persona.name: json.dumps(card_v2(persona), ensure_ascii=False, indent=2) + "\n"
        for persona in personas
    }


def _as_text(value: object) -> object:
    if isinstance(value, list) and all(
        isinstance(each, str) and LIST_SEPARATOR not in each for each in value
    ):
        return f"{LIST_SEPARATOR} ".join(value)
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value, ensure_ascii=False)
    return value


PERSONA_FORMATS: dict[PersonaFormat, PersonaFileFormat] = {
    "personas": PersonaFileFormat(".json", "a list as SynDisco has it", as_json),
    "personas-csv": PersonaFileFormat(".csv", "a table, for a spreadsheet", as_table),
    "cards": PersonaFileFormat("", "character cards (V2), a file each", as_cards),
}
