"""The request behind a message, from the record alone."""

from __future__ import annotations

import pytest

from syndisco_tui.discussion import (
    Discussion,
    DiscussionRecord,
    NotReproducible,
    Reply,
    TurnRequest,
    rebuild_request,
)
from tests.support.people import asked, record_of, setup


def speak(discussion: Discussion, turns: int, attempt: int = 0) -> list[TurnRequest]:
    """Let the discussion go on; what was asked."""
    requests = []
    for turn in range(turns):
        request = discussion.next_request(attempt)
        assert request is not None
        discussion.post(request, Reply("" if turn % 5 == 3 else f"word {turn}"))
        requests.append(request)
    return requests


@pytest.mark.parametrize("style", ["syndisco-2.0", "syndisco-2.2", "chat"])
def test_every_request_is_found_again(style: str) -> None:
    discussion = Discussion(
        setup(
            "Ann",
            "Bob",
            "Cleo",
            moderated=True,
            conv_len=8,
            prompt_style=style,
            turn_manager="RandomWeighted",
            history_context_len=3,
            seed_opinions=("Cats are better.",),
        )
    )
    requests = speak(discussion, 12)
    record = record_of(discussion)
    assert [rebuild_request(record, i + 1).request for i in range(12)] == requests


def test_changed_setups_are_honoured() -> None:
    discussion = Discussion(setup(conv_len=9))
    requests = speak(discussion, 2)
    discussion.change_setup(setup(conv_len=9, instructions="Shout.", temperature=0.1))
    requests += speak(discussion, 2)
    discussion.change_setup(setup(conv_len=9, history_context_len=1))
    requests += speak(discussion, 2, attempt=4)
    record = record_of(discussion)
    found = [rebuild_request(record, index) for index in range(6)]
    assert [each.request for each in found] == requests
    assert [each.setup.temperature for each in found] == [0.8, 0.8, 0.1, 0.1, 0.8, 0.8]
    assert found[5].request.attempt == 4


def test_the_window_leaves_silences_and_old_messages_out() -> None:
    discussion = Discussion(setup(conv_len=9, history_context_len=3))
    speak(discussion, 6)
    found = rebuild_request(record_of(discussion), 5)
    assert found.window == (1, 2, 4)
    assert "word 2" in found.request.chat[-1].content
    assert "word 0" not in found.request.chat[-1].content


def test_where_no_model_was_asked_it_says_so() -> None:
    discussion = Discussion(setup(seed_opinions=("Cats are better.",)))
    discussion.inject("Guest", "Hello.")
    record = record_of(discussion)
    with pytest.raises(NotReproducible, match="seed opinion"):
        rebuild_request(record, 0)
    with pytest.raises(NotReproducible, match="human's words"):
        rebuild_request(record, 1)


def test_a_prompt_that_no_setup_makes_is_not_made_up() -> None:
    discussion = Discussion(setup())
    discussion.post(asked(discussion), Reply("a"))
    record = record_of(discussion)
    other = DiscussionRecord("id", record.started_at, setup(context="Elsewhere"), record.entries)
    with pytest.raises(NotReproducible, match=r"^Turn 1 of Ann cannot be asked again"):
        rebuild_request(other, 0)
