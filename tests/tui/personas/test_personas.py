"""Personas from the keyboard: who takes part, and who they are."""

from __future__ import annotations

import pytest
from textual.widgets import Input, TextArea

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.store.personas import read_personas, write_personas
from syndisco_tui.tui.personas.selection import with_own
from syndisco_tui.workspace.personas import merge_lists
from tests.support.bench import Bench, OpenBench


def names(at: Bench) -> list[str]:
    return [persona.name for persona in at.laboratory.personas_pane.selection.personas]


async def test_space_takes_part_and_no_longer(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("down", "down", "down", "space")
        assert at.laboratory.setup.names == ("Emma35", "Giannis", "Amina_K", "Moderator")
        await at.press("space")
        assert at.laboratory.setup.names == ("Emma35", "Giannis", "Moderator")


async def test_m_makes_the_moderator_who_then_is_no_user(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("m")
        assert at.laboratory.setup.moderator
        assert at.laboratory.setup.moderator.name == "Emma35"
        assert [persona.name for persona in at.laboratory.setup.personas] == ["Giannis"]
        await at.press("m")
        assert at.laboratory.setup.moderator is None


async def test_e_edits_every_field_and_ctrl_s_saves(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("e")
        at.app.screen.query_one("#field-age", Input).value = "44"
        at.app.screen.query_one("#field-personality_characteristics", TextArea).text = "calm, dry"
        at.app.screen.query_one("#field-further", TextArea).text = "mood: cheerful\npets: 2"
        await at.press("ctrl+s")
        persona = at.laboratory.setup.personas[0]
        assert persona.age == 44
        assert persona.personality_characteristics == ("calm", "dry")
        assert persona.model_extra == {"mood": "cheerful", "pets": 2}
        assert read_personas(at.folders.personas_file)[0] == persona


async def test_an_age_of_hundreds_of_digits_can_be_read_again(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("e")
        at.app.screen.query_one("#field-age", Input).value = "9" * 400
        await at.press("ctrl+s")
        age = at.laboratory.setup.personas[0].age
        assert read_personas(at.folders.personas_file)[0].age == age == "9" * 400


async def test_the_preview_shows_the_system_prompt_as_it_is_typed(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("e", "tab")
        await at.press("ctrl+u", "7", "7")
        await at.until(lambda: '"age": 77' in at.text())
        assert '"context": "You are taking part' in at.text()


async def test_a_name_that_is_taken_is_refused_beside_the_form(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("e")
        at.app.screen.query_one("#field-username", Input).value = " giannis "
        await at.pilot.pause()
        assert "there is a persona called “Giannis” already" in at.text()
        await at.press("ctrl+s")
        assert "there is a persona called" in at.text()  # still open
        await at.press("escape", "y")
        assert names(at)[0] == "Emma35"


async def test_esc_leaves_the_persona_as_it_was(bench: OpenBench) -> None:
    async with bench() as at:
        before = at.laboratory.setup
        await at.press("e")
        await at.type("xyz")
        await at.press("escape")
        assert at.laboratory.setup == before
        assert "Discard what you typed?" in at.text()
        await at.press("n")
        assert at.app.screen.query_one("#field-username", Input).value == "xyz"
        await at.press("escape", "y")
        assert at.laboratory.setup == before
        assert at.app.screen is at.laboratory


async def test_n_makes_a_new_one_below_the_cursor(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("n")
        await at.type("Zoe")
        await at.press("ctrl+s")
        assert names(at)[:3] == ["Emma35", "Zoe", "Giannis"]


async def test_d_duplicates_under_a_free_name(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("d", "d")
        assert names(at)[:3] == ["Emma35", "Emma35-2", "Emma35-3"]


async def test_delete_and_undo(bench: OpenBench) -> None:
    async with bench() as at:
        before = names(at)
        await at.press("delete")
        assert names(at) == before[1:]
        assert at.laboratory.setup.names == ("Giannis", "Moderator")
        await at.press("u")
        assert names(at) == before
        assert at.laboratory.setup.names == ("Emma35", "Giannis", "Moderator")


async def test_a_deleted_seed_author_keeps_their_opinion(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("delete")
        assert at.laboratory.setup.seed_opinion_usernames == ("Emma35",)
        await at.press("r")
        await at.until_state("finished")


async def test_an_edit_while_it_runs_applies_from_the_next_turn_and_the_file_says_so(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        await at.run_until_somebody_speaks()
        await at.press("1", "down", "e")
        at.app.screen.query_one("#field-further", TextArea).text = "mood: furious"
        await at.press("ctrl+s")
        await at.until(lambda: "from turn" in at.text())
        at.engine.may_speak.set()
        await at.until_state("finished")
        (record,) = at.records()
        assert record.earlier_setups
        said = [entry for entry in record.entries if entry.name == "Giannis" and entry.is_prompted]
        assert "furious" not in said[0].prompt
        assert '"mood": "furious"' in said[-1].prompt


async def test_many_personas_scroll(bench: OpenBench) -> None:
    async with bench((80, 24)) as at:
        await at.press(*["d"] * 20)
        await at.press("end")
        assert "nico_nico" in at.text()
        await at.press("home")
        assert "Emma35 " in at.text()


async def test_a_change_is_there_at_the_next_start_and_stays(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("e")
        at.app.screen.query_one("#field-age", Input).value = "99"
        await at.press("ctrl+s")
    own = tuple(read_personas(at.folders.personas_file))
    setup = with_own(at.laboratory.setup.model_copy(update={"seed": 3}), own)
    async with bench(setup=setup, personas=own) as at:
        assert at.laboratory.setup.personas[0].age == 99
        await at.press("end", "d")
        assert read_personas(at.folders.personas_file)[0].age == 99


async def test_what_a_resumed_discussion_brings_along_does_not_overwrite_the_own_list(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("ctrl+n", "r")
        await at.until_state("finished")
        await at.press("e")
        at.app.screen.query_one("#field-age", Input).value = "99"
        await at.press("ctrl+s")
        await at.until(lambda: "R resume" in at.text())
        await at.press("R")
        await at.until(lambda: at.laboratory.setup.personas[0].age == 38)
        await at.press("end", "d")
        assert read_personas(at.folders.personas_file)[0].age == 99
        await at.press("home", "e")
        at.app.screen.query_one("#field-age", Input).value = "39"
        await at.press("ctrl+s")
        await at.until(lambda: at.laboratory.setup.personas[0].age == 39)
        assert read_personas(at.folders.personas_file)[0].age == 99, "another version of them"


async def test_what_others_write_into_the_list_meanwhile_stays_in_it(bench: OpenBench) -> None:
    own = (Persona(username="Ann", age=30), Persona(username="Bob", age=40))
    setup = DiscussionSetup(personas=own, model="scripted")
    async with bench(setup=setup, personas=own) as at:
        file = at.folders.personas_file
        write_personas(file, own)
        await at.press("end", "d")
        changed = own[0].model_copy(update={"age": 31})
        there = [changed, *read_personas(file)[1:], Persona(username="Imported")]
        write_personas(file, there)
        await at.press("home", "d", "u")
        await at.until(lambda: "changed elsewhere too: 1 added" in at.toasts())
        assert read_personas(file) == there
        assert "Imported" in at.text()
        await at.press("end", "delete")
        assert read_personas(file) == there[:-1]


async def test_a_list_that_others_have_broken_is_not_written_over(bench: OpenBench) -> None:
    async with bench() as at:
        at.folders.personas_file.write_text("[{")
        await at.press("d")
        await at.until(lambda: "correct their file first" in at.toasts())
        assert at.folders.personas_file.read_text() == "[{"


@pytest.mark.parametrize(
    ("mine", "theirs", "kept"),
    [
        ("Ann 1, Bob 2", "Ann 1, Bob 2, Eve 3", "Ann 1, Bob 2, Eve 3"),
        ("Ann 1, Bob 2, New 1", "Ann 1, Bob 2, New 2", "Ann 1, Bob 2, New 1, New-2 2"),
        ("Ann 1, Bob 2", "Ann 9, Bob 2", "Ann 9, Bob 2"),
        ("Ann 5, Bob 2", "Ann 9, Bob 2", "Ann 5, Bob 2, Ann-2 9"),
        ("Ann 9, Bob 2", "Ann 9, Bob 2", "Ann 9, Bob 2"),
        ("Bob 2", "Ann 1, Bob 2, Eve 3", "Bob 2, Eve 3"),
        ("Bob 2", "Ann 9, Bob 2", "Bob 2, Ann 9"),
    ],
)
def test_of_two_who_change_the_list_neither_loses_anything(
    mine: str, theirs: str, kept: str
) -> None:
    here, added = merge_lists(people(mine), people("Ann 1, Bob 2"), people(theirs))
    assert (*here, *added) == people(kept)


def people(told: str) -> tuple[Persona, ...]:
    """Personas as names and ages."""
    each = (one.rsplit(" ", 1) for one in told.split(", "))
    return tuple(Persona(username=name, age=int(age)) for name, age in each)


async def test_undo_does_not_put_the_former_people_into_another_discussion(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("ctrl+n", "r")
        await at.until_state("finished")
        await at.press("space", "end", "d")
        await at.until(lambda: "R resume" in at.text())
        await at.press("R")
        await at.until(lambda: len(at.laboratory.setup.personas) == 2)
        there, own = at.laboratory.setup.personas, at.folders.personas_file.read_bytes()
        await at.press("u")
        assert at.laboratory.setup.personas == there
        assert at.folders.personas_file.read_bytes() == own
        assert "Nothing to undo." in at.toasts()


async def test_a_change_of_the_cast_keeps_what_was_edited_in_the_setup(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("2", *["down"] * 7, "right", "right", "1", "down", "down", "down", "space")
        assert at.laboratory.setup.conv_len == 10
        assert "Amina_K" in at.laboratory.setup.names


async def test_a_renamed_author_keeps_their_seed_opinion(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("e")
        at.app.screen.query_one("#field-username", Input).value = "Zoe"
        await at.press("ctrl+s")
        assert at.laboratory.setup.seed_opinion_usernames == ("Zoe",)


async def test_nobody_left_pauses_instead_of_going_on_with_those_who_are_out(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("1", "space", "down", "space", "r")
        assert "Nobody takes part" in at.toasts()
        assert at.laboratory.view.phase == "paused"


async def test_what_is_not_touched_in_the_form_stays_to_the_letter(bench: OpenBench) -> None:
    odd = Persona.model_validate(
        {"username": "Odd", "age": "38", "personality_characteristics": ["kind, but firm", "x"]}
    )
    async with bench(personas=(odd,)) as at:
        await at.press("end", "e")
        at.app.screen.query_one("#field-sex", Input).value = "female"
        await at.press("ctrl+s")
        persona = read_personas(at.folders.personas_file)[-1]
        assert (persona.age, persona.sex) == ("38", "female")
        assert persona.personality_characteristics == ("kind, but firm", "x")


async def test_escapes_in_a_persona_reach_neither_form_nor_terminal(bench: OpenBench) -> None:
    evil = Persona.model_validate({"username": "Evil", "mood": "\x1b]2;title\x07 \u202eabc \x9b"})
    async with bench(personas=(evil,)) as at:
        await at.press("end", "e")
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(at.text())
        await at.press("escape")
        assert at.laboratory.personas_pane.selection.personas[-1] == evil


async def test_paging_in_a_list_without_height_does_no_harm(bench: OpenBench) -> None:
    async with bench() as at:
        await at.pilot.resize_terminal(20, 3)
        await at.press("pagedown", "pageup")
        assert at.app.is_running


async def test_copies_of_the_longest_names_can_be_read_back(bench: OpenBench) -> None:
    async with bench(personas=(Persona(username="N" * 100),)) as at:
        await at.press("end", "d", "d")
        assert len(read_personas(at.folders.personas_file)) == 3


async def test_an_empty_list_says_what_to_do(bench: OpenBench) -> None:
    async with bench((120, 40)) as at:
        count = len(at.laboratory.personas_pane.selection.personas)
        await at.press(*["delete"] * (count - 1))
        await at.until(lambda: "of 1 take part" in at.text())
        await at.press("delete", "r")
        await at.until(lambda: "No personas: n makes one, O opens a set" in at.text())
        await at.until(lambda: "Nobody takes part: make a persona with n." in at.toasts())
        await at.press("u")
        await at.until(lambda: "of 1 take part" in at.text())


async def test_the_columns_take_the_room_there_is(bench: OpenBench) -> None:
    for width in (120, 105, 80, 60):
        async with bench((width, 40)) as at:
            assert "non-binary  Barista" in at.text(), at.text()


async def test_the_usual_terminal_shows_whole_occupations(bench: OpenBench) -> None:
    async with bench((120, 40)) as at:
        assert "non-binary  Barista" in at.text()
        assert "High School Teacher" in at.text(), at.text()
