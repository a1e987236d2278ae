"""Which message matched what was looked for."""

from __future__ import annotations

import pytest

from syndisco_tui.store.matching_line import LONGEST, matching_line, ranges_of

TEXT = "\n".join(
    [
        "On cheese",
        "Ann",
        "",
        "Ann: I like milk.",
        "Bob: For a very long time I have wanted to say that Cheese is milk's leap.",
        "Ann: Cheese, then.",
    ]
)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("milk", "Ann: I like milk."),
        ("CHEESE then", "Ann: Cheese, then."),
        ("leap milk", "Bob: …to say that Cheese is milk's leap."),
        ("nowhere", ""),
    ],
)
def test_the_message_with_most_of_the_words(words: str, line: str) -> None:
    assert matching_line(TEXT, words) == line


def test_a_title_alone_is_no_message() -> None:
    assert matching_line("Trains\nAnn\n\nAnn: Hello.", "trains") == ""


def test_a_long_message_is_cut() -> None:
    line = matching_line("T\n\nAnn: " + "word " * 500 + "needle " + "word " * 500, "needle")
    assert len(line) <= LONGEST
    assert "needle" in line


def test_where_the_words_are() -> None:
    assert ranges_of("Ann: Cheese and cheese", "cheese ANN") == [(0, 3), (5, 11), (16, 22)]
    assert ranges_of("Straße", "strasse") == [(0, 6)]


@pytest.mark.parametrize("written", ["Café noir", "Cafe\u0301 noir"])
@pytest.mark.parametrize("typed", ["cafe", "CAFÉ", "cafe\u0301"])
def test_accents_do_not_count(written: str, typed: str) -> None:
    assert matching_line(f"\n\nAnn: {written}", typed) == f"Ann: {written}"
    assert ranges_of(written, typed)[0][0] == 0
