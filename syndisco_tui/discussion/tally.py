"""What follows from the entries and is asked for all the time: turns, speakers, names.

Counted once for each state of the discussion, not at every question: a growing reply asks for the
names 25 times a second, also in a discussion of tens of thousands of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .record import Message


@dataclass(frozen=True)
class Tally:
    """Counted over ``entries``."""

    entries: tuple[Message, ...]
    turns_taken: int
    """The highest turn."""
    speakers: Sequence[str]
    """Whose turns 1, 2, 3, … were: who was prompted first in each."""
    names: Sequence[str]
    """Everybody who spoke or was silent, in the order they came."""

    @classmethod
    def of(cls, entries: tuple[Message, ...]) -> Tally:
        by_turn: dict[int, str] = {}
        names: dict[str, None] = {}
        for entry in entries:
            names[entry.name] = None
            if entry.is_prompted:
                by_turn.setdefault(entry.turn, entry.name)
        last_turn = max((entry.turn for entry in entries), default=0)
        speakers = tuple(by_turn[turn] for turn in sorted(by_turn))
        return cls(entries, last_turn, speakers, tuple(names))
