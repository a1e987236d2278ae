"""A persona: empty fields are kept and not prompted, further ones are kept and prompted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syndisco_tui.discussion import Persona, name_clash, name_key
from syndisco_tui.discussion.usernames import MAX_NAME_LENGTH
from tests.support.syndisco_files import each_persona_list

SYNDISCO_FIELDS = [
    "username",
    "age",
    "sex",
    "sexual_orientation",
    "demographic_group",
    "current_employment",
    "education_level",
    "special_instructions",
    "personality_characteristics",
]

EMMA: dict[str, Any] = {
    "username": "Emma35",
    "age": 38,
    "sex": "female",
    "sexual_orientation": "Heterosexual",
    "demographic_group": "Latino",
    "current_employment": "Registered Nurse",
    "education_level": "Bachelor's",
    "special_instructions": "",
    "personality_characteristics": ["compassionate", "patient"],
}


def test_a_persona_is_the_dict_it_came_from() -> None:
    persona = Persona.model_validate(EMMA)
    assert persona.as_dict() == EMMA
    assert list(persona.as_dict()) == SYNDISCO_FIELDS
    assert Persona.model_validate(json.loads(json.dumps(persona.as_dict()))) == persona


@pytest.mark.parametrize("empty", ["", " ", "-1", None])
@pytest.mark.parametrize("field", SYNDISCO_FIELDS[1:8])
def test_an_empty_field_is_kept_and_not_prompted(field: str, empty: str | None) -> None:
    persona = Persona.model_validate({**EMMA, field: empty})
    assert persona.as_dict()[field] == empty
    assert field not in persona.attributes()


@pytest.mark.parametrize(
    ("field", "empty"),
    [
        ("age", -1),
        ("personality_characteristics", []),
        ("personality_characteristics", None),
        ("hobby", ""),
        ("hobby", "-1"),
        ("hobby", -1),
        ("hobby", None),
        ("hobbies", []),
        ("home", {}),
    ],
)
def test_every_kind_of_empty_is_kept_and_not_prompted(field: str, empty: object) -> None:
    persona = Persona.model_validate({**EMMA, field: empty})
    assert persona.as_dict()[field] == empty
    assert field not in persona.attributes()


@pytest.mark.parametrize("value", [0, False, 0.0, "0", "Unknown", "none", [0], -2])
def test_what_says_something_is_prompted(value: object) -> None:
    assert Persona.model_validate({**EMMA, "extra": value}).attributes()["extra"] == value


def test_a_name_alone_is_a_persona_of_which_only_the_name_is_told() -> None:
    persona = Persona(username="Ann")
    assert list(persona.as_dict()) == SYNDISCO_FIELDS
    assert persona.attributes() == {"username": "Ann"}


def test_further_fields_come_after_the_nine_in_the_order_given() -> None:
    further = {"religion": "none", "hobbies": ["chess", "judo"], "home": {"city": "Bonn"}}
    persona = Persona.model_validate({**further, **EMMA})
    assert list(persona.as_dict()) == [*SYNDISCO_FIELDS, *further]
    assert {field: persona.attributes()[field] for field in further} == further


@pytest.mark.parametrize("field", ["name", "attributes", "as_dict"])
def test_a_further_field_may_be_called_like_one_of_our_own_words(field: str) -> None:
    persona = Persona.model_validate({"username": "Ann", field: "x"})
    assert persona.as_dict()[field] == persona.attributes()[field] == "x"
    assert persona.name == "Ann"


@pytest.mark.parametrize(
    "name", ["", "   ", "\t\n", "A\nB", "A\tB", "A\x1b[31m", "A\u202eB", "\x00"]
)
def test_a_name_is_one_line_that_shows(name: str) -> None:
    with pytest.raises(ValidationError, match="username"):
        Persona(username=name)


def test_a_name_has_a_longest_length() -> None:
    assert Persona(username="x" * MAX_NAME_LENGTH).name == "x" * MAX_NAME_LENGTH
    with pytest.raises(ValidationError, match=str(MAX_NAME_LENGTH)):
        Persona(username="x" * (MAX_NAME_LENGTH + 1))


@pytest.mark.parametrize("fields", [{}, {"username": None}, {"username": 3}, {"username": ["A"]}])
def test_a_name_is_there_and_a_string(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="username"):
        Persona.model_validate(fields)


@pytest.mark.parametrize("name", ["Γιάννης", "李雷", "O'Brien", "John Smith", "a.b-c_d", "🙂"])
def test_names_of_the_world_are_fine(name: str) -> None:
    assert Persona(username=name).name == name


def test_a_name_is_shown_trimmed_and_kept_as_it_was() -> None:
    persona = Persona(username="  Ann ")
    assert persona.name == "Ann"
    assert persona.as_dict()["username"] == "  Ann "


@pytest.mark.parametrize("age", [0, 38, "38", "Under 18", "18-24"])
def test_an_age_is_a_number_or_words(age: int | str) -> None:
    assert Persona(username="Ann", age=age).attributes()["age"] == age


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("age", 3.5),
        ("age", True),
        ("sex", 1),
        ("special_instructions", ["x"]),
        ("personality_characteristics", "kind"),
        ("personality_characteristics", ["kind", 3]),
    ],
)
def test_a_field_of_the_wrong_kind_is_an_error_that_names_it(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        Persona.model_validate({"username": "Ann", field: value})


def test_a_persona_is_a_value() -> None:
    persona = Persona(username="Ann")
    assert persona == Persona(username="Ann")
    with pytest.raises(ValidationError, match="frozen"):
        persona.username = "Bob"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("first", "second"), [("Ann", "ann"), (" Ann", "Ann "), ("STRASSE", "straße"), ("Ann", "Ann")]
)
def test_names_are_the_same_after_trimming_and_case_folding(first: str, second: str) -> None:
    assert name_key(first) == name_key(second)
    assert name_clash([first, "Bob", second]) == (first, second)


def test_different_names_do_not_clash() -> None:
    assert name_clash([]) is None
    assert name_clash(["Ann", "Anna", "An n"]) is None


@each_persona_list
def test_syndiscos_personas_are_kept_field_by_field(path: Path) -> None:
    listed = json.loads(path.read_text(encoding="utf-8"))
    for fields in listed:
        persona = Persona.model_validate(fields)
        assert persona.as_dict() == fields
        assert not {"", "-1"} & {str(value) for value in persona.attributes().values()}
        assert "special_instructions" not in persona.attributes()
