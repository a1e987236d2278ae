"""Statistics by condition, against hand-made discussions and the published sample."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syndisco_tui.analysis.statistics import (
    DiscussionStatistics,
    Observation,
    by_condition,
    differences,
    discussion_statistics,
)
from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Message
from tests.support.people import people

SETUP = DiscussionSetup(personas=people("Ann", "Bob", "Cem"), conv_len=10)


def said(name: str, text: str, turn: int, role: str = "user", raw: str | None = None) -> Message:
    return Message(name, text, role, turn, raw_text=raw, model="m", completion_tokens=5)  # type: ignore[arg-type]


RECORD = DiscussionRecord(
    "1",
    "2026-01-01T00:00:00+00:00",
    SETUP,
    (
        Message("Ann", "A seed opinion that counts nowhere", "seed"),
        said("Ann", "one two three", 1),
        said("Mod", "", 1, "moderator", '""'),
        said("Bob", "", 2, raw='""'),
        said("Mod", "be nice please", 2, "moderator"),
        said("Ann", "four five", 3),
        Message("Me", "a person's words", "human"),
    ),
)


def test_one_discussion() -> None:
    one = discussion_statistics(RECORD)
    assert (one.user_rows, one.user_messages, one.moderator_rows) == (3, 2, 2)
    assert one.participation == pytest.approx(2 / 3)
    assert one.intervention_rate == 0.5
    assert (one.silences, one.words) == (2, (3, 1, 1, 3, 2))
    assert one.diversity == 1.0
    assert (one.answers, one.answerable) == (1, 1)
    assert one.reply_tokens == 25


def test_what_a_person_edited_counts_as_the_model_said_it() -> None:
    edited = replace(RECORD.entries[1], text="X", original_text="one two three")
    record = replace(RECORD, entries=(*RECORD.entries[:1], edited, *RECORD.entries[2:]))
    assert discussion_statistics(record).words == (3, 1, 1, 3, 2)


def test_conditions_pool_rows_and_average_diversity() -> None:
    one = discussion_statistics(RECORD)
    other = replace(one, user_messages=3, words=(1,), diversity=0.5)
    cells = [({"turns": "robin"}, one), ({"turns": "robin"}, other), ({"turns": "random"}, one)]
    robin, random = by_condition(cells)
    figures = robin.as_dict()
    assert figures["turns"] == "robin"
    assert (figures["discussions"], figures["messages"]) == (2, 10)
    assert figures["participation"] == pytest.approx(5 / 6)
    assert (figures["words_mean"], figures["diversity_mean"]) == (pytest.approx(11 / 6), 0.75)
    assert figures["diversity_sd"] == pytest.approx(0.3535534)
    assert random.as_dict()["diversity_sd"] is None
    assert [each.factors for each in by_condition(cells, [])] == [{}]


def discussion(number: int, diversity: float) -> DiscussionStatistics:
    return replace(discussion_statistics(RECORD), id=str(number), diversity=diversity)


def test_paired_differences_see_what_unpaired_ones_do_not() -> None:
    observations = [
        Observation({"turns": level}, repeat, discussion(repeat, 0.1 * repeat + gain))
        for repeat in range(1, 9)
        for level, gain in (("robin", 0.0), ("random", 0.01 + 0.001 * (repeat % 2)))
    ]
    (paired,) = differences(observations, "turns", "diversity", paired=True)
    assert (paired.first, paired.second, paired.pairs) == ("robin", "random", 8)
    assert paired.difference == pytest.approx(0.0105)
    assert 0.01 <= paired.low <= paired.high <= 0.011
    assert paired.effect_size is not None
    assert paired.effect_size > 10
    (unpaired,) = differences(observations, "turns", "diversity", paired=False)
    assert unpaired.low < 0 < unpaired.high
    assert unpaired.effect_size == pytest.approx(0.0105 / 0.2449, rel=0.01)


def test_pairs_agree_in_all_other_factors() -> None:
    observations = [
        Observation({"turns": turns, "mod": mod}, repeat, discussion(0, gain))
        for repeat in (1, 2)
        for turns, mod, gain in (("a", "x", 0.1), ("b", "x", 0.3), ("a", "y", 0.5))
    ]
    (one,) = differences(observations, "turns", "diversity", paired=True)
    assert (one.pairs, one.difference) == (2, pytest.approx(0.2))
