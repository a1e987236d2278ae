"""What was changed in a discussion while it ran: its setup, and what people did to messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..discussion import Change, DiscussionRecord, Message
from .compare import ABSENT, setup_differences

Kind = Literal["setup", "injected", "edited", "regenerated", "chosen", "deleted", "next speaker"]


@dataclass(frozen=True)
class RecordedChange:
    """One change. ``turn`` is the first turn that it concerns.

    ``subject`` is the setup's field or the speaker; ``old`` and ``new`` are the values, or the
    texts. ``count`` is how many messages it concerned.
    """

    turn: int
    kind: Kind
    subject: str
    old: str = ""
    new: str = ""
    count: int = 1


def recorded_changes(record: DiscussionRecord) -> list[RecordedChange]:
    """Every change of a discussion that still holds, by turn; what was undone is left out."""
    changes = [*_of_setup(record), *_of_entries(record.entries), *_taken_out(record)]
    return sorted(changes, key=lambda change: change.turn)


def _of_setup(record: DiscussionRecord) -> Iterator[RecordedChange]:
    setups = [each.setup for each in record.earlier_setups] + [record.setup]
    for earlier, before, after in zip(record.earlier_setups, setups, setups[1:], strict=False):
        for each in setup_differences(before, after):
            if each.field != "title":
                yield RecordedChange(earlier.last_turn + 1, "setup", each.field, each.a, each.b)


def _of_entries(entries: Sequence[Message]) -> Iterator[RecordedChange]:
    turn = 0
    for entry in entries:
        turn = max(turn, entry.turn)
        if entry.role == "human":
            yield RecordedChange(turn, "injected", entry.name, new=entry.text)
        if entry.original_text is not None:
            old = entry.original_text
            yield RecordedChange(turn, "edited", entry.name, old or ABSENT, entry.text or ABSENT)
        if entry.speaker_overridden:
            yield RecordedChange(turn, "next speaker", entry.name)


def _taken_out(record: DiscussionRecord) -> Iterator[RecordedChange]:
    for change in record.changes:
        if change.is_undone or not change.before:
            continue
        first = change.before[0]
        turn = max((entry.turn for entry in record.entries[: change.position]), default=0)
        turn = first.turn or turn
        if change.kind == "deleted":
            count = len(change.before)
            yield RecordedChange(turn, "deleted", first.name, old=first.text, count=count)
        elif change.kind in ("regenerated", "chosen"):
            new = _text_at(record, change)
            yield RecordedChange(turn, change.kind, first.name, first.text or ABSENT, new)


def _text_at(record: DiscussionRecord, change: Change) -> str:
    """What stands where the change was made; nothing where the discussion is shorter by now."""
    if change.position >= len(record.entries):
        return ABSENT
    return record.entries[change.position].text or ABSENT
