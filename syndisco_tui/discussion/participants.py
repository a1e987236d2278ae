"""Who takes part in a discussion: those of its setup, and everybody else who spoke in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .actor import Actor
from .names import name_key
from .persona import Persona
from .record import DiscussionRecord, Message


@dataclass(frozen=True)
class Speaker:
    """Somebody who spoke, and whether they moderated when they did so first."""

    name: str
    moderated: bool


Speakers = Mapping[str, Speaker]
"""Everybody who spoke by their ``name_key``, in the order of their first messages."""


def speakers(entries: Iterable[Message], earlier: Speakers | None = None) -> dict[str, Speaker]:
    """Who spoke in ``entries``, which follow those of ``earlier``; silences count."""
    spoke = dict(earlier or {})
    for entry in entries:
        spoke.setdefault(name_key(entry.name), Speaker(entry.name, entry.role == "moderator"))
    return spoke


def participants(record: DiscussionRecord, spoke: Speakers) -> tuple[list[Actor], Actor | None]:
    """The users of ``record``, in whose entries ``spoke`` did, and its moderator, or None.

    Who spoke is among them, though they may have left since: as the setup had them under which
    they spoke. A person who joined in, and the author of a seed opinion, need not be in any setup;
    of them only the name is known. A moderator who was replaced by another is listed as a user.
    """
    actors: dict[str, Actor] = {}
    for setup in (record.setup, *(each.setup for each in reversed(record.earlier_setups))):
        for persona in setup.everybody:
            actors.setdefault(name_key(persona.name), setup.actor(persona.name))
    present = [name_key(persona.name) for persona in record.setup.everybody]
    if record.setup.moderator:
        moderator_key = name_key(record.setup.moderator.name)
    else:
        earlier = [key for key, actor in actors.items() if actor.role == "moderator"]
        moderator_key = next((key for key in earlier if key in spoke and spoke[key].moderated), "")
    users = [
        actors.get(key) or _known_by_name(spoke[key].name, record)
        for key in dict.fromkeys((*present, *spoke))
        if key != moderator_key
    ]
    return users, actors.get(moderator_key)


def _known_by_name(name: str, record: DiscussionRecord) -> Actor:
    persona = Persona.model_construct(username=name)  # any name that was read from a file
    return Actor(persona, "user", record.setup.context, record.setup.instructions)
