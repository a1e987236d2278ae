"""Personas: the characteristics of participants."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, field_validator, model_validator

from .usernames import MAX_NAME_LENGTH as MAX_NAME_LENGTH
from .usernames import username_error

MAX_NESTING = 20
CHARACTER_CARD = "character_card"
"""A further field with the character card that the persona comes from; in no prompt."""


class Persona(BaseModel):
    """A participant's characteristics: SynDisco's nine fields, and any others.

    Empty fields (``""``, ``-1``, ``[]``, null) are kept in files and left out of prompts.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    username: StrictStr
    age: StrictInt | StrictStr | None = None
    sex: StrictStr | None = ""
    sexual_orientation: StrictStr | None = ""
    demographic_group: StrictStr | None = ""
    current_employment: StrictStr | None = ""
    education_level: StrictStr | None = ""
    special_instructions: StrictStr | None = ""
    personality_characteristics: tuple[StrictStr, ...] | None = ()

    @field_validator("username")
    @classmethod
    def _is_usable(cls, name: str) -> str:
        if error := username_error(name):
            raise ValueError(error)
        return name

    @model_validator(mode="after")
    def _not_too_deep(self) -> Persona:
        for field, value in (self.model_extra or {}).items():
            if _is_deeper(value, MAX_NESTING):
                raise ValueError(f"{field}: is nested more than {MAX_NESTING} levels deep")
        return self

    @property
    def name(self) -> str:
        """The username as it is shown and prompted: trimmed."""
        return self.username.strip()

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain JSON values, in SynDisco's order."""
        return self.model_dump(mode="json")

    def attributes(self) -> dict[str, Any]:
        """The fields that are not empty, which prompts contain, in SynDisco's order."""
        return {
            field: value
            for field, value in self.as_dict().items()
            if field != CHARACTER_CARD and not _is_empty(value)
        }


def _is_deeper(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        return False
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in value)


def _is_empty(value: object) -> bool:
    if isinstance(value, str):
        return value.strip() in ("", "-1")
    return value is None or value == [] or value == {} or (type(value) is int and value == -1)
