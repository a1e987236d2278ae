"""What people changed in a discussion, and how it stood before they did.

A message may be edited after others were made from its old text. Which text a reply was made
from follows from the changes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .record import Change, Message

REMOVING_KINDS = ("regenerated", "chosen", "deleted")
"""Changes after which the entries from their position on are said anew."""


def edits(changes: Iterable[Change]) -> list[Change]:
    """The edits, ``length`` being the first position whose message was made from the new text."""
    found: list[Change] = []
    for change in changes:
        if change.kind == "edited":
            found.append(change)
        elif change.kind in REMOVING_KINDS and not change.is_undone:  # said again from there on
            found = [replace(edit, length=min(edit.length, change.position)) for edit in found]
    return found


def entries_as_prompted(
    entries: Sequence[Message], changes: Iterable[Change], position: int
) -> tuple[Message, ...]:
    """The entries before ``position``, with the texts they had when that one was made."""
    stood = list(entries[:position])
    for edit in reversed(edits(changes)):
        if edit.length > position > edit.position and edit.before:
            stood[edit.position] = edit.before[0]
    return tuple(stood)


def inherited(changes: Iterable[Change], position: int) -> tuple[Change, ...]:
    """What a fork at ``position`` must know of its parent's changes: the edits of what it shares.

    They are the parent's: nobody undoes them in the fork.
    """
    return tuple(
        replace(edit, length=min(edit.length, position), is_undone=True)
        for edit in edits(changes)
        if edit.position < position
    )


def last_undoable(changes: Sequence[Change]) -> Change | None:
    """The one that an undo takes back."""
    return next((change for change in reversed(changes) if not change.is_undone), None)


def fits(change: Change, length: int) -> bool:
    """Whether it can be taken back among ``length`` entries: nobody has spoken since.

    A text can be put back at any time.
    """
    match change.kind:
        case "edited":
            return change.position < length and bool(change.before)
        case "injected" | "chosen":
            return length == change.position + 1
        case "regenerated":
            return length - change.position in (0, 1) and bool(change.before)
        case "deleted":
            return length == change.position


def next_attempt(changes: Iterable[Change], position: int, there: Message) -> int:
    """The first attempt at the message ``there`` that nobody has made yet."""
    tries = [
        message
        for change in changes
        if change.position == position and change.kind in REMOVING_KINDS
        for message in change.before
    ]
    same = [message for message in (there, *tries) if _turn(message) == _turn(there)]
    return 1 + max(message.attempt for message in same)


def _turn(message: Message) -> tuple[str, int]:
    return message.role, message.turn
