"""Lazily wrapped lines show what wrapping everything would show, wherever one looks."""

from __future__ import annotations

import gc
import random
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion import Message
from syndisco_tui.tui.transcript.blocks import Block, block_of
from syndisco_tui.tui.transcript.lines import MOST_BLOCKS, Lines

NAMES = ("Ada", "Bob", "Cleo")
MESSAGES = st.lists(
    st.builds(
        Message,
        st.sampled_from(NAMES),
        st.one_of(
            st.just(""),
            st.lists(
                st.sampled_from(["word", "longer words", "漢字", "\n", "αβγ"]), max_size=60
            ).map(" ".join),
        ),
        st.just("user"),
    ),
    min_size=1,
    max_size=40,
)
PAGE, MARGIN = 12, 24


def naive(messages: list[Message], width: int, speaker: str | None) -> list[tuple[int, int]]:
    """Every line there is, as (entry, line of it)."""
    every = []
    for entry, message in enumerate(messages):
        if speaker in (None, message.name):
            block = block_of(message)
            block.wrap(width)
            every += [(entry, number) for number in range(block.height)]
    return every


def seen(lines: Lines, top: int) -> list[tuple[int, int]]:
    """What the pane shows from a line on."""
    shown = []
    for line in range(top, min(top + PAGE, lines.total)):
        row = lines.row_at(line)
        lines.block(row)
        shown.append((lines.entry_of(row), line - lines.start(row)))
    return shown


@settings(deadline=None)
@given(MESSAGES, st.integers(4, 60), st.sampled_from([None, *NAMES]), st.data())
def test_any_jump_shows_a_piece_of_the_full_layout(
    messages: list[Message], width: int, speaker: str | None, data: st.DataObject
) -> None:
    lines = Lines()
    lines.set_width(width)
    lines.show(messages)
    lines.only(speaker)
    full = naive(messages, width, speaker)
    for _ in range(3):
        top = data.draw(st.integers(0, max(0, lines.total - 1)))
        top = lines.settle(top, PAGE, MARGIN)
        piece = seen(lines, top)
        if piece:
            start = full.index(piece[0])
            assert piece == full[start : start + len(piece)]
            assert len(piece) == min(PAGE, len(full) - start)
            paged = lines.settle(max(0, top - PAGE), PAGE, MARGIN)  # a page up is exact
            assert seen(lines, paged)[: len(full)] == full[max(0, start - PAGE) :][:PAGE]


@settings(deadline=None)
@given(MESSAGES, st.integers(4, 60))
def test_the_end_is_exact(messages: list[Message], width: int) -> None:
    lines = Lines()
    lines.set_width(width)
    lines.show(messages)
    lines.settle_end(PAGE)
    assert seen(lines, max(0, lines.total - PAGE)) == naive(messages, width, None)[-PAGE:]


@settings(deadline=None, max_examples=50)
@given(MESSAGES, MESSAGES, st.sampled_from([None, *NAMES]))
def test_messages_that_came_one_by_one_are_those_that_came_at_once(
    first: list[Message], more: list[Message], speaker: str | None
) -> None:
    lines = Lines()
    lines.show(first)
    lines.only(speaker)
    for message in more:
        lines.begin(Block(message.name, growing=True))
        lines.grow(message.text)
        lines.append(message)
    lines.settle(0, 10_000, 0)
    assert seen(lines, 0) == naive([*first, *more], lines.width, speaker)[:PAGE]
    assert lines.total == len(naive([*first, *more], lines.width, speaker))


def test_only_what_is_looked_at_is_wrapped() -> None:
    lines = Lines()
    lines.show(Message(f"N{number}", "word " * 50, "user") for number in range(10_000))
    lines.settle(20_000, 40, 80)
    assert 0 < len(lines._blocks) < 50


def test_wrapped_messages_are_forgotten_in_time() -> None:
    lines = Lines()
    lines.show(Message("Ada", f"text {number}", "user") for number in range(5_000))
    for row in range(5_000):
        lines.block(row)
    assert len(lines._blocks) <= MOST_BLOCKS


def test_a_filtered_row_knows_its_entry() -> None:
    lines = Lines()
    lines.show(Message(NAMES[number % 3], "text", "user") for number in range(30))
    lines.only("Bob")
    assert [lines.entry_of(row) for row in range(3)] == [1, 4, 7]
    assert lines.row_of(7) == 2
    assert lines.row_of(5) == 2  # not shown: the one after it


def test_speakers_are_counted_as_they_speak() -> None:
    lines = Lines()
    lines.show([Message("Ann", "a", "user", 1), Message("Bob", "b", "user", 2)])
    lines.append(Message("Ann", "c", "user", 3))
    assert list(lines.speakers.items()) == [("Ann", 2), ("Bob", 1)]
    lines.show([])
    assert not lines.speakers


def test_a_message_that_has_become_old_costs_less_than_its_text() -> None:
    chance = random.Random(0)
    words = ["the", "work", "from", "home", "is", "calm", "but", "we", "miss", "our", "friends"]
    lines = Lines()

    def say(count: int) -> int:
        for _ in range(count):
            text = " ".join(chance.choices(words, k=60))
            lines.append(Message("Ada", text, "user", len(lines.entries)))
            lines.settle_end(PAGE)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = say(1000)
        after = say(2000)
    finally:
        tracemalloc.stop()
    assert (after - before) / 2000 < 150  # bytes; a text has 250
