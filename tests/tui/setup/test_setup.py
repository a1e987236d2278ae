"""The setup, edited in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.store.setups import read_setup
from syndisco_tui.tui.personas.fields import FieldError
from syndisco_tui.tui.setup.edited_setup import SetupFile
from syndisco_tui.tui.setup.fields import (
    FIELDS,
    SetupField,
    as_text,
    distinguishing_part,
    stepped,
    with_text,
)
from syndisco_tui.tui.setup.value_descriptions import VALUE_DESCRIPTIONS
from syndisco_tui.tui.widgets.value_list_dialog import ValueListDialog
from tests.support.bench import Bench, OpenBench

BY_KEY = {field.key: field for field in FIELDS}


async def go_to(at: Bench, key: str) -> None:
    """Put the cursor of the setup pane on a field."""
    await at.press("2", "home")
    await at.press(*["down"] * [field.key for field in FIELDS].index(key))
    assert at.laboratory.setup_pane.field.key == key


async def test_a_value_is_typed_in_place(bench: OpenBench) -> None:
    async with bench() as at:
        await go_to(at, "conv_len")
        await at.press("enter", "backspace", "2", "1", "enter")
        assert at.laboratory.setup.conv_len == 21


async def test_a_wrong_value_is_said_beside_the_field_and_not_kept(bench: OpenBench) -> None:
    async with bench() as at:
        await go_to(at, "p_respond")
        await at.press("enter", "ctrl+u", "7")
        assert "must be at most 1" in at.text()
        await at.press("enter")
        assert "must be at most 1" in at.text()
        await at.press("escape")
        assert "Discard what you typed?" in at.text()
        await at.press("y")
        assert "must be at most 1" not in at.text()
        assert at.laboratory.setup.p_respond == 0.5


async def test_arrows_turn_choices_and_numbers(bench: OpenBench) -> None:
    async with bench() as at:
        await go_to(at, "turn_manager")
        await at.press("right")
        assert at.laboratory.setup.turn_manager == "RandomTurn"
        await at.press("left", "left")
        assert at.laboratory.setup.turn_manager == "RoundRobin"
        await go_to(at, "temperature")
        await at.press("right", "right")
        assert at.laboratory.setup.temperature == 0.8


async def test_enter_on_a_choice_lists_its_values_with_what_each_does(bench: OpenBench) -> None:
    async with bench() as at:
        for key in ("turn_manager", "prompt_style", "quantization", "dtype"):
            await go_to(at, key)
            before = at.laboratory.setup
            await at.press("enter")
            assert isinstance(at.app.screen, ValueListDialog)
            for value, about in VALUE_DESCRIPTIONS[key].items():
                assert f"{value} " in at.text()
                assert about in at.text()
            await at.press("down", "escape")
            assert at.laboratory.setup == before, "nothing was chosen"
        await go_to(at, "turn_manager")
        await at.press("enter", "home", "enter")
        assert at.laboratory.setup.turn_manager == "RoundRobin"
        await at.press("u")
        assert at.laboratory.setup.turn_manager == "RandomWeighted"


def test_every_value_of_a_choice_says_what_it_does_in_one_line() -> None:
    choices = {field.key: field.choices for field in FIELDS if field.kind == "choice"}
    assert {key: set(VALUE_DESCRIPTIONS[key]) for key in choices} == {
        key: set(choices[key]) for key in choices
    }
    room = 70 - len("● RandomWeighted   ")
    assert all(
        len(about) <= room
        for key in VALUE_DESCRIPTIONS
        for about in VALUE_DESCRIPTIONS[key].values()
    )


async def test_rows_of_long_texts_show_what_tells_them_apart(bench: OpenBench) -> None:
    async with bench() as at:
        assert "… about working from home" in at.text()
        assert "… Write one short comment" in at.text()


@pytest.mark.parametrize(
    ("text", "others", "shown"),
    [
        ("You talk about cats", ["You talk about dogs"], "… cats"),
        ("You talk about cats", ["You talk about catfish"], "… cats"),
        ("You talk about cats. Be kind.", ["You talk about cats"], "… Be kind."),
        ("You talk about cats", ["You talk about cats. Be kind."], "You talk about cats"),
        ("You talk about cats", ["You talk about cats"], "You talk about cats"),
        ("You talk about cats", ["Be kind", ""], "You talk about cats"),
        ("You are kind", ["You are blunt"], "You are kind"),  # too little in common
        ("", ["You talk about cats"], ""),
    ],
)
def test_what_tells_a_text_from_others(text: str, others: list[str], shown: str) -> None:
    assert distinguishing_part(text, others) == shown


async def test_long_text_is_edited_in_lines(bench: OpenBench) -> None:
    async with bench() as at:
        await go_to(at, "instructions")
        await at.press("enter")
        await at.press("ctrl+end", "enter")
        await at.type("Be kind.")
        await at.press("ctrl+s")
        assert at.laboratory.setup.instructions.endswith("\nBe kind.")


async def test_keys_are_letters_while_a_field_is_edited(bench: OpenBench) -> None:
    async with bench() as at:
        await go_to(at, "model")
        await at.press("enter", "ctrl+u")
        await at.type("qr1")
        await at.press("enter")
        assert at.laboratory.setup.model == "qr1"
        assert not at.records()


async def test_the_setup_is_saved_as_a_file_that_run_reads(bench: OpenBench) -> None:
    async with bench() as at:
        await go_to(at, "seed")
        await at.press("right", "ctrl+s")
        assert "Save the setup as" in at.text()
        await at.press("enter")
        (path,) = at.folders.setups.glob("*.toml")
        assert read_setup(path) == at.laboratory.setup
        assert at.laboratory.setup.seed == 1


async def test_an_editor_left_for_another_pane_keeps_what_is_right(bench: OpenBench) -> None:
    async with bench() as at:
        await go_to(at, "p_respond")
        await at.press("enter", "ctrl+u", "1")
        at.laboratory.personas_pane.list.focus()
        await at.until(lambda: at.laboratory.setup.p_respond == 1)
        await go_to(at, "p_respond")
        await at.press("enter", "ctrl+u", "x")
        at.laboratory.personas_pane.list.focus()
        await at.until(lambda: not at.laboratory.setup_pane.is_editing)
        assert at.laboratory.setup.p_respond == 1


async def test_a_hand_written_setup_file_is_not_written_over_unasked(
    bench: OpenBench, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("# precious\n")
    async with bench() as at:
        at.laboratory._edited.file = SetupFile(tmp_path, file)
        await at.press("ctrl+s")
        assert "Replace mine.toml?" in at.text()
        await at.press("n")
        assert file.read_text() == "# precious\n"
        await at.press("ctrl+s", "y")
        await at.until(lambda: "conv_len" in file.read_text())


def test_an_author_near_to_a_participant_is_asked_about(setup: DiscussionSetup) -> None:
    field = BY_KEY["seed_opinions"]
    with pytest.raises(FieldError, match="line 1: nobody is called “An”; did you mean “Ann”"):
        with_text(field, "An: One", setup)


def test_an_author_may_take_no_part(setup: DiscussionSetup) -> None:
    field = BY_KEY["seed_opinions"]
    new = with_text(field, "Ann: One\nZorba: Two", setup)
    assert new.seed_opinion_usernames == ("Ann", "Zorba")


async def test_an_author_who_takes_no_part_is_shown_as_such(
    bench: OpenBench, demonstration: DiscussionSetup
) -> None:
    quoted = {"seed_opinions": ("Home is best.",), "seed_opinion_usernames": ("Zorba",)}
    async with bench(setup=demonstration.model_copy(update=quoted)) as at:
        assert "Zorba takes no part · " in at.text()


def test_an_opinion_of_several_lines_can_be_edited(setup: DiscussionSetup) -> None:
    field = BY_KEY["seed_opinions"]
    new = with_text(field, "Ann: One\n  two\nBob: Three", setup)
    assert new.seed_opinions == ("One\ntwo", "Three")
    assert with_text(field, as_text(field, new), setup) == new


@pytest.fixture
def setup() -> DiscussionSetup:
    personas = [Persona(username="Ann"), Persona(username="Bob")]
    return DiscussionSetup.model_validate({"personas": personas})


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.key)
def test_the_text_of_every_field_reads_back_as_its_value(
    field: SetupField, setup: DiscussionSetup
) -> None:
    steps = (stepped(field, step, setup) for step in (1, -1))
    other = next(filter(None, steps), None) or with_text(field, "Something else", setup)
    assert other != setup
    assert with_text(field, as_text(field, setup), other) == setup


@pytest.mark.parametrize(
    ("opinions", "names"),
    [
        (["Ann: that is what she said"], []),
        (["Ann: so", "no"], []),
        (["line\n  indented"], ["Ann"]),
        (["\nbegins with a break"], ["Ann"]),
        (["a\u2028b"], ["Ann"]),
        (["x", "  "], ["Ann", "Bob"]),
        (["x"], ["Ann: the wise"]),
    ],
)
async def test_opinions_that_are_looked_at_stay_as_they_are(
    bench: OpenBench, setup: DiscussionSetup, opinions: list[str], names: list[str]
) -> None:
    values = {"seed_opinions": opinions, "seed_opinion_usernames": names}
    before = DiscussionSetup.model_validate({**setup.model_dump(), **values})
    async with bench(setup=before) as at:
        await go_to(at, "seed_opinions")
        await at.press("enter", "ctrl+s")
        await at.until(lambda: not at.laboratory.setup_pane.is_editing)
        assert at.laboratory.setup == before


def test_seed_opinions_are_lines_with_names(setup: DiscussionSetup) -> None:
    field = BY_KEY["seed_opinions"]
    new = with_text(field, "ann: Hello: you\n\nBob: Hi", setup)
    assert new.seed_opinions == ("Hello: you", "Hi")
    assert new.seed_opinion_usernames == ("Ann", "Bob")
    assert as_text(field, new) == "Ann: Hello: you\nBob: Hi"


def test_seed_opinions_without_names_are_given_to_users(setup: DiscussionSetup) -> None:
    new = with_text(BY_KEY["seed_opinions"], "Hello\nHi", setup)
    assert new.seed_opinion_usernames == ()


def test_a_nameless_line_among_named_ones_is_pointed_out(setup: DiscussionSetup) -> None:
    with pytest.raises(FieldError, match="line 2: begin it with a name"):
        with_text(BY_KEY["seed_opinions"], "Ann: Hello\nHi", setup)


def test_history_all_and_numbers(setup: DiscussionSetup) -> None:
    field = BY_KEY["history_context_len"]
    assert with_text(field, "all", setup).history_context_len is None
    unlimited = with_text(field, "ALL", setup)
    back = stepped(field, -1, unlimited)
    assert back
    assert back.history_context_len == 10
    assert stepped(field, 1, unlimited) is None


def test_a_step_beyond_the_limit_does_nothing(setup: DiscussionSetup) -> None:
    assert stepped(BY_KEY["p_respond"], 1, with_text(BY_KEY["p_respond"], "1", setup)) is None


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("conv_len", "", "must be a whole number"),
        ("conv_len", "0", "must be at least 1"),
        ("temperature", "warm", "must be a number"),
        ("temperature", "nan", "must be"),
        ("model", " ", "must not be empty"),
        ("history_context_len", "some", "must be a whole number"),
    ],
)
def test_faults_are_said_in_a_few_words(
    key: str, text: str, sentence: str, setup: DiscussionSetup
) -> None:
    with pytest.raises(FieldError, match=sentence):
        with_text(BY_KEY[key], text, setup)
