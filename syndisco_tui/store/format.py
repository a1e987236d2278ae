"""A discussion's record ⇄ its JSON, a superset of SynDisco 2.0.1's export (format 1).

Also reads what SynDisco itself writes: 2.0.1 (prompts as objects), its 2026 exports (prompts as
JSON text) and 2.2.1 (``timestamp`` and ``logs`` alone).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .. import __version__
from ..discussion import (
    HARDCODED,
    Change,
    DiscussionRecord,
    DiscussionSetup,
    EarlierSetup,
    Floor,
    Message,
    Parent,
    Persona,
    Role,
    Shortened,
    Status,
)
from ..discussion.changes import TAKES_OUT
from ..discussion.record import ChangeKind
from ..inputs import InputError, describe

FORMAT = 1
TIMESTAMP = "%y-%m-%d-%H-%M"
NO_TIME = datetime.fromtimestamp(0, UTC).isoformat()
"""When a discussion began of which that is not known."""


def to_json(record: DiscussionRecord) -> dict[str, Any]:
    """The record as the values of its file."""
    setup = record.setup
    users = [setup.actor(persona.name) for persona in setup.personas]
    moderator = setup.actor(setup.moderator.name) if setup.moderator else None
    silences: list[dict[str, Any]] = []
    logs: list[dict[str, Any]] = []
    for entry in record.entries:
        if entry.is_silence:
            silences.append({"position": len(logs), **entry_to_json(entry)})
        else:
            logs.append(entry_to_json(entry))
    own: dict[str, Any] = {
        "format": FORMAT,
        "version": __version__,
        "status": record.status,
        "title": record.title,
        "started_at": record.started_at,
        "setup": _setup_to_json(setup),
        "silences": silences,
        "engine": record.engine,
    }
    if record.earlier_setups:
        own["earlier_setups"] = _earlier_to_json(record.earlier_setups)
    if record.changes:
        own["changes"] = [_change_to_json(change, record) for change in record.changes]
    if record.floor:
        own["floor"] = {"turn": record.floor.turn, "name": record.floor.name}
    if record.parent:
        own["parent"] = {"id": record.parent.id, "turn": record.parent.turn}
    return {
        "id": record.id,
        "timestamp": datetime.fromisoformat(record.started_at).strftime(TIMESTAMP),
        "users": [actor.name for actor in users],
        "moderator": moderator.name if moderator else None,
        "user_prompts": [actor.prompt_fields() for actor in users],
        "moderator_prompt": moderator.prompt_fields() if moderator else None,
        "ctx_length": setup.history_context_len,
        "logs": logs,
        "syndisco_tui": own,
    }


def to_bytes(record: DiscussionRecord) -> bytes:
    """The file's content. A lone surrogate in a text becomes a question mark."""
    text = json.dumps(to_json(record), ensure_ascii=False, indent=2, allow_nan=False)
    return (text + "\n").encode("utf-8", errors="replace")


def from_json(value: object, where: object) -> DiscussionRecord:
    """The record in a discussion file of ours or of any SynDisco. Raises InputError."""
    _refuse_newer(value, where)
    try:
        file = _File.model_validate(value)
    except ValidationError as error:
        raise InputError(f"{where}: not a discussion: {describe(error, _File)}") from None
    if file.syndisco_tui is None:
        return _from_syndisco(file, value)
    own = file.syndisco_tui
    earlier = tuple(each.earlier() for each in own.earlier_setups)
    entries: list[Message] = []
    silences = sorted(own.silences, key=lambda silence: silence.position)
    for position, log in enumerate(file.logs):
        while silences and silences[0].position <= position:
            entries.append(silences.pop(0).message())
        entries.append(log.message())
    entries += [silence.message() for silence in silences]
    return DiscussionRecord(
        id=file.id,
        started_at=own.started_at,
        setup=own.setup,
        entries=tuple(entries),
        status=own.status,
        title=own.title,
        parent=Parent(own.parent.id, own.parent.turn) if own.parent else None,
        engine=own.engine,
        earlier_setups=earlier,
        changes=tuple(change.change(earlier) for change in own.changes),
        floor=Floor(own.floor.turn, own.floor.name) if own.floor else None,
    )


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


def _refuse_newer(value: object, where: object) -> None:
    """Before all else: a newer format need not look like this one."""
    own = value.get("syndisco_tui") if isinstance(value, dict) else None
    number = own.get("format") if isinstance(own, dict) else None
    if isinstance(own, dict) and isinstance(number, int) and number > FORMAT:
        raise InputError(
            f"{where}: written by syndisco-tui {own.get('version', '')} in format {number}; "
            f"this version reads format {FORMAT}: upgrade syndisco-tui"
        )


def _setup_to_json(setup: DiscussionSetup) -> dict[str, Any]:
    return setup.model_dump(mode="json")


def _earlier_to_json(setups: Iterable[EarlierSetup]) -> list[dict[str, Any]]:
    return [
        {"last_turn": each.last_turn, "length": each.length, "setup": _setup_to_json(each.setup)}
        for each in setups
    ]


def _change_to_json(change: Change, record: DiscussionRecord) -> dict[str, Any]:
    """A change; the setups of its time only where they are not the record's own."""
    value: dict[str, Any] = {
        "kind": change.kind,
        "position": change.position,
        "length": change.length,
        "at": change.at,
        "before": [entry_to_json(entry) for entry in change.before],
    }
    if change.is_undone:
        value["is_undone"] = True
    if change.kind in TAKES_OUT and change.earlier_setups != record.earlier_setups:
        value["earlier_setups"] = _earlier_to_json(change.earlier_setups)
    if change.setup and change.setup != record.setup:
        value["setup"] = _setup_to_json(change.setup)
    return value


def entry_to_json(entry: Message) -> dict[str, Any]:
    """One entry of ``logs`` or, with its position, of ``silences``."""
    value: dict[str, Any] = {
        "name": entry.name,
        "text": entry.text,
        "model": entry.model,
        "prompt": entry.prompt,
        "turn": entry.turn,
        "role": entry.role,
    }
    if entry.raw_text is not None:
        value["raw_text"] = entry.raw_text
    value |= {
        "finish_reason": entry.finish_reason,
        "prompt_tokens": entry.prompt_tokens,
        "completion_tokens": entry.completion_tokens,
        "seconds": round(entry.seconds, 3),
        "seed": entry.seed,
        "created_at": entry.created_at,
    }
    if entry.attempt:
        value["attempt"] = entry.attempt
    if entry.original_text is not None:
        value["original_text"] = entry.original_text
    if entry.floor_given:
        value["floor_given"] = True
    if entry.shortened:
        value["shortened"] = vars(entry.shortened).copy()
    return value


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)  # not before a file is read


class _Shortened(_Lenient):
    history_context_len: Annotated[int, Field(ge=0)]
    max_out_tokens: Annotated[int, Field(ge=1)]


class _Log(_Lenient):
    name: str
    text: str
    model: str = HARDCODED
    prompt: str = ""
    turn: int = 0
    role: Role | None = None
    raw_text: str | None = None
    finish_reason: Literal["stop", "length", "cancelled"] | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    seed: int | None = None
    created_at: str = ""
    attempt: Annotated[int, Field(ge=0)] = 0
    original_text: str | None = None
    floor_given: bool = False
    shortened: _Shortened | None = None

    def message(self, role: Role = "user") -> Message:
        values = {field: getattr(self, field) for field in _Log.model_fields}
        shortened = Shortened(**dict(self.shortened)) if self.shortened else None
        return Message(**{**values, "role": self.role or role, "shortened": shortened})


class _Silence(_Log):
    position: int = 0


class _ParentOfFork(_Lenient):
    id: str
    turn: int


class _Earlier(_Lenient):
    last_turn: int
    length: int = 0
    setup: DiscussionSetup

    def earlier(self) -> EarlierSetup:
        return EarlierSetup(self.last_turn, self.setup, self.length)


class _Change(_Lenient):
    kind: ChangeKind
    position: Annotated[int, Field(ge=0)]
    length: Annotated[int, Field(ge=0)]
    at: str = ""
    before: list[_Log] = Field(default_factory=list)
    is_undone: bool = False
    earlier_setups: list[_Earlier] | None = None
    setup: DiscussionSetup | None = None

    def change(self, earlier: tuple[EarlierSetup, ...]) -> Change:
        """The change; ``earlier`` are the record's own setups."""
        if self.earlier_setups is not None:
            earlier = tuple(each.earlier() for each in self.earlier_setups)
        return Change(
            kind=self.kind,
            position=self.position,
            length=self.length,
            before=tuple(log.message() for log in self.before),
            at=self.at,
            is_undone=self.is_undone,
            earlier_setups=earlier if self.kind in TAKES_OUT else (),
            setup=self.setup,
        )


class _Floor(_Lenient):
    turn: int
    name: str


class _Own(_Lenient):
    format: int
    version: str = ""
    status: Status
    title: str = ""
    started_at: str
    setup: DiscussionSetup
    silences: list[_Silence] = Field(default_factory=list)
    parent: _ParentOfFork | None = None
    engine: dict[str, Any] = Field(default_factory=dict)
    earlier_setups: list[_Earlier] = Field(default_factory=list)
    changes: list[_Change] = Field(default_factory=list)
    floor: _Floor | None = None

    @field_validator("started_at")
    @classmethod
    def _a_time(cls, started_at: str) -> str:
        try:
            datetime.fromisoformat(started_at)
        except ValueError:
            raise ValueError("must be a time such as 2026-01-31T09:30:00+00:00") from None
        return started_at


class _File(_Lenient):
    id: str = ""
    timestamp: str = ""
    users: list[str] | None = None
    moderator: str | None = None
    user_prompts: list[str | dict[str, Any]] = Field(default_factory=list)
    moderator_prompt: str | dict[str, Any] | None = None
    ctx_length: int | None = None
    logs: list[_Log]
    syndisco_tui: _Own | None = None


def _from_syndisco(file: _File, value: object) -> DiscussionRecord:
    """A finished record from SynDisco's own export; what it does not say is left at defaults."""
    spoken = list(dict.fromkeys(log.name for log in file.logs))
    moderator = file.moderator
    users = [name for name in file.users if name != moderator] if file.users else spoken
    prompts = _prompts_by_name(file, users)
    moderator_prompt = prompts.get(moderator or "", {})
    first = prompts.get(users[0], {}) if users else {}
    entries: list[Message] = []
    for log in file.logs:
        role: Role = "moderator" if log.name == moderator else "user"
        if log.model == HARDCODED:
            role = "seed"
        turn = 0
        if role != "seed":
            taken = max((entry.turn for entry in entries), default=0)
            turn = taken + (role == "user")
        message = log.message(role)
        entries.append(Message(**{**vars(message), "turn": message.turn or turn}))
    seeds = [entry for entry in entries if entry.role == "seed"]
    setup = DiscussionSetup.model_construct(
        personas=tuple(_persona(prompts.get(name, {}), name) for name in users),
        moderator=_persona(moderator_prompt, moderator) if moderator else None,
        context=str(first.get("context", "")),
        instructions=str(first.get("instructions", "")),
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


def _prompts_by_name(file: _File, users: Iterable[str]) -> dict[str, dict[str, Any]]:
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
