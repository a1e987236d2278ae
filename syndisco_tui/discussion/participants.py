"""Who takes part in a discussion: the participants of its setups, and everybody who spoke in it."""

from __future__ import annotations

from .actor import Actor
from .names import name_key
from .persona import Persona
from .record import DiscussionRecord, Message


def participants(record: DiscussionRecord) -> tuple[list[Actor], Actor | None]:
    """The users of ``record`` and its moderator, if it has one.

    Users who spoke and have left since are included, as the setup had them under which they spoke.
    Of an injected message's or a seed opinion's author only the name may be known. A moderator who
    was replaced by another is listed as a user.
    """
    actors: dict[str, Actor] = {}
    for setup in (record.setup, *(each.setup for each in reversed(record.earlier_setups))):
        for persona in setup.everybody:
            actors.setdefault(name_key(persona.name), setup.actor(persona.name))
    speakers: dict[str, Message] = {}
    for entry in record.entries:
        speakers.setdefault(name_key(entry.name), entry)
    if record.setup.moderator:
        moderator_key = name_key(record.setup.moderator.name)
    else:
        moderator_key = next(
            (
                key
                for key, actor in actors.items()
                if actor.role == "moderator"
                and key in speakers
                and speakers[key].role == "moderator"
            ),
            "",
        )
    present = [name_key(persona.name) for persona in record.setup.everybody]
    users = [
        actors.get(key) or _known_by_name(speakers[key].name, record)
        for key in dict.fromkeys((*present, *speakers))
        if key != moderator_key
    ]
    return users, actors.get(moderator_key)


def _known_by_name(name: str, record: DiscussionRecord) -> Actor:
    persona = Persona.model_construct(username=name)  # files may hold names that are not valid
    return Actor(persona, "user", record.setup.context, record.setup.instructions)
