"""Generated personas: every field sampled independently from given values, by a seed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .names import name_key
from .persona import MAX_NAME_LENGTH, Persona
from .weighted_values import WeightedValues, sample_column


def sample_personas(
    count: int,
    attributes: Mapping[str, Sequence[Any]],
    *,
    names: Iterable[str] | str,
    seed: int,
    balanced: bool,
    taken: Iterable[str] = (),
) -> tuple[Persona, ...]:
    """``count`` personas with fields sampled from ``attributes``, independently of each other.

    Args:
        count: number of personas.
        attributes: each field's values, equally likely unless they are ``WeightedValues``. A field
            without values stays empty.
        names: names or a pattern, as in :func:`free_names`.
        seed: the same seed gives the same personas.
        balanced: every value as often as its weight says, give or take one, in random order;
            otherwise every draw is independent, and a larger ``count`` only adds personas.
        taken: names that the personas must not have.

    Raises:
        pydantic.ValidationError: a value does not fit its field.
    """
    columns = {
        field: sample_column(seed, field, list(map(_as_weighted, values)), count, balanced=balanced)
        for field, values in attributes.items()
        if values
    }
    return tuple(
        Persona.model_validate(
            {
                "username": name,
                **{field: column_values[number] for field, column_values in columns.items()},
            }
        )
        for number, name in enumerate(free_names(count, names, taken))
    )


def _as_weighted(value: Any) -> WeightedValues:
    return value if isinstance(value, WeightedValues) else WeightedValues((value,))


def free_names(count: int, names: Iterable[str] | str, taken: Iterable[str] = ()) -> list[str]:
    """``count`` different names, none of them in ``taken``.

    A string is a pattern: a number replaces its last run of ``#`` (``P###`` gives P001, P002, …)
    or is appended. Several names are used in order, with numbers appended if they do not suffice.
    """
    used = {name_key(name) for name in taken}
    free: list[str] = []
    if isinstance(names, str):
        number = 0
        while len(free) < count:
            number += 1
            if name_key(name := numbered(names, number)) not in used:
                free.append(name)
        return free
    stock = list(names)
    for number in range(count):
        free.append(name := free_name(stock[number % len(stock)], used))
        used.add(name_key(name))
    return free


def numbered(pattern: str, number: int) -> str:
    """The name that a pattern gives for ``number``."""
    runs = list(re.finditer("#+", pattern))
    if not runs:
        return f"{pattern}{number}"
    start, end = runs[-1].span()
    return f"{pattern[:start]}{number:0{end - start}d}{pattern[end:]}"


def free_name(like: str, taken: set[str]) -> str:
    """``like``, or the first of like-2, like-3, … whose ``name_key`` is not in ``taken``."""
    stem, number, name = re.sub(r"-\d+$", "", like), 2, like
    while name_key(name) in taken:
        suffix = f"-{number}"
        name, number = f"{stem[: MAX_NAME_LENGTH - len(suffix)]}{suffix}", number + 1
    return name
