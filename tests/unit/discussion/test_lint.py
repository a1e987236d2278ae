"""The linter names what is likely a slip, and leaves what is only unusual alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import Persona
from syndisco_tui.discussion.lint import Warning, persona_warnings
from syndisco_tui.store.personas import read_personas, shipped_personas
from syndisco_tui.workspace.folders import SHIPPED_PERSONAS
from tests.support.syndisco_files import OWN, each_persona_list


def somebody(name: str, **fields: Any) -> Persona:
    """Somebody with nothing odd about them, but for ``fields``."""
    return Persona.model_validate({"username": name, "mood": f"as {name} is", **fields})


def found(*personas: Persona) -> list[tuple[str, str | None]]:
    return [(personas[each.index].name, each.field) for each in persona_warnings(personas)]


class TestClones:
    def test_all_but_the_name_equal(self) -> None:
        ann = Persona(username="Ann", age=30, personality_characteristics=("calm",))
        people = (ann, somebody("Cleo"), ann.model_copy(update={"username": "Bob"}))
        (warning,) = persona_warnings(people)
        assert warning == Warning(2, None, "the same as Ann except for the name")

    def test_empty_and_absent_are_the_same(self) -> None:
        assert found(
            Persona(username="Ann", age=30, sex=""), Persona(username="Bob", age=30, sex=None)
        ) == [("Bob", None)]

    def test_a_twin_that_differs_in_one_field_is_none(self) -> None:
        assert found(Persona(username="Ann", age=30), Persona(username="Bob", age=31)) == []

    def test_nobody_is_the_clone_of_one_who_says_nothing(self) -> None:
        warnings = persona_warnings([Persona(username="Ann"), Persona(username="Bob")])
        assert {warning.sentence for warning in warnings} == {"has nothing but a name"}


class TestNames:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Giannis", "Gianis"),
            ("Giannis", "Gainnis"),
            ("Emma35", "Emma_35"),
            ("nico nico", "NicoNico"),
            ("José", "Jose"),
            ("Giánnis", "giannis."),
        ],
    )
    def test_hard_to_tell_apart(self, one: str, other: str) -> None:
        (warning,) = persona_warnings([somebody(one), somebody(other)])
        assert (warning.index, warning.field) == (1, "username")
        assert one in warning.sentence

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("P011", "P001"),
            ("P010", "P001"),
            ("P1", "P11"),
            ("Ann", "Ann-2"),
            ("Ann-2", "Ann-22"),
            ("Ann-2-1", "Ann-21"),
            ("Daniel", "Daniela"),
            ("Maria", "Mario"),
            ("Emma35", "Emma53"),
        ],
    )
    def test_only_alike(self, one: str, other: str) -> None:
        assert found(somebody(one), somebody(other)) == []


class TestAges:
    def test_text_among_numbers(self) -> None:
        people = [somebody("Ann", age=30), somebody("Bob", age=40), somebody("C", age="Under 18")]
        assert found(*people) == [("C", "age")]

    def test_a_number_among_text(self) -> None:
        ages = ["Under 18", "18-24", 30]
        people = [somebody(f"P{at}", age=age) for at, age in enumerate(ages)]
        assert found(*people) == [("P2", "age")]

    def test_a_number_written_as_text_among_numbers(self) -> None:
        people = [somebody("Ann", age=30), somebody("Bob", age=40), somebody("C", age="35")]
        (warning,) = persona_warnings(people)
        assert warning.sentence == ("“35” is a number written as text; most others are numbers")

    def test_one_kind_is_fine_and_no_age_is_no_kind(self) -> None:
        for ages in (["Under 18", "65+", "-1", ""], ["30", "40", None], [30, 40, -1, None]):
            assert found(*(somebody(f"P{at}", age=age) for at, age in enumerate(ages))) == []

    @pytest.mark.parametrize("age", [0, -5, 121, 999, "200"])
    def test_no_human_age(self, age: int | str) -> None:
        assert found(somebody("Ann", age=age)) == [("Ann", "age")]

    @pytest.mark.parametrize("age", [1, 120, -1, "-1", "99", "Under 18", "38.5"])
    def test_a_human_age(self, age: int | str) -> None:
        assert found(somebody("Ann", age=age)) == []


class TestWrongField:
    @pytest.mark.parametrize(
        "value", ["White", "European and Native American", "Laotian alone", " hispanic ", "Greek"]
    )
    def test_a_people_is_no_orientation(self, value: str) -> None:
        assert found(somebody("Ann", sexual_orientation=value)) == [("Ann", "sexual_orientation")]

    @pytest.mark.parametrize(
        "value",
        [
            "Heterosexual",
            "lesbian",
            "Straight",
            "Queer",
            "Asexual",
            "Unknown",
            "prefers not to say",
        ],
    )
    def test_an_orientation_is_one(self, value: str) -> None:
        assert found(somebody("Ann", sexual_orientation=value)) == []

    def test_an_orientation_elsewhere(self) -> None:
        assert found(somebody("Ann", demographic_group="Bisexual")) == [
            ("Ann", "demographic_group")
        ]


class TestSpelling:
    def test_case_and_spaces_alone(self) -> None:
        people = [
            somebody("Ann", education_level="Bachelor's degree"),
            somebody("Bob", education_level="Bachelor's degree"),
            somebody("Cleo", education_level="Bachelor's  Degree "),
        ]
        (warning,) = persona_warnings(people)
        assert (warning.index, warning.field) == (2, "education_level")
        assert "“Bachelor's degree”" in warning.sentence

    def test_in_lists_too(self) -> None:
        people = [
            somebody("Ann", personality_characteristics=["calm", "dry"]),
            somebody("Bob", personality_characteristics=["calm"]),
            somebody("Cleo", personality_characteristics=["Calm"]),
        ]
        assert found(*people) == [("Cleo", "personality_characteristics")]

    def test_the_same_word_in_another_field_is_another_value(self) -> None:
        assert found(somebody("Ann", sex="other"), somebody("Bob", demographic_group="Other")) == []


class TestFields:
    def test_empty_where_most_have_something(self) -> None:
        people = [somebody(f"P{at}", sex="female") for at in range(3)]
        assert found(*people, somebody("Ann")) == [("Ann", "sex")]

    def test_empty_where_few_have_something_is_meant(self) -> None:
        assert found(somebody("A", sex="female"), somebody("B"), somebody("C")) == []

    def test_instructions_may_be_empty(self) -> None:
        people = [somebody(f"P{at}", special_instructions="Be brief.") for at in range(5)]
        assert found(*people, somebody("Ann")) == []

    @pytest.mark.parametrize(
        "field", ["Age", "sexualOrientation", "education level", "curent_employment", "user_name"]
    )
    def test_a_field_that_is_nearly_syndiscos(self, field: str) -> None:
        assert found(somebody("Ann", **{field: "x"})) == [("Ann", field)]

    @pytest.mark.parametrize("field", ["ethnicity", "gender", "hobby", "agenda", "employer"])
    def test_a_field_of_ones_own(self, field: str) -> None:
        assert found(somebody("Ann", **{field: "x"})) == []

    def test_no_text_in_a_list_of_texts(self) -> None:
        assert found(somebody("Ann", hobbies=["chess", 3])) == [("Ann", "hobbies")]
        assert found(somebody("Ann", hobbies=["chess", None])) == [("Ann", "hobbies")]
        assert found(somebody("Ann", shoe_sizes=[38, None])) == []


def test_nothing_is_odd_about_the_shipped_ones() -> None:
    assert persona_warnings(shipped_personas(SHIPPED_PERSONAS)) == ()


class TestSyndisco:
    def test_an_orientation_that_is_a_people_is_odd(self) -> None:
        assert found(*read_personas(OWN / "personas" / "mixed.json")) == [
            ("quiet-lantern", "sexual_orientation"),
            ("brisk-kettle", "sexual_orientation"),
            ("mossy-anchor", "sexual_orientation"),
            ("paper-comet", "sexual_orientation"),
            ("slow-ferry", None),
            ("tin-whistle", "sexual_orientation"),
            ("tin-whistle", "personality_characteristics"),
        ]

    @each_persona_list
    def test_of_a_persona_and_its_clones_all_but_the_first_are_odd(self, path: Path) -> None:
        personas = read_personas(path)
        warnings = persona_warnings(personas)
        clones = [each.index for each in warnings if "the same as" in each.sentence]
        are_clones = len({persona.name for persona in personas}) == 1
        assert clones == (list(range(1, len(personas))) if are_clones else [])

    @each_persona_list
    def test_ages_of_both_kinds_in_one_list(self, path: Path) -> None:
        words = [persona for persona in read_personas(path) if persona.age != "-1"]
        numbers = shipped_personas(SHIPPED_PERSONAS)
        odd = [f.index for f in persona_warnings([*words, *numbers]) if f.field == "age"]
        indexes = range(len(words) + len(numbers))
        words_are_fewer = len(words) < len(numbers)
        minority = indexes[: len(words)] if words_are_fewer else indexes[len(words) :]
        assert odd == list(minority)


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "username": st.text("ab1-_é", min_size=1, max_size=5),
                "age": st.integers() | st.text(),
            },
            optional={"Sex": values, "x": values},
        ),
        max_size=6,
    )
)
def test_no_list_is_too_odd(people: list[dict[str, Any]]) -> None:
    personas = [Persona.model_validate(person) for person in people]
    for warning in persona_warnings(personas):
        assert 0 <= warning.index < len(personas)
        assert warning.sentence
