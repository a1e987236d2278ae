"""Wrapping: in cells, nothing lost, and the same whether a text came at once or grew."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from syndisco_tui.text import safe
from syndisco_tui.tui.transcript.blocks import Block
from syndisco_tui.tui.transcript.wrapping import wrap

WORDS = st.sampled_from(
    ["a", "word", "an", "extraordinarily", "Ελλάδα", "漢字テスト", "e\u0301te\u0301", "👍🏽",
     "❤\ufe0f",
     "🇬🇷", " ", "  ", "\n", "\n\n", "    indented", "x" * 30, "漢" * 20, "a\u0301\u0302\u0303" * 9]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(WORDS, max_size=40).map(" ".join), st.lists(WORDS, max_size=40).map("".join),
    st.text(max_size=120),
).map(safe)  # fmt: skip
WIDTHS = st.integers(2, 40)


def shown(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, width)]


@given(TEXTS, WIDTHS)
def test_no_line_is_wider_than_the_pane(text: str, width: int) -> None:
    assert all(cell_len(line) <= width for line in shown(text, width))


@given(TEXTS, WIDTHS)
def test_only_spaces_and_line_breaks_are_left_out(text: str, width: int) -> None:
    def kept(what: str) -> str:
        return "".join(what.split())

    assert kept("".join(shown(text, width))) == kept(text)


@given(TEXTS, WIDTHS)
def test_no_line_begins_with_a_mark_of_the_letter_before(text: str, width: int) -> None:
    for (_, end), (start, _) in zip(wrap(text, width), wrap(text, width)[1:], strict=False):
        if start == end:  # broken inside a word
            assert cell_len(text[start]) > 0


@given(TEXTS, WIDTHS, st.randoms(use_true_random=False))
def test_a_text_that_grew_is_wrapped_as_one_that_came_at_once(
    text: str, width: int, chance: random.Random
) -> None:
    block = Block("Name", is_growing=True)
    block.wrap(width)
    length = 0
    while length < len(text):
        length += chance.randint(1, 9)
        before = [block.line(number) for number in range(1, len(block.spans) + 1)]
        first = block.grow(text[:length], width)
        after = [block.line(number) for number in range(1, len(block.spans) + 1)]
        assert before[: first - 1] == after[: first - 1]
    whole = Block("Name", text.strip(), is_growing=True)
    whole.wrap(width)
    assert [block.line(n + 1) for n in range(len(block.spans))] == [
        whole.line(n + 1) for n in range(len(whole.spans))
    ]


def test_lines_end_at_words_and_indented_text_stays_indented() -> None:
    assert shown("one two three", 7) == ["one two", "three"]
    assert shown("one two three", 8) == ["one two", "three"]
    assert shown("def f():\n    return 1", 20) == ["def f():", "    return 1"]
    assert shown("incomprehensible word", 6) == ["incomp", "rehens", "ible", "word"]
    assert shown("漢字漢字", 5) == ["漢字", "漢字"]
    assert shown("a\n\nb", 5) == ["a", "", "b"]
    assert shown("", 5) == [""]
