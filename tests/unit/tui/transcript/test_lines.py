"""The lines of a transcript, however its messages came and whoever of the speakers is shown."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion import Message
from syndisco_tui.tui.transcript.blocks import Block, block_of
from syndisco_tui.tui.transcript.lines import Lines

NAMES = ("Ada", "Bob", "Cleo")
WORDS = st.sampled_from(["word", "longer words", "漢字", "\n", "αβγ"])
TEXTS = st.one_of(st.just(""), st.lists(WORDS, max_size=60).map(" ".join))
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(NAMES), TEXTS, st.just("user")), min_size=1, max_size=40
)


def all_lines(messages: list[Message], width: int, speaker: str | None) -> list[tuple[int, int]]:
    """Every line of the messages that are shown, as (entry, line of the message)."""
    lines = []
    for entry, message in enumerate(messages):
        if speaker in (None, message.name):
            block = block_of(message)
            block.wrap(width)
            lines += [(entry, number) for number in range(block.height)]
    return lines


def drawn(lines: Lines) -> list[tuple[int, int]]:
    """Every line that the view would draw, as (entry, line of the message)."""
    rows = [(line, lines.row_at(line)) for line in range(lines.total)]
    return [(lines.blocks[row].entry, line - lines.start(row)) for line, row in rows]


@settings(deadline=None)
@given(MESSAGES, st.integers(4, 60), st.sampled_from([None, *NAMES]))
def test_every_line_belongs_to_its_message(
    messages: list[Message], width: int, speaker: str | None
) -> None:
    lines = Lines()
    lines.set_width(width)
    lines.show(messages)
    lines.only(speaker)
    assert drawn(lines) == all_lines(messages, width, speaker)
    lines.set_width(width + 7)
    assert drawn(lines) == all_lines(messages, width + 7, speaker)


@settings(deadline=None, max_examples=50)
@given(MESSAGES, MESSAGES, st.sampled_from([None, *NAMES]))
def test_messages_that_came_one_by_one_are_those_that_came_at_once(
    first: list[Message], more: list[Message], speaker: str | None
) -> None:
    lines = Lines()
    lines.show(first)
    lines.only(speaker)
    for message in more:
        lines.begin(Block(message.name, is_growing=True))
        lines.grow(message.text)
        lines.append(message)
    assert drawn(lines) == all_lines([*first, *more], lines.width, speaker)


def test_a_filtered_row_knows_its_entry() -> None:
    lines = Lines()
    lines.show(Message(NAMES[number % 3], "text", "user") for number in range(30))
    lines.only("Bob")
    assert [block.entry for block in lines.blocks[:3]] == [1, 4, 7]
    assert lines.row_of(7) == 2
    assert lines.row_of(5) == 2  # not shown: the one after it


def test_speakers_are_counted_as_they_speak() -> None:
    lines = Lines()
    lines.show([Message("Ann", "a", "user", 1), Message("Bob", "b", "user", 2)])
    lines.append(Message("Ann", "c", "user", 3))
    assert list(lines.speakers.items()) == [("Ann", 2), ("Bob", 1)]
    lines.show([])
    assert not lines.speakers


def test_ten_thousand_messages_are_wrapped_in_time() -> None:
    lines = Lines()
    lines.set_width(100)
    messages = [Message("Ada", "word " * 60, "user", number) for number in range(10_000)]
    start = time.process_time()
    lines.show(messages)
    assert time.process_time() - start < 0.6  # seconds; 0.1 on an idle machine
