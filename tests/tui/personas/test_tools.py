"""Personas changed fast: in the list itself, many at once, by twins, draws, sets and an editor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.content import Content
from textual.widgets import Input

from syndisco_tui.discussion import Persona
from syndisco_tui.store.personas import read_personas, write_personas
from syndisco_tui.tui.laboratory.screen import Laboratory
from syndisco_tui.tui.personas.generator import Generator
from syndisco_tui.tui.personas.list import PersonaList
from syndisco_tui.tui.shell.external_editor import editor_command
from tests.support.bench import SIZES, Bench, OpenBench

PEOPLE = tuple(
    Persona(username=name, age=age, demographic_group=group, current_employment="Baker")
    for name, age, group in [("Ann", 30, "White"), ("Bob", 40, "White"), ("Cleo", 50, "Black")]
)


def people(at: Bench) -> tuple[Persona, ...]:
    return at.laboratory.personas_pane.selection.personas


def names(at: Bench) -> list[str]:
    return [persona.name for persona in people(at)]


def somebody(at: Bench, name: str) -> Persona:
    return next(persona for persona in people(at) if persona.name == name)


async def undone(at: Bench, before: tuple[Persona, ...]) -> None:
    """One u takes all of it back, on disk too."""
    assert people(at) != before
    await at.press("u")
    assert people(at) == before


class TestOneField:
    async def test_f_typing_and_enter_change_the_field_in_the_list(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("f", "4", "4", "enter")
            assert somebody(at, "Emma35").age == 44
            assert "44  female" in at.text()
            assert at.laboratory.setup.personas[0].age == 44
            assert read_personas(at.folders.personas_file)[0].age == 44
            await undone(at, before)

    async def test_left_and_right_choose_the_field_which_is_remembered(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            await at.press("f", "right", "right", "right", "right")
            assert "‹ Occupation ›" in at.text()
            await at.type("Cook")
            await at.press("enter", "down", "f")
            assert "‹ Occupation ›" in at.text()
            await at.type("Poet")
            await at.press("enter", "f", "left", "escape")
            assert [each.current_employment for each in people(at)[:2]] == ["Cook", "Poet"]

    async def test_in_a_text_that_was_touched_the_arrows_move_the_cursor(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            await at.press("f", "end", "left", "1", "enter")
            assert somebody(at, "Emma35").age == 318

    async def test_tab_saves_and_goes_to_another_field(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("f", "9", "tab")
            assert "‹ Sex ›" in at.text()
            await at.press("shift+tab", "shift+tab")
            assert "‹ Username ›" in at.text()
            await at.press("escape")
            assert somebody(at, "Emma35").age == 9

    async def test_down_keeps_the_value_and_goes_on_with_the_next_persona(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            await at.press("f", "1", "1", "down", "2", "2", "down", "up", "escape")
            assert [each.age for each in people(at)[:3]] == [11, 22, 41]
            assert at.laboratory.personas_pane.list.highlighted == 1

    async def test_escape_leaves_it_and_the_list_has_the_keys_again(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = at.laboratory.setup
            await at.press("f", "9", "escape", "y", "down", "down", "down", "space")
            assert at.laboratory.setup.names == (*before.names[:2], "Amina_K", "Moderator")

    async def test_lists_have_commas_and_what_is_not_touched_stays_to_the_letter(
        self, bench: OpenBench
    ) -> None:
        odd = Persona(username="Odd", age="38", personality_characteristics=("kind, but firm", "x"))
        async with bench(personas=(odd,)) as at:
            await at.press("end", "f", "enter")  # the age is text and stays text
            assert people(at)[-1] == odd
            for _ in range(6):
                await at.press("f", "right", "enter")
            assert at.laboratory.personas_pane.edits.last_field == "personality_characteristics"
            assert people(at)[-1] == odd
            await at.press("f")
            await at.type("calm, dry")
            await at.press("enter")
            assert people(at)[-1].personality_characteristics == ("calm", "dry")

    async def test_free_fields_too(self, bench: OpenBench) -> None:
        moody = Persona.model_validate({"username": "Moody", "mood": "glum", "pets": 2})
        async with bench(personas=(moody,)) as at:
            await at.press("end", "f", *["left"] * 2)
            assert "‹ pets ›" in at.text()
            await at.press("3", "enter", "f", "left")
            assert "‹ mood ›" in at.text()
            await at.press("4", "enter")
            assert people(at)[-1].model_extra == {"pets": 3, "mood": "4"}  # text stays text

    async def test_the_value_is_for_whom_the_bar_was_opened(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("f", "9", "9")
            at.laboratory.personas_pane.list.focus()
            await at.press("down")
            at.laboratory.personas_pane.footer.bar.query_one(Input).focus()
            await at.press("enter")
            assert [each.age for each in people(at)[:2]] == [99, 21]

    async def test_a_taken_name_is_refused_in_place(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("f", "left")
            await at.type("giannis")
            await at.press("enter")
            assert "there is a persona called “Giannis”" in at.text()
            await at.press("ctrl+u", "enter")
            assert "a persona needs a username" in at.text()
            await at.press("escape")
            assert names(at)[0] == "Emma35"

    async def test_a_renamed_author_keeps_their_opinion_and_undo_gives_it_back(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            await at.press("f", "left")
            await at.type("Zoe")
            await at.press("enter")
            assert at.laboratory.setup.seed_opinion_usernames == ("Zoe",)
            await at.press("u")
            assert at.laboratory.setup.seed_opinion_usernames == ("Emma35",)
            assert names(at)[0] == "Emma35"


class TestManyFields:
    async def test_a_preview_then_one_change_and_one_undo(self, bench: OpenBench) -> None:
        async with bench(personas=PEOPLE) as at:
            before = people(at)
            await at.press("f", "right", "right", "right", "escape", "F")
            assert "‹ Demographic group ›" in at.text()
            await at.press("up", "right", "down")
            await at.type("White")
            text = at.text()
            assert "2 personas: Demographic group “White”" not in text
            assert "1 persona: Demographic group “Black” → “White”" in text
            assert "no change" in text
            await at.press("enter")
            assert {each.demographic_group for each in people(at)} == {"White"}
            assert "Demographic group of 2 personas changed" in at.toasts()
            await undone(at, before)
            assert {each.name: each.demographic_group for each in people(at)}["Cleo"] == "Black"

    async def test_those_taking_part_come_first(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("F", "7", "7", "enter")
            assert [each.age for each in people(at)[:4]] == [77, 77, 41, 29]

    async def test_all_that_are_like_the_one_under_the_cursor(self, bench: OpenBench) -> None:
        async with bench(personas=PEOPLE) as at:
            await at.press("end", "up", "F", "up", "up", "right", "right", "right")
            assert "‹ Demographic group ›" in at.text()
            await at.press("down", "right", "right", "down")
            await at.type("Greek")
            assert "“White” → “Greek”" in at.text()
            await at.press("enter")
            assert [each.demographic_group for each in people(at)[-3:]] == [
                "Greek",
                "Greek",
                "Black",
            ]

    async def test_it_begins_with_the_value_under_the_cursor(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("F")
            assert "1 persona: Age “21” → “38”" in at.text()
            await at.press("up", "up", "right", "ctrl+s")
            assert [each.sex for each in people(at)[:3]] == ["female", "female", "male"]

    async def test_emptied_in_many(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("F", "backspace")
            assert "1 persona: Age “21” → nothing" in at.text()
            await at.press("enter")
            assert [each.age for each in people(at)[:3]] == [None, None, 41]

    async def test_escape_changes_nothing(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("F", "9", "escape", "escape")
            assert "New value" in at.text(), "esc twice discards nothing"
            await at.press("escape", "y")
            assert people(at) == before


class TestTwin:
    async def test_a_twin_differs_in_one_field_and_has_a_name_of_its_own(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("T", "right")
            await at.type("male")
            await at.press("enter")
            assert names(at)[:3] == ["Emma35", "Emma35-2", "Giannis"]
            emma, twin = (each.attributes() for each in people(at)[:2])
            assert {field for field in emma if emma[field] != twin[field]} == {"username", "sex"}
            assert at.laboratory.personas_pane.list.highlighted == 1
            assert "Emma35-2" not in at.laboratory.setup.names
            await undone(at, before)

    async def test_a_twin_that_does_not_differ_is_not_made(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("T", "enter")
            assert "the copy must differ: change the value" in at.text()
            await at.press("escape")
            assert people(at) == before


class TestDraw:
    async def test_drawn_personas_come_in_below_the_cursor_and_can_be_drawn_again(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("G")
            form = at.app.screen
            assert isinstance(form, Generator)
            assert "12 personas" in at.text()
            await at.press("ctrl+u", "4", "down", "down", "down", "down")
            assert form.focused is not None
            form.query_one("#values-0", Input).value = "20 | 65+"
            await at.pilot.pause()
            assert "Persona04" in at.text()
            await at.press("ctrl+s")
            drawn = people(at)[1:5]
            assert [each.name for each in drawn] == [f"Persona0{n}" for n in range(1, 5)]
            assert sorted(str(each.age) for each in drawn) == ["20", "20", "65+", "65+"]
            assert {each.sex for each in drawn} <= {"female", "male", "non-binary"}
            assert "Moderator" not in {each.current_employment for each in drawn}
            await undone(at, before)
            await at.press("home", "G")
            at.app.screen.query_one("#count", Input).value = "4"
            at.app.screen.query_one("#values-0", Input).value = "20 | 65+"
            await at.press("ctrl+s")
            assert people(at)[1:5] == drawn

    async def test_what_makes_no_sense_is_said_and_nothing_is_drawn(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("G", "ctrl+u")
            await at.type("lots")
            assert "how many: a whole number from 1 to 1000" in at.text()
            await at.press("ctrl+s")
            assert isinstance(at.app.screen, Generator)
            await at.press("escape", "y")
            assert people(at) == before

    async def test_names_of_ones_own_and_a_thousand(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("G")
            at.app.screen.query_one("#names", Input).value = "Ann, Giannis"
            at.app.screen.query_one("#count", Input).value = "1000"
            await at.press("ctrl+s")
            assert names(at)[1:4] == ["Ann", "Giannis-2", "Ann-2"]
            assert len(set(names(at))) == 1011

    async def test_ranges_and_weights(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("G")
            at.app.screen.query_one("#values-0", Input).value = "18-75"
            at.app.screen.query_one("#values-1", Input).value = "female:2 | male:1"
            await at.pilot.pause()
            await at.press("ctrl+s")
            drawn = people(at)[1:13]
            assert [each.sex for each in drawn].count("female") == 8
            ages = [each.age for each in drawn]
            assert all(isinstance(age, int) and 18 <= age <= 75 for age in ages)
            assert len(set(ages)) == 12
            await at.press("G")
            at.app.screen.query_one("#values-0", Input).value = "75-18"
            await at.pilot.pause()
            assert "Age: 75-18 runs backwards: write 18-75" in at.text()

    async def test_the_generator_begins_with_values_that_it_reads_as_they_are(
        self, bench: OpenBench
    ) -> None:
        odd = Persona(username="Odd", age="25-34", sex="a:1", education_level="x | y")
        async with bench(personas=(odd,)) as at:
            await at.press("end", "v", "G", "ctrl+s")
            drawn = people(at)[-12:]
            assert {(each.age, each.sex, each.education_level) for each in drawn} == {
                ("25-34", "a:1", "x | y")
            }

    async def test_new_ones_are_where_one_looks(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("end", "up", "G", "ctrl+s")
            shown = at.text()
            assert "Persona01" in shown
            assert "Persona09" in shown, "as many as have room, not the first at the lower edge"
            pane = at.laboratory.personas_pane
            assert people(at)[pane.list.highlighted or 0].name == "Persona01"
            pane.import_personas([Persona(username="Imported")])
            await at.until(lambda: "Imported" in at.text())
            assert people(at)[pane.list.highlighted or 0].name == "Imported"


class TestFilter:
    async def test_typing_lists_who_has_the_words_in_any_field(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("slash")
            await at.type("male")
            text = at.text()
            assert "OldTom" in text
            assert "Amina_K" not in text, "male begins no word of hers"
            assert "5 of 11" in text
            await at.type(" driver")
            assert "OldTom" in at.text()
            assert "Giannis  " not in at.text()
            await at.press("enter", "space")
            assert at.laboratory.setup.names == ("Emma35", "Giannis", "OldTom", "Moderator")
            await at.press("escape")
            assert "Amina_K" in at.text()
            assert people(at)[at.laboratory.personas_pane.list.highlighted or 0].name == "OldTom"

    async def test_down_leads_into_the_list_and_esc_back_to_all(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("slash")
            await at.type("fe")
            await at.press("down", "down")
            assert at.app.focused is at.laboratory.personas_pane.list
            await at.press("f", "5", "5", "down", "escape")
            assert somebody(at, "Amina_K").age == 55
            assert at.laboratory.personas_pane.list.highlighted == names(at).index("priya.dev")
            await at.press("shift+up")
            assert "clear it with esc" in at.toasts()
            await at.press("slash", "escape")
            assert "Giannis" in at.text()
            assert at.app.focused is at.laboratory.personas_pane.list

    async def test_accents_do_not_count(self, bench: OpenBench) -> None:
        async with bench(personas=(*PEOPLE, Persona(username="Zoë"))) as at:
            await at.press("slash")
            await at.type("zoe")
            assert "Zoë" in at.text()
            assert "1 of 7" in at.text()

    async def test_no_match_is_said_and_somebody_new_is_not_hidden(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("slash")
            await at.type("zzz")
            assert "No match. esc clears the filter." in at.text()
            await at.press("enter", "n")
            await at.type("Zoe")
            await at.press("ctrl+s")
            assert "Zoe" in at.text()
            assert "Emma35" in at.text()


class TestMarks:
    async def test_marked_ones_take_part_together_and_leave_together(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            before = at.laboratory.setup.names
            await at.press("down", "down", "down", "v", "v", "v", "space")
            assert "3 marked" in at.text()
            assert set(at.laboratory.setup.names) == {*before, "Amina_K", "OldTom", "priya.dev"}
            await at.press("space")
            assert at.laboratory.setup.names == before
            await at.press("V", "space")
            assert len(at.laboratory.setup.personas) == 10
            assert at.laboratory.setup.moderator is not None, "the moderator stays"
            await at.press("escape")
            assert "marked" not in at.text()

    async def test_marked_ones_are_deleted_with_one_undo(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("slash")
            await at.type("female")
            await at.press("enter", "V", "escape")
            assert "5 marked" in at.text()
            await at.press("delete")
            assert "5 personas deleted" in at.toasts()
            assert {each.sex for each in people(at)} == {"male", "non-binary"}
            assert "marked" not in at.text()
            await undone(at, before)

    async def test_marked_ones_get_a_field_and_are_saved_as_a_set(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("end", "v", "f", "left")
            await at.type("Nic")
            await at.press("enter", "up", "v", "F")
            assert "‹ marked (2) ›" in at.text(), "a new name keeps its mark"
            await at.press("7", "7", "enter")
            assert [each.name for each in people(at) if each.age == 77] == ["Sigrid", "Nic"]
            await at.press("S")
            assert "‹ marked (2) ›" in at.text()
            await at.type("two")
            await at.press("enter")
            file = at.folders.personas_file.parent / "personas" / "two.json"
            assert [each.name for each in read_personas(file)] == ["Sigrid", "Nic"]


class TestLikelyMistakes:
    async def test_a_sign_in_the_row_and_a_list_that_leads_there(self, bench: OpenBench) -> None:
        odd = PEOPLE[0].model_copy(
            update={"username": "Zed", "sexual_orientation": "White", "age": 9}
        )
        async with bench(personas=(*PEOPLE, odd)) as at:
            await at.until(lambda: "Zed      ?" in at.text())
            await at.press("home", "L")
            assert "“White” looks like a demographic_group" in at.text()
            await at.press("end", "enter")
            assert at.laboratory.personas_pane.list.highlighted == len(people(at)) - 1
            await at.press("f")
            assert "‹ Sexual orientation ›" in at.text()
            await at.press("backspace", "enter")
            await at.until(lambda: "Zed      ?" not in at.text())

    async def test_nothing_is_marked_among_the_shipped(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("L")
            assert "No likely mistakes" in at.toasts()
            assert isinstance(at.app.screen, Laboratory)


class TestSets:
    async def test_a_saved_set_is_opened_again(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("S")
            await at.type("my people")
            await at.press("down", "right", "ctrl+s")
            file = at.folders.personas_file.parent / "personas" / "my people.json"
            assert [each.name for each in read_personas(file)] == ["Emma35", "Giannis", "Moderator"]
            assert oct(file.stat().st_mode)[-3:] == "600"
            await at.press("O")
            assert "my people" in at.text()
            assert "town-hall" in at.text()
            await at.type("my")
            assert "town-hall" not in at.text()
            await at.press("enter", "r")
            assert names(at) == ["Emma35", "Giannis", "Moderator"]
            assert at.laboratory.setup.names == ("Emma35", "Giannis", "Moderator")
            await undone(at, before)

    @pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "a\\b", "x" * 51, "-x"])
    async def test_a_name_never_becomes_a_path(self, bench: OpenBench, name: str) -> None:
        async with bench() as at:
            await at.press("S")
            at.app.screen.query_one("#name", Input).value = name
            await at.press("enter")
            assert "The name of a set begins with a letter or digit" in at.text()
            await at.press("escape")
            assert not list(at.folders.personas_file.parent.rglob("*.json"))

    async def test_a_set_is_written_over_only_when_told_twice(self, bench: OpenBench) -> None:
        async with bench() as at:
            for _ in range(2):
                await at.press("S")
                await at.type("mine")
                await at.press("enter")
            assert "There is a set “mine” already" in at.text()
            await at.press("enter")
            assert isinstance(at.app.screen, Laboratory)

    async def test_adding_leaves_out_who_is_there_and_numbers_who_has_a_taken_name(
        self, bench: OpenBench, tmp_path: Path
    ) -> None:
        file = tmp_path / "others.json"
        async with bench() as at:
            before = people(at)
            write_personas(file, [people(at)[0], Persona(username="giannis", age=3)])
            await at.press("O")
            await at.type(str(file))
            await at.press("enter", "a")
            assert names(at)[:3] == ["Emma35", "giannis-2", "Giannis"]
            assert "1 persona added" in at.toasts()
            await undone(at, before)

    async def test_replaced_and_all_of_them_take_part(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("O")
            await at.type("town")
            await at.press("enter", "t")
            assert len(names(at)) == len(at.laboratory.setup.personas) == 8
            await undone(at, before)
            assert at.laboratory.setup.names == ("Emma35", "Giannis", "Moderator")

    async def test_a_file_of_clones_gets_names(self, bench: OpenBench, tmp_path: Path) -> None:
        file = tmp_path / "clones.json"
        write_personas(file, [Persona(username="P000")] * 3)
        async with bench() as at:
            await at.press("O")
            await at.type(str(file))
            await at.press("enter")
            assert "2 of them get a number" in at.text()
            await at.press("t")
            assert names(at) == ["P000", "P000-2", "P000-3"]

    async def test_a_table_is_opened_too(self, bench: OpenBench, tmp_path: Path) -> None:
        file = tmp_path / "people.csv"
        file.write_text("username,age\nZoe,33\n")
        async with bench() as at:
            await at.press("O")
            await at.type(str(file))
            await at.press("enter", "r")
            assert people(at) == (Persona(username="Zoe", age=33),)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [(None, "there is no such file"), ("[", "not valid JSON"), ("[]", "holds no personas")],
    )
    async def test_what_cannot_be_opened_is_said(
        self, bench: OpenBench, tmp_path: Path, content: str | None, sentence: str
    ) -> None:
        file = tmp_path / "x.json"
        if content is not None:
            file.write_text(content)
        async with bench() as at:
            await at.press("O")
            await at.type(str(file))
            await at.press("enter")
            assert sentence in at.toasts()
            assert len(names(at)) == 11

    async def test_a_set_that_cannot_be_read_does_not_hide_the_others(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            folder = at.folders.personas_file.parent / "personas"
            folder.mkdir()
            (folder / "[bold]x.json").write_text("{")
            await at.press("O")
            assert "cannot be read" in at.text()
            assert "[bold]x" in at.text()
            assert "town-hall" in at.text()


class TestOrder:
    async def test_shift_moves_the_persona_and_the_cursor_with_it(self, bench: OpenBench) -> None:
        async with bench() as at:
            before = people(at)
            await at.press("shift+down", "shift+down")
            assert names(at)[:4] == ["Giannis", "Moderator", "Emma35", "Amina_K"]
            assert at.laboratory.setup.names == ("Giannis", "Emma35", "Moderator")
            assert [each.name for each in read_personas(at.folders.personas_file)] == names(at)
            await at.press("shift+up", "shift+up", "shift+up", "shift+up")
            assert people(at) == before
            await at.press("u", "u", "u", "u")
            assert people(at) == before


class TestEditor:
    async def test_without_an_editor_one_sentence_says_what_to_do(
        self, bench: OpenBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", " ")
        monkeypatch.setenv("PATH", "/nowhere")
        async with bench() as at:
            await at.press("E")
            assert "vi is not installed: quit, enter “export EDITOR=nano”" in at.toasts()

    def test_where_none_is_named_it_is_vi_as_for_git(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        vi = tmp_path / "vi"
        vi.touch(mode=0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("VISUAL", "")
        monkeypatch.delenv("EDITOR", raising=False)
        assert editor_command() == ["vi"]
        monkeypatch.setenv("EDITOR", "ed -p '> '")
        assert editor_command() == ["ed", "-p", "> "]
        monkeypatch.setenv("VISUAL", "emacs -nw")
        assert editor_command() == ["emacs", "-nw"]

    async def test_where_the_screen_cannot_step_aside_it_says_so(
        self, bench: OpenBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("VISUAL", "true")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        async with bench() as at:
            await at.press("E", "enter")
            assert "cannot run another program; press e" in at.toasts()
            assert not list(tmp_path.glob("syndisco-*"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", ["f", "F", "T", "G", "S", "O"])
async def test_picture_of_each(
    bench: OpenBench, size: tuple[int, int], key: str, snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await at.press(key)
        assert at.text() == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_likely_mistakes(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    odd = Persona.model_validate({"username": "Zed", "age": 300, "Sex": "m"})
    async with bench(size, personas=(*PEOPLE, odd)) as at:
        await at.until(lambda: "Zed      ?" in at.text())
        await at.press("L")
        assert at.text() == snapshot


async def test_a_thousand_are_drawn_as_they_come_into_sight(
    bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(Persona(username=f"P{n:04}", age=20 + n % 50) for n in range(1000))
    async with bench(personas=many) as at:
        drawn: list[int] = []
        draw_row = PersonaList.draw_row

        def note_row(
            listed: PersonaList, index: int, width: int, *, is_highlighted: bool
        ) -> Sequence[Content]:
            drawn.append(index)
            return draw_row(listed, index, width, is_highlighted=is_highlighted)

        monkeypatch.setattr(PersonaList, "draw_row", note_row)
        await at.press("end", "space")
        assert "P0999" in at.text()
        assert "P0999" in at.laboratory.setup.names
        assert len(set(drawn)) < 100
