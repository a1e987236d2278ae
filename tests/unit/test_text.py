"""What a stranger wrote leaves nothing that a terminal obeys."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.text import one_line, safe

SEEN_THOUGH_OF_FORMAT = {*"؀؁؂؃؄؅۝܏࣢࢐࢑", "\U000110bd", "\U000110cd"}
"""Arabic, Syriac and Kaithi signs that Unicode counts as format characters but prints."""

anything = st.text(st.characters(categories=None))
no_floods = st.text(st.characters(exclude_categories=["Mn", "Me"]))


def is_obeyed(character: str) -> bool:
    """Whether a terminal acts on it, or shows what follows otherwise because of it."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character)
        in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    ) and character != "\n"


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "\x1b]52;c;cm0gLXJm\x1b\\",
        "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
        "\x9b2J",
        "\x9d0;title\x9c",
        "\x90device\x9c",
        "\0\a\b\x05\x0e\x0f\x7f",
        "over\rwritten",
        "\u202egpj.exe\u202c",
        "\u2066isolate\u2069\u200e\u200f\u061c",
        "\ud800lone\udfff",
        "\x1b\x1b[\x1b\x1b",
    ],
)
def test_nothing_is_obeyed(text: str) -> None:
    assert not any(map(is_obeyed, safe(text)))
    assert not any(map(is_obeyed, one_line(text)))


@given(anything)
def test_nothing_is_obeyed_in_any_text(text: str) -> None:
    assert not any(map(is_obeyed, safe(text)))
    line = one_line(text)
    assert "\n" not in line
    assert not any(map(is_obeyed, line))


@given(anything)
def test_what_is_safe_can_be_encoded(text: str) -> None:
    safe(text).encode()


def test_what_was_there_can_still_be_told() -> None:
    assert safe("\x1b[31m\x00") == "␛[31m␀"
    assert safe("\x9b") == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "character", ["\u200b", "\u200d", "\u2060", "\ufeff", "\xad", "\u180e", "\U000e0041"]
)
def test_what_nobody_sees_is_not_there(character: str) -> None:
    assert safe(f"Em{character}ma") == "Emma"


def test_no_format_character_remains_unseen() -> None:
    basic_plane = (chr(code) for code in range(0x10000))
    formats = {sign for sign in basic_plane if unicodedata.category(sign) == "Cf"}
    left = {sign for sign in formats if sign in safe(f"a{sign}b")}
    assert left <= SEEN_THOUGH_OF_FORMAT


@pytest.mark.parametrize("mark", ["\u0301", "\u0489", "\u20dd", "\u05b0", "\u0e31", "\ufe0f"])
def test_a_flood_of_combining_marks_is_dammed(mark: str) -> None:
    assert safe("Z" + mark * 10_000 + "!") == "Z" + mark * 4 + "!"
    assert len(one_line("Z" + mark * 10_000)) <= 5


def test_a_few_marks_on_every_letter_stay() -> None:
    vietnamese = unicodedata.normalize("NFD", "Tiếng Việt ố ợ ữ")
    assert safe(vietnamese) == vietnamese
    assert safe("สวัสดีครับ שָׁלוֹם नमस्ते") == "สวัสดีครับ שָׁלוֹם नमस्ते"


def test_languages_and_emoji_stay_as_they_are() -> None:
    text = "Ελληνικά, 日本語, العربية: “so — what?” 🙂👍🏽 1️⃣ ½ €"
    assert safe(text) == text


def test_line_breaks_are_kept_and_tabs_become_spaces() -> None:
    assert safe("one\ntwo\r\nthree\u2028four\x0bfive\tsix") == "one\ntwo\nthree\nfour\nfive    six"


@given(st.lists(no_floods))
def test_pieces_are_cleaned_as_the_whole_is(pieces: list[str]) -> None:
    assert "".join(map(safe, pieces)) == safe("".join(pieces))


@given(anything)
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    assert safe(safe(text)) == safe(text)


def test_a_long_text_is_cleaned_quickly() -> None:
    began = time.monotonic()
    safe("é\x1b[" * 100_000)
    assert time.monotonic() - began < 1


class TestOneLine:
    def test_line_breaks_become_spaces(self) -> None:
        assert one_line("one\ntwo\x0bthree\u2029four") == "one two three four"

    def test_what_is_too_long_is_cut_with_an_ellipsis(self) -> None:
        assert one_line("abcdefgh", 5) == "abcd…"
        assert one_line("abc      ", 5) == "abc…"
        assert one_line("abcde", 5) == "abcde"

    @given(anything, st.integers(1, 50))
    def test_it_is_never_longer_than_its_limit(self, text: str, limit: int) -> None:
        assert len(one_line(text, limit)) <= limit

    def test_a_book_is_cut_quickly(self) -> None:
        book = "x" * 5_000_000
        began = time.monotonic()
        assert one_line(book).endswith("…")
        assert time.monotonic() - began < 0.1
