"""The turn lab's figures of one discussion or several, while they grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..discussion import DiscussionRecord, Message
from .participation import (
    ModelTotals,
    SpeakerTotals,
    message_lengths,
    model_totals,
    speaker_totals,
    succession_counts,
)
from .rouge import Diversity, distances
from .turn_taking import TurnTaking, turn_taking


@dataclass(frozen=True)
class DiversityFigure:
    """1 − mean pairwise ROUGE-L of what models said; for several discussions, the mean of theirs.

    ``course`` has the value after each comment, for a single discussion.
    """

    value: float | None
    pairs: int
    course: tuple[float, ...] = ()
    is_full: bool = False
    """Whether there were more comments than are compared."""


@dataclass(frozen=True)
class Spread:
    """One of several discussions: its diversity and its distance (1 − mean ROUGE-L) to others."""

    diversity: float | None
    distance: float | None


@dataclass(frozen=True)
class Figures:
    """What the turn lab shows. ``message_lengths`` (speaker, words) are those of a single one."""

    turns: TurnTaking
    speaker_totals: tuple[SpeakerTotals, ...]
    message_lengths: tuple[tuple[str, int], ...]
    succession_counts: dict[tuple[str, str], int]
    diversity: DiversityFigure
    model_totals: tuple[ModelTotals, ...] = ()


class FigureCounter:
    """Computes figures of discussions repeatedly, comparing only new comments with the others."""

    def __init__(self) -> None:
        self._compared: dict[str, tuple[Sequence[Message], Diversity]] = {}

    def figures(self, records: Sequence[DiscussionRecord]) -> Figures:
        """The figures of ``records``."""
        entries = [record.entries for record in records]
        names = dict.fromkeys(name for record in records for name in record.setup.names)
        single = len(records) == 1
        return Figures(
            turn_taking(records),
            tuple(speaker_totals(entries, names)),
            tuple(message_lengths(entries[0])) if single else (),
            succession_counts(entries),
            self._diversity(records),
            tuple(model_totals(entries)),
        )

    def _diversity(self, records: Sequence[DiscussionRecord]) -> DiversityFigure:
        each_diversity = [self._compare(record) for record in records]
        values = [each.value for each in each_diversity if each.value is not None]
        return DiversityFigure(
            sum(values) / len(values) if values else None,
            sum(each.pairs for each in each_diversity),
            tuple(each_diversity[0].course) if len(records) == 1 else (),
            any(each.is_full for each in each_diversity),
        )

    def spread(self, records: Sequence[DiscussionRecord]) -> list[Spread]:
        """Each discussion's diversity, and its distance from the others."""
        to_others = distances([" ".join(_models_texts(record.entries)) for record in records])
        values = [self._compare(record).value for record in records]
        return [Spread(value, distance) for value, distance in zip(values, to_others, strict=True)]

    def _compare(self, record: DiscussionRecord) -> Diversity:
        seen, diversity = self._compared.get(record.id, ((), Diversity()))
        if record.entries[: len(seen)] != seen:  # entries were deleted or changed
            seen, diversity = (), Diversity()
        for text in _models_texts(record.entries[len(seen) :]):
            diversity.add(text)
        self._compared[record.id] = (record.entries, diversity)
        return diversity


def _models_texts(entries: Sequence[Message]) -> Iterator[str]:
    """What models said, before any edit."""
    for entry in entries:
        if entry.is_prompted:
            yield entry.text if entry.original_text is None else entry.original_text
