"""Counting on with each message finds what counting anew finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import Entries, Message
from syndisco_tui.discussion.tally import Tally

messages = st.builds(
    Message,
    name=st.sampled_from(["Ann", "Bob", "Cem"]),
    text=st.sampled_from(["", "Hi."]),
    role=st.sampled_from(["user", "moderator", "seed", "human"]),
    turn=st.integers(-2, 6),
)


@given(before=st.lists(messages, max_size=6), said=st.lists(messages, max_size=6))
def test_it_counts_on(before: list[Message], said: list[Message]) -> None:
    tally = Tally.of(Entries(before))
    for message in said:
        entries = tally.entries.plus(message)
        tally = tally.after(message, entries)
        assert tally == Tally.of(entries)
