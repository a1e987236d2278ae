"""JSONL chat: one line a reply that a model was prompted for, as fine-tuning tools read it.

A line is ``{"messages": [{"role", "content"}, …]}``: the prompt that the model got, and what was
posted as the last, assistant's, message. Silences are left out: there is nothing to learn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ...discussion import ChatMessage, DiscussionRecord, DiscussionSetup, Message
from ...discussion.prompt import chat_prompt


def as_jsonl(records: Sequence[DiscussionRecord]) -> str:
    """A line a reply, discussion after discussion."""
    lines = []
    for record in records:
        for chat in replies(record):
            messages = [{"role": turn.role, "content": turn.content} for turn in chat]
            lines.append(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
    return "".join(lines)


def replies(record: DiscussionRecord) -> Iterator[tuple[ChatMessage, ...]]:
    """Every prompted reply with the prompt it answers, made anew from the record."""
    spoken: list[Message] = []
    for entry in record.entries:
        if entry.is_silence:
            continue
        if entry.is_prompted:
            setup, system_prompt = _asked_with(record, entry)
            length = (entry.shortened or setup).history_context_len
            window = spoken if length is None else spoken[max(0, len(spoken) - length) :]
            prompt = chat_prompt(setup.prompt_style, system_prompt, window, entry.name)
            yield (*prompt, ChatMessage("assistant", entry.text))
        spoken.append(entry)


def _asked_with(record: DiscussionRecord, entry: Message) -> tuple[DiscussionSetup, str]:
    """The setup in force when the reply was asked for, and the system prompt.

    A change between a comment and the moderator's answer applies to the answer already: the
    saved prompt tells which. SynDisco's older files keep no prompt: the actor's is made.
    """
    later = [kept.setup for kept in record.earlier_setups if kept.last_turn >= entry.turn]
    setups = [*later, record.setup]
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
