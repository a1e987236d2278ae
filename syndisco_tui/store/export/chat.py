"""JSONL chat: one line a reply that a model was prompted for, as fine-tuning tools read it.

A line is ``{"messages": [{"role", "content"}, …]}``: the prompt that the model got, and what was
posted as the last, assistant's, message. Silences are left out: there is nothing to learn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ...discussion import ChatMessage, DiscussionRecord, DiscussionSetup, entries_as_prompted
from ...discussion.past_requests import setups_in_force
from ...discussion.prompt import chat_prompt, window


def as_jsonl(records: Sequence[DiscussionRecord]) -> str:
    """A line a reply, discussion after discussion."""
    lines = []
    for record in records:
        for chat in replies(record):
            messages = [{"role": turn.role, "content": turn.content} for turn in chat]
            lines.append(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
    return "".join(lines)


def replies(record: DiscussionRecord) -> Iterator[tuple[ChatMessage, ...]]:
    """Every prompted reply with the prompt it answers, made anew from the record.

    The prompt quotes what stood there when it was asked, whatever was edited since.
    """
    for index, entry in enumerate(record.entries):
        if entry.is_prompted and not entry.is_silence:
            setup, system_prompt = _asked_with(record, index)
            stood = entries_as_prompted(record.entries, record.changes, index)
            length = (entry.shortened or setup).history_context_len
            quoted = [stood[each] for each in window(stood, length)]
            prompt = chat_prompt(setup.prompt_style, system_prompt, quoted, entry.name)
            yield (*prompt, ChatMessage("assistant", entry.text))


def _asked_with(record: DiscussionRecord, index: int) -> tuple[DiscussionSetup, str]:
    """The setup in force when the reply was asked for, and the system prompt.

    The saved prompt tells which, where the setups do not. SynDisco's older files keep no prompt:
    the actor's is made.
    """
    entry, setups = record.entries[index], setups_in_force(record, index)
    made = [_system_prompt(setup, entry.name) for setup in setups]
    if not entry.prompt:
        return setups[0], made[0]
    which = made.index(entry.prompt) if entry.prompt in made else 0
    return setups[which], entry.prompt


def _system_prompt(setup: DiscussionSetup, name: str) -> str:
    try:
        return setup.actor(name).system_prompt()
    except KeyError:
        return ""
