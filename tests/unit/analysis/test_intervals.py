"""Bootstrap intervals and differences between levels, paired and not."""

from __future__ import annotations

import random

import pytest

from syndisco_tui.analysis.conditions import Observation
from syndisco_tui.analysis.intervals import all_differences, differences, interval
from syndisco_tui.analysis.statistics import MEASURES, DiscussionStatistics

DIVERSITY, WORDS = MEASURES["diversity"], MEASURES["words_mean"]


def discussion(
    diversity: float | None = 0.5, words: tuple[int, ...] = (1,)
) -> DiscussionStatistics:
    return DiscussionStatistics("1", len(words), 0, 0, 0, 0, words, diversity, 0, 0, 0, 0)


def two_levels(seed_of_level: dict[str, int] | None = None) -> list[Observation]:
    """Eight repeats; they differ much from each other and little between levels."""
    seeds = seed_of_level or {}
    return [
        Observation(
            {"turns": level}, repeat, discussion(0.1 * repeat + gain), seed=seeds.get(level, 0)
        )
        for repeat in range(1, 9)
        for level, gain in (("robin", 0.0), ("random", 0.01 + 0.001 * (repeat % 2)))
    ]


def test_paired_differences_see_what_unpaired_ones_do_not() -> None:
    (paired,) = differences(two_levels(), "turns", DIVERSITY)
    assert (paired.first, paired.second, paired.pairs) == ("robin", "random", 8)
    assert paired.difference == pytest.approx(0.0105)
    assert paired.low is not None
    assert paired.high is not None
    assert 0.01 <= paired.low <= paired.high <= 0.011
    assert paired.excludes_zero
    assert paired.effect_size is not None
    assert paired.effect_size > 10
    (unpaired,) = differences(two_levels(), "turns", DIVERSITY, is_paired=False)
    assert not unpaired.excludes_zero
    assert unpaired.effect_size == pytest.approx(0.0105 / 0.2449, rel=0.01)


def test_repeats_with_seeds_of_their_own_are_not_paired() -> None:
    (one,) = differences(two_levels({"robin": 1, "random": 2}), "turns", DIVERSITY)
    assert (one.pairs, one.discussions) == (0, 16)


def test_pairs_agree_in_all_other_factors() -> None:
    observations = [
        Observation({"turns": turns, "mod": mod}, repeat, discussion(gain))
        for repeat in (1, 2)
        for turns, mod, gain in (("a", "x", 0.1), ("b", "x", 0.3), ("a", "y", 0.5))
    ]
    (one,) = differences(observations, "turns", DIVERSITY)
    assert (one.pairs, one.difference) == (2, pytest.approx(0.2))
    assert one.effect_size is None  # both gaps are the same, but for rounding


def test_a_difference_is_that_of_the_table_s_figures() -> None:
    observations = [
        Observation({"turns": level}, repeat, discussion(words=words))
        for repeat, level, words in (
            (1, "a", (1, 2)), (1, "b", (4,)), (2, "a", (3,)), (2, "b", (5, 6, 9)),
        )
    ]  # fmt: skip
    (one,) = differences(observations, "turns", WORDS)
    assert (one.first_value, one.second_value, one.difference) == (2.0, 6.0, 4.0)


def test_two_discussions_are_too_few_for_an_interval() -> None:
    observations = [Observation({"turns": level}, 1, discussion(0.5)) for level in "ab"]
    (one,) = differences(observations, "turns", DIVERSITY)
    assert (one.difference, one.low, one.high, one.excludes_zero) == (0.0, None, None, False)


def test_levels_without_data_are_not_compared() -> None:
    observations = [
        Observation({"turns": level}, 1, discussion(value))
        for level, value in (("a", 0.5), ("b", None))
    ]
    assert all_differences(observations, ["turns"], [DIVERSITY]) == []


def test_an_interval_of_a_condition() -> None:
    draws = random.Random(1)
    counts = [tuple(draws.gauss(50, 10) for _ in range(4)) for _ in range(60)]
    observations = [Observation({}, 0, discussion(words=each)) for each in counts]  # type: ignore[arg-type]
    one = interval(observations, WORDS)
    assert one is not None
    assert one.n == 60
    assert one.low is not None
    assert one.high is not None
    error = 10 / (60 * 4) ** 0.5
    assert one.high - one.low == pytest.approx(2 * 1.96 * error, rel=0.25)
    assert one.low < one.value < one.high
    assert one == interval(observations, WORDS), "the same every time"


def test_discussions_of_one_repeat_are_drawn_together() -> None:
    """Ten discussions of two repeats say no more than the two repeats."""
    observations = [
        Observation({"turns": str(cell)}, repeat, discussion(0.1 * repeat))
        for repeat in (1, 2)
        for cell in range(5)
    ]
    one = interval(observations, DIVERSITY)
    assert one is not None
    assert (one.low, one.high) == (pytest.approx(0.1), pytest.approx(0.2))


def test_no_interval_of_nothing_or_of_one() -> None:
    assert interval([Observation({}, 0, discussion(None))], DIVERSITY) is None
    one = interval([Observation({}, 0, discussion(0.5))], DIVERSITY)
    assert one is not None
    assert (one.low, one.high) == (None, None)
