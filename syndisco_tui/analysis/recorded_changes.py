"""The changes of a discussion's setup and messages while it ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..discussion import Change, DiscussionRecord, Message
from .compare import ABSENT, setup_differences

Kind = Literal["setup", "injected", "edited", "regenerated", "chosen", "deleted", "next speaker"]


@dataclass(frozen=True)
class RecordedChange:
    """A change that takes effect at ``turn``.

    ``subject`` is the setup's field or the speaker, ``old`` and ``new`` are values or texts, and
    ``count`` is the number of messages changed.
    """

    turn: int
    kind: Kind
    subject: str
    old: str = ""
    new: str = ""
    count: int = 1


def recorded_changes(record: DiscussionRecord) -> list[RecordedChange]:
    """All changes of a discussion that were not undone, by turn."""
    changes = [*_setup_changes(record), *_entry_changes(record.entries), *_removals(record)]
    return sorted(changes, key=lambda change: change.turn)


def _setup_changes(record: DiscussionRecord) -> Iterator[RecordedChange]:
    setups = [each.setup for each in record.earlier_setups] + [record.setup]
    for earlier, before, after in zip(record.earlier_setups, setups, setups[1:], strict=False):
        for each in setup_differences(before, after):
            if each.field != "title":
                yield RecordedChange(earlier.last_turn + 1, "setup", each.field, each.a, each.b)


def _entry_changes(entries: Sequence[Message]) -> Iterator[RecordedChange]:
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


def _removals(record: DiscussionRecord) -> Iterator[RecordedChange]:
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
    """The present text at the change's position; ``ABSENT`` if there is none."""
    if change.position >= len(record.entries):
        return ABSENT
    return record.entries[change.position].text or ABSENT
