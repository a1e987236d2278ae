"""Less of everything, where memory did not suffice for a reply: how much, and how it is said."""

from __future__ import annotations

from ..discussion import Discussion, Shortened, TurnRequest


def asked_for_less(discussion: Discussion, request: TurnRequest) -> TurnRequest | None:
    """``request`` with half the messages that it quotes and half the tokens of its reply.

    None where it was shortened already, or where nothing is left to be halved.
    """
    quoted = sum(not entry.is_silence for entry in request.entries[request.first_in_window :])
    most = discussion.setup.max_out_tokens
    if request.shortened or (quoted, most) == (0, 1):
        return None
    return discussion.next_request(request.attempt, Shortened(quoted // 2, max(1, most // 2)))


def announcement(request: TurnRequest) -> str:
    """A sentence for a person."""
    less = request.shortened
    assert less is not None
    count = less.history_context_len
    history = {0: "without the history", 1: "with the last message alone"}.get(
        count, f"with the last {count} messages"
    )
    return (
        f"Memory was full: {request.name} is asked again, {history} and for "
        f"{less.max_out_tokens:,} tokens at most."
    )
