"""Discussions that SynDisco itself wrote, read as records.

2.0.1 writes prompts as objects, its exports of 2026 have them as JSON text, and 2.2.1 writes
``timestamp`` and ``logs`` alone. What a file does not say stays at its default.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..discussion import HARDCODED, DiscussionRecord, DiscussionSetup, Message, Persona, Role

if TYPE_CHECKING:
    from .discussion_format import FileFields

TIMESTAMP = "%y-%m-%d-%H-%M"
UNKNOWN_START = datetime.fromtimestamp(0, UTC).isoformat()


def from_syndisco(file: FileFields, value: object) -> DiscussionRecord:
    """The finished record of ``file``; ``value`` is its JSON, of which an id is made."""
    moderator, users = file.moderator, users_of(file)
    prompts = _prompts_by_name(file, users)
    moderator_prompt = prompts.get(moderator or "", {})
    first_prompt = prompts.get(users[0], {}) if users else {}
    by_user = {n: str(prompts[n].get("instructions", "")) for n in users if n in prompts}
    common = Counter(by_user.values()).most_common(1)[0][0] if by_user else ""
    entries = _entries(file)
    seeds = [entry for entry in entries if entry.role == "seed"]
    setup = DiscussionSetup.model_construct(
        personas=tuple(_persona(prompts.get(name, {}), name) for name in users),
        moderator=_persona(moderator_prompt, moderator) if moderator else None,
        context=str(first_prompt.get("context", "")),
        instructions=common,
        own_instructions={name: own for name, own in by_user.items() if own != common},
        moderator_instructions=str(moderator_prompt.get("instructions", "")),
        seed_opinions=tuple(entry.text for entry in seeds),
        seed_opinion_usernames=tuple(entry.name for entry in seeds),
        history_context_len=file.ctx_length,
        conv_len=max([1, *(entry.turn for entry in entries)]),
        model=next((log.model for log in file.logs if log.model != HARDCODED), "auto"),
    )
    return DiscussionRecord(
        id=file.id or content_id(value),
        started_at=started_at(file.timestamp) or UNKNOWN_START,
        setup=setup,
        entries=entries,
        status="finished",
    )


def _entries(file: FileFields) -> tuple[Message, ...]:
    """The messages with roles and turns, which SynDisco's files do not give."""
    entries: list[Message] = []
    turn = 0
    for log in file.logs:
        role: Role = log.role
        if role == "user":
            is_moderator = log.name == file.moderator
            role = "seed" if log.model == HARDCODED else "moderator" if is_moderator else "user"
        own_turn = log.turn
        if role != "seed" and not own_turn:
            own_turn = turn + (role == "user")
        entries.append(replace(log, role=role, turn=own_turn))
        turn = max(turn, own_turn)
    return tuple(entries)


def users_of(file: FileFields) -> list[str]:
    """The names of a discussion's users; of all who spoke, if the file does not list users."""
    if file.users:
        return [name for name in file.users if name != file.moderator]
    return list(dict.fromkeys(log.name for log in file.logs))


def content_id(value: object) -> str:
    """An id for a discussion without one, made of its timestamp and messages."""
    keys = ("timestamp", "logs")
    content = {key: value.get(key) for key in keys} if isinstance(value, dict) else value
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return f"syndisco-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def started_at(timestamp: str) -> str:
    """SynDisco's timestamp in ISO 8601, taken for UTC; empty if it is none."""
    try:
        return datetime.strptime(timestamp, TIMESTAMP).replace(tzinfo=UTC).isoformat()
    except ValueError:
        return ""


def _prompts_by_name(file: FileFields, users: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Every participant's system prompt, as an object."""
    prompts: dict[str, dict[str, Any]] = {}
    for position, prompt in enumerate(file.user_prompts):
        if fields := _prompt_fields(prompt):
            persona = fields.get("persona")
            username = persona.get("username") if isinstance(persona, dict) else None
            in_order = users[position] if position < len(users) else None
            prompts[str(username or in_order)] = fields
    if file.moderator_prompt and (fields := _prompt_fields(file.moderator_prompt)):
        prompts[str(file.moderator)] = fields
    return prompts


def _prompt_fields(prompt: str | dict[str, Any]) -> dict[str, Any]:
    """A system prompt's fields; none if it is not a JSON object."""
    try:
        fields = json.loads(prompt) if isinstance(prompt, str) else prompt
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _persona(prompt: dict[str, Any], name: str) -> Persona:
    fields = prompt.get("persona")
    try:
        return Persona.model_validate(
            {**(fields if isinstance(fields, dict) else {}), "username": name}
        )
    except ValidationError:
        return Persona.model_construct(username=name)
