"""Agreement, against published figures and hand-made examples."""

from __future__ import annotations

import pytest

from syndisco_tui.analysis.agreement import agreement, ndfu

CODERS = {
    "A": "* * * * * 3 4 1 2 1 1 3 3 * 3",
    "B": "1 * 2 1 3 3 4 3 * * * * * * *",
    "C": "* * 2 1 3 4 4 * 2 1 1 3 3 * 4",
}
"""The example with missing data of Krippendorff's textbook: α 0.691 nominal, 0.811 interval."""


def answers() -> dict[str, dict[int, int]]:
    return {
        coder: {unit: int(value) for unit, value in enumerate(row.split()) if value != "*"}
        for coder, row in CODERS.items()
    }


def test_the_textbook_s_example() -> None:
    nominal, interval = agreement(answers(), "nominal"), agreement(answers(), "interval")
    assert nominal.alpha == pytest.approx(0.691, abs=5e-4)
    assert interval.alpha == pytest.approx(0.811, abs=5e-4)
    assert nominal.units == 12
    assert nominal.raw == pytest.approx(12 / 16)


def test_perfect_agreement_and_the_contrary() -> None:
    same = {"a": {1: 1, 2: 2, 3: 5}, "b": {1: 1, 2: 2, 3: 5}}
    assert agreement(same, "interval").alpha == pytest.approx(1.0)
    opposite = agreement({"a": {1: "x", 2: "y"}, "b": {1: "y", 2: "x"}}, "nominal")
    assert opposite.alpha is not None
    assert opposite.alpha < 0
    assert opposite.raw == 0.0


def test_too_little_to_tell() -> None:
    alone = agreement({"a": {1: 1, 2: 2}}, "nominal")
    assert (alone.alpha, alone.raw, alone.units) == (None, None, 0)
    constant = agreement({"a": {1: 1}, "b": {1: 1}}, "nominal")
    assert (constant.alpha, constant.raw) == (None, 1.0)


@pytest.mark.parametrize(
    ("given", "figure"),
    [
        ([3] * 9, 0.0),
        ([1, 2, 2, 3, 3, 3, 4, 4, 5], 0.0),
        ([1] * 5 + [5] * 5, 1.0),
        ([1] * 4 + [5] * 2, 0.5),
        ([1, 3], 1.0),
    ],
)
def test_ndfu(given: list[int], figure: float) -> None:
    assert ndfu(given, 1, 5) == figure


def test_ndfu_of_a_longer_scale_and_of_nothing() -> None:
    assert ndfu([0, 10, 15, 30, 100], 0, 100) == pytest.approx(1 / 3)
    assert ndfu([], 1, 5) is None
