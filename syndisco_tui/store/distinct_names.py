"""Personas of the same name become NAME, NAME (2), NAME (3) …"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..discussion import Persona, name_key
from ..discussion.persona import MAX_NAME_LENGTH
from ..text import one_line

MAX_RENAMES_SHOWN = 5


@dataclass(frozen=True)
class DistinctPersonas:
    """``personas`` with names that nobody else has.

    ``renames`` are old and new names. ``duplicates`` counts those left out because a persona with
    the same name and fields was present.
    """

    personas: tuple[Persona, ...]
    renames: tuple[tuple[str, str], ...] = ()
    duplicates: int = 0

    @property
    def summary(self) -> str:
        """The renames, as part of a sentence; empty if there are none."""
        shown = [
            f"{one_line(old, 40)} is now {one_line(new, 45)}"
            for old, new in self.renames[:MAX_RENAMES_SHOWN]
        ]
        more = len(self.renames) - MAX_RENAMES_SHOWN
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def with_distinct_names(
    personas: Sequence[Persona], present: Mapping[str, Persona] | None = None
) -> DistinctPersonas:
    """Number every persona whose name is taken by an earlier one.

    ``present`` are existing personas by ``name_key``. Each of them stands for at most one equal
    persona, so that importing a file twice adds nobody.
    """
    by_name = dict(present or {})
    own_keys = {name_key(persona.name) for persona in personas}
    used: set[str] = set()
    added: list[Persona] = []
    renames: list[tuple[str, str]] = []
    for persona in personas:
        number, candidate = 1, persona
        while True:
            key = name_key(candidate.name)
            other = by_name.get(key)
            is_free = key not in used and (number == 1 or key not in own_keys)
            if is_free and (other is None or _differ_in_name_only(persona, other)):
                break
            number += 1
            candidate = _numbered(persona, number)
        used.add(key)
        if other is None:
            by_name[key] = candidate
            added.append(candidate)
            if number > 1:
                renames.append((persona.name, candidate.name))
    return DistinctPersonas(tuple(added), tuple(renames), len(personas) - len(added))


def _differ_in_name_only(persona: Persona, other: Persona) -> bool:
    return persona.model_copy(update={"username": other.username}) == other


def _numbered(persona: Persona, number: int) -> Persona:
    suffix = f" ({number})"
    stem = re.sub(r" \(\d+\)$", "", persona.name)
    name = f"{stem[: MAX_NAME_LENGTH - len(suffix)]}{suffix}"
    return persona.model_copy(update={"username": name})
