"""ShareGPT: one line for each speaker's view of a discussion, for fine-tuning tools."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ...discussion import DiscussionRecord, Message, name_key


def as_sharegpt(records: Sequence[DiscussionRecord]) -> str:
    """JSON lines ``{"id", "speaker", "conversations": [{"from", "value"}, …]}``.

    Each line is one discussion as one of its speakers sees it: the system prompt, where one is
    known, as ``system``; own messages as ``gpt``; those of others as ``human``, with the name in
    front. Neighbours of one kind are joined by a blank line. Silences are left out.
    """
    lines = (view for record in records for view in _views(record))
    return "".join(json.dumps(view, ensure_ascii=False) + "\n" for view in lines)


def _views(record: DiscussionRecord) -> Iterator[dict[str, Any]]:
    speakers: dict[str, Message] = {}
    for message in record.messages:
        speakers.setdefault(name_key(message.name), message)
    for key, first in speakers.items():
        turns: list[dict[str, str]] = []
        if prompt := _system_prompt(record, key, first.name):
            turns.append({"from": "system", "value": prompt})
        for message in record.messages:
            is_own = name_key(message.name) == key
            kind = "gpt" if is_own else "human"
            text = message.text if is_own else f"{message.name}: {message.text}"
            if turns and turns[-1]["from"] == kind:
                turns[-1]["value"] += f"\n\n{text}"
            else:
                turns.append({"from": kind, "value": text})
        yield {"id": record.id, "speaker": first.name, "conversations": turns}


def _system_prompt(record: DiscussionRecord, key: str, name: str) -> str:
    """The speaker's first system prompt, or that of the setup; empty for a guest."""
    prompts = (each.prompt for each in record.entries if name_key(each.name) == key and each.prompt)
    if prompt := next(prompts, ""):
        return prompt
    try:
        return record.setup.actor(name).system_prompt()
    except KeyError:
        return ""
