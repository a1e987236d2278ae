"""Discussions that end before their last turn, and what speakers are told of the end."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pydantic import ValidationError

from syndisco_tui.discussion import Discussion, DiscussionSetup, Persona, Reply
from syndisco_tui.discussion.ending import end_sentence
from syndisco_tui.discussion.record import DiscussionRecord

ANN, BOB = Persona(username="Ann"), Persona(username="Bob")
MODERATOR = Persona(username="Mod")


def setup(**fields: Any) -> DiscussionSetup:
    return DiscussionSetup(personas=(ANN, BOB), conv_len=10, **fields)


def run(setup: DiscussionSetup, *texts: str, tokens: int = 5) -> Discussion:
    """As far as the discussion takes these replies."""
    discussion = Discussion(setup)
    for text in texts:
        request = discussion.next_request()
        if request is None:
            break
        discussion.post(request, Reply(text, completion_tokens=tokens))
    return discussion


def test_a_round_is_a_turn_of_everybody() -> None:
    silent = setup(stop_when_silent_for=2)
    assert not run(silent, "Hi.", '""', '""', '""').is_finished
    ended = run(silent, "Hi.", '""', '""', '""', '""', "No more.")
    assert ended.is_finished
    assert ended.next_request() is None
    assert ended.end_reason == "silence"
    assert len(ended.entries) == 5
    assert end_sentence("silence", silent) == "nobody said anything for 2 rounds"
    assert not run(silent, '""', '""', "Hi.", '""', '""').is_finished, "somebody spoke between"


def test_words_end_it_and_seed_opinions_do_not() -> None:
    said = setup(stop_when_said="(?i)good-?bye", seed_opinions=("Goodbye.",))
    ended = run(said, "Hello.", "Well, GOODBYE then.", "No more.")
    assert ended.end_reason == "said"
    assert [entry.text for entry in ended.entries][-1] == "Well, GOODBYE then."
    ended.inject("Ann", "Stay!")
    assert ended.next_request() is not None, "a person's message lets it go on"
    ended.inject("Ann", "Goodbye.")
    assert ended.is_finished


def test_the_moderator_does_not_answer_the_last_words() -> None:
    ended = run(setup(stop_when_said="bye", moderator=MODERATOR), "bye", "Welcome back.")
    assert [entry.name for entry in ended.entries] == ["Ann"]


def test_tokens_of_all_replies_end_it() -> None:
    ended = run(setup(max_discussion_tokens=12), *["Hi."] * 9)
    assert ended.end_reason == "tokens"
    assert len(ended.entries) == 3


def test_the_reason_stands_in_the_record_and_goes_with_a_change() -> None:
    ended = run(setup(stop_when_said="bye"), "Hi.", "bye")
    record = ended.to_record(DiscussionRecord("id", "2026-01-01", ended.setup))
    assert record.end_reason == "said"
    ended.delete()
    assert ended.to_record(record).end_reason == ""
    assert ended.next_request() is not None


def test_it_can_be_regenerated_and_continued_with_another_setup() -> None:
    ended = run(setup(stop_when_said="bye"), "Hi.", "bye")
    assert len(ended.candidates(2)) == 2
    ended.change_setup(setup())
    assert ended.next_request() is not None


def test_no_expression_takes_long() -> None:
    catastrophic = setup(stop_when_said="(a+)+$")
    started_at = time.perf_counter()
    run(catastrophic, "a" * 50_000 + "b", "Hi.")
    assert time.perf_counter() - started_at < 1


@pytest.mark.parametrize("expression", ["(", "(?=a)", r"(a)\1", "["])
def test_what_is_no_expression_is_refused_in_one_sentence(expression: str) -> None:
    with pytest.raises(ValidationError) as raised:
        setup(stop_when_said=expression)
    assert "is no regular expression (RE2 syntax): " in str(raised.value)


@pytest.mark.parametrize(
    ("style", "ending"),
    [
        ("syndisco-2.0", "\nTurns left, including this one: 9\nUser Bob posted:"),
        ("syndisco-2.2", "\nTurns left, including this one: 9\nYour comment:"),
        ("chat", "Ann: Hi.\n\nTurns left, including this one: 9"),
    ],
)
def test_speakers_are_told_how_many_turns_are_left(style: Any, ending: str) -> None:
    discussion = run(setup(tell_turns_left=True, prompt_style=style), "Hi.")
    request = discussion.next_request()
    assert request
    assert request.chat[-1].role == "user"
    assert request.chat[-1].content.endswith(ending)


def test_a_moderator_who_answers_is_told_what_follows() -> None:
    discussion = run(setup(tell_turns_left=True, moderator=MODERATOR), "Hi.")
    request = discussion.next_request()
    assert request
    assert "\nTurns left: 9\nUser Mod posted:" in request.chat[-1].content
