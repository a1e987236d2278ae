"""Files that somebody else wrote become values or one clear sentence, and quickly."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.store.inputs import (
    MAX_BYTES,
    InputError,
    parse_json,
    read_json,
    read_text,
    read_toml,
    unknown_key,
    validated,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.json"


def refusal(read: Any, *arguments: Any) -> str:
    """The sentence with which ``read`` refuses."""
    with pytest.raises(InputError) as caught:
        read(*arguments)
    return str(caught.value)


class TestText:
    def test_a_byte_order_mark_is_no_part_of_the_text(self, file: Path) -> None:
        for count in (1, 2):  # of files put together there may be two
            file.write_bytes(count * b"\xef\xbb\xbf" + b"[]")
            assert read_text(file) == "[]"

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_utf_16_with_a_byte_order_mark_is_read(self, file: Path, encoding: str) -> None:
        file.write_bytes("\ufeff[“é”]".encode(encoding))
        assert read_text(file) == "[“é”]"

    def test_half_a_character_of_utf_16_is_refused(self, file: Path) -> None:
        file.write_bytes("\ufeff[]".encode("utf-16-le")[:-1])
        assert "line 1 is not UTF-16 text" in refusal(read_text, file)

    def test_the_line_that_is_not_utf_8_is_named(self, file: Path) -> None:
        file.write_bytes("[\n1,\n“é”]".encode().replace("é".encode(), b"\xe9"))
        assert "line 3 is not UTF-8" in refusal(read_text, file)

    def test_a_file_of_the_largest_size_is_read(self, file: Path) -> None:
        file.write_bytes(b" " * MAX_BYTES)
        assert len(read_text(file)) == MAX_BYTES

    def test_a_larger_file_is_refused_at_once(self, file: Path) -> None:
        file.write_bytes(b"[" * 6_000_000)
        began = time.monotonic()
        assert refusal(read_json, file) == f"{file}: is too large; 5 MB is the limit"
        assert time.monotonic() - began < 0.5

    def test_a_device_without_an_end_is_refused(self) -> None:
        told = refusal(read_text, Path("/dev/zero"))
        assert told == "/dev/zero: is a pipe or a device; give a file"

    def test_a_pipe_that_nobody_writes_to_holds_nobody_up(self, file: Path) -> None:
        os.mkfifo(file)
        assert refusal(read_text, file) == f"{file}: is a pipe or a device; give a file"

    def test_a_missing_file_is_named(self, file: Path) -> None:
        assert refusal(read_text, file) == f"{file}: there is no such file"

    def test_a_folder_cannot_be_read(self, tmp_path: Path) -> None:
        assert refusal(read_text, tmp_path) == f"{tmp_path}: is a folder; name a file in it"

    def test_a_name_that_no_file_can_have(self, tmp_path: Path) -> None:
        assert "cannot be the name of a file" in refusal(read_text, tmp_path / "a\0b")


class TestJson:
    @pytest.mark.parametrize("text", ["", " \n", "\ufeff"])
    def test_an_empty_file_is_empty(self, file: Path, text: str) -> None:
        file.write_text(text, encoding="utf-8")
        assert refusal(read_json, file) == f"{file}: is empty"

    def test_a_key_that_stands_twice_is_named(self) -> None:
        text = '[{"age": 0},\n{"username": "Ann", "age": {"age": 1},\n"x:[{": "\\"", "age": 2}]'
        told = "f: line 3: the key “age” appears twice in one object"
        assert refusal(parse_json, text, "f") == told

    def test_the_same_key_in_two_objects_is_fine(self) -> None:
        assert parse_json('[{"a": 1}, {"a": 1}]', "f") == [{"a": 1}, {"a": 1}]

    def test_a_hundred_thousand_keys_are_compared_quickly(self) -> None:
        pairs = ",".join(f'"k{number}":0' for number in [*range(100_000), 99_999])
        began = time.monotonic()
        assert "“k99999”" in refusal(parse_json, f"{{{pairs}}}", "f")
        assert time.monotonic() - began < 2

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
    def test_numbers_without_an_end(self, number: str) -> None:
        text = f'["{number}",\n[{number}]]'
        assert f"f: line 2: {number} is not a finite number" in refusal(parse_json, text, "f")

    @pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
    def test_a_hundred_thousand_levels(self, text: str) -> None:
        assert refusal(parse_json, f"[1,\n{text}", "f") == "f: line 2: nested too deeply to be read"

    def test_a_hundred_levels_are_the_limit(self) -> None:
        assert parse_json("[" * 100 + "]" * 100, "f")
        told = "f: line 1: nested too deeply to be read"
        assert refusal(parse_json, "[" * 101 + "]" * 101, "f") == told

    def test_an_integer_of_thousands_of_digits(self) -> None:
        assert "whole number of hundreds of digits" in refusal(parse_json, "1" * 5_000, "f")

    def test_line_and_column_of_a_slip_are_named(self) -> None:
        assert "f: line 2, column 8: not valid JSON" in refusal(parse_json, '[{\n"age": ,}]', "f")

    @given(st.text() | st.text(alphabet='[]{}",:0129eE.-+ \\utrfalsn'))
    def test_any_text_is_a_value_or_refused(self, text: str) -> None:
        try:
            parse_json(text, "f")
        except InputError as error:
            told = str(error)
            assert told.startswith("f: ")


class TestToml:
    def test_the_line_of_a_slip_is_named(self, file: Path) -> None:
        file.write_text('title = "x"\nseed = \n')
        assert "not valid TOML" in refusal(read_toml, file)
        assert "line 2" in refusal(read_toml, file)

    def test_a_hundred_thousand_levels(self, file: Path) -> None:
        file.write_text("seed = " + "[" * 100_000)
        assert refusal(read_toml, file) == f"{file}: nested too deeply to be read"

    @pytest.mark.parametrize("key", ["a", '"a b"', "'a' "])
    def test_a_dotted_key_without_an_end(self, file: Path, key: str) -> None:
        file.write_text(f"seed = 1\n[{'.'.join([key] * 100_000)}]\n")
        began = time.monotonic()
        told = f"{file}: line 2: a key of so many parts is nested too deeply to be read"
        assert refusal(read_toml, file) == told
        assert time.monotonic() - began < 2

    def test_an_integer_of_thousands_of_digits(self, file: Path) -> None:
        file.write_text("seed = " + "1" * 5_000)
        assert "whole number of hundreds of digits" in refusal(read_toml, file)


class TestFields:
    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("conv_len", 0, "conv_len: must be at least 1, not 0"),
            ("conv_len", "ten", "conv_len: must be a whole number, not 'ten'"),
            ("conv_len", 2.5, "conv_len: must be a whole number, not 2.5"),
            ("p_respond", 1.5, "p_respond: must be at most 1, not 1.5"),
            ("top_p", 0, "top_p: must be more than 0, not 0"),
            ("context", 3, "context: must be text, not 3"),
            ("model", "", "model: must not be empty"),
            ("moderator_takes_turns", "maybe", "moderator_takes_turns: must be true or false"),
            ("seed_opinions", "one", "seed_opinions: must be a list, not 'one'"),
            ("seed_opinions", ["one", 2], "seed_opinions, entry 2: must be text, not 2"),
            ("turn_manager", "Robin", "turn_manager: must be 'RoundRobin', 'RandomWeighted' or"),
            ("personas", [{}], "personas, entry 1, username: is missing"),
            ("personas", ["Ann"], "personas, entry 1: must be a table of fields, not 'Ann'"),
            ("moderator", {"username": " "}, "moderator, username: a persona needs a username"),
        ],
    )
    def test_the_field_and_what_it_must_be(self, field: str, value: object, sentence: str) -> None:
        told = refusal(validated, DiscussionSetup, {field: value}, "setup.toml")
        assert told.startswith(f"setup.toml: {sentence}")

    def test_an_age_is_a_number_or_text(self) -> None:
        told = refusal(validated, Persona, {"username": "Ann", "age": 3.5}, "f")
        assert told == "f: age: must be a whole number or text, not 3.5"

    def test_a_long_value_is_shown_in_part(self) -> None:
        assert len(refusal(validated, DiscussionSetup, {"conv_len": "x" * 10_000}, "f")) < 120

    def test_an_unknown_key_suggests_the_near_one(self) -> None:
        told = refusal(validated, DiscussionSetup, {"histroy_context_len": 3}, "f")
        assert told == (
            "f: there is no key “histroy_context_len”; did you mean “history_context_len”?"
        )

    def test_a_key_like_no_other_gets_no_suggestion(self) -> None:
        assert unknown_key("zzz", ["conv_len"]) == "there is no key “zzz”"

    def test_a_key_of_a_megabyte_is_shown_in_part(self) -> None:
        assert len(unknown_key("z" * 1_000_000, ["conv_len"])) < 120
