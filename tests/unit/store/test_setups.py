"""Setup files: TOML in SynDisco's words; a slip names file and key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.store.inputs import InputError
from syndisco_tui.store.setups import read_setup, setup_to_toml, write_setup
from syndisco_tui.workspace.folders import DEMONSTRATION

ANN, BOB, MOD = (Persona(username=name) for name in ("Ann", "Bob", "Mod"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "setup.toml"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.json"
    file.write_text('[{"username": "Ann"}, {"username": " Mod "}, {"username": "Bob"}]')
    return file


def refusal(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_setup(file)
    return str(caught.value)


def there_and_back(file: Path, setup: DiscussionSetup) -> DiscussionSetup:
    write_setup(file, setup)
    return read_setup(file)


class TestReading:
    def test_what_is_not_said_has_its_default(self, file: Path) -> None:
        file.write_text("")
        assert read_setup(file) == DiscussionSetup()

    def test_all_messages_are_asked_for_by_a_word(self, file: Path) -> None:
        file.write_text('history_context_len = "all"')
        assert read_setup(file).history_context_len is None

    def test_own_instructions_of_nobody_are_refused(self, file: Path) -> None:
        people = '[[personas]]\nusername = "Emma35"\n'
        told = refusal(file, f'{people}[own_instructions]\nEmma = "PROVOKE"')
        near = "did you mean “Emma35”?"
        assert told == f"{file}: own_instructions: no user is called “Emma”; {near}"
        told = refusal(file, f'moderator = "Emma"\n{people}')
        assert told == f"{file}: moderator: none of the personas is called “Emma”; {near}"

    def test_models_of_nobody_are_refused(self, file: Path) -> None:
        people = '[[personas]]\nusername = "Emma35"\n'
        told = refusal(file, f'{people}[models]\nEmma = "m"')
        near = "did you mean “Emma35”?"
        assert told == f"{file}: models: nobody is called “Emma”; {near}"
        told = refusal(file, f'{people}[models]\nEmma35 = {{modle = "m"}}')
        assert told == f"{file}: models, Emma35: there is no key “modle”"
        told = refusal(file, f'{people}[models]\nEmma35 = {{server = "a b"}}')
        assert told.startswith(f"{file}: models, Emma35, server: must be a URL such as ")

    def test_models_of_participants_and_of_the_moderator_are_saved(self, file: Path) -> None:
        file.write_text(
            'moderator = "Mod"\n[[personas]]\nusername = "Ann"\n[[personas]]\nusername = "Mod"\n'
            '[models]\nAnn = {server = "http://a/v1"}\nmod = {model = "m", server = ""}'
        )
        setup = read_setup(file)
        assert setup.with_model_of("Mod").model == "m"
        assert there_and_back(file, setup) == setup
        stranger = setup.model_copy(update={"personas": (BOB,)})
        assert list(there_and_back(file, stranger).models) == ["mod"]

    def test_whose_personas_come_from_elsewhere_may_have_instructions(self, file: Path) -> None:
        file.write_text('[own_instructions]\nEmma = "PROVOKE"')
        assert read_setup(file).own_instructions == {"Emma": "PROVOKE"}

    def test_instructions_of_those_who_do_not_take_part_are_not_saved(self, file: Path) -> None:
        setup = DiscussionSetup(personas=(ANN,), own_instructions={"ann": "a", "Bob": "b"})
        assert there_and_back(file, setup).own_instructions == {"ann": "a"}

    def test_another_word_is_refused(self, file: Path) -> None:
        told = refusal(file, 'history_context_len = "some"')
        assert told == f"{file}: history_context_len: must be a whole number, not 'some'"

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("conv_len = 0", "conv_len: must be at least 1, not 0"),
            ("conv_length = 3", "there is no key “conv_length”; did you mean “conv_len”?"),
            ('persona_files = "x"', "there is no key “persona_files”; did you mean “persona_file”"),
            ("[[personas]]\nage = 3", "personas, entry 1: username: is missing"),
            (
                '[[personas]]\nusername = "A"\n[[personas]]\nusername = "B"\nage = 1.5',
                "personas, entry 2: age: must be a whole number or text, not 1.5",
            ),
            ("personas = 3", "personas: must be a list, not 3"),
            ("moderator = 3", "moderator: must be a table of fields, not 3"),
            ('moderator = "Mod"', "moderator: none of the personas is called “Mod”"),
            (
                '[[personas]]\nusername = "A"\n[[personas]]\nusername = " a"',
                "personas, entries 1 and 2: the usernames “A” and “a” are the same; give",
            ),
            ('seed_opinions = ["x"]\nseed_opinion_usernames = ["A", "B"]', "seed_opinions has 1"),
            ("persona_file = 3", "persona_file: must be the path of a file"),
            ('persona_file = "a\\u0000b"', ""),
        ],
    )
    def test_a_slip_names_file_and_key(self, file: Path, text: str, sentence: str) -> None:
        told = refusal(file, text)
        assert told.startswith(f"{file}: {sentence}") or (not sentence and "\\x00" in told)


class TestPersonaFile:
    def test_all_of_it_take_part(self, file: Path, people: Path) -> None:
        file.write_text('persona_file = "people.json"')
        assert read_setup(file).names == ("Ann", "Mod", "Bob")

    def test_it_is_found_beside_the_setup(
        self, file: Path, people: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir("/")
        file.write_text('persona_file = "people.json"')
        assert len(read_setup(file).personas) == 3
        file.write_text(f'persona_file = "{people}"')
        assert len(read_setup(file).personas) == 3

    def test_one_of_them_moderates_by_name(self, file: Path, people: Path) -> None:
        file.write_text('persona_file = "people.json"\nmoderator = "mod"')
        setup = read_setup(file)
        assert [persona.name for persona in setup.personas] == ["Ann", "Bob"]
        assert setup.moderator is not None
        assert setup.moderator.name == "Mod"

    def test_one_of_those_in_the_setup_itself_moderates_by_name(self, file: Path) -> None:
        people = "".join(f'[[personas]]\nusername = "{name}"\n' for name in ("Ann", "Mod"))
        file.write_text(f'moderator = "mod"\n{people}')
        setup = read_setup(file)
        assert setup.moderator is not None
        assert (setup.turn_takers, setup.moderator.name) == (("Ann",), "Mod")

    def test_a_moderator_may_be_somebody_else(self, file: Path, people: Path) -> None:
        file.write_text('persona_file = "people.json"\n[moderator]\nusername = "Judge"')
        assert read_setup(file).names == ("Ann", "Mod", "Bob", "Judge")

    def test_a_name_that_nobody_has(self, file: Path, people: Path) -> None:
        told = refusal(file, 'persona_file = "people.json"\nmoderator = "Zoe"')
        assert told == f"{file}: moderator: none of the personas is called “Zoe”"

    def test_a_missing_one_is_named(self, file: Path) -> None:
        told = refusal(file, 'persona_file = "nobody.json"')
        assert told == f"{file.parent / 'nobody.json'}: there is no such file"

    def test_its_slips_name_it(self, file: Path, people: Path) -> None:
        people.write_text('[{"username": "Ann", "age": []}]')
        told = refusal(file, 'persona_file = "people.json"')
        assert told.startswith(f"{people}: persona 1 ('Ann'): age: ")

    def test_not_both_a_file_and_a_list(self, file: Path, people: Path) -> None:
        told = refusal(file, 'persona_file = "people.json"\npersonas = []')
        assert told == f"{file}: give either persona_file or [[personas]], not both"


class TestThereAndBack:
    def test_a_setup_comes_back(self, file: Path) -> None:
        setup = DiscussionSetup(
            title="Über “quotes”",
            personas=(ANN, Persona(username="Bob", age="Under 18", shoe_size=38)),
            moderator=MOD,
            context='one\n\ntwo \\ "three" \'\'\'four\'\'\' """five"""',
            seed_opinions=("Hello.", "\n  indented\n"),
            seed_opinion_usernames=("Ann", "Guest"),
            turn_manager="RandomWeighted",
            p_respond=0.4,
            temperature=0.0,
            seed=2**53 - 1,
        )
        assert there_and_back(file, setup) == setup

    def test_all_messages_come_back(self, file: Path) -> None:
        setup = DiscussionSetup(personas=(ANN,), history_context_len=None)
        assert there_and_back(file, setup) == setup
        assert 'history_context_len = "all"' in file.read_text()

    def test_the_file_says_everything_but_what_is_empty(self, file: Path) -> None:
        setup = DiscussionSetup(personas=(ANN,))
        values = tomllib.loads(setup_to_toml(setup))
        empty = {"moderator", *setup.unused_fields}
        assert "own_instructions" in empty
        assert set(values) == set(DiscussionSetup.model_fields) - empty
        assert values["personas"] == [{"username": "Ann"}]

    def test_null_within_a_free_field_is_left_out(self, file: Path) -> None:
        ann = Persona(username="Ann", past={"jobs": [None, "nurse"], "home": None})
        back = there_and_back(file, DiscussionSetup(personas=(ann,)))
        assert back.personas[0].as_dict()["past"] == {"jobs": ["nurse"]}

    def test_dates_become_text_that_can_be_saved(self, file: Path) -> None:
        file.write_text('[[personas]]\nusername = "Ann"\nborn = 1990-01-31')
        setup = read_setup(file)
        assert setup.personas[0].attributes()["born"] == "1990-01-31"
        assert there_and_back(file, setup).personas[0].attributes()["born"] == "1990-01-31"

    @pytest.mark.parametrize("text", ["one\r\ntwo\nthree", "one\rtwo"])
    def test_every_kind_of_line_break_stays(self, file: Path, text: str) -> None:
        assert there_and_back(file, DiscussionSetup(context=text)).context == text

    def test_the_file_is_its_owner_s_alone(self, file: Path) -> None:
        write_setup(file, DiscussionSetup())
        assert oct(file.stat().st_mode)[-3:] == "600"

    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

    @given(
        values=st.fixed_dictionaries(
            {},
            optional={
                "title": texts,
                "context": texts | st.text(alphabet="\"'\\\n a", max_size=20),
                "instructions": texts,
                "seed": st.integers(0, 2**32),
                "history_context_len": st.none() | st.integers(0, 10**6),
                "temperature": st.floats(0, 10),
                "top_p": st.floats(0, 1, exclude_min=True),
                "turn_manager": st.sampled_from(["RoundRobin", "RandomWeighted", "RandomTurn"]),
                "moderator_takes_turns": st.booleans(),
            },
        ),
        free=st.dictionaries(st.sampled_from(["hobby", "a b", "ü", "x.y"]), texts, max_size=2),
    )
    def test_any_setup_comes_back(
        self, values: dict[str, Any], free: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        free = {key: text for key, text in free.items() if text}
        ann = Persona.model_validate({"username": "Ann", **free})
        setup = DiscussionSetup(personas=(ann, BOB), **values)
        assert there_and_back(tmp_path_factory.getbasetemp() / "any.toml", setup) == setup


def test_the_demonstration_is_the_seed_s() -> None:
    setup = read_setup(DEMONSTRATION)
    assert [persona.name for persona in setup.personas] == ["Emma35", "Giannis"]
    assert setup.moderator is not None
    assert setup.moderator.name == "Moderator"
    assert setup.conv_len >= 2
    assert setup.model == "auto"
