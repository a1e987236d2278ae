"""A text that somebody edited: read as personas, or refused with the line of the fault."""

from __future__ import annotations

import pytest

from syndisco_tui.discussion import Persona
from syndisco_tui.store.inputs import InputError
from syndisco_tui.store.personas import as_json, parse_personas

ANN = Persona.model_validate({"username": "Ann", "age": 30, "hobby": ["chess", '["go"]']})
BOB = Persona(username="Bob", age="Under 18")


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_personas(text, "The text")
    return str(caught.value)


def test_one_or_many_are_read_as_they_were_written() -> None:
    assert parse_personas(as_json(ANN), "The text") == [ANN]
    assert parse_personas(as_json([ANN, BOB]), "The text") == [ANN, BOB]
    assert parse_personas(" [ ] ", "The text") == []


def test_the_line_of_the_faulty_field_in_the_right_entry() -> None:
    text = as_json([ANN, ANN, BOB]).replace('"Under 18"', "1.5")
    line = next(n for n, each in enumerate(text.splitlines(), start=1) if "1.5" in each)
    assert refusal(text).startswith(f"The text: line {line}: age: must be a whole number or text")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[\n{,}]", "The text: line 2, column 2: not valid JSON"),
        ('[\n{"username": "Ann"},\n3]', "The text: line 3: is not an object with fields"),
        ('[{"username": "Ann"},\n\n{"age": 3}]', "The text: line 3: username: is missing"),
        ('{\n"username": " "}', "The text: line 2: username: a persona needs a username"),
        (
            '{"username": "A",\n "username": "B"}',
            "The text: line 2: the key “username” appears twice",
        ),
        ('"Ann"', "The text: expected an object with fields, or a list of such objects"),
        ("", "The text: is empty"),
    ],
)
def test_a_slip_is_one_sentence_with_its_line(text: str, sentence: str) -> None:
    assert refusal(text).startswith(sentence)
