"""Bars and sparklines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from syndisco_tui.tui.widgets.charts import MARK, binned, columns, rows, share_bar, sparkline

shares = st.floats(0, 1)


def test_a_sparkline_is_the_last_values() -> None:
    assert sparkline([9, 0, 1, 4, 8], 4) == "▁▂▅█"
    assert sparkline([1, 1], 8, top=2) == "▅▅"
    assert sparkline([0, 0], 8) == "▁▁"
    assert sparkline([], 8) == sparkline([1, 2], 0) == ""


def test_one_value_alone_is_no_sparkline() -> None:
    assert sparkline([5], 8) == sparkline([5], 8, top=9) == ""


def test_columns_stand_on_the_ground() -> None:
    drawn = [line.plain for line in columns([4, 0, 2, 0.01], ["red"] * 4, 2)]
    assert drawn == ["█   ", "█·█▁"]


@given(shares, st.none() | shares, st.integers(0, 30))
def test_a_share_has_its_width_and_its_mark(
    share: float, expected: float | None, width: int
) -> None:
    bar = share_bar(share, width, "red", expected).plain
    assert len(bar) == width
    assert bar.count(MARK) == (expected is not None and width > 0)
    if expected is None:
        assert bar.count("━") == round(share * width)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200), st.integers(1, 50))
def test_bins_are_means_in_order(values: list[float], width: int) -> None:
    bins = binned(values, width)
    assert len(bins) == min(len(values), width)
    assert min(values) - 1e-9 <= min(bins) <= max(bins) <= max(values) + 1e-9


@pytest.mark.parametrize("width", [1, 2, 7, 20, 80])
def test_rows_fit(width: int) -> None:
    pairs = [("label", Content("some words that go on and on")), ("北京市", Content("x"))]
    for line in rows(pairs, width):
        assert line.cell_length <= max(width, 8)
