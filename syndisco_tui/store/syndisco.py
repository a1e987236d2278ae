"""A discussion as SynDisco itself wrote it, read as a record of ours.

2.0.1 has prompts as objects, its 2026 exports as JSON text, and 2.2.1 writes ``timestamp`` and
``logs`` alone. What a file does not say is left at defaults.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..discussion import HARDCODED, DiscussionRecord, DiscussionSetup, Message, Persona, Role

if TYPE_CHECKING:
    from .discussion_format import FileFields

TIMESTAMP = "%y-%m-%d-%H-%M"
NO_TIME = datetime.fromtimestamp(0, UTC).isoformat()
"""When a discussion began of which that is not known."""


def from_syndisco(file: FileFields, value: object) -> DiscussionRecord:
    """The finished record of ``file``; ``value`` is its JSON, of which an id is made."""
    moderator, users = file.moderator, users_of(file)
    prompts = _prompts_by_name(file, users)
    moderator_prompt = prompts.get(moderator or "", {})
    first = prompts.get(users[0], {}) if users else {}
    told = {name: str(prompts[name].get("instructions", "")) for name in users if name in prompts}
    instructions = Counter(told.values()).most_common(1)[0][0] if told else ""
    entries: list[Message] = []
    taken = 0
    for log in file.logs:
        role: Role = log.role
        if role == "user":  # SynDisco's files do not say
            is_moderator = log.name == moderator
            role = "seed" if log.model == HARDCODED else "moderator" if is_moderator else "user"
        message = replace(log, role=role)
        if role != "seed" and not message.turn:
            message = replace(message, turn=taken + (role == "user"))
        entries.append(message)
        taken = max(taken, message.turn)
    seeds = [entry for entry in entries if entry.role == "seed"]
    setup = DiscussionSetup.model_construct(
        personas=tuple(_persona(prompts.get(name, {}), name) for name in users),
        moderator=_persona(moderator_prompt, moderator) if moderator else None,
        context=str(first.get("context", "")),
        instructions=instructions,
        own_instructions={name: own for name, own in told.items() if own != instructions},
        moderator_instructions=str(moderator_prompt.get("instructions", "")),
        seed_opinions=tuple(entry.text for entry in seeds),
        seed_opinion_usernames=tuple(entry.name for entry in seeds),
        history_context_len=file.ctx_length,
        conv_len=max([1, *(entry.turn for entry in entries)]),
        model=next((log.model for log in file.logs if log.model != HARDCODED), "auto"),
    )
    return DiscussionRecord(
        id=file.id or content_id(value),
        started_at=started_at(file.timestamp) or NO_TIME,
        setup=setup,
        entries=tuple(entries),
        status="finished",
    )


def users_of(file: FileFields) -> list[str]:
    """The names of a discussion's users; of one that does not list them, of all who spoke."""
    if file.users:
        return [name for name in file.users if name != file.moderator]
    return list(dict.fromkeys(log.name for log in file.logs))


def content_id(value: object) -> str:
    """An id for a discussion without one: the same for the same timestamp and words."""
    keys = ("timestamp", "logs")
    content = {key: value.get(key) for key in keys} if isinstance(value, dict) else value
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return f"syndisco-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def started_at(timestamp: str) -> str:
    """SynDisco's timestamp in ISO 8601, taken for UTC; empty where it is none."""
    try:
        return datetime.strptime(timestamp, TIMESTAMP).replace(tzinfo=UTC).isoformat()
    except ValueError:
        return ""


def _prompts_by_name(file: FileFields, users: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Every participant's system prompt object; SynDisco's exports give it in either form."""
    prompts: dict[str, dict[str, Any]] = {}
    everybody: list[tuple[str | None, str | dict[str, Any]]]
    everybody = [(None, prompt) for prompt in file.user_prompts]
    if file.moderator_prompt:
        everybody.append((file.moderator, file.moderator_prompt))
    by_order = dict(zip(range(len(everybody)), users, strict=False))
    for index, (name, prompt) in enumerate(everybody):
        try:
            fields = json.loads(prompt) if isinstance(prompt, str) else prompt
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict):
            persona = fields.get("persona")
            inner = persona.get("username") if isinstance(persona, dict) else None
            prompts[str(name or inner or by_order.get(index))] = fields
    return prompts


def _persona(prompt: dict[str, Any], name: str) -> Persona:
    fields = prompt.get("persona")
    try:
        return Persona.model_validate(
            {**(fields if isinstance(fields, dict) else {}), "username": name}
        )
    except ValidationError:
        return Persona.model_construct(username=name)
