"""Personas of one name become NAME, NAME (2), NAME (3) …: nobody is dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..discussion import Persona, name_key
from ..discussion.usernames import MAX_NAME_LENGTH
from ..text import one_line

RENAMES_SHOWN = 5


@dataclass(frozen=True)
class DistinctPersonas:
    """``personas`` under names that nobody else has.

    ``renames`` are old and new names; ``already_there`` counts those who were left out because
    somebody with the same name and fields was there before.
    """

    personas: tuple[Persona, ...]
    renames: tuple[tuple[str, str], ...] = ()
    already_there: int = 0

    @property
    def summary(self) -> str:
        """Who is called how, in part of a sentence; empty where all have their own names."""
        shown = [
            f"{one_line(old, 40)} is now {one_line(new, 45)}"
            for old, new in self.renames[:RENAMES_SHOWN]
        ]
        more = len(self.renames) - RENAMES_SHOWN
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def with_distinct_names(
    personas: Sequence[Persona], present: Mapping[str, Persona] | None = None
) -> DistinctPersonas:
    """Number those whose name somebody before them has.

    ``present`` are the personas that exist already, by the key of their names: each of them
    stands for at most one equal persona, so that the same file twice adds nobody.
    """
    named = dict(present or {})
    own_keys = {name_key(persona.name) for persona in personas}
    matched: set[str] = set()
    added: list[Persona] = []
    renames: list[tuple[str, str]] = []
    for persona in personas:
        number, candidate = 1, persona
        while True:
            key = name_key(candidate.name)
            other = named.get(key)
            is_free = key not in matched and (number == 1 or key not in own_keys)
            if is_free and (other is None or _is_same(other, persona)):
                break
            number += 1
            candidate = _numbered(persona, number)
        matched.add(key)
        if other is None:
            named[key] = candidate
            added.append(candidate)
            if number > 1:
                renames.append((persona.name, candidate.name))
    return DistinctPersonas(tuple(added), tuple(renames), len(personas) - len(added))


def _is_same(one: Persona, other: Persona) -> bool:
    """Whether they differ in nothing but their names."""
    return one.model_copy(update={"username": other.username}) == other


def _numbered(persona: Persona, number: int) -> Persona:
    suffix = f" ({number})"
    stem = re.sub(r" \(\d+\)$", "", persona.name)
    return persona.model_copy(
        update={"username": f"{stem[: MAX_NAME_LENGTH - len(suffix)]}{suffix}"}
    )
