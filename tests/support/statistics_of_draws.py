"""Bounds that a fair draw exceeds once in ten thousand tests (and these seeds never do)."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

TAIL = 1e-4


def assert_uniform(counts: Sequence[int]) -> None:
    """Pearson's chi-square; the quantile by Wilson and Hilferty's cube root."""
    expected = sum(counts) / len(counts)
    assert expected >= 5, "too few draws for chi-square"
    statistic = sum((count - expected) ** 2 / expected for count in counts)
    freedom = len(counts) - 1
    spread = 2 / (9 * freedom)
    bound = freedom * (1 - spread + NormalDist().inv_cdf(1 - TAIL) * sqrt(spread)) ** 3
    assert statistic < bound, f"{counts}: chi-square {statistic:.1f}, bound {bound:.1f}"


def assert_rate(hits: int, draws: int, probability: float) -> None:
    """``hits`` of ``draws`` at ``probability``: exact at 0 and 1, binomial between."""
    margin = NormalDist().inv_cdf(1 - TAIL / 2) * sqrt(draws * probability * (1 - probability))
    assert abs(hits - draws * probability) <= margin, f"{hits}/{draws}, not {probability}"
