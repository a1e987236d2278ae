"""A discussion's record ⇄ its JSON, a superset of SynDisco 2.0.1's export (format 1).

Also reads what SynDisco itself writes, in all its layouts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from .. import __version__
from ..discussion import (
    BatchMembership,
    Change,
    DiscussionRecord,
    DiscussionSetup,
    EarlierSetup,
    Message,
    Parent,
    SpeakerOverride,
)
from ..discussion.changes import REMOVING_KINDS
from ..discussion.names import name_clash
from ..discussion.participants import Speakers, participants, speakers
from .field_types import FileShape
from .file_kinds import DISCUSSIONS, json_kind, refusal_of
from .inputs import InputError, validated
from .syndisco import TIMESTAMP, from_syndisco, users_of

FORMAT = 1
A_DISCUSSION = "a discussion (JSON)"
"""How a sentence calls the files of this format."""


def to_json(record: DiscussionRecord, spoke: Speakers | None = None) -> dict[str, Any]:
    """The record as the values of its file. ``spoke``: in its entries, if that is known already."""
    setup = record.setup
    users, moderator = participants(record, speakers(record.entries) if spoke is None else spoke)
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
    if record.speaker_override:
        own["floor"] = {
            "turn": record.speaker_override.turn,
            "name": record.speaker_override.name,
        }
    if record.batch:
        own["batch"] = vars(record.batch).copy()
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


def to_bytes(record: DiscussionRecord, spoke: Speakers | None = None) -> bytes:
    """The file's content. A lone surrogate in a text becomes a question mark."""
    text = json.dumps(to_json(record, spoke), ensure_ascii=False, indent=2, allow_nan=False)
    return (text + "\n").encode("utf-8", errors="replace")


def from_json(value: object, where: object) -> DiscussionRecord:
    """The record in a discussion file of ours or of any SynDisco. Raises InputError."""
    file = checked(value, where)
    if file.syndisco_tui is None:
        return from_syndisco(file, value)
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
        setup=own.setup.model_copy(update={"title": own.title}),  # renaming older files kept it
        entries=tuple(entries),
        status=own.status,
        title=own.title,
        parent=Parent(own.parent.id, own.parent.turn) if own.parent else None,
        engine=own.engine,
        earlier_setups=earlier,
        changes=tuple(change.change(earlier) for change in own.changes),
        speaker_override=SpeakerOverride(own.speaker_override.turn, own.speaker_override.name)
        if own.speaker_override
        else None,
        batch=BatchMembership(**dict(own.batch)) if own.batch else None,
    )


def checked(value: object, where: object) -> FileShape:
    """The value of a discussion's file, every field of which is as it must be. Raises InputError.

    Nothing that passes is refused by ``from_json``.
    """
    kind = json_kind(value)
    if kind and kind not in DISCUSSIONS:
        raise InputError(refusal_of(where, kind, A_DISCUSSION))
    _refuse_newer(value, where)
    file = validated(FileShape, value, f"{where}: not a discussion")
    users = [name.strip() for name in users_of(file)] if file.syndisco_tui is None else []
    if clash := name_clash(users):
        raise InputError(f"{where}: the usernames “{clash[0]}” and “{clash[1]}” are the same")
    return file


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
    values = setup.model_dump(mode="json")
    if not setup.own_instructions:
        del values["own_instructions"]
    return values


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
    if change.kind in REMOVING_KINDS and change.earlier_setups != record.earlier_setups:
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
    if entry.speaker_overridden:
        value["floor_given"] = True
    if entry.shortened:
        value["shortened"] = vars(entry.shortened).copy()
    if entry.speaks_as:
        value["speaks_as"] = entry.speaks_as
    if entry.went_on_as:
        value["went_on_as"] = entry.went_on_as
    return value
