"""Persona Hub's lines: a sentence each, without a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...discussion import Persona
from ...discussion.chance import draw
from ...discussion.names import name_key
from ..file_kinds import PERSONA_HUB
from ..inputs import InputError, validated
from .converted import Content

MAX_PERSONAS = 10_000
"""Of one file: more could neither be shown nor looked through."""
MAPPING = (
    ("persona", "description"),
    ("everything else", "a field of the same name"),
    ("(no name)", "username, drawn from a list"),
)
_NAMES = (
    "Ada Amina Andrei Anouk Aoife Asha Astrid Ayo Bao Beatriz Birgit Bogdan Carmen Chidi "
    "Chloe Dalia Davor Diego Dina Dmitri Elif Elena Emeka Enzo Esther Fatima Felix Femi Freya "
    "Gabriel Giulia Goran Hana Hassan Heidi Hiro Ines Ingrid Isaac Ivan Jamal Jana Joao Jonas "
    "Kaito Kamala Karim Katya Kofi Lars Leila Liam Lin Lucia Luka Maeve Malik Marta Mateo Mei "
    "Mina Mohamed Nadia Naoko Nikhil Nils Nora Olga Omar Oskar Otieno Paolo Petra Priya "
    "Quentin Rana Ravi Rosa Ruben Sakura Samir Sara Selin Sergei Sina Sofia Sven Tadeo Tara "
    "Thabo Tomas Uma Valentina Viktor Wanjiru Xin Yara Yusuf Zahra Zane Zora "
)
NAMES = tuple(_NAMES.split())
"""First names from many places."""


_TAKEN_FIELDS = {*Persona.model_fields, "description"}


def content_of_lines(values: Iterable[Mapping[str, Any]], where: object) -> Content:
    """The personas of all lines, each with a name that its sentence and place draw.

    Raises InputError, which names the line.
    """
    personas: list[Persona] = []
    used: set[str] = set()
    for number, value in enumerate(values, start=1):
        if number > MAX_PERSONAS:
            raise InputError(
                f"{where}: holds more than {MAX_PERSONAS:,} personas; give a part of it, "
                "for example what head -n 1000 makes of it"
            )
        sentence = value.get("persona")
        if not isinstance(sentence, str) or not sentence.strip():
            raise InputError(f"{where}: line {number}: has no sentence under “persona”")
        further = {key: each for key, each in value.items() if key != "persona"}
        further = {
            f"persona_hub_{key}"
            if key in Persona.model_fields or key == "description"
            else key: each
            for key, each in further.items()
        }
        fields = {"username": _name(sentence, number, used), "description": sentence.strip()}
        personas.append(validated(Persona, {**fields, **further}, f"{where}: line {number}"))
    return Content(PERSONA_HUB, personas=tuple(personas), mapping=MAPPING)


def _name(sentence: str, number: int, used: set[str]) -> str:
    """A name that is unique in the file; duplicates are numbered."""
    purpose = sentence.encode("utf-8", errors="replace").decode()  # without lone surrogates
    name = NAMES[int(draw(0, purpose, number) * len(NAMES))]
    candidate, count = name, 1
    while name_key(candidate) in used:
        count += 1
        candidate = f"{name} ({count})"
    used.add(name_key(candidate))
    return candidate
