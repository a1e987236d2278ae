"""Drawn personas: reproducible, balanced where it is asked for, every name its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syndisco_tui.discussion import Persona, name_clash
from syndisco_tui.discussion.sampling_personas import free_names, numbered, sample_personas

SEXES = ["female", "male", "non-binary"]
ATTRIBUTES: dict[str, list[Any]] = {
    "age": [20, 40, 60, "65+"],
    "sex": SEXES,
    "personality_characteristics": [["calm", "dry"], []],
    "mood": ["cheerful", 3],
}


def drawn(count: int, *, seed: int = 1, balanced: bool = False, **more: Any) -> tuple[Persona, ...]:
    options = {"names": "P###"} | more
    return sample_personas(count, ATTRIBUTES, seed=seed, balanced=balanced, **options)


@pytest.mark.parametrize("balanced", [True, False])
def test_a_seed_gives_the_same_again_and_another_gives_others(balanced: bool) -> None:
    assert drawn(20, balanced=balanced) == drawn(20, balanced=balanced)
    assert drawn(20, balanced=balanced) != drawn(20, seed=2, balanced=balanced)


def test_the_first_are_the_same_however_many_follow() -> None:
    assert drawn(50)[:10] == drawn(10)


@given(count=st.integers(0, 60), seed=st.integers(0, 1 << 53))
def test_balanced_is_every_value_as_often_give_or_take_one(count: int, seed: int) -> None:
    times = Counter(persona.sex for persona in drawn(count, seed=seed, balanced=True))
    counts = [times[sex] for sex in SEXES]
    assert max(counts) - min(counts) <= 1
    assert sum(counts) == count


def test_the_odd_ones_out_are_chance() -> None:
    first = {drawn(4, seed=seed, balanced=True)[0].sex for seed in range(30)}
    most = set()
    for seed in range(30):
        counts = Counter(persona.sex for persona in drawn(4, seed=seed, balanced=True))
        most.add(counts.most_common(1)[0][0])
    assert first == most == set(SEXES)


@pytest.mark.parametrize("balanced", [True, False])
def test_attributes_are_independent(balanced: bool) -> None:
    """Chi-squared of age by sex with 11 degrees of freedom: 31.3 is the 0.1% quantile."""
    people = drawn(1200, balanced=balanced)
    pairs = Counter((persona.age, persona.sex) for persona in people)
    assert len(pairs) == 12
    assert sum((times - 100) ** 2 / 100 for times in pairs.values()) < 31.3


def test_values_keep_their_type() -> None:
    people = drawn(40)
    assert {persona.age for persona in people} == {20, 40, 60, "65+"}
    assert {persona.personality_characteristics for persona in people} == {("calm", "dry"), ()}
    assert {persona.as_dict()["mood"] for persona in people} == {"cheerful", 3}
    assert {persona.education_level for persona in people} == {""}


def test_a_value_that_does_not_fit_its_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        sample_personas(1, {"sex": [3]}, names="P", seed=1, balanced=False)


def test_a_field_without_values_stays_empty() -> None:
    (persona,) = sample_personas(1, {"sex": []}, names="P", seed=1, balanced=True)
    assert persona == Persona(username="P1")


class TestNames:
    def test_a_pattern_counts(self) -> None:
        assert free_names(3, "P###") == ["P001", "P002", "P003"]
        assert free_names(2, "Persona ") == ["Persona 1", "Persona 2"]
        assert numbered("a#b##", 7) == "a#b07"
        assert numbered("P#", 12) == "P12"

    def test_taken_numbers_are_left_out(self) -> None:
        assert free_names(2, "P##", ["p01", "P03"]) == ["P02", "P04"]

    def test_a_list_is_used_in_order_and_comes_again_with_numbers(self) -> None:
        assert free_names(5, ["Ann", "Bob"], ["bob"]) == [
            "Ann",
            "Bob-2",
            "Ann-2",
            "Bob-3",
            "Ann-3",
        ]

    @given(
        count=st.integers(0, 40),
        names=st.lists(st.sampled_from(["Ann", "ann", "Ann-2", "Bob"]), min_size=1),
        taken=st.lists(st.sampled_from(["ANN", "Ann-3", "bob-2"])),
    )
    def test_no_two_are_the_same(self, count: int, names: list[str], taken: list[str]) -> None:
        found = free_names(count, names, set(taken))
        assert len(found) == count
        assert name_clash([*found, *set(taken)]) is None
