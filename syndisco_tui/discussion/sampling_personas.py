"""Generated personas: each field drawn on its own from given values, the same for a seed."""

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
    """``count`` personas whose fields are drawn from ``attributes``, independently of each other.

    A field's values are equally likely, or are a ``Part`` each, with its weight. ``balanced``: as
    many of each as its weight says, give or take one, in random order. Otherwise every draw is
    independent, and the first personas are the same for any ``count``. A field without values is
    left empty. ``names`` as in :func:`free_names`.
    Raises pydantic's ValidationError where a value does not fit its field.
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
    """``count`` names that differ from each other and from those ``taken``.

    A text is a pattern: the last run of ``#`` in it stands for a number of as many digits (``P###``
    gives P001, P002, …), and without one the number comes behind. Several names are used in their
    order; where they do not suffice, or are taken, they come again with a number.
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
    """The ``number``-th name of a pattern."""
    runs = list(re.finditer("#+", pattern))
    if not runs:
        return f"{pattern}{number}"
    start, end = runs[-1].span()
    return f"{pattern[:start]}{number:0{end - start}d}{pattern[end:]}"


def free_name(like: str, taken: set[str]) -> str:
    """``like``, or with the first number behind it that nobody has: Ann, Ann-2, Ann-3.

    ``taken`` holds names as ``name_key`` gives them.
    """
    stem, number, name = re.sub(r"-\d+$", "", like), 2, like
    while name_key(name) in taken:
        suffix = f"-{number}"
        name, number = f"{stem[: MAX_NAME_LENGTH - len(suffix)]}{suffix}", number + 1
    return name
