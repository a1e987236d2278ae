"""Makes a design from a setup: fields become factors, with a few values each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..discussion import DiscussionSetup
from ..discussion.design import ExperimentDesign
from ..store.inputs import validated
from ..text import one_line

LONGEST_LEVEL = 30
"""Characters of a level's name."""

Level = tuple[str, Mapping[str, Any]]
"""The text that names a level, and the fields that it sets."""


def design_of(
    setup: DiscussionSetup,
    factors: Mapping[str, Sequence[Level]],
    *,
    title: str,
    repeats: int,
    seed: int,
) -> ExperimentDesign:
    """The design that repeats ``setup`` under every combination of levels.

    The moderator is one of the design's personas, so that a level can do without one.

    Raises:
        InputError: The design is not consistent.
    """
    left_out = {"title", "seed", "moderator", "personas", *setup.unused_fields}
    values = setup.model_dump(mode="json", exclude=left_out)
    values["personas"] = [each.as_dict() for each in setup.everybody]
    if setup.moderator:
        values["moderator"] = setup.moderator.name
    if setup.models:
        values["models"] = {name: each.stated for name, each in setup.models.items()}
    design = {
        "title": title,
        "repeats": repeats,
        "seed": seed,
        "setup": values,
        "factors": {name: dict(_named(levels)) for name, levels in factors.items()},
    }
    return validated(ExperimentDesign, design, "the design")


def _named(levels: Sequence[Level]) -> list[tuple[str, dict[str, Any]]]:
    """The levels with short names, no two of which are the same."""
    named: dict[str, dict[str, Any]] = {}
    for text, fields in levels:
        name = short = one_line(text, LONGEST_LEVEL) or "empty"
        number = 2
        while name in named:
            name, number = f"{short} {number}", number + 1
        named[name] = dict(fields)
    return list(named.items())


def level_texts(text: str, *, is_prose: bool) -> list[str]:
    """Split a line into values at semicolons or, without any and without prose, at commas."""
    separator = ";" if ";" in text or is_prose else ","
    return [part.strip() for part in text.split(separator) if part.strip()]
