"""Bootstrap confidence intervals of conditions, and of differences between levels of a factor.

Whole discussions are resampled, because the messages of one discussion depend on each other.
Discussions of one repeat and seed share users, topic and random numbers, so they are resampled
together. Intervals are percentiles (Efron and Tibshirani 1993, chapter 13). The random numbers have
a fixed seed, so the same discussions give the same intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from .conditions import Observation
from .statistics import Measure, mean, standard_deviation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 5000
SEED = 0
CONFIDENCE = 0.95
FEW = 10
"""With fewer repeats than this, percentiles of a bootstrap are too narrow."""
_CELLS_AT_A_TIME = 2_000_000

_NO_SPREAD = 1e-12
"""Rounding errors are no spread."""

_Cluster = tuple[Any, ...]


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds of its 95 % confidence interval.

    The bounds are None with fewer than two repeats.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    """Discussions that have data."""


def interval(observations: Sequence[Observation], measure: Measure) -> Interval | None:
    """The figure of a condition with its interval; None without data."""
    clusters = _clusters(observations, measure)
    if not clusters:
        return None
    sums, counts = _columns(clusters.values())
    low, high = None, None
    if len(clusters) > 1:
        low, high = _percentiles(_resampled([sums, counts], lambda s, c: s / c))
    n = sum(measure.parts(observation.statistics)[1] > 0 for observation in observations)
    return Interval(float(sums.sum() / counts.sum()), low, high, n)


@dataclass(frozen=True)
class LevelDifference:
    """The difference of a measure between two levels of a factor: second minus first.

    ``low`` and ``high`` bound the 95 % confidence interval; None with too few discussions.
    ``effect_size`` is Cohen's d over discussions, or d_z over repeats if they are paired; None
    without any spread.
    """

    factor: str
    first: str
    second: str
    measure: str
    first_value: float
    second_value: float
    difference: float
    low: float | None
    high: float | None
    effect_size: float | None
    discussions: int
    """How many there are of both levels together."""
    pairs: int
    """How many repeats are compared with themselves; 0 where levels are not paired."""

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval does not contain 0."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def differences(
    observations: Sequence[Observation],
    factor: str,
    measure: Measure,
    *,
    is_paired: bool | None = None,
) -> list[LevelDifference]:
    """Compare every two levels of ``factor`` in ``measure``.

    Args:
        observations: Discussions of all levels.
        factor: Name of the factor.
        measure: The figure to compare.
        is_paired: Compare discussions of one repeat that agree in seed and in all other factors,
            and only those. None: pair them if there are any.
    """
    levels = list(dict.fromkeys(observation.level(factor) for observation in observations))
    by_level = {
        level: [
            observation
            for observation in observations
            if observation.level(factor) == level and measure.parts(observation.statistics)[1]
        ]
        for level in levels
    }
    result = []
    for first, second in combinations(levels, 2):
        baseline, compared = by_level[first], by_level[second]
        paired = _pairs(baseline, compared, factor) if is_paired is not False else ([], [])
        if is_paired or paired[0]:
            baseline, compared = paired
        if baseline and compared:
            names = factor, first, second
            result.append(
                _difference(names, baseline, compared, measure, is_paired=bool(paired[0]))
            )
    return result


def all_differences(
    observations: Sequence[Observation], factors: Iterable[str], measures: Sequence[Measure]
) -> list[LevelDifference]:
    """Compare every two levels of every factor, in every measure for which both have data."""
    return [
        difference
        for factor in factors
        for measure in measures
        for difference in differences(observations, factor, measure)
    ]


def _pairs(
    baseline: Sequence[Observation], compared: Sequence[Observation], factor: str
) -> tuple[list[Observation], list[Observation]]:
    """The observations on both sides that have a counterpart on the other."""

    def key(each: Observation) -> _Cluster:
        rest = tuple(sorted((n, level) for n, level in each.cell.items() if n != factor))
        return each.repeat, each.seed, rest

    common = {key(each) for each in baseline if each.repeat} & {key(each) for each in compared}
    return [x for x in baseline if key(x) in common], [x for x in compared if key(x) in common]


def _difference(
    names: tuple[str, str, str],
    baseline: Sequence[Observation],
    compared: Sequence[Observation],
    measure: Measure,
    *,
    is_paired: bool,
) -> LevelDifference:
    left, right = _clusters(baseline, measure), _clusters(compared, measure)
    if is_paired:
        right = {key: right[key] for key in left}
        columns = [*_columns(left.values()), *_columns(right.values())]
        resampled = _resampled(columns, lambda a, b, c, d: c / d - a / b)
        gaps = [right[key][0] / right[key][1] - count[0] / count[1] for key, count in left.items()]
        average, spread = mean(gaps), standard_deviation(gaps)
    else:
        columns = [*_columns(left.values()), *_columns(right.values())]
        resampled = _resampled(columns[2:], lambda a, b: a / b, stream=1) - _resampled(
            columns[:2], lambda a, b: a / b
        )
        values = [[value for each in group if (value := measure(each.statistics)) is not None]
                  for group in (baseline, compared)]  # fmt: skip
        average = (mean(values[1]) or 0.0) - (mean(values[0]) or 0.0)
        spread = _pooled_deviation(*values)
    first_value = float(columns[0].sum() / columns[1].sum())
    second_value = float(columns[2].sum() / columns[3].sum())
    has_interval = min(len(left), len(right)) > 1
    low, high = _percentiles(resampled) if has_interval else (None, None)
    return LevelDifference(
        *names,
        measure.name,
        first_value,
        second_value,
        second_value - first_value,
        low,
        high,
        None if average is None or not spread or spread < _NO_SPREAD else average / spread,
        len(baseline) + len(compared),
        len(left) if is_paired else 0,
    )


def _pooled_deviation(baseline: Sequence[float], compared: Sequence[float]) -> float:
    freedom = len(baseline) + len(compared) - 2
    squares = (len(baseline) - 1) * (standard_deviation(baseline) or 0) ** 2
    squares += (len(compared) - 1) * (standard_deviation(compared) or 0) ** 2
    return float((squares / freedom) ** 0.5) if freedom > 0 else 0.0


def _clusters(
    observations: Sequence[Observation], measure: Measure
) -> dict[_Cluster, tuple[float, float]]:
    """The measure's sum and count for each group that is resampled together."""
    clusters: dict[_Cluster, tuple[float, float]] = {}
    for number, observation in enumerate(observations):
        total, count = measure.parts(observation.statistics)
        if count:
            key = (
                (observation.repeat, observation.seed) if observation.repeat else ("alone", number)
            )
            before = clusters.get(key, (0.0, 0.0))
            clusters[key] = before[0] + total, before[1] + count
    return clusters


def _columns(clusters: Iterable[tuple[float, float]]) -> tuple[NDArray[Any], NDArray[Any]]:
    import numpy as np

    sums, counts = zip(*clusters, strict=True)
    return np.asarray(sums, dtype=float), np.asarray(counts, dtype=float)


def _resampled(columns: Sequence[NDArray[Any]], figure: Any, stream: int = 0) -> NDArray[Any]:
    """Apply ``figure`` to the columns' sums in ``RESAMPLES`` resamples of the rows."""
    import numpy as np

    size = len(columns[0])
    random = np.random.default_rng([SEED, stream])
    block = max(1, _CELLS_AT_A_TIME // size)
    parts = []
    for start in range(0, RESAMPLES, block):
        drawn = random.integers(size, size=(min(block, RESAMPLES - start), size))
        parts.append(figure(*(column[drawn].sum(axis=1) for column in columns)))
    return np.concatenate(parts)


def _percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    import numpy as np

    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
