"""Computes conditions, figures with intervals, and differences of discussions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..analysis.conditions import ConditionStatistics, Observation, by_condition, factors_of
from ..analysis.intervals import Interval, LevelDifference, all_differences, interval
from ..analysis.statistics import Measure, measures_of


@dataclass(frozen=True)
class MeasuredCondition:
    """A measure in one condition: its interval, and its value in each discussion."""

    condition: ConditionStatistics
    interval: Interval | None
    """None without data."""
    values: tuple[float | None, ...]
    """Of the condition's discussions, in their order."""


class Study:
    """Discussions by their levels of ``factors`` (None: all). Expensive figures are computed once.

    Args:
        observed: The discussions.
        factors: The factors to group by.
    """

    def __init__(
        self, observed: Sequence[Observation], factors: Sequence[str] | None = None
    ) -> None:
        self.observed = tuple(observed)
        self.factors = tuple(factors_of(observed) if factors is None else factors)
        self.conditions = tuple(by_condition(observed, self.factors))

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that have data."""
        return tuple(measures_of([one.statistics for one in self.observed]))

    @cached_property
    def figures(self) -> dict[str, tuple[MeasuredCondition, ...]]:
        """Each measure in every condition, by the measure's name."""
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
        """Number of rows, of all discussions together."""
        return sum(one.statistics.rows for one in self.observed)

    def levels(self, factor: str) -> list[str]:
        """The levels of a factor, in order of appearance."""
        return list(dict.fromkeys(one.level(factor) for one in self.observed))

    @cached_property
    def is_paired(self) -> bool:
        """Whether any levels are compared by paired discussions."""
        return any(each.pairs for each in self.differences)
