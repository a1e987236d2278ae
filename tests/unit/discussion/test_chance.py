"""Every draw is a function of what it is drawn for, and looks like chance."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from syndisco_tui.discussion.chance import SEED_BITS, draw, draw_seed
from tests.support.statistics_of_draws import assert_uniform


@pytest.mark.parametrize(
    ("seed", "purpose", "turn", "attempt", "number"),
    [
        (0, "speaker", 0, 0, 6116253590888162),
        (7, "speaker", 6, 0, 5215164435882896),
        (7, "sampler user", 7, 0, 3537250731227638),
        (7, "sampler user", 7, 1, 2798647373236524),
        (7, "sampler moderator", 7, 0, 7016414597575286),
        ((1 << 53) - 1, "x", 99999, 3, 6906101893328372),
    ],
)
def test_draws_are_those_of_every_earlier_version(
    seed: int, purpose: str, turn: int, attempt: int, number: int
) -> None:
    """Saved discussions are replayed by these numbers: another hash would change them all."""
    assert draw_seed(seed, purpose, turn, attempt) == number
    assert draw(seed, purpose, turn, attempt) == number / 2**53


def test_each_argument_changes_the_draw() -> None:
    base = (7, "speaker", 3, 0)
    neighbours = [base, (8, "speaker", 3, 0), (7, "author", 3, 0), (7, "speaker", 4, 0)]
    neighbours.append((7, "speaker", 3, 1))
    assert len({draw_seed(*arguments) for arguments in neighbours}) == len(neighbours)


def test_arguments_do_not_run_into_each_other() -> None:
    assert draw_seed(1, "speaker", 23) != draw_seed(12, "speaker", 3)
    assert draw_seed(0, "speaker", 1, 11) != draw_seed(0, "speaker", 11, 1)


def test_a_sampler_seed_survives_any_json_reader() -> None:
    numbers = [draw_seed(seed, "sampler user", 1) for seed in range(2000)]
    assert all(0 <= number < 1 << SEED_BITS for number in numbers)
    assert all(int(float(json.loads(json.dumps(number)))) == number for number in numbers)
    assert max(numbers) > (1 << SEED_BITS) * 0.99


def test_draws_lie_in_zero_to_one() -> None:
    assert all(0 <= draw(seed, "speaker", 0) < 1 for seed in range(5000))


@pytest.mark.parametrize("along", ["seed", "turn", "attempt"])
def test_draws_are_uniform(along: str) -> None:
    arguments: dict[str, Any] = {"seed": 0, "purpose": "speaker", "turn": 0, "attempt": 0}
    tenths = Counter(int(draw(**{**arguments, along: i}) * 10) for i in range(10_000))
    assert_uniform([tenths[i] for i in range(10)])


@pytest.mark.parametrize("along", ["seed", "turn", "attempt", "purpose"])
def test_neighbouring_draws_are_independent(along: str) -> None:
    def one(i: int, neighbour: bool) -> int:
        arguments: dict[str, Any] = {"seed": i, "purpose": "speaker", "turn": 5, "attempt": 0}
        if neighbour:
            arguments[along] = "sampler user" if along == "purpose" else arguments[along] + 1
        return int(draw(**arguments) * 5)

    pairs = Counter((one(i, False), one(i, True)) for i in range(10_000))
    assert_uniform([pairs[i, j] for i in range(5) for j in range(5)])
