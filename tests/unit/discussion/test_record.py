"""What a message and a record say about themselves."""

from __future__ import annotations

import pytest

from syndisco_tui.discussion import Discussion, DiscussionRecord, Message, Reply, Role
from tests.support.people import asked, say, setup


@pytest.mark.parametrize(
    ("role", "prompted"), [("user", True), ("moderator", True), ("seed", False), ("human", False)]
)
def test_a_model_is_asked_for_users_and_moderators_comments(role: Role, prompted: bool) -> None:
    assert Message("Ann", "Hi", role).is_prompted is prompted


def test_no_text_is_a_silence() -> None:
    assert Message("Ann", "", "user").is_silence
    assert not Message("Ann", "Hi", "user").is_silence


def test_the_token_limit_cuts_what_was_said_and_not_a_silence() -> None:
    assert Message("Ann", "I think that", "user", finish_reason="length").is_cut
    assert not Message("Ann", "I think.", "user", finish_reason="stop").is_cut
    assert not Message("Ann", "", "user", finish_reason="length").is_cut


@pytest.mark.parametrize("takes_turns", [False, True])
def test_a_record_counts_turns_as_its_discussion_does(takes_turns: bool) -> None:
    discussion = Discussion(setup(moderated=True, moderator_takes_turns=takes_turns, conv_len=5))
    for text in ("one", '""', "two", "three", ""):
        discussion.post(asked(discussion), Reply(text))
        record = DiscussionRecord("id", "", discussion.setup, discussion.entries)
        assert record.turns_taken == discussion.turns_taken > 0


def test_a_records_messages_leave_the_silences_out() -> None:
    discussion = Discussion(setup())
    say(discussion, "one", '""', "two")
    record = DiscussionRecord("id", "", discussion.setup, discussion.entries)
    assert [message.text for message in record.messages] == ["one", "two"]
    assert len(record.entries) == 3
