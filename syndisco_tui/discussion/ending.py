"""Ending a discussion before its last turn, and the note on the turns that are left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .record import Message
    from .setup import DiscussionSetup

EndReason = Literal["", "silence", "said", "tokens"]
"""``silence``: nobody said anything for ``stop_when_silent_for`` rounds. ``said``: a message fits
``stop_when_said``. ``tokens``: the replies have ``max_discussion_tokens``. Empty: it ends with its
last turn."""


@lru_cache(maxsize=64)
def said_pattern(expression: str) -> Any:
    """Compile ``stop_when_said``, so that a search takes time linear in the text.

    The syntax is RE2's, without lookaround and back-references.

    Raises:
        ValueError: It is not a regular expression; the message says why.
    """
    import re2  # here, so that the app need not wait for it

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"is no regular expression (RE2 syntax): {reason}") from None


def end_reason(setup: DiscussionSetup, entries: Sequence[Message]) -> EndReason:
    """Why a discussion with these entries has ended early; empty if it has not.

    Seed opinions never end a discussion.
    """
    if not entries or entries[-1].role == "seed":
        return ""
    said = setup.stop_when_said and not entries[-1].is_silence
    if said and said_pattern(setup.stop_when_said).search(entries[-1].text):
        return "said"
    if setup.stop_when_silent_for and _silences(entries) >= _silent_turns(setup):
        return "silence"
    limit = setup.max_discussion_tokens
    if limit and sum(entry.completion_tokens for entry in entries) >= limit:
        return "tokens"
    return ""


def end_sentence(reason: EndReason, setup: DiscussionSetup) -> str:
    """Why a discussion ended early, in words; empty if it did not."""
    match reason:
        case "silence":
            rounds = setup.stop_when_silent_for
            return f"nobody said anything for {rounds} round{'' if rounds == 1 else 's'}"
        case "said":
            return f"a message fits “{setup.stop_when_said}”"
        case "tokens":
            return f"the replies have {setup.max_discussion_tokens:,} tokens or more"
    return ""


def _silences(entries: Sequence[Message]) -> int:
    """The number of silences in a row at the end of the discussion."""
    count = 0
    for entry in reversed(entries):
        if not entry.is_silence:
            break
        count += 1
    return count


def _silent_turns(setup: DiscussionSetup) -> int:
    """A round is one turn for each participant who takes turns."""
    return setup.stop_when_silent_for * max(1, len(setup.turn_takers))


def turns_left_note(setup: DiscussionSetup, turn: int, role: str) -> str:
    """The note to a speaker on the turns that are left; empty without ``tell_turns_left``.

    ``turn`` is the user's own turn, or the turn that the moderator answers.
    """
    if not setup.tell_turns_left:
        return ""
    if role == "moderator" and not setup.moderator_takes_turns:
        return f"Turns left: {max(0, setup.conv_len - turn)}"
    return f"Turns left, including this one: {max(0, setup.conv_len - turn + 1)}"
