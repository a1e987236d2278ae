"""Statistics by condition, against hand-made discussions and the published sample."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syndisco_tui.analysis.conditions import Observation, by_condition, table_of
from syndisco_tui.analysis.statistics import MEASURES, discussion_statistics, measures_of
from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Message
from syndisco_tui.discussion.marks import Mark
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
    assert MEASURES["participation"](one) == pytest.approx(2 / 3)
    assert MEASURES["intervention_rate"](one) == 0.5
    assert (one.silences, one.words) == (2, (3, 1, 1, 3, 2))
    assert one.diversity == 1.0
    assert (one.answers, one.answerable) == (1, 1)
    assert one.reply_tokens == 25


def test_what_a_person_edited_counts_as_the_model_said_it() -> None:
    edited = replace(RECORD.entries[1], text="X", original_text="one two three")
    record = replace(RECORD, entries=(*RECORD.entries[:1], edited, *RECORD.entries[2:]))
    assert discussion_statistics(record).words == (3, 1, 1, 3, 2)


def test_marks_are_counted_by_kind_and_by_condition() -> None:
    first, *rest = RECORD.entries[1:]
    marked = replace(first, marks=(Mark("refusal"), Mark("assistant")))
    silent = replace(rest[1], marks=(Mark("left_out", "Ann"),))
    record = replace(RECORD, entries=(marked, rest[0], silent, *rest[2:]))
    one = discussion_statistics(record)
    assert (one.marks, MEASURES["refusal_rate"](one)) == (2, 1 / 5)
    (condition,) = by_condition([Observation({}, 0, each) for each in (one, one)])
    (row,) = table_of([condition])
    assert (row["marks"], row["mark_refusal"], row["mark_left_out"]) == (4, 2, 2)
    assert "mark_repetition" not in row


def test_conditions_pool_rows_and_average_diversity() -> None:
    one = discussion_statistics(RECORD)
    other = replace(one, user_messages=3, words=(1,), diversity=0.5)
    levels = (("robin", one), ("robin", other), ("random", one))
    cells = [Observation({"turns": level}, 0, figures) for level, figures in levels]
    robin, random = by_condition(cells)
    figures = robin.as_dict()
    assert figures["turns"] == "robin"
    assert (figures["discussions"], figures["messages"]) == (2, 10)
    assert figures["participation"] == pytest.approx(5 / 6)
    assert (figures["words_mean"], figures["diversity_mean"]) == (pytest.approx(11 / 6), 0.75)
    assert figures["diversity_sd"] == pytest.approx(0.3535534)
    assert random.as_dict()["diversity_sd"] is None
    assert [each.factors for each in by_condition(cells, [])] == [{}]


def test_a_figure_that_no_condition_has_data_for_is_left_out() -> None:
    one = replace(discussion_statistics(RECORD), reply_tokens=0)
    rated = replace(one, extra={"annotation_toxicity_mean": (6.0, 3.0)}, reasoning_tokens=40)
    levels = (("none", one), ("rated", rated))
    cells = [Observation({"kind": level}, 0, figures) for level, figures in levels]
    none, with_data = table_of(by_condition(cells))
    assert list(none) == list(with_data)
    assert "reply_tokens" not in none
    assert "marks" not in none
    assert (none["annotation_toxicity_mean"], with_data["annotation_toxicity_mean"]) == (None, 2.0)
    assert (none["reasoning_tokens"], with_data["reasoning_tokens"]) == (0, 40)
    names = [measure.name for measure in measures_of([one])]
    assert "participation" in names
    assert "reasoning_tokens" not in names
    assert "annotation_toxicity_mean" in [measure.name for measure in measures_of([one, rated])]


def test_a_factor_that_is_called_like_a_figure_hides_none() -> None:
    cell = Observation({"messages": "long"}, 0, discussion_statistics(RECORD))
    (row,) = table_of(by_condition([cell]))
    assert (row["factor_messages"], row["messages"]) == ("long", 5)


def test_a_value_of_the_setup_serves_as_a_factor() -> None:
    one = discussion_statistics(RECORD)
    cells = [Observation({}, 0, one, setup={"model": model}) for model in ("a", "b", "a")]
    assert [len(each.observations) for each in by_condition(cells, ["model"])] == [2, 1]
