"""What is to be told of discussions: conditions, figures with their intervals, differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..analysis.conditions import ConditionStatistics, Observation, by_condition, factors_of
from ..analysis.intervals import Interval, LevelDifference, all_differences, interval
from ..analysis.statistics import Measure, measures_of


@dataclass(frozen=True)
class MeasuredCondition:
    """A measure in one condition: with its interval, and in each discussion."""

    condition: ConditionStatistics
    interval: Interval | None
    """None without data."""
    values: tuple[float | None, ...]
    """Of the condition's discussions, in their order."""


class Study:
    """Discussions by their levels of ``factors`` (None: all). What costs is computed once.

    Args:
        observed: The discussions.
        factors: What makes conditions.
    """

    def __init__(
        self, observed: Sequence[Observation], factors: Sequence[str] | None = None
    ) -> None:
        self.observed = tuple(observed)
        self.factors = tuple(factors_of(observed) if factors is None else factors)
        self.conditions = tuple(by_condition(observed, self.factors))

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What there are data for."""
        return tuple(measures_of([one.statistics for one in self.observed]))

    @cached_property
    def figures(self) -> dict[str, tuple[MeasuredCondition, ...]]:
        """By a measure's name, the measure in every condition."""
        return {
            measure.name: tuple(
                MeasuredCondition(
                    condition,
                    interval(condition.observations, measure),
                    tuple(measure(one) for one in condition.discussions),
                )
                for condition in self.conditions
            )
            for measure in self.measures
        }

    @cached_property
    def differences(self) -> tuple[LevelDifference, ...]:
        """Every two levels of every factor, in every measure."""
        return tuple(all_differences(self.observed, self.factors, self.measures))

    @property
    def messages(self) -> int:
        """What models were asked for, in all discussions."""
        return sum(one.statistics.rows for one in self.observed)

    def levels(self, factor: str) -> list[str]:
        """The levels of a factor, in order of appearance."""
        return list(dict.fromkeys(one.level(factor) for one in self.observed))

    @cached_property
    def is_paired(self) -> bool:
        """Whether any levels are compared in pairs."""
        return any(each.pairs for each in self.differences)
