"""Two discussions compared: how their setups differ, and where their messages diverge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from ..discussion import DiscussionRecord, DiscussionSetup, Message, Persona, name_key

ABSENT = "—"


@dataclass(frozen=True)
class SetupDifference:
    """A field that differs, and both values as text, ``ABSENT`` if one has none."""

    field: str
    a: str
    b: str


@dataclass(frozen=True)
class MessagePair:
    """Messages of the same turn in two discussions; None if one has no counterpart."""

    turn: int
    a: Message | None
    b: Message | None

    @property
    def is_common(self) -> bool:
        """Whether both messages have the same name, text and role."""
        if self.a is None or self.b is None:
            return False
        return (self.a.name, self.a.text, self.a.role) == (self.b.name, self.b.text, self.b.role)


def setup_differences(a: DiscussionSetup, b: DiscussionSetup) -> list[SetupDifference]:
    """The fields in which two setups differ, in the setup's order; participants by name."""
    differences: list[SetupDifference] = []
    for field in DiscussionSetup.model_fields:
        if field == "personas":
            differences += _participants(a, b)
        elif field == "models":
            differences += _model_differences(a, b)
        elif field == "history_context_len":
            differences += _difference(field, *(_history_length(setup) for setup in (a, b)))
        elif field != "moderator":
            differences += _difference(field, getattr(a, field), getattr(b, field))
    return differences


def align(a: Sequence[Message], b: Sequence[Message]) -> list[MessagePair]:
    """The messages of both, turn by turn, and within a turn in order.

    Messages without a turn (a human's) belong to the turn before them.
    """
    left, right = _by_turn(a), _by_turn(b)
    return [
        MessagePair(turn, one, other)
        for turn in sorted(left.keys() | right.keys())
        for one, other in zip_longest(left.get(turn, ()), right.get(turn, ()))
    ]


def first_difference(rows: Sequence[MessagePair]) -> int:
    """Index of the first pair that differs; ``len(rows)`` if there is none."""
    return next((i for i, row in enumerate(rows) if not row.is_common), len(rows))


def relation_to(record: DiscussionRecord, other: DiscussionRecord) -> str:
    """How ``other`` is related to ``record``, in a few words; empty if it is not."""
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
    differences: list[SetupDifference] = []
    ours, theirs = _participants_of(a), _participants_of(b)
    for key in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(key), theirs.get(key)
        if one and other:
            differences += _persona_differences(one, other)
        else:
            name = (one or other or _NOBODY).persona.name
            roles = (one.role if one else ABSENT, other.role if other else ABSENT)
            differences.append(SetupDifference(name, *roles))
    shared = [key for key in ours if key in theirs]
    if shared != [key for key in theirs if key in ours]:
        names = [", ".join(part.persona.name for part in each.values()) for each in (ours, theirs)]
        differences.append(SetupDifference("order", *names))
    return differences


@dataclass(frozen=True)
class _Participant:
    persona: Persona
    role: str


_NOBODY = _Participant(Persona.model_construct(username=""), "")


def _history_length(setup: DiscussionSetup) -> int | str:
    length = setup.history_context_len
    return "all" if length is None else length


def _participants_of(setup: DiscussionSetup) -> dict[str, _Participant]:
    by_name = {name_key(each.name): _Participant(each, "user") for each in setup.personas}
    if setup.moderator:
        by_name[name_key(setup.moderator.name)] = _Participant(setup.moderator, "moderator")
    return by_name


def _persona_differences(one: _Participant, other: _Participant) -> list[SetupDifference]:
    name = one.persona.name
    differences = _difference(f"{name}: role", one.role, other.role)
    ours, theirs = one.persona.attributes(), other.persona.attributes()
    for field in dict.fromkeys((*ours, *theirs)):
        differences += _difference(f"{name}: {field}", ours.get(field), theirs.get(field))
    return differences


def _model_differences(a: DiscussionSetup, b: DiscussionSetup) -> list[SetupDifference]:
    """Differences between the models of single participants, with the values in both."""
    differences: list[SetupDifference] = []
    shown = {name_key(name): name for name in (*b.names, *a.names)}
    given = dict.fromkeys(name_key(name) for name in (*a.models, *b.models))
    for name in (shown[key] for key in given if key in shown):
        entries = (a.model_entry(name), b.model_entry(name))
        values = [entry.values if entry else {} for entry in entries]
        setups = a.with_model_of(name), b.with_model_of(name)
        for field in dict.fromkeys((*values[0], *values[1])):
            if values[0].get(field) != values[1].get(field):
                differences += _difference(
                    f"{name}: {field}", *(getattr(setup, field) for setup in setups)
                )
    return differences


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
