"""Two discussions side by side: what differs in their setups, and where they part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from ..discussion import DiscussionRecord, DiscussionSetup, Message, Persona, name_key

ABSENT = "—"


@dataclass(frozen=True)
class SetupDifference:
    """A field that differs, and both values as text; ``ABSENT`` for what is not there."""

    field: str
    a: str
    b: str


@dataclass(frozen=True)
class MessagePair:
    """Two messages that stand side by side, of one turn; None where a side has none."""

    turn: int
    a: Message | None
    b: Message | None

    @property
    def is_common(self) -> bool:
        """Whether both sides say the same in the same name."""
        if self.a is None or self.b is None:
            return False
        return (self.a.name, self.a.text, self.a.role) == (self.b.name, self.b.text, self.b.role)


def setup_differences(a: DiscussionSetup, b: DiscussionSetup) -> list[SetupDifference]:
    """Every field in which two setups differ, in the setup's order; participants by name."""
    found: list[SetupDifference] = []
    for field in DiscussionSetup.model_fields:
        if field == "personas":
            found += _participants(a, b)
        elif field == "history_context_len":
            found += _difference(field, *(_history(setup) for setup in (a, b)))
        elif field != "moderator":
            found += _difference(field, getattr(a, field), getattr(b, field))
    return found


def align(a: Sequence[Message], b: Sequence[Message]) -> list[MessagePair]:
    """The messages of both, turn by turn; within a turn in the order they came.

    What has no turn (a human's words) belongs to the turn before it.
    """
    left, right = _by_turn(a), _by_turn(b)
    return [
        MessagePair(turn, one, other)
        for turn in sorted(left.keys() | right.keys())
        for one, other in zip_longest(left.get(turn, ()), right.get(turn, ()))
    ]


def first_difference(rows: Sequence[MessagePair]) -> int:
    """Index of the first row in which the two differ; ``len(rows)`` if they never do."""
    return next((i for i, row in enumerate(rows) if not row.is_common), len(rows))


def relation_to(record: DiscussionRecord, other: DiscussionRecord) -> str:
    """How another discussion is related, in a few words; empty if it is not."""
    own_parent = record.parent.id if record.parent else None
    other_parent = other.parent.id if other.parent else None
    if other_parent == record.id:
        return "fork of this one"
    if own_parent == other.id:
        return "this one forks it"
    if own_parent is not None and own_parent == other_parent:
        return "fork of the same"
    if record.batch and other.batch and record.batch.id == other.batch.id:
        number = f"{other.batch.number} of {other.batch.count}"
        return f"same batch, {number}, seed {other.setup.seed}"
    return ""


def _by_turn(entries: Sequence[Message]) -> dict[int, list[Message]]:
    groups: dict[int, list[Message]] = {}
    turn = 0
    for entry in entries:
        turn = max(turn, entry.turn)
        groups.setdefault(turn, []).append(entry)
    return groups


def _participants(a: DiscussionSetup, b: DiscussionSetup) -> list[SetupDifference]:
    found: list[SetupDifference] = []
    ours, theirs = _cast(a), _cast(b)
    for key in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(key), theirs.get(key)
        if one and other:
            found += _persona_differences(one, other)
        else:
            name = (one or other or _NOBODY).persona.name
            roles = (one.role if one else ABSENT, other.role if other else ABSENT)
            found.append(SetupDifference(name, *roles))
    shared = [key for key in ours if key in theirs]
    if shared != [key for key in theirs if key in ours]:
        names = [", ".join(part.persona.name for part in cast.values()) for cast in (ours, theirs)]
        found.append(SetupDifference("order", *names))
    return found


@dataclass(frozen=True)
class _Part:
    persona: Persona
    role: str


_NOBODY = _Part(Persona.model_construct(username=""), "")


def _history(setup: DiscussionSetup) -> int | str:
    length = setup.history_context_len
    return "all" if length is None else length


def _cast(setup: DiscussionSetup) -> dict[str, _Part]:
    cast = {name_key(each.name): _Part(each, "user") for each in setup.personas}
    if setup.moderator:
        cast[name_key(setup.moderator.name)] = _Part(setup.moderator, "moderator")
    return cast


def _persona_differences(one: _Part, other: _Part) -> list[SetupDifference]:
    name = one.persona.name
    found = _difference(f"{name}: role", one.role, other.role)
    ours, theirs = one.persona.attributes(), other.persona.attributes()
    for field in dict.fromkeys((*ours, *theirs)):
        found += _difference(f"{name}: {field}", ours.get(field), theirs.get(field))
    return found


def _difference(field: str, a: Any, b: Any) -> list[SetupDifference]:
    return [] if a == b else [SetupDifference(field, _as_text(a), _as_text(b))]


def _as_text(value: Any) -> str:
    if value is None or value == "" or value in ((), [], {}):
        return ABSENT
    if isinstance(value, dict):
        return "; ".join(f"{key}: {part}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(str(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
