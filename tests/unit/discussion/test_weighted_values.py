"""What a field is drawn from: how it is written, and how often each value comes."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion.weighted_values import (
    WeightedValues,
    format_values,
    parse_values,
    sample_column,
)


def as_read(text: str) -> list[tuple[list[Any], Fraction]]:
    return [(list(part.values), part.weight) for part in parse_values(text, str)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("a", [(["a"], 1)]),
        ("a | b", [(["a"], 1), (["b"], 1)]),
        ("left:2 | right:1", [(["left"], 2), (["right"], 1)]),
        ("left:2, right:1", [(["left"], 2), (["right"], 1)]),
        ("left : 0.5|right", [(["left"], Fraction(1, 2)), (["right"], 1)]),
        ("18-20", [(["18", "19", "20"], 1)]),
        ("18 – 20", [(["18", "19", "20"], 1)]),
        ("18-19:3 | 65-66", [(["18", "19"], 3), (["65", "66"], 1)]),
        ("18-19, 30-31", [(["18", "19"], 1), (["30", "31"], 1)]),
        ('"18-20"', [(["18-20"], 1)]),
        ('"left:2":3 | "a | b"', [(["left:2"], 3), (["a | b"], 1)]),
        ("kind, but firm", [(["kind, but firm"], 1)]),
        ("kind, firm:2", [(["kind, firm"], 2)]),
        ("a | ", [(["a"], 1), ([""], 1)]),
        ("http://x", [(["http://x"], 1)]),
        ("5-5", [(["5"], 1)]),
    ],
)
def test_what_is_written_is_read(text: str, parts: list[tuple[list[str], Any]]) -> None:
    assert as_read(text) == parts


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("75-18", "75-18 runs backwards: write 18-75"),
        ("left:0", "“left” has the weight 0: it must be above 0"),
        ("left:-1 | right", "“left” has the weight -1: it must be above 0"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_values(text, str)


@given(st.lists(st.text("ab|:-19 ,", min_size=1).map(str.strip).filter(bool), min_size=1))
def test_values_written_out_are_read_as_they_were(texts: list[str]) -> None:
    assert [list(part.values) for part in parse_values(format_values(texts), str)] == [
        [t] for t in texts
    ]


def test_a_wide_range_is_read_only_where_it_is_drawn() -> None:
    read: list[str] = []

    def note(text: str) -> str:
        read.append(text)
        return text

    parts = parse_values("1-900000000000", note)
    assert len(sample_column(1, "income", parts, 3, balanced=True)) == 3
    assert len(read) == 3


@given(count=st.integers(0, 60), seed=st.integers(0, 1 << 53))
def test_balanced_weights_are_exact_give_or_take_one(count: int, seed: int) -> None:
    parts = parse_values("left:2 | right:1 | none:0.5", str)
    times = Counter(sample_column(seed, "view", parts, count, balanced=True))
    assert sum(times.values()) == count
    for value, weight in (("left", 2), ("right", 1), ("none", 0.5)):
        assert abs(times[value] - count * weight / 3.5) < 1


def test_balanced_ranges_are_evenly_spread() -> None:
    ages = sample_column(1, "age", parse_values("18-77", int), 12, balanced=True)
    assert sorted((age - 18) // 5 for age in ages) == list(range(12))
    assert ages != sorted(ages)


def test_independent_draws_follow_the_weights_and_reach_the_ends_of_a_range() -> None:
    parts = parse_values("left:3 | 1-2:1", str)
    times = Counter(sample_column(7, "view", parts, 4000, balanced=False))
    assert set(times) == {"left", "1", "2"}
    assert abs(times["left"] - 3000) < 110, "four standard deviations"
    assert abs(times["1"] - 500) < 85


@pytest.mark.parametrize("balanced", [True, False])
def test_a_seed_gives_the_same_again(balanced: bool) -> None:
    parts = [WeightedValues(range(100)), WeightedValues(("x",), Fraction(2))]
    first = sample_column(3, "f", parts, 30, balanced=balanced)
    assert first == sample_column(3, "f", parts, 30, balanced=balanced)
    assert first != sample_column(4, "f", parts, 30, balanced=balanced)
