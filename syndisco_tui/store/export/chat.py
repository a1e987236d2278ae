"""JSONL chat: a line for each generated reply, as fine-tuning tools read it.

A line is ``{"messages": [{"role", "content"}, …]}``: the prompt that the model got, and what was
posted as the last, assistant's, message. Silences are left out. A discussion in which several
models spoke also has each reply's ``model``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ...discussion import ChatMessage, DiscussionRecord, DiscussionSetup, entries_as_prompted
from ...discussion.ending import turns_left_note
from ...discussion.past_requests import setups_in_force
from ...discussion.prompt import chat_prompt, window


def as_jsonl(records: Sequence[DiscussionRecord]) -> str:
    """The lines of all replies, discussion after discussion."""
    lines = []
    for record in records:
        several = len(record.models) > 1
        spoken = (each for each in record.entries if each.is_prompted and not each.is_silence)
        for entry, chat in zip(spoken, replies(record), strict=True):
            messages = [{"role": turn.role, "content": turn.content} for turn in chat]
            line = {"messages": messages, **({"model": entry.model} if several else {})}
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


def replies(record: DiscussionRecord) -> Iterator[tuple[ChatMessage, ...]]:
    """Every generated reply after its prompt, rebuilt from the record.

    The prompt quotes the texts of that moment, whatever was edited since.
    """
    for index, entry in enumerate(record.entries):
        if entry.is_prompted and not entry.is_silence:
            setup, system_prompt = _setup_and_system_prompt(record, index)
            entries = entries_as_prompted(record.entries, record.changes, index)
            length = (entry.shortened or setup).history_context_len
            quoted = [entries[i] for i in window(entries, length)]
            note = turns_left_note(setup, entry.turn, entry.role)
            prompt = chat_prompt(setup.prompt_style, system_prompt, quoted, entry.name, note=note)
            yield (*prompt, ChatMessage("assistant", entry.text))


def _setup_and_system_prompt(record: DiscussionRecord, index: int) -> tuple[DiscussionSetup, str]:
    """The setup in force for the reply, and its system prompt.

    The saved prompt tells which setup it was. Older files of SynDisco have no prompt, so that it
    is rebuilt.
    """
    entry, setups = record.entries[index], setups_in_force(record, index)
    rebuilt = [_system_prompt(setup, entry.name) for setup in setups]
    if not entry.prompt:
        return setups[0], rebuilt[0]
    index = rebuilt.index(entry.prompt) if entry.prompt in rebuilt else 0
    return setups[index], entry.prompt


def _system_prompt(setup: DiscussionSetup, name: str) -> str:
    try:
        return setup.actor(name).system_prompt()
    except KeyError:
        return ""
