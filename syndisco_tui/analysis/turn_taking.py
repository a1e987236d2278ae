"""Who took the turns, compared with the turn manager's odds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..discussion import Discussion, DiscussionRecord, DiscussionSetup, Message, TurnManager


@dataclass(frozen=True)
class TurnTaking:
    """Turns by name, summed over one discussion or several.

    ``expected`` sums up each name's odds at every turn, given who had spoken before: the actual
    turns differ from it by chance alone, whatever the turn manager. A turn for which a
    person chose the speaker was certain.
    """

    next_odds: dict[str, float] = field(default_factory=dict)
    """By name, the probability to speak next; empty at the end and for several discussions."""
    turns: dict[str, int] = field(default_factory=dict)
    expected: dict[str, float] = field(default_factory=dict)
    answers: int = 0
    """Turns taken by whoever spoke before the last speaker (A, B, A)."""
    answers_expected: float = 0.0
    answerable: int = 0
    """Turns in which that was possible."""

    @property
    def total(self) -> int:
        return sum(self.turns.values())


def turn_taking(records: Iterable[DiscussionRecord]) -> TurnTaking:
    """The turns of ``records``; each turn's odds are those of the setup in force then."""
    all_records = list(records)
    turns: dict[str, int] = {}
    expected: dict[str, float] = {}
    answers, answerable, answers_expected = 0, 0, 0.0
    for record in all_records:
        for name in record.setup.turn_takers:
            turns.setdefault(name, 0)
            expected.setdefault(name, 0.0)
        spoken: list[str] = []
        for odds, name in _turns(record, spoken):
            for other, chance in odds.items():
                expected[other] = expected.get(other, 0.0) + chance
            turns[name] = turns.get(name, 0) + 1
            last = spoken[-1] if spoken else None
            before = next((other for other in reversed(spoken) if other != last), None)
            if before is not None and before in odds and len(odds) > 1:
                answerable += 1
                answers += name == before
                answers_expected += odds[before]
    return TurnTaking(
        _next_odds(all_records[0]) if len(all_records) == 1 else {},
        turns,
        expected,
        answers,
        answers_expected,
        answerable,
    )


def _turns(record: DiscussionRecord, spoken: list[str]) -> Iterable[tuple[dict[str, float], str]]:
    """Each turn's odds and who took it; ``spoken`` holds who had spoken before it."""
    by_turn: dict[int, Message] = {}
    for entry in record.entries:
        if entry.is_prompted:
            by_turn.setdefault(entry.turn, entry)
    setups = [(each.last_turn, each.setup) for each in record.earlier_setups]
    manager: TurnManager | None = None
    until = 0
    for turn in sorted(by_turn):
        if manager is None or turn > until:
            until, setup = next((s for s in setups if s[0] >= turn), (10**9, record.setup))
            manager = _manager(setup)
        name = by_turn[turn].name
        if by_turn[turn].speaker_overridden:  # a person chose: nothing was left to the odds
            yield {name: 1.0}, name
        elif manager is not None:
            yield manager.odds(spoken), name
        spoken.append(name)


def _manager(setup: DiscussionSetup) -> TurnManager | None:
    return Discussion(setup).turn_manager if setup.turn_takers else None


def _next_odds(record: DiscussionRecord) -> dict[str, float]:
    if not record.setup.turn_takers:
        return {}
    discussion = Discussion.from_record(record)
    return {} if discussion.is_finished else discussion.odds()
