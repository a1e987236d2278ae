"""A designed experiment: factors with levels, repeats, and what is drawn for each discussion.

A cell is one level of every factor. Each cell is repeated; a repeat has the same users, topic and
seed in every cell unless the design says otherwise, so that cells can be compared in pairs.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .chance import SEED_BITS, draw, draw_seed
from .names import name_key, near_name
from .persona import Persona
from .setup import DiscussionSetup

Cell = Mapping[str, str]
"""One level of every factor, by the factors' names."""
MAX_DISCUSSIONS = 100_000
NOT_IN_LEVELS = ("seed", "title")
"""Fields of a setup that the design itself gives each discussion."""


class DrawnUsers(BaseModel):
    """Users that are drawn for each repeat, without replacement, in the order of their drawing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    personas: tuple[Persona, ...]
    count: Annotated[int, Field(ge=1)]


class ExperimentDesign(BaseModel):
    """What a design file says.

    ``setup`` and the levels hold fields of a setup as a setup file has them; ``moderator`` may be
    the username of a persona in ``setup`` or ``users``, who then is nobody's user. A setup's
    ``seed_opinions`` are replaced by the topic that is drawn where there are ``topics``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    repeats: Annotated[int, Field(ge=1, le=MAX_DISCUSSIONS)] = 1
    seed: Annotated[int, Field(ge=0, lt=1 << SEED_BITS)] = 0
    paired: bool = True
    setup: dict[str, Any] = Field(default_factory=dict)
    users: DrawnUsers | None = None
    topics: tuple[tuple[str, ...], ...] = ()
    factors: dict[str, dict[str, dict[str, Any]]] = Field(default_factory=dict)
    exclude: tuple[dict[str, str | tuple[str, ...]], ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> ExperimentDesign:
        for factor, levels in self.factors.items():
            if not levels:
                raise ValueError(f"factors.{factor} has no levels")
            for level, fields in levels.items():
                for field in fields:
                    _check_field(field, f"factors.{factor}.{level}")
        for number, rule in enumerate(self.exclude, start=1):
            for factor, excluded in rule.items():
                known = self.factors.get(factor)
                if known is None:
                    raise ValueError(f"exclude, entry {number}: there is no factor “{factor}”")
                for level in [excluded] if isinstance(excluded, str) else excluded:
                    if level not in known:
                        raise ValueError(
                            f"exclude, entry {number}: {factor} has no level “{level}”"
                        )
        count = len(self.cells) * self.repeats
        if not count:
            raise ValueError("exclude leaves no cell")
        if count > MAX_DISCUSSIONS:
            raise ValueError(f"these are {count:,} discussions; at most {MAX_DISCUSSIONS:,} work")
        return self

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All combinations of levels that are not excluded, in the order of the file."""
        names = list(self.factors)
        combinations = itertools.product(*(self.factors[name] for name in names))
        cells = (dict(zip(names, levels, strict=True)) for levels in combinations)
        return tuple(cell for cell in cells if not any(_matches(cell, x) for x in self.exclude))


def _check_field(field: str, where: str) -> None:
    if field in NOT_IN_LEVELS:
        raise ValueError(f"{where}: {field} is the design's own, no level can set it")
    if field not in DiscussionSetup.model_fields:
        near = near_name(field, DiscussionSetup.model_fields)
        question = f"; did you mean {near}?" if near else ""
        raise ValueError(f"{where}: a setup has no field {field}{question}")


def _matches(cell: Cell, rule: Mapping[str, str | tuple[str, ...]]) -> bool:
    return all(
        cell[factor] == levels if isinstance(levels, str) else cell[factor] in levels
        for factor, levels in rule.items()
    )


@dataclass(frozen=True)
class PlannedDiscussion:
    """One discussion of an experiment. ``repeat`` counts from 1; ``name`` is a file's stem."""

    cell: Cell
    repeat: int
    setup: DiscussionSetup
    name: str


def plan(design: ExperimentDesign) -> Iterator[PlannedDiscussion]:
    """All discussions of ``design``: every cell's first repeat, then every cell's second, …

    Raises:
        ValueError: A setup is not valid; the message names the cell.
    """
    cells = design.cells
    for repeat in range(1, design.repeats + 1):
        for number, cell in enumerate(cells, start=1):
            yield PlannedDiscussion(
                cell, repeat, _setup(design, cell, number, repeat), _name(cell, number, repeat)
            )


def _name(cell: Cell, number: int, repeat: int) -> str:
    """Cell and repeat by number, so that no two are the same, and the levels to read them by."""
    levels = "-".join(re.sub(r"[^A-Za-z0-9]+", "_", level).strip("_") for level in cell.values())
    return f"c{number:03}-r{repeat:04}" + (f"-{levels[:80]}" if levels else "")


def _setup(design: ExperimentDesign, cell: Cell, number: int, repeat: int) -> DiscussionSetup:
    values = dict(design.setup)
    for factor, level in cell.items():
        values |= design.factors[factor][level]
    stream = f"cell {number}|" if not design.paired else ""
    levels = ", ".join(f"{factor} {level}" for factor, level in cell.items())
    where = f"the cell {levels}" if levels else "the setup"
    try:
        values |= _participants(design, values, stream, repeat)
        if design.topics:
            chosen = int(draw(design.seed, f"{stream}topic", repeat) * len(design.topics))
            values |= {"seed_opinions": design.topics[chosen], "seed_opinion_usernames": ()}
        values["seed"] = draw_seed(design.seed, f"{stream}seed", repeat)
        values.setdefault("title", design.title)
        return DiscussionSetup.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {field}{': ' if field else ''}{first['msg']}") from None
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _participants(
    design: ExperimentDesign, values: Mapping[str, Any], stream: str, repeat: int
) -> dict[str, Any]:
    """Who takes part and who moderates, with the instructions of those who do."""
    own_pool = [Persona.model_validate(each) for each in values.get("personas", ())]
    pool = own_pool or list(design.users.personas if design.users else ())
    everybody = [*pool, *(design.users.personas if design.users else ())]
    moderator = _moderator(values.get("moderator"), everybody)
    moderators = {name_key(each) for each in _moderator_names(design)}
    if moderator is not None:
        moderators.add(name_key(moderator.name))
    users = [each for each in pool if name_key(each.name) not in moderators]
    if design.users is not None and not own_pool:
        users = _draw(users, design.users.count, design.seed, f"{stream}users", repeat)
    present = {name_key(each.name) for each in users}
    own = values.get("own_instructions", {})
    return {
        "personas": tuple(users),
        "moderator": moderator,
        "own_instructions": {name: own[name] for name in own if name_key(name) in present},
    }


def _moderator_names(design: ExperimentDesign) -> Iterator[str]:
    """Whoever moderates in some cell: they are users in none."""
    levels = (fields for factor in design.factors.values() for fields in factor.values())
    for fields in (design.setup, *levels):
        if isinstance(name := fields.get("moderator"), str):
            yield name


def _moderator(value: Any, everybody: Sequence[Persona]) -> Persona | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return Persona.model_validate(value)
    for each in everybody:
        if name_key(each.name) == name_key(value):
            return each
    near = near_name(value, [each.name for each in everybody])
    question = f"; did you mean “{near}”?" if near else ""
    raise ValueError(f"moderator: none of the personas is called “{value}”{question}")


def _draw(
    personas: Sequence[Persona], count: int, seed: int, purpose: str, repeat: int
) -> list[Persona]:
    """``count`` of ``personas``, without replacement."""
    if count > len(personas):
        raise ValueError(f"users: {count} are to be drawn from {len(personas)} personas")
    left = list(personas)
    return [left.pop(int(draw(seed, purpose, repeat, n) * len(left))) for n in range(count)]
