"""What everybody and every model says, how long messages are, and who speaks after whom."""

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


@dataclass(frozen=True)
class ModelTotals:
    """Totals of what one model generated. ``seconds`` is the time spent generating."""

    model: str
    replies: int = 0
    silences: int = 0
    words: int = 0
    tokens: int = 0
    seconds: float = 0.0

    @property
    def words_mean(self) -> float:
        """The mean number of words in a reply, silences left out."""
        return self.words / max(1, self.replies - self.silences)

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds if self.seconds else 0.0


def model_totals(discussions: Iterable[Sequence[Message]]) -> list[ModelTotals]:
    """The totals of each model, in order of its first reply."""
    replies: dict[str, list[Message]] = {}
    for entries in discussions:
        for entry in entries:
            if entry.is_prompted:
                replies.setdefault(entry.model, []).append(entry)
    return [
        ModelTotals(
            model,
            len(entries),
            sum(entry.is_silence for entry in entries),
            sum(len(words(entry.text)) for entry in entries),
            sum(entry.completion_tokens for entry in entries),
            sum(entry.seconds for entry in entries),
        )
        for model, entries in replies.items()
    ]


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
