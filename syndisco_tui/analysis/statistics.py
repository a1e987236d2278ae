"""Statistics of discussions by condition, as SynDisco's authors define them.

Rows are what models were asked for: seed opinions and what people wrote are left out. A silence is
a row too, and its words are those that the model returned, so ``""`` counts one, as it does in
their table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..discussion import DiscussionRecord, Message
from .rouge import Diversity
from .turn_taking import turn_taking

_SAYS_NOTHING = re.compile(r'[\s"]*')


@dataclass(frozen=True)
class DiscussionStatistics:
    """The figures of one discussion. What cannot be told is None."""

    id: str
    user_rows: int
    user_messages: int
    """Rows of users in which something is said."""
    moderator_rows: int
    interventions: int
    """Rows of moderators that are neither blank nor just two quotation marks."""
    silences: int
    words: tuple[int, ...]
    """Words of each row, split at white space."""
    diversity: float | None
    answers: int
    """Turns of whoever spoke before the last speaker (A, B, A)."""
    answerable: int
    """Turns in which somebody could answer so."""
    marks: int
    """Messages in which the guard saw somebody else's words."""
    reply_tokens: int

    @property
    def rows(self) -> int:
        """Rows of users and moderators."""
        return self.user_rows + self.moderator_rows

    @property
    def participation(self) -> float | None:
        """The share of users' rows in which something is said."""
        return _share(self.user_messages, self.user_rows)

    @property
    def intervention_rate(self) -> float | None:
        """The share of moderators' rows in which they say something."""
        return _share(self.interventions, self.moderator_rows)

    @property
    def words_mean(self) -> float | None:
        """Words of a row on average."""
        return mean(self.words)

    @property
    def answer_rate(self) -> float | None:
        """The share of turns that answer the last speaker but one, of those that could."""
        return _share(self.answers, self.answerable)

    @property
    def silence_share(self) -> float | None:
        """The share of rows that are silences."""
        return _share(self.silences, self.rows)


def discussion_statistics(record: DiscussionRecord) -> DiscussionStatistics:
    """Count one discussion."""
    rows = [entry for entry in record.entries if entry.is_prompted]
    users = [entry for entry in rows if entry.role == "user"]
    moderators = [entry for entry in rows if entry.role == "moderator"]
    diversity = Diversity()
    for entry in rows:
        diversity.add(_returned(entry))
    turns = turn_taking([record])
    return DiscussionStatistics(
        id=record.id,
        user_rows=len(users),
        user_messages=sum(not _SAYS_NOTHING.fullmatch(_returned(entry)) for entry in users),
        moderator_rows=len(moderators),
        interventions=sum(_returned(entry).strip() not in ("", '""') for entry in moderators),
        silences=sum(bool(_SAYS_NOTHING.fullmatch(_returned(entry))) for entry in rows),
        words=tuple(len(_returned(entry).split()) for entry in rows),
        diversity=diversity.value,
        answers=turns.answers,
        answerable=turns.answerable,
        marks=sum(bool(entry.guard_notes) for entry in rows),
        reply_tokens=sum(entry.completion_tokens for entry in rows),
    )


def _returned(entry: Message) -> str:
    """What was posted, or for a silence what the model returned; not what a person made of it."""
    posted = entry.text if entry.original_text is None else entry.original_text
    return posted or entry.model_text


@dataclass(frozen=True)
class ConditionStatistics:
    """The figures of all discussions of one condition.

    Shares are over all rows of the condition; diversity is a mean over discussions.
    """

    factors: Mapping[str, str]
    discussions: Sequence[DiscussionStatistics]

    def as_dict(self) -> dict[str, Any]:
        """Factors and figures by name, for tables and files. Figures that do not exist are None."""
        each = self.discussions
        words = [count for one in each for count in one.words]
        diversities = [one.diversity for one in each if one.diversity is not None]
        return {
            **self.factors,
            "discussions": len(each),
            "messages": sum(one.rows for one in each),
            "participation": _pooled(each, "user_messages", "user_rows"),
            "intervention_rate": _pooled(each, "interventions", "moderator_rows"),
            "silences": sum(one.silences for one in each),
            "words_mean": mean(words),
            "words_sd": standard_deviation(words),
            "diversity_mean": mean(diversities),
            "diversity_sd": standard_deviation(diversities),
            "answer_rate": _pooled(each, "answers", "answerable"),
            "marks": sum(one.marks for one in each),
            "reply_tokens": sum(one.reply_tokens for one in each),
        }


def by_condition(
    discussions: Iterable[tuple[Mapping[str, str], DiscussionStatistics]],
    factors: Sequence[str] | None = None,
) -> list[ConditionStatistics]:
    """Gather discussions by their levels of ``factors`` (None: of all), in order of appearance.

    A discussion that does not know a factor has the level “” there.
    """
    groups: dict[tuple[tuple[str, str], ...], list[DiscussionStatistics]] = {}
    for cell, statistics in discussions:
        names = list(cell) if factors is None else factors
        key = tuple((name, cell.get(name, "")) for name in names)
        groups.setdefault(key, []).append(statistics)
    return [ConditionStatistics(dict(key), members) for key, members in groups.items()]


Measure = Callable[[DiscussionStatistics], float | None]
MEASURES: dict[str, Measure] = {
    "participation": lambda one: one.participation,
    "intervention_rate": lambda one: one.intervention_rate,
    "silence_share": lambda one: one.silence_share,
    "words_mean": lambda one: one.words_mean,
    "diversity": lambda one: one.diversity,
    "answer_rate": lambda one: one.answer_rate,
}
"""Figures of one discussion in which conditions can be compared."""


@dataclass(frozen=True)
class LevelDifference:
    """How a measure differs between two levels of a factor: second less first.

    ``low`` and ``high`` bound the 95 % confidence interval (bootstrap, percentiles).
    ``effect_size`` is Cohen's d, or d_z where the discussions are paired; None where there is no
    spread.
    """

    factor: str
    first: str
    second: str
    measure: str
    difference: float
    low: float
    high: float
    effect_size: float | None
    pairs: int
    """How many pairs of discussions; 0 where they are not paired."""


@dataclass(frozen=True)
class Observation:
    """One discussion with its cell, and the repeat that pairs it with others (0: with none)."""

    cell: Mapping[str, str]
    repeat: int
    statistics: DiscussionStatistics


def differences(
    observations: Sequence[Observation],
    factor: str,
    measure: str,
    *,
    paired: bool,
    resamples: int = 5000,
) -> list[LevelDifference]:
    """Compare every two levels of ``factor`` in ``measure``.

    Pairs are discussions of one repeat that agree in all other factors.
    """
    value = MEASURES[measure]
    levels = list(dict.fromkeys(one.cell.get(factor, "") for one in observations))
    result = []
    for index, first in enumerate(levels):
        for second in levels[index + 1 :]:
            one = _values(observations, factor, first, value)
            other = _values(observations, factor, second, value)
            if paired:
                common = [key for key in one if key in other]
                gaps = [other[key] - one[key] for key in common]
                if gaps:
                    result.append(_paired(factor, first, second, measure, gaps, resamples))
            elif one and other:
                samples = list(one.values()), list(other.values())
                result.append(_unpaired(factor, first, second, measure, *samples, resamples))
    return result


_Key = tuple[Any, ...]


def _values(
    observations: Sequence[Observation], factor: str, level: str, value: Measure
) -> dict[_Key, float]:
    """The measure of each discussion of a level, by what pairs it with those of other levels."""
    values: dict[_Key, float] = {}
    for number, one in enumerate(observations):
        figure = value(one.statistics)
        if one.cell.get(factor, "") != level or figure is None:
            continue
        rest = tuple(sorted((name, at) for name, at in one.cell.items() if name != factor))
        values[(rest, one.repeat) if one.repeat else (rest, "alone", number)] = figure
    return values


def _paired(
    factor: str, first: str, second: str, measure: str, gaps: list[float], resamples: int
) -> LevelDifference:
    import numpy as np

    values = np.asarray(gaps)
    random = np.random.default_rng(0)
    drawn = random.integers(len(values), size=(resamples, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    spread = standard_deviation(gaps)
    average = float(values.mean())
    return LevelDifference(
        factor, first, second, measure, average, float(low), float(high),
        average / spread if spread else None, len(gaps),
    )  # fmt: skip


def _unpaired(
    factor: str,
    first: str,
    second: str,
    measure: str,
    one: list[float],
    other: list[float],
    resamples: int,
) -> LevelDifference:
    import numpy as np

    left, right = np.asarray(one), np.asarray(other)
    random = np.random.default_rng(0)
    left_means = left[random.integers(len(left), size=(resamples, len(left)))].mean(axis=1)
    right_means = right[random.integers(len(right), size=(resamples, len(right)))].mean(axis=1)
    low, high = np.percentile(right_means - left_means, [2.5, 97.5])
    average = float(right.mean() - left.mean())
    freedom = len(one) + len(other) - 2
    squares = (len(one) - 1) * (standard_deviation(one) or 0) ** 2
    squares += (len(other) - 1) * (standard_deviation(other) or 0) ** 2
    pooled = math.sqrt(squares / freedom) if freedom > 0 else 0.0
    return LevelDifference(
        factor, first, second, measure, average, float(low), float(high),
        average / pooled if pooled else None, 0,
    )  # fmt: skip


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None of nothing."""
    return sum(values) / len(values) if values else None


def standard_deviation(values: Sequence[float]) -> float | None:
    """The sample's standard deviation (n − 1); None of fewer than two values."""
    if len(values) < 2:
        return None
    average = sum(values) / len(values)
    return math.sqrt(sum((value - average) ** 2 for value in values) / (len(values) - 1))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _pooled(each: Sequence[DiscussionStatistics], part: str, whole: str) -> float | None:
    counts = [(vars(one)[part], vars(one)[whole]) for one in each]
    return _share(sum(count for count, _ in counts), sum(total for _, total in counts))
