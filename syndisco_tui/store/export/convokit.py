"""ConvoKit: a corpus folder, with one speaker for each discussion and name.

ConvoKit opens its files in the locale's encoding, so all of them are pure ASCII.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...discussion import DiscussionRecord, Message
from ...discussion.participants import participants
from .table import speaker_fields

UTTERANCES = "utterances.jsonl"
SPEAKERS = "speakers.json"
CONVERSATIONS = "conversations.json"


def as_convokit(records: Sequence[DiscussionRecord]) -> dict[str, str]:
    """The files of a corpus folder by name, as ConvoKit's ``Corpus(filename=FOLDER)`` reads them.

    An utterance is a message; silences are left out. Its metadata hold role, turn, model, seed,
    tokens, prompt and reasoning. A conversation's id is that of its first utterance, and each
    utterance replies to the one before. A discussion without a message has no conversation.
    """
    utterances: list[dict[str, Any]] = []
    speakers: dict[str, dict[str, Any]] = {}
    conversations: dict[str, dict[str, Any]] = {}
    for number, discussion_id in enumerate(_distinct_ids(records)):
        record = records[number]
        messages = record.messages
        ids = [f"{discussion_id}-{position}" for position in range(1, len(messages) + 1)]
        if not messages:
            continue
        conversations[ids[0]] = {"meta": _conversation_meta(record), "vectors": []}
        for position, message in enumerate(messages):
            speaker = f"{discussion_id}/{message.name}"
            if speaker not in speakers:
                speakers[speaker] = {"meta": _speaker_meta(record, message), "vectors": []}
            utterances.append(
                {
                    "id": ids[position],
                    "conversation_id": ids[0],
                    "text": message.text,
                    "speaker": speaker,
                    "meta": _utterance_meta(message),
                    "reply-to": ids[position - 1] if position else None,
                    "timestamp": _seconds(message.created_at),
                    "vectors": [],
                }
            )
    index = {
        "utterances-index": _index(each["meta"] for each in utterances),
        "speakers-index": _index(each["meta"] for each in speakers.values()),
        "conversations-index": _index(each["meta"] for each in conversations.values()),
        "overall-index": {},
        "version": 1,
        "vectors": [],
    }
    return {
        UTTERANCES: "".join(f"{json.dumps(each)}\n" for each in utterances),
        SPEAKERS: json.dumps(speakers, indent=1) + "\n",
        CONVERSATIONS: json.dumps(conversations, indent=1) + "\n",
        "corpus.json": "{}\n",
        "index.json": json.dumps(index, indent=1) + "\n",
    }


def _distinct_ids(records: Sequence[DiscussionRecord]) -> list[str]:
    """The discussions' ids, with duplicates numbered."""
    ids: dict[str, None] = {}
    for record in records:
        number, candidate = 1, record.id
        while candidate in ids:
            number += 1
            candidate = f"{record.id}-copy{number}"
        ids[candidate] = None
    return list(ids)


def _utterance_meta(message: Message) -> dict[str, Any]:
    return {
        "role": message.role,
        "turn": message.turn,
        "model": message.model,
        "seed": message.seed,
        "finish_reason": message.finish_reason,
        "prompt_tokens": message.prompt_tokens,
        "completion_tokens": message.completion_tokens,
        "prompt": message.prompt,
        "reasoning": message.reasoning,
        "raw_text": message.raw_text,
        "original_text": message.original_text,
        "marks": [mark.kind for mark in message.marks],
    }


def _speaker_meta(record: DiscussionRecord, message: Message) -> dict[str, Any]:
    setups = [record.setup, *(each.setup for each in reversed(record.earlier_setups))]
    fields = speaker_fields(message, setups)
    return {"discussion_id": record.id, "name": message.name, "persona": dict(fields)}


def _conversation_meta(record: DiscussionRecord) -> dict[str, Any]:
    users, moderator = participants(record)
    meta: dict[str, Any] = {
        "discussion_id": record.id,
        "title": record.heading,
        "started_at": record.started_at,
        "status": record.status,
        "users": [user.name for user in users],
        "moderator": moderator.name if moderator else None,
        "context": record.setup.context,
    }
    if not record.is_foreign:
        meta |= {"turn_manager": record.setup.turn_manager, "seed": record.setup.seed}
    if record.experiment:
        meta["repeat"] = record.experiment.repeat
        meta |= {f"condition_{factor}": level for factor, level in record.experiment.cell.items()}
    return meta


def _seconds(time: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 time."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _index(metas: Any) -> Mapping[str, list[str]]:
    """The types of each metadata field's values, as ConvoKit's index names them."""
    types: dict[str, dict[str, None]] = {}
    for meta in metas:
        for field, value in meta.items():
            types.setdefault(field, {})[str(type(value))] = None
    return {field: list(names) for field, names in types.items()}
