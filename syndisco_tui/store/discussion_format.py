"""A discussion's record ⇄ the JSON of its file (format 1), a superset of SynDisco 2.0.1's export.

Reads the files that SynDisco itself writes as well, in all their layouts.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from ..discussion import (
    BatchMembership,
    Change,
    DiscussionRecord,
    DiscussionSetup,
    EarlierSetup,
    ExperimentMembership,
    Message,
    Parent,
    SpeakerOverride,
    Status,
)
from ..discussion.ending import EndReason
from ..discussion.history import REMOVING_KINDS
from ..discussion.marks import Mark
from ..discussion.names import name_clash
from ..discussion.participants import participants
from ..discussion.record import ChangeKind, Count
from ..version import __version__
from .file_kinds import DISCUSSIONS, json_kind, refusal_of
from .inputs import InputError, validated
from .summary import OLDER_MARKS
from .syndisco import TIMESTAMP, from_syndisco, users_of

FORMAT = 1
A_DISCUSSION = "a discussion (JSON)"
"""What error messages call the files of this format."""


# Fields ----------------------------------------------------------------------------------------


class _Fields(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)  # built when a file is read


@dataclass(frozen=True)
class Silence(Message):
    """An entry without a text, and its place: the number of messages before it."""

    position: int = 0


def _with_marks(entry: object) -> object:
    """``entry`` in the current format; older files had a key for each kind of mark."""
    if not isinstance(entry, dict) or not entry.keys() & OLDER_MARKS.keys():
        return entry
    named = [(OLDER_MARKS[key], entry[key]) for key in OLDER_MARKS if entry.get(key)]
    return {"marks": [{"kind": kind, "name": name} for kind, name in named], **entry}


Entry = Annotated[Message, BeforeValidator(_with_marks)]
SilentEntry = Annotated[Silence, BeforeValidator(_with_marks)]


class ChangeFields(_Fields):
    """A person's change of the entries from ``position`` on."""

    kind: ChangeKind
    position: Count
    length: Count
    at: str = ""
    """ISO 8601, UTC."""
    before: tuple[Entry, ...] = ()
    """The entries that it replaced or removed, then the candidates that were not chosen."""
    is_undone: bool = False
    """Whether it was undone; ``before`` then holds the entries that it had made."""
    earlier_setups: tuple[EarlierSetup, ...] | None = None
    """Those of that moment, where they are not the discussion's."""
    setup: DiscussionSetup | None = None
    """The setup of that moment, where it is not the discussion's."""

    def change(self, record_setups: tuple[EarlierSetup, ...]) -> Change:
        """The change of a record with ``record_setups``, its defaults."""
        earlier = record_setups if self.earlier_setups is None else self.earlier_setups
        return Change(
            kind=self.kind,
            position=self.position,
            length=self.length,
            before=self.before,
            changed_at=self.at,
            is_undone=self.is_undone,
            earlier_setups=earlier if self.kind in REMOVING_KINDS else (),
            setup=self.setup,
        )


class OwnFields(_Fields):
    """All that SynDisco's export has no place for."""

    format: int
    version: str = ""
    status: Status
    title: str = ""
    started_at: str
    setup: DiscussionSetup
    silences: list[SilentEntry] = []
    """Entries without a text."""
    parent: Parent | None = None
    """Where a fork comes from."""
    engine: dict[str, Any] = {}
    """What generated the replies: model, device, precision, versions of libraries."""
    earlier_setups: tuple[EarlierSetup, ...] = ()
    changes: list[ChangeFields] = []
    """What people changed in the entries, oldest first."""
    floor: SpeakerOverride | None = None
    """Whom a person chose to speak next."""
    batch: BatchMembership | None = None
    experiment: ExperimentMembership | None = None
    error: str = ""
    end_reason: EndReason = ""

    @field_validator("started_at")
    @classmethod
    def _is_a_time(cls, started_at: str) -> str:
        try:
            datetime.fromisoformat(started_at)
        except ValueError:
            raise ValueError("must be a time such as 2026-01-31T09:30:00+00:00") from None
        return started_at


class FileFields(_Fields):
    """A discussion's file. Those of SynDisco have fewer fields, and no ``syndisco_tui``."""

    id: str = ""
    timestamp: str = ""
    """The start, UTC, as year-month-day-hour-minute with two digits each."""
    users: list[str] | None = None
    """Who takes part, and all others who spoke."""
    moderator: str | None = None
    user_prompts: list[str | dict[str, Any]] = []
    """The users' system prompts at the end: objects, in SynDisco's exports of 2026 JSON texts."""
    moderator_prompt: str | dict[str, Any] | None = None
    ctx_length: Annotated[int, Field(ge=0)] | None = None
    """How many messages a prompt quotes; null for all."""
    logs: list[Entry]
    """What was said, oldest first; silences are in ``syndisco_tui``."""
    syndisco_tui: OwnFields | None = None


# Reading ---------------------------------------------------------------------------------------


def from_json(value: object, where: object) -> DiscussionRecord:
    """The record in a discussion file of ours or of any SynDisco.

    Raises:
        InputError: ``value`` is none; the message begins with ``where`` and names the field.
    """
    file = checked(value, where)
    if file.syndisco_tui is None:
        return from_syndisco(file, value)
    own = file.syndisco_tui
    entries = _merged(file.logs, own.silences)
    earlier = tuple(_with_length(each, entries) for each in own.earlier_setups)
    return DiscussionRecord(
        id=file.id,
        started_at=own.started_at,
        setup=own.setup.model_copy(update={"title": own.title}),  # renaming older files kept it
        entries=entries,
        status=own.status,
        title=own.title,
        parent=own.parent,
        engine=own.engine,
        earlier_setups=earlier,
        changes=tuple(change.change(earlier) for change in own.changes),
        speaker_override=own.floor,
        batch=own.batch,
        experiment=own.experiment,
        error=own.error,
        end_reason=own.end_reason,
    )


def checked(value: object, where: object) -> FileFields:
    """The fields of a discussion's file, checked: ``from_json`` accepts what passes.

    Raises:
        InputError: ``value`` is no discussion; the message begins with ``where``.
    """
    kind = json_kind(value)
    if kind and kind not in DISCUSSIONS:
        raise InputError(refusal_of(where, kind, A_DISCUSSION))
    _refuse_newer_format(value, where)
    file = validated(FileFields, value, f"{where}: not a discussion")
    users = [name.strip() for name in users_of(file)] if file.syndisco_tui is None else []
    if clash := name_clash(users):
        raise InputError(f"{where}: the usernames “{clash[0]}” and “{clash[1]}” are the same")
    return file


def _refuse_newer_format(value: object, where: object) -> None:
    """Checked before the fields, which a newer format may not have."""
    own = value.get("syndisco_tui") if isinstance(value, dict) else None
    number = own.get("format") if isinstance(own, dict) else None
    if isinstance(own, dict) and isinstance(number, int) and number > FORMAT:
        raise InputError(
            f"{where}: written by syndisco-tui {own.get('version', '')} in format {number}; "
            f"this version reads format {FORMAT}: upgrade syndisco-tui"
        )


def _merged(logs: Sequence[Message], silences: Iterable[Silence]) -> tuple[Message, ...]:
    """Messages and silences in the order in which they came."""
    entries: list[Message] = []
    remaining = deque(sorted(silences, key=lambda silence: silence.position))
    for position, log in enumerate(logs):
        while remaining and remaining[0].position <= position:
            entries.append(_without_position(remaining.popleft()))
        entries.append(log)
    return (*entries, *map(_without_position, remaining))


def _without_position(silence: Silence) -> Message:
    return Message(**{key: value for key, value in vars(silence).items() if key != "position"})


def _with_length(earlier: EarlierSetup, entries: Sequence[Message]) -> EarlierSetup:
    """``earlier`` with the number of entries, which older files do not give."""
    if earlier.length:
        return earlier
    later = (index for index, entry in enumerate(entries) if entry.turn > earlier.last_turn)
    return replace(earlier, length=next(later, len(entries)))


# Writing ---------------------------------------------------------------------------------------


def to_bytes(record: DiscussionRecord) -> bytes:
    """The content of the record's file. A lone surrogate in a text becomes a question mark."""
    value = to_json(record)
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
        return (text + "\n").encode("utf-8", errors="replace")


def to_json(record: DiscussionRecord) -> dict[str, Any]:
    """The JSON object of the record's file."""
    users, moderator = participants(record)
    silences: list[dict[str, Any]] = []
    logs: list[dict[str, Any]] = []
    for entry in record.entries:
        if entry.is_silence:
            silences.append({"position": len(logs), **_entry_to_json(entry)})
        else:
            logs.append(_entry_to_json(entry))
    own: dict[str, Any] = {
        "format": FORMAT,
        "version": __version__,
        "status": record.status,
        "title": record.title,
        "started_at": record.started_at,
        "setup": _setup_to_json(record.setup),
        "silences": silences,
        "engine": record.engine,
    }
    if record.earlier_setups:
        own["earlier_setups"] = _earlier_to_json(record.earlier_setups)
    if record.changes:
        own["changes"] = [_change_to_json(change, record) for change in record.changes]
    if record.speaker_override:
        own["floor"] = vars(record.speaker_override)
    if record.batch:
        own["batch"] = vars(record.batch)
    if record.experiment:
        own["experiment"] = vars(record.experiment)
    if record.error:
        own["error"] = record.error
    if record.end_reason:
        own["end_reason"] = record.end_reason
    if record.parent:
        own["parent"] = vars(record.parent)
    return {
        "id": record.id,
        "timestamp": datetime.fromisoformat(record.started_at).strftime(TIMESTAMP),
        "users": [actor.name for actor in users],
        "moderator": moderator.name if moderator else None,
        "user_prompts": [actor.prompt_fields() for actor in users],
        "moderator_prompt": moderator.prompt_fields() if moderator else None,
        "ctx_length": record.setup.history_context_len,
        "logs": logs,
        "syndisco_tui": own,
    }


def _setup_to_json(setup: DiscussionSetup) -> dict[str, Any]:
    values = setup.model_dump(mode="json", exclude=setup.unused_fields)
    if setup.models:
        values["models"] = {name: each.stated for name, each in setup.models.items()}
    return values


def _earlier_to_json(setups: Iterable[EarlierSetup]) -> list[dict[str, Any]]:
    return [
        {"last_turn": each.last_turn, "length": each.length, "setup": _setup_to_json(each.setup)}
        for each in setups
    ]


def _change_to_json(change: Change, record: DiscussionRecord) -> dict[str, Any]:
    """A change, with the setups of its time only where they are not the record's."""
    value: dict[str, Any] = {
        "kind": change.kind,
        "position": change.position,
        "length": change.length,
        "at": change.changed_at,
        "before": [_entry_to_json(entry) for entry in change.before],
    }
    if change.is_undone:
        value["is_undone"] = True
    if change.kind in REMOVING_KINDS and change.earlier_setups != record.earlier_setups:
        value["earlier_setups"] = _earlier_to_json(change.earlier_setups)
    if change.setup and change.setup != record.setup:
        value["setup"] = _setup_to_json(change.setup)
    return value


def _mark_to_json(mark: Mark) -> dict[str, str]:
    return {"kind": mark.kind, "name": mark.name} if mark.name else {"kind": mark.kind}


def _entry_to_json(entry: Message) -> dict[str, Any]:
    """An object of ``logs``. Written for speed: it runs for every entry at every save."""
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
    value["finish_reason"] = entry.finish_reason
    value["prompt_tokens"] = entry.prompt_tokens
    value["completion_tokens"] = entry.completion_tokens
    value["seconds"] = round(entry.seconds, 3)
    value["seed"] = entry.seed
    value["created_at"] = entry.created_at
    if entry.attempt:
        value["attempt"] = entry.attempt
    if entry.original_text is not None:
        value["original_text"] = entry.original_text
    if entry.speaker_overridden:
        value["floor_given"] = True
    if entry.shortened:
        value["shortened"] = vars(entry.shortened)
    if entry.marks:
        value["marks"] = [_mark_to_json(mark) for mark in entry.marks]
    if entry.reasoning:
        value["reasoning"] = entry.reasoning
        value["reasoning_tokens"] = entry.reasoning_tokens
    if entry.notes:
        value["notes"] = list(entry.notes)
    return value
