"""ConvoKit corpora as discussions: one per conversation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from ...discussion import HARDCODED, DiscussionRecord, Message, Role
from ..file_kinds import CONVOKIT
from ..inputs import MAX_DISCUSSION_BYTES, InputError, read_json
from .converted import Content
from .threads import speaker_name, thread_record, time_of

UTTERANCES_FILE = "utterances.jsonl"
MAX_CONVERSATIONS = 10_000
MAPPING = (
    ("conversation", "discussion"),
    ("utterance", "message, in order of time"),
    ("speaker", "persona; its metadata are further fields"),
    ("title of a conversation", "title"),
    ("other metadata, vectors, reply-to", "left out"),
)


def content_of_corpus(utterances: Iterable[Mapping[str, Any]], path: Path) -> Content:
    """The discussions of a corpus; ``path`` is its file of utterances, next to its other files.

    Raises InputError, which names the file and the line.
    """
    speakers = _beside(path, "speakers.json", "users.json")
    conversations = _beside(path, "conversations.json")
    by_conversation: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for number, utterance in enumerate(utterances, start=1):
        conversation = utterance.get("conversation_id") or utterance.get("root")
        if not isinstance(utterance.get("text"), str) or conversation is None:
            raise InputError(f"{path}: line {number}: an utterance needs text and conversation_id")
        by_conversation[str(conversation)].append(utterance)
        if len(by_conversation) > MAX_CONVERSATIONS:
            raise InputError(
                f"{path}: holds more than {MAX_CONVERSATIONS:,} conversations; "
                "select some with ConvoKit (Corpus.filter_conversations_by) and give those"
            )
    records = [
        record
        for conversation, said in by_conversation.items()
        if (record := _record(conversation, said, speakers, conversations, path))
    ]
    empty = len(by_conversation) - len(records)
    notes = [f"{empty} conversations without a word are left out"] if empty else []
    return Content(CONVOKIT, discussions=tuple(records), mapping=MAPPING, notes=tuple(notes))


def _record(
    conversation: str,
    utterances: list[Mapping[str, Any]],
    speakers: Mapping[str, Any],
    conversations: Mapping[str, Any],
    path: Path,
) -> DiscussionRecord | None:
    times = [time_of(each.get("timestamp")) for each in utterances]
    ordered = list(zip(utterances, times, strict=True))
    if all(times):
        ordered.sort(key=lambda each: each[1])
    names: dict[str, str] = {}
    fields: dict[str, Mapping[str, Any]] = {}
    messages = []
    for utterance, time in ordered:
        if not utterance["text"].strip():
            continue
        speaker = str(utterance.get("speaker", utterance.get("user", "")))
        if speaker not in names:
            names[speaker], known = _speaker(speaker, len(names) + 1, speakers, set(names.values()))
            fields[names[speaker]] = known
        messages.append(_message(utterance, names[speaker], time))
    if not messages:
        return None
    meta = _meta(conversations.get(conversation))
    title = meta.get("title")
    started_at = meta.get("started_at")
    return thread_record(
        messages,
        tool="ConvoKit",
        where=f"{path}: conversation {conversation}",
        title=title if isinstance(title, str) else "",
        fields=fields,
        started_at=started_at if isinstance(started_at, str) and _is_time(started_at) else "",
    )


def _speaker(
    speaker: str, number: int, speakers: Mapping[str, Any], used: set[str]
) -> tuple[str, Mapping[str, Any]]:
    """A name that is unique in the conversation, and the fields of the persona."""
    meta = _meta(speakers.get(speaker))
    given = meta.get("name") if isinstance(meta.get("name"), str) else speaker
    name = speaker_name(str(given), number)
    if name in used:
        name = speaker_name(f"{name} ({number})", number)
    own = meta.get("persona")
    if isinstance(own, dict):  # a corpus that this program exported
        return name, own
    return name, {key: value for key, value in meta.items() if value not in (None, "", [], {})}


def _message(utterance: Mapping[str, Any], name: str, time: str) -> Message:
    """A person's message, or a model's if the metadata have the fields of ``as_convokit``."""
    meta = _meta(utterance)
    role: Any = meta.get("role")
    model, turn = meta.get("model"), meta.get("turn")
    if role not in get_args(Role) or not isinstance(model, str) or not isinstance(turn, int):
        return Message(name=name, text=utterance["text"], role="human", created_at=time)
    prompt, reasoning = meta.get("prompt"), meta.get("reasoning")
    return Message(
        name=name,
        text=utterance["text"],
        role=role,
        turn=max(0, turn),
        model=model or HARDCODED,
        prompt=prompt if isinstance(prompt, str) else "",
        reasoning=reasoning if isinstance(reasoning, str) else "",
        created_at=time,
    )


def _meta(value: object) -> Mapping[str, Any]:
    """The metadata of an object; older corpora have them outside ``meta``."""
    if not isinstance(value, Mapping):
        return {}
    meta = value.get("meta", value)
    return meta if isinstance(meta, Mapping) else {}


def _beside(path: Path, *names: str) -> Mapping[str, Any]:
    """The object in the first of the files beside ``path`` that exists; empty if none does."""
    for name in names:
        if (file := path.with_name(name)).exists():
            value = read_json(file, max_bytes=MAX_DISCUSSION_BYTES)
            return value if isinstance(value, dict) else {}
    return {}


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
