"""Drawing personas: so many, each attribute on its own from given values, the same for a seed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .chance import draw
from .names import name_key
from .persona import MAX_NAME_LENGTH, Persona


def drawn_personas(
    count: int,
    attributes: Mapping[str, Sequence[Any]],
    *,
    names: Iterable[str] | str,
    seed: int,
    balanced: bool,
    taken: Iterable[str] = (),
) -> tuple[Persona, ...]:
    """``count`` personas whose fields are drawn from ``attributes``, independently of each other.

    ``balanced``: every value of a field as often as any other, give or take one, in random order.
    Otherwise every draw is on its own, and the first personas are the same for any ``count``.
    A field without values is left empty. ``names`` as in :func:`free_names`.
    Raises pydantic's ValidationError where a value does not fit its field.
    """
    columns = {
        field: _column(seed, field, values, count, balanced=balanced)
        for field, values in attributes.items()
        if values
    }
    return tuple(
        Persona.model_validate(
            {"username": name, **{field: column[number] for field, column in columns.items()}}
        )
        for number, name in enumerate(free_names(count, names, taken))
    )


def _column(
    seed: int, field: str, values: Sequence[Any], count: int, *, balanced: bool
) -> list[Any]:
    if not balanced:
        return [values[int(draw(seed, f"draw {field}", n) * len(values))] for n in range(count)]
    order = _shuffled(seed, f"values {field}", values)  # who gets the one more is chance, too
    return _shuffled(seed, f"places {field}", [order[n % len(order)] for n in range(count)])


def _shuffled(seed: int, purpose: str, values: Sequence[Any]) -> list[Any]:
    places = sorted(range(len(values)), key=lambda place: draw(seed, purpose, place))
    return [values[place] for place in places]


def free_names(count: int, names: Iterable[str] | str, taken: Iterable[str] = ()) -> list[str]:
    """``count`` names that differ from each other and from those ``taken``.

    A text is a pattern: the last run of ``#`` in it stands for a number of as many digits (``P###``
    gives P001, P002, …), and without one the number comes behind. Several names are used in their
    order; where they do not suffice, or are taken, they come again with a number.
    """
    used = {name_key(name) for name in taken}
    found: list[str] = []
    if isinstance(names, str):
        number = 0
        while len(found) < count:
            number += 1
            if name_key(name := numbered(names, number)) not in used:
                found.append(name)
        return found
    stock = list(names)
    for place in range(count):
        found.append(name := free_name(stock[place % len(stock)], used))
        used.add(name_key(name))
    return found


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
