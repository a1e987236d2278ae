"""A persona's fields: their labels, and their values as text to edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from pydantic import ValidationError

from ...discussion import Persona
from ...discussion.persona import CHARACTER_CARD
from ...text import editable
from ...workspace.inputs import InputError, describe, parse_json

LABELS = {
    "username": "Username",
    "age": "Age",
    "sex": "Sex",
    "sexual_orientation": "Sexual orientation",
    "demographic_group": "Demographic group",
    "current_employment": "Occupation",
    "education_level": "Education",
    "personality_characteristics": "Characteristics",
    "special_instructions": "Instructions",
}
"""SynDisco's nine fields in the order of the form."""


class FieldError(ValueError):
    """What is wrong with a field's text, in a few words."""


PLACEHOLDERS = {
    "age": "a number or words",
    "personality_characteristics": "separated by commas",
    "special_instructions": "only for this persona",
}
"""What an empty field of the form says about its values."""


def count_of_personas(count: int) -> str:
    """``1 persona``, ``2 personas``."""
    return "1 persona" if count == 1 else f"{count} personas"


def label(field: str) -> str:
    """The label of a field; a free field is its own label."""
    return LABELS.get(field, field)


def fields_of(personas: Iterable[Persona]) -> tuple[str, ...]:
    """SynDisco's nine fields, then the free fields of ``personas`` in order of appearance."""
    free = dict.fromkeys(key for persona in personas for key in persona.model_extra or {})
    return (*LABELS, *(field for field in free if field != CHARACTER_CARD))


def value_of(persona: Persona, field: str) -> object:
    """The field's value; None for a free field that this persona does not have."""
    return getattr(persona, field) if field in LABELS else (persona.model_extra or {}).get(field)


def as_text(value: object) -> str:
    """A value as text to edit: SynDisco's lists separated by commas, other values as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, tuple):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def from_text(field: str, text: str, *, before: object = None) -> object:
    """The value of ``field`` that ``text`` stands for.

    In a free field what reads as a JSON value that is no text stays one, unless the value
    ``before`` was text.
    """
    text = text.strip()
    if field == "personality_characteristics":
        return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]
    if field == "age":
        try:
            return parse_json(str(int(text)), field)  # a number that no file may hold stays text
        except (ValueError, InputError):
            return text or None
    if field in LABELS or isinstance(before, str):
        return text
    try:
        parsed = parse_json(text, field)
    except InputError:
        return text
    return text if isinstance(parsed, str) else parsed


def with_field(persona: Persona, field: str, text: str) -> Persona:
    """``persona`` with one field read from ``text``; unchanged if the text is unchanged.

    An empty text does not add a free field. Raises FieldError.
    """
    before = value_of(persona, field)
    shown = editable(as_text(before))
    if text in (shown, shown.replace("\n", " ")):  # an input shows it on one line
        return persona
    value = from_text(field, text, before=before)
    try:
        return Persona.model_validate({**persona.as_dict(), field: value})
    except ValidationError as error:
        raise FieldError(describe(error, Persona)) from None
