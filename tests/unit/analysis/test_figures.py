"""All figures together, while a discussion grows and when it is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syndisco_tui.analysis.figures import FigureCounter, Spread
from syndisco_tui.discussion import Discussion
from tests.support.people import record_of, say, setup


def test_counted_on_the_way_or_at_once_it_is_the_same() -> None:
    discussion = Discussion(setup(conv_len=6, seed_opinions=("Cats are better.",)))
    counting = FigureCounter()
    for text in ("I like cats.", "I like dogs.", "", "You like cats."):
        say(discussion, text)
        on_the_way = counting.figures([record_of(discussion)])
    assert on_the_way == FigureCounter().figures([record_of(discussion)])
    assert on_the_way.diversity.pairs == 3  # neither the silence nor the seed opinion
    assert on_the_way.diversity.value == pytest.approx(1 - (2 / 3 + 2 / 3 + 1 / 3) / 3)


def test_what_is_taken_back_no_longer_counts() -> None:
    discussion = Discussion(setup(conv_len=6))
    counting = FigureCounter()
    say(discussion, "One two.", "Three four.", "One two.")
    assert counting.figures([record_of(discussion)]).diversity.pairs == 3
    discussion.delete()
    assert counting.figures([record_of(discussion)]).diversity.value == 1.0
    say(discussion, "Five.")
    assert counting.figures([record_of(discussion)]) == FigureCounter().figures(
        [record_of(discussion)]
    )


def test_the_diversity_of_several_is_the_mean_of_theirs() -> None:
    same, other = Discussion(setup(conv_len=6)), Discussion(setup(conv_len=6))
    say(same, "One.", "One.")
    say(other, "One.", "Two.")
    figures = FigureCounter().figures([record_of(same), replace(record_of(other), id="other")])
    assert figures.diversity.value == 0.5
    assert figures.message_lengths == ()
    assert figures.turns.total == 4


def test_the_spread_of_a_batch_is_told_for_each() -> None:
    one, like_it, other = (Discussion(setup(conv_len=2)) for _ in range(3))
    say(one, "Cats sleep.", "Dogs bark.")
    say(like_it, "Cats sleep.", "Dogs bark.")
    say(other, "Ships sail.", "Ships sail.")
    records = [replace(record_of(d), id=str(n)) for n, d in enumerate((one, like_it, other))]
    assert FigureCounter().spread(records) == [Spread(1.0, 0.5), Spread(1.0, 0.5), Spread(0.0, 1.0)]
    assert FigureCounter().spread(records[:1]) == [Spread(1.0, None)]
