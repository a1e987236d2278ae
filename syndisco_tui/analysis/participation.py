"""How much everybody says, how long their messages are, and who speaks after whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..discussion import Message
from .rouge import words


@dataclass(frozen=True)
class SpeakerTotals:
    """Counts of one participant. ``tokens`` counts only what models generated."""

    name: str
    messages: int = 0
    words: int = 0
    tokens: int = 0
    silences: int = 0


def speaker_totals(
    discussions: Iterable[Sequence[Message]], names: Iterable[str] = ()
) -> list[SpeakerTotals]:
    """Everybody's totals: ``names`` first, then others in order of their first message."""
    counts: dict[str, list[int]] = {name: [0, 0, 0, 0] for name in names}
    for entries in discussions:
        for entry in entries:
            count = counts.setdefault(entry.name, [0, 0, 0, 0])
            if entry.is_silence:
                count[3] += 1
            else:
                count[0] += 1
                count[1] += len(words(entry.text))
            count[2] += entry.completion_tokens
    return [SpeakerTotals(name, *count) for name, count in counts.items()]


def message_lengths(entries: Sequence[Message]) -> list[tuple[str, int]]:
    """The speaker and length in words (0 for a silence) of every entry, oldest first."""
    return [(entry.name, len(words(entry.text))) for entry in entries]


def succession_counts(discussions: Iterable[Sequence[Message]]) -> dict[tuple[str, str], int]:
    """By (name, other), how often ``other`` spoke right after ``name``, silences left out."""
    counts: dict[tuple[str, str], int] = {}
    for entries in discussions:
        speakers = [entry.name for entry in entries if not entry.is_silence]
        for pair in pairwise(speakers):
            counts[pair] = counts.get(pair, 0) + 1
    return counts
