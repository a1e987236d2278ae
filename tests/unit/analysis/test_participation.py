"""Counts of talk and of turns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syndisco_tui.analysis.participation import (
    SpeakerTotals,
    message_lengths,
    model_totals,
    speaker_totals,
    succession_counts,
)
from syndisco_tui.analysis.turn_taking import turn_taking
from syndisco_tui.discussion import Discussion, Message, Reply
from tests.support.people import asked, record_of, say, setup

ENTRIES = (
    Message("Ann", "One two three.", "user", turn=1, completion_tokens=5),
    Message("Bob", "", "user", turn=2, completion_tokens=2),
    Message("Guest", "Hello there!", "human"),
    Message("Ann", "Four.", "user", turn=3, completion_tokens=2),
)


def test_talk_counts_words_tokens_and_silences() -> None:
    assert speaker_totals([ENTRIES], ["Bob", "Ann", "Cleo"]) == [
        SpeakerTotals("Bob", 0, 0, 2, 1),
        SpeakerTotals("Ann", 2, 4, 7, 0),
        SpeakerTotals("Cleo"),
        SpeakerTotals("Guest", 1, 2, 0, 0),
    ]


def test_talk_of_several_discussions_is_added_up() -> None:
    assert speaker_totals([ENTRIES, ENTRIES])[0] == SpeakerTotals("Ann", 4, 8, 14, 0)


def test_lengths_are_words_and_a_silence_has_none() -> None:
    assert message_lengths(ENTRIES) == [("Ann", 3), ("Bob", 0), ("Guest", 2), ("Ann", 1)]


def test_models_are_counted_by_their_replies() -> None:
    entries = [
        replace(entry, model=model, seconds=2.0)
        for entry, model in zip(ENTRIES, ("a", "b", "hardcoded", "a"), strict=True)
    ]
    a, b = model_totals([entries])
    assert (a.model, a.replies, a.silences, a.words_mean, a.tokens_per_second) == (
        "a", 2, 0, 2.0, 7 / 4,
    )  # fmt: skip
    assert (b.model, b.replies, b.silences, b.words_mean) == ("b", 1, 1, 0.0)
    assert model_totals([()]) == []


def test_nobody_follows_a_silence() -> None:
    assert succession_counts([ENTRIES]) == {("Ann", "Guest"): 1, ("Guest", "Ann"): 1}


def test_round_robin_keeps_exactly_to_theory() -> None:
    discussion = Discussion(setup("Ann", "Bob", "Cleo", conv_len=10))
    say(discussion, *"abcdefg")
    taken = turn_taking([record_of(discussion)])
    assert taken.turns == taken.expected == {"Ann": 3, "Bob": 2, "Cleo": 2}
    assert taken.next_odds == {"Ann": 0.0, "Bob": 1.0, "Cleo": 0.0}


@pytest.mark.parametrize("p_respond", [0.0, 0.3, 1.0])
def test_random_weighted_realises_its_odds(p_respond: float) -> None:
    discussion = Discussion(
        setup(
            "Ann", "Bob", "Cleo", conv_len=900, turn_manager="RandomWeighted", p_respond=p_respond
        )
    )
    say(discussion, *["x"] * 900)
    taken = turn_taking([record_of(discussion)])
    assert taken.total == 900
    assert sum(taken.expected.values()) == pytest.approx(900)
    assert sum(taken.next_odds.values()) == 0
    for name, turns in taken.turns.items():
        assert turns == pytest.approx(taken.expected[name], abs=45)  # three deviations
    assert taken.answerable == 898
    # Heads, or tails and then one of the two who did not speak last.
    assert taken.answers_expected == pytest.approx(898 * (p_respond + (1 - p_respond) / 2))
    assert taken.answers == pytest.approx(taken.answers_expected, abs=45)


def test_odds_are_those_of_the_setup_in_force() -> None:
    discussion = Discussion(setup("Ann", "Bob", conv_len=6))
    say(discussion, "a", "b")
    discussion.change_setup(setup("Cleo", conv_len=6))
    say(discussion, "c", "d")
    taken = turn_taking([record_of(discussion)])
    assert taken.turns == taken.expected == {"Ann": 1, "Bob": 1, "Cleo": 2}


def test_the_moderator_takes_no_turn_but_may_be_next() -> None:
    discussion = Discussion(setup(moderated=True))
    discussion.post(asked(discussion), Reply("a"))
    taken = turn_taking([record_of(discussion)])
    assert taken.turns == {"Ann": 1, "Bob": 0}
    assert taken.next_odds == {"Moderator": 1.0}


def test_several_discussions_are_added_up() -> None:
    discussion = Discussion(setup(conv_len=3))
    say(discussion, "a", "b", "c")
    record = record_of(discussion)
    taken = turn_taking([record, replace(record, id="other")])
    assert taken.turns == {"Ann": 4, "Bob": 2}
    assert taken.next_odds == {}


def test_an_empty_record_has_odds_only() -> None:
    taken = turn_taking([record_of(Discussion(setup()))])
    assert taken.total == 0
    assert taken.next_odds == {"Ann": 1.0, "Bob": 0.0}


def test_a_floor_that_was_given_is_not_held_against_the_odds() -> None:
    discussion = Discussion(setup("Ann", "Bob", "Cleo", conv_len=6))
    say(discussion, "a")
    discussion.override_next_speaker("Cleo")
    say(discussion, "c", "x")
    taken = turn_taking([record_of(discussion)])
    assert taken.turns == taken.expected
    assert taken.turns["Cleo"] >= 1
    discussion.override_next_speaker("Ann")
    odds = turn_taking(
        [replace(record_of(discussion), speaker_override=discussion.speaker_override)]
    ).next_odds
    assert odds == {"Ann": 1.0, "Bob": 0.0, "Cleo": 0.0}
