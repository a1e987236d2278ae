"""Persona files are SynDisco's JSON lists; a slip names file, entry and field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.store.inputs import InputError
from syndisco_tui.store.personas import read_personas, shipped_personas, write_personas
from syndisco_tui.workspace.folders import SHIPPED_PERSONAS
from tests.support.syndisco_files import PERSONA_LISTS, each_persona_list, name_of

SHIPPED = sorted(SHIPPED_PERSONAS.glob("*.json"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.json"


def refusal(file: Path, value: object) -> str:
    file.write_text(json.dumps(value))
    with pytest.raises(InputError) as caught:
        read_personas(file)
    return str(caught.value)


class TestReading:
    def test_order_and_fields_are_kept(self, file: Path) -> None:
        file.write_text(
            '[{"username": "Zoe", "age": 4, "hobby": {"name": "chess"}}, {"username": "Ann"}]'
        )
        zoe, ann = read_personas(file)
        assert (zoe.name, zoe.age, ann.name) == ("Zoe", 4, "Ann")
        assert zoe.as_dict()["hobby"] == {"name": "chess"}

    def test_one_object_is_a_list_of_one(self, file: Path) -> None:
        file.write_text('{"username": "Ann"}')
        assert [persona.name for persona in read_personas(file)] == ["Ann"]

    def test_an_empty_list_is_an_empty_list(self, file: Path) -> None:
        file.write_text("[]")
        assert read_personas(file) == []

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            (3, ": a persona file is a JSON list of objects"),
            ("Ann", ": a persona file is a JSON list of objects"),
            ([{"username": "Ann"}, "Bob"], ": persona 2: is not an object with fields"),
            ([{"username": "Ann"}, {"age": 3}], ": persona 2: username: is missing"),
            ([{"username": "Ann", "age": 3.5}], ": persona 1 ('Ann'): age: must be a whole number"),
            ([{"username": "Ann", "sex": 1}], ": persona 1 ('Ann'): sex: must be text, not 1"),
            ([{"username": 7}], ": persona 1: username: must be text, not 7"),
            ([{"username": "  "}], ": persona 1: username: a persona needs a username"),
            ([{"username": "a\nb"}], ": persona 1 ('a\\nb'): username: a username is one line"),
            (
                [{"username": "Ann", "personality_characteristics": "calm"}],
                ": persona 1 ('Ann'): personality_characteristics: must be a list, not 'calm'",
            ),
            (
                [{"username": "Ann", "personality_characteristics": ["calm", 2]}],
                ": persona 1 ('Ann'): personality_characteristics, entry 2: must be text, not 2",
            ),
        ],
    )
    def test_a_slip_names_file_entry_and_field(
        self, file: Path, value: object, sentence: str
    ) -> None:
        assert refusal(file, value).startswith(f"{file}{sentence}")

    def test_a_free_field_nested_too_deeply_is_named(self, file: Path) -> None:
        file.write_text(f'[{{"username": "Ann", "past": {"[" * 90}{"]" * 90}}}]')
        with pytest.raises(InputError, match=r"'Ann'.*past: is nested more than 20 levels deep"):
            read_personas(file)

    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["username", "age", "sex", "personality_characteristics", "x"]),
                inner,
                max_size=4,
            )
        ),
    )

    @given(value=json_values)
    def test_anything_is_read_or_refused_and_what_is_read_can_be_written(
        self, value: object, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        file = tmp_path_factory.getbasetemp() / "any.json"
        file.write_text(json.dumps(value))
        try:
            personas = read_personas(file)
        except InputError as error:
            told = str(error)
            assert told.startswith(f"{file}: ")
        else:
            write_personas(file, personas)
            assert read_personas(file) == personas


class TestWriting:
    def test_what_was_written_is_read(self, file: Path) -> None:
        personas = [
            Persona(username="Ann", age=None, sex=None, personality_characteristics=("calm",)),
            Persona(username="Böb", age="Under 18", shoe_size=[38, None]),
        ]
        write_personas(file, personas)
        assert read_personas(file) == personas
        assert "Böb" in file.read_text()
        assert oct(file.stat().st_mode)[-3:] == "600"

    def test_syndisco_finds_its_nine_fields(self, file: Path) -> None:
        write_personas(file, [Persona(username="Ann")])
        (value,) = json.loads(file.read_text())
        assert list(value) == [
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


class TestShipped:
    def test_the_demonstration_comes_first(self) -> None:
        names = [persona.name for persona in shipped_personas(SHIPPED_PERSONAS)]
        assert names[:3] == ["Emma35", "Giannis", "Moderator"]
        assert len(names) > 3

    @pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
    def test_all_of_a_file_can_talk_to_each_other(self, file: Path) -> None:
        personas = read_personas(file)
        assert personas
        assert DiscussionSetup(personas=tuple(personas)).names
        for persona in personas:
            assert not persona.model_extra, "a misspelt field would be kept as a free one"


class TestSyndisco:
    @each_persona_list
    def test_its_personas_are_read(self, path: Path) -> None:
        listed = json.loads(path.read_text())
        personas = read_personas(path)
        assert [(each.username, each.age) for each in personas] == [
            (each["username"], each["age"]) for each in listed
        ]

    @pytest.mark.parametrize(
        "path",
        [path for path in PERSONA_LISTS if path.stem in ("clones", "no_sdbs")],
        ids=name_of,
    )
    def test_personas_of_one_name_are_read_but_cannot_talk(self, path: Path) -> None:
        personas = read_personas(path)
        name = personas[0].name
        with pytest.raises(ValueError, match=f"“{name}” and “{name}” are the same"):
            DiscussionSetup(personas=tuple(personas))
