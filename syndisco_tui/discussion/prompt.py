"""From the history to the prompt: the three prompt styles.

``syndisco-2.0`` and ``syndisco-2.2`` are the prompts of those SynDisco releases; ``chat`` uses
the turns of the model's own chat template. Text is never re-wrapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from .names import name_key
from .record import Message
from .setup import PromptStyle

ChatRole = Literal["system", "user", "assistant"]

# Chat templates require a user turn first; these are used if the history has none.
NOTHING_YET = "(nobody has said anything yet)"
EARLIER_LEFT_OUT = "(earlier comments are left out)"


@dataclass(frozen=True)
class ChatMessage:
    """One turn of a chat template."""

    role: ChatRole
    content: str


def chat_prompt(
    style: PromptStyle,
    system_prompt: str,
    history: Sequence[Message],
    speaker: str,
    *,
    note: str = "",
) -> tuple[ChatMessage, ...]:
    """The chat that asks ``speaker`` for a comment after ``history`` (oldest first).

    ``note`` is a line right before the end of the prompt; in a chat, the end of the last turn.
    """
    system = ChatMessage("system", system_prompt)
    if style == "chat":
        return (system, *_with_note(_chat_turns(history, speaker), note))
    render = _syndisco_2_0 if style == "syndisco-2.0" else _syndisco_2_2
    return (system, ChatMessage("user", render(history, speaker, note)))


def _with_note(turns: list[ChatMessage], note: str) -> list[ChatMessage]:
    if not note:
        return turns
    if turns[-1].role != "user":
        return [*turns, ChatMessage("user", note)]
    return [*turns[:-1], ChatMessage("user", f"{turns[-1].content}\n\n{note}")]


def window(entries: Sequence[Message], length: int | None) -> list[int]:
    """Indices of the messages that a prompt quotes: the last ``length``, or all; no silences."""
    newest_first = range(len(entries) - 1, -1, -1)
    spoken = (index for index in newest_first if not entries[index].is_silence)
    most = len(entries) if length is None else min(length, len(entries))
    return list(islice(spoken, most))[::-1]


def stop_strings(style: PromptStyle, names: Sequence[str], speaker: str) -> tuple[str, ...]:
    """Strings that end generation: the headers of others in the form in which prompts quote.

    Whatever else may be a post of somebody else is left to the guard.
    """
    patterns = {
        "syndisco-2.0": ("\nUser {} posted:",),
        "syndisco-2.2": ("\nComment by user {}:", "\nUser {} posted:"),
        "chat": ("\n\n{}:", "\nUser {} posted:"),
    }[style]
    return tuple(
        pattern.format(name)
        for name in names
        if name_key(name) != name_key(speaker)
        for pattern in patterns
    )


def _syndisco_2_0(history: Sequence[Message], speaker: str, note: str) -> str:
    blocks = [f"User {message.name} posted:\n{message.text}" for message in history]
    return "\n".join([*blocks, *filter(None, [note]), f"User {speaker} posted:"])


def _syndisco_2_2(history: Sequence[Message], speaker: str, note: str) -> str:
    return comments_so_far(history, "\n".join([*filter(None, [note]), "Your comment:"]))


def comments_so_far(history: Sequence[Message], ending: str) -> str:
    """``history`` as SynDisco 2.2 quotes it, to users and annotators, and what is asked for."""
    blocks = [f'Comment by user {message.name}: "\n{message.text}"' for message in history]
    return "\n".join(["Comments so far:", *blocks, ending])


def _chat_turns(history: Sequence[Message], speaker: str) -> list[ChatMessage]:
    turns: list[ChatMessage] = []
    for message in history:
        own = name_key(message.name) == name_key(speaker)
        role: ChatRole = "assistant" if own else "user"
        content = message.text if own else f"{message.name}: {message.text}"
        if turns and turns[-1].role == role:
            turns[-1] = ChatMessage(role, f"{turns[-1].content}\n\n{content}")
        else:
            turns.append(ChatMessage(role, content))
    if not turns:
        return [ChatMessage("user", NOTHING_YET)]
    if turns[0].role == "assistant":
        turns.insert(0, ChatMessage("user", EARLIER_LEFT_OUT))
    return turns
