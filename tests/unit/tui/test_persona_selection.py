"""A persona selection whose list is moved, replaced or added to keeps the parts."""

from __future__ import annotations

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.tui.personas.selection import (
    PersonaSelection,
    renamed,
    renamed_author,
)
from syndisco_tui.workspace.personas import named_apart

ANN, BOB, CLEO = (Persona(username=name) for name in ("Ann", "Bob", "Cleo"))
SELECTION = PersonaSelection((ANN, BOB, CLEO), frozenset({"ann"}), "bob")


def names(selection: PersonaSelection) -> list[str]:
    return [persona.name for persona in selection.personas]


def test_moving_stops_at_the_ends() -> None:
    assert names(SELECTION.move(0, 1)) == ["Bob", "Ann", "Cleo"]
    assert SELECTION.move(0, -1) == SELECTION
    assert SELECTION.move(2, 5) == SELECTION
    assert SELECTION.move(2, -9).personas[0] == CLEO


def test_in_another_list_the_same_names_keep_their_parts() -> None:
    selection = SELECTION.with_list([CLEO, Persona(username="ANN ")])
    assert (selection.users, selection.moderator) == ({"ann"}, None)
    assert SELECTION.with_list([CLEO, BOB]).moderator == "bob"


def test_who_is_renamed_in_place_keeps_their_part() -> None:
    after = [Persona(username="Zoe"), Persona(username="Max"), CLEO]
    assert renamed(SELECTION.personas, after) == (("Ann", "Zoe"), ("Bob", "Max"))
    selection = SELECTION.replace_all(after)
    assert (selection.users, selection.moderator) == ({"zoe"}, "max")


def test_another_order_is_no_renaming() -> None:
    assert renamed(SELECTION.personas, [CLEO, BOB, ANN]) == ()
    assert SELECTION.replace_all([CLEO, BOB, ANN]).users == {"ann"}


def test_several_take_part_or_no_longer_and_the_moderator_stays() -> None:
    selection = SELECTION.toggle_users((0, 1, 2))
    assert (selection.users, selection.moderator) == ({"ann", "cleo"}, "bob")
    assert selection.toggle_users((0, 1, 2)).users == frozenset()


def test_several_are_taken_out_wherever_they_stand() -> None:
    selection = SELECTION.remove((2, 1))
    assert (names(selection), selection.users, selection.moderator) == (["Ann"], {"ann"}, None)


def test_all_take_part_but_the_moderator() -> None:
    assert SELECTION.with_all_users().users == {"ann", "cleo"}


def test_added_are_those_that_are_not_there_under_names_of_their_own() -> None:
    other_ann = Persona(username="ann", age=3)
    assert names(SELECTION.insert_missing(1, [BOB, other_ann])) == ["Ann", "ann-2", "Bob", "Cleo"]


def test_names_that_stand_twice_are_told_apart() -> None:
    apart = named_apart([ANN, ANN, Persona(username="ann ")], {"ann-2"})
    assert [persona.name for persona in apart] == ["Ann", "Ann-3", "ann-4"]
    assert apart[0] is ANN


def test_who_is_renamed_keeps_opinion_and_instructions() -> None:
    setup = DiscussionSetup(
        personas=(ANN, BOB),
        own_instructions={"ann": "Provoke", "Bob": "Be kind"},
        seed_opinions=("Hm",),
        seed_opinion_usernames=("Ann",),
    )
    after = renamed_author(setup, "Ann", "Anna")
    assert after.own_instructions == {"Anna": "Provoke", "Bob": "Be kind"}
    assert after.seed_opinion_usernames == ("Anna",)
