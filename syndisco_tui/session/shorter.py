"""Less of everything, where memory did not suffice for a reply: how much, and how it is said."""

from __future__ import annotations

from ..discussion import DiscussionSetup, Shortened, TurnRequest


def shorter(request: TurnRequest, setup: DiscussionSetup) -> Shortened | None:
    """Half the messages that the prompt quotes and half the tokens of a reply.

    None where ``request`` was shortened already, or where nothing is left to be halved.
    """
    spoken = request.entries[request.first_in_window :]
    quoted = sum(not entry.is_silence for entry in spoken)
    less = Shortened(quoted // 2, max(1, setup.max_out_tokens // 2))
    if request.shortened or (quoted == 0 and less.max_out_tokens == setup.max_out_tokens):
        return None
    return less


def announcement(name: str, less: Shortened) -> str:
    """A sentence for a person."""
    count = less.history_context_len
    history = {0: "without the history", 1: "with the last message alone"}.get(
        count, f"with the last {count} messages"
    )
    return (
        f"Memory was full: {name} is asked again, {history} and for "
        f"{less.max_out_tokens:,} tokens at most."
    )
