"""Discussions by the conditions they were run under, and the table of these conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..discussion.marks import MARK_KINDS
from .statistics import MEASURES, DiscussionStatistics, extra_measure, mean, standard_deviation


@dataclass(frozen=True)
class Observation:
    """One discussion with the conditions it was run under."""

    cell: Mapping[str, str]
    """The level of every factor."""
    repeat: int
    """Of its experiment, from 1; 0 where it belongs to none."""
    statistics: DiscussionStatistics
    seed: int = 0
    """Cells are paired where a repeat has the same seed in them."""
    setup: Mapping[str, str] = field(default_factory=dict)
    """Values of the setup that can serve as factors."""
    source: str = ""
    """Where it was read from."""
    title: str = ""
    is_finished: bool = True
    provenance: Mapping[str, str] = field(default_factory=dict)
    """What generated it: model, device, versions."""

    def level(self, factor: str) -> str:
        """The level of ``factor``, which may be a value of the setup; “” if it has none."""
        return self.cell.get(factor, self.setup.get(factor, ""))


@dataclass(frozen=True)
class ConditionStatistics:
    """All discussions of one condition.

    Shares are over all rows of the condition; diversity is a mean over discussions.
    """

    factors: Mapping[str, str]
    observations: Sequence[Observation]

    @property
    def name(self) -> str:
        """The levels, joined."""
        return " · ".join(level or "–" for level in self.factors.values()) or "all"

    @property
    def discussions(self) -> list[DiscussionStatistics]:
        """The figures of each discussion."""
        return [one.statistics for one in self.observations]

    def as_dict(self) -> dict[str, Any]:
        """Factors and figures by name, for tables and files. Figures without data are None."""
        each = self.discussions
        words = [count for one in each for count in one.words]
        diversities = [one.diversity for one in each if one.diversity is not None]
        extra = dict.fromkeys(name for one in each for name in one.extra)
        figures = {
            "discussions": len(each),
            "messages": sum(one.rows for one in each),
            "participation": MEASURES["participation"].of_all(each),
            "intervention_rate": MEASURES["intervention_rate"].of_all(each),
            "silences": sum(one.silences for one in each),
            "words_mean": mean(words),
            "words_sd": standard_deviation(words),
            "diversity_mean": mean(diversities),
            "diversity_sd": standard_deviation(diversities),
            "answer_rate": MEASURES["answer_rate"].of_all(each),
            "marks": sum(one.marks for one in each),
            **{
                f"mark_{kind}": sum(one.marks_by_kind.get(kind, 0) for one in each)
                for kind in MARK_KINDS
            },
            "reply_tokens": sum(one.reply_tokens for one in each),
            "reasoning_tokens": sum(one.reasoning_tokens for one in each),
            **{name: extra_measure(name).of_all(each) for name in extra},
        }
        levels = {
            f"factor_{name}" if name in figures else name: level
            for name, level in self.factors.items()
        }
        return levels | figures


CORE_FIGURES = (
    "discussions", "messages", "participation", "intervention_rate", "silences", "words_mean",
    "words_sd", "diversity_mean", "diversity_sd",
)  # fmt: skip
"""Figures that every table has; others are there where some condition has data for them."""


def table_of(conditions: Sequence[ConditionStatistics]) -> list[dict[str, Any]]:
    """Factors and figures of every condition, under the same names in every row.

    A figure that no condition has data for is left out; one that only some conditions have is None
    in the others.
    """
    rows = [condition.as_dict() for condition in conditions]
    present = [
        name
        for name in dict.fromkeys(name for row in rows for name in row)
        if name in CORE_FIGURES or any(row.get(name) for row in rows)
    ]
    return [{name: row.get(name) for name in present} for row in rows]


def factors_of(observations: Sequence[Observation]) -> list[str]:
    """The factors of all cells, in order of appearance."""
    return list(dict.fromkeys(name for one in observations for name in one.cell))


def by_condition(
    observations: Sequence[Observation], factors: Sequence[str] | None = None
) -> list[ConditionStatistics]:
    """Gather discussions by their levels of ``factors`` (None: of all), in order of appearance.

    A discussion without a factor has the level “” of it.
    """
    names = factors_of(observations) if factors is None else factors
    groups: dict[tuple[str, ...], list[Observation]] = {}
    for one in observations:
        groups.setdefault(tuple(one.level(name) for name in names), []).append(one)
    return [
        ConditionStatistics(dict(zip(names, levels, strict=True)), members)
        for levels, members in groups.items()
    ]
