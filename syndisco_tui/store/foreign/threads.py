"""Dialogues of people, or of other tools, as finished discussions that can be forked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from ...discussion import (
    IMPORTED_FROM,
    DiscussionRecord,
    DiscussionSetup,
    Message,
    Persona,
    name_key,
)
from ...text import one_line
from ..distinct_names import with_distinct_names
from ..inputs import InputError, validated

TITLE_LENGTH = 60
LONGEST_USERNAME = 90
"""Characters; a number may follow."""


def thread_record(
    messages: Sequence[Message],
    *,
    tool: str,
    where: object,
    title: str = "",
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    started_at: str = "",
) -> DiscussionRecord:
    """A finished discussion with these messages, whose speakers are its personas.

    Args:
        messages: The messages, oldest first, with a unique name for each speaker.
        tool: The tool of origin, for the record's ``imported_from``.
        where: Begins error messages.
        title: Its title; without one, the first message's beginning.
        fields: Further fields of the personas, by the name of the speaker.
        started_at: ISO 8601; without it, the time of the first message that has one.

    Raises:
        InputError: There is no message, or a name is not a valid username.
    """
    if not messages:
        raise InputError(f"{where}: has no messages")
    known = fields or {}
    speakers = list(dict.fromkeys(message.name for message in messages))
    personas = [_persona(name, known.get(name, {})) for name in speakers]
    distinct = with_distinct_names(personas).personas
    if len(distinct) < len(speakers):
        raise InputError(f"{where}: two speakers cannot be told apart by their names")
    names = {name: persona.name for name, persona in zip(speakers, distinct, strict=True)}
    entries = tuple(replace(message, name=names[message.name]) for message in messages)
    title = one_line(title or entries[0].text, TITLE_LENGTH).strip()
    setup = validated(
        DiscussionSetup, {"title": title, "personas": [each.as_dict() for each in distinct]}, where
    )
    times = (message.created_at for message in messages if message.created_at)
    content = json.dumps([tool, started_at, [[each.name, each.text] for each in entries]])
    return DiscussionRecord(
        id=f"{name_key(tool)}-{hashlib.sha256(content.encode()).hexdigest()[:16]}",
        started_at=started_at or next(times, datetime.fromtimestamp(0, UTC).isoformat()),
        setup=setup,
        entries=entries,
        status="finished",
        title=title,
        engine={IMPORTED_FROM: tool},
    )


def speaker_name(text: str, number: int) -> str:
    """``text`` made into a valid username; without visible characters, “Speaker 3”."""
    name = one_line(text, LONGEST_USERNAME).replace("\N{REPLACEMENT CHARACTER}", "").strip()
    try:
        return Persona(username=name).name
    except ValidationError:
        return f"Speaker {number}"


def time_of(value: object) -> str:
    """Seconds since 1970, as a number or its text, in ISO 8601; empty if it is no time."""
    try:
        seconds = float(value)  # type: ignore[arg-type]
        return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else ""
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _persona(name: str, fields: Mapping[str, Any]) -> Persona:
    """The speaker; a field that does not fit gets the prefix ``meta_``."""
    values = {key: each for key, each in fields.items() if key != "username"}
    try:
        return Persona.model_validate({**values, "username": name})
    except ValidationError:
        values = {
            f"meta_{key}" if key in Persona.model_fields else key: each
            for key, each in values.items()
        }
    try:
        return Persona.model_validate({**values, "username": name})
    except ValidationError:  # nested too deeply
        return Persona(username=name)
