"""What follows from the entries and is asked for all the time: turns, speakers, names.

Counted on with each message, not anew at every question: a growing reply asks for the names 25
times a second, also in a discussion of tens of thousands of messages.
"""

from __future__ import annotations

from dataclasses import dataclass

from .entries import Entries
from .record import Message


@dataclass(frozen=True)
class Tally:
    """Counted over ``entries``."""

    entries: Entries
    turns_taken: int
    """The highest turn."""
    speakers: tuple[str, ...]
    """Whose turns 1, 2, 3, … were: who was prompted first in each."""
    names: tuple[str, ...]
    """Everybody who spoke or was silent, in the order they came."""
    last_prompted: int | None
    """The highest turn for which somebody was prompted."""

    @classmethod
    def of(cls, entries: Entries) -> Tally:
        last_turn = 0
        by_turn: dict[int, str] = {}
        names: dict[str, None] = {}
        for entry in entries:
            names[entry.name] = None
            last_turn = max(last_turn, entry.turn)
            if entry.is_prompted:
                by_turn.setdefault(entry.turn, entry.name)
        speakers = tuple(by_turn[turn] for turn in sorted(by_turn))
        return cls(entries, last_turn, speakers, tuple(names), max(by_turn, default=None))

    def after(self, message: Message, entries: Entries) -> Tally:
        """Over ``entries``, which are those counted so far and ``message``."""
        speakers, last_prompted = self.speakers, self.last_prompted
        if message.is_prompted:
            if last_prompted is None or message.turn > last_prompted:
                speakers, last_prompted = (*speakers, message.name), message.turn
            elif message.turn < last_prompted:
                return Tally.of(entries)
        is_new = message.name not in self.names
        return Tally(
            entries,
            max(self.turns_taken, message.turn),
            speakers,
            (*self.names, message.name) if is_new else self.names,
            last_prompted,
        )
