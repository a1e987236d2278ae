"""Designs: cells, repeats, and draws that are the same in every cell."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from syndisco_tui.discussion.design import ExperimentDesign, plan
from tests.support.people import people

POOL = [{"username": name} for name in ("Ann", "Bob", "Cem", "Dia", "Eva", "Moderator")]
EXAMPLE: dict[str, Any] = {
    "title": "Does a moderator help?",
    "repeats": 10,
    "seed": 1,
    "users": {"personas": POOL, "count": 3},
    "topics": [["First comment.", "Second comment."], ["Opener."]],
    "setup": {"conv_len": 15},
    "factors": {
        "turns": {
            "robin": {"turn_manager": "RoundRobin"},
            "respond": {"turn_manager": "RandomWeighted", "p_respond": 0.4},
        },
        "moderation": {"none": {}, "moderated": {"moderator": "Moderator"}},
    },
}


def design(**changes: Any) -> ExperimentDesign:
    return ExperimentDesign.model_validate(EXAMPLE | changes)


def test_every_cell_is_repeated() -> None:
    planned = list(plan(design()))
    assert len(planned) == 40
    assert len({each.name for each in planned}) == 40
    assert [dict(each.cell) for each in planned[:4]] == [
        {"turns": "robin", "moderation": "none"},
        {"turns": "robin", "moderation": "moderated"},
        {"turns": "respond", "moderation": "none"},
        {"turns": "respond", "moderation": "moderated"},
    ]
    assert planned[0].name == "c001-r0001-robin-none"
    first, second, third = planned[0].setup, planned[1].setup, planned[2].setup
    assert (first.turn_manager, first.moderator, first.conv_len) == ("RoundRobin", None, 15)
    assert second.moderator is not None
    assert (third.turn_manager, third.p_respond) == ("RandomWeighted", 0.4)
    assert first.title == "Does a moderator help?"


def test_a_repeat_is_the_same_in_every_cell_and_differs_from_others() -> None:
    drawn = [
        (each.repeat, each.setup.personas, each.setup.seed_opinions, each.setup.seed)
        for each in plan(design())
    ]
    assert len(set(drawn)) == 10
    assert len({seed for _, _, _, seed in drawn}) == 10
    assert {opinions for _, _, opinions, _ in drawn} == set(design().topics)
    assert len({personas for _, personas, _, _ in drawn}) > 5


def test_unpaired_cells_draw_for_themselves() -> None:
    planned = list(plan(design(paired=False)))
    assert len({each.setup.seed for each in planned}) == 40
    first = [each.setup.personas for each in planned if each.repeat == 1]
    assert len(set(first)) > 1


def test_whoever_moderates_anywhere_is_nobody_s_user() -> None:
    for each in plan(design()):
        assert "Moderator" not in [persona.name for persona in each.setup.personas]


def test_adding_repeats_changes_no_earlier_one() -> None:
    few, many = list(plan(design(repeats=2))), list(plan(design(repeats=5)))
    assert few == many[: len(few)]


def test_exclude() -> None:
    fewer = design(exclude=[{"turns": "robin", "moderation": ["none", "moderated"]}])
    assert [cell["turns"] for cell in fewer.cells] == ["respond", "respond"]
    with pytest.raises(ValidationError, match="turns has no level “robbin”"):
        design(exclude=[{"turns": "robbin"}])
    with pytest.raises(ValidationError, match="no factor “turn”"):
        design(exclude=[{"turn": "robin"}])
    with pytest.raises(ValidationError, match="leaves no cell"):
        design(exclude=[{"turns": ["robin", "respond"]}])


def test_without_factors_and_draws_it_is_a_setup_with_repeats() -> None:
    setup = {"personas": people("Ann", "Bob")}
    planned = list(plan(ExperimentDesign(repeats=3, setup=setup)))
    assert [each.name for each in planned] == ["c001-r0001", "c001-r0002", "c001-r0003"]
    assert {each.setup.names for each in planned} == {("Ann", "Bob")}
    assert len({each.setup.seed for each in planned}) == 3


def test_own_instructions_of_those_who_were_not_drawn_are_left_out() -> None:
    trolls = {"own_instructions": {"Ann": "You are a troll", "Bob": "You are a troll"}}
    for each in plan(design(setup=trolls)):
        assert set(each.setup.own_instructions) <= set(each.setup.names)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factors": {"t": {"a": {"turnmanager": "RoundRobin"}}}}, "did you mean turn_manager"),
        ({"factors": {"t": {"a": {"seed": 1}}}}, "seed is the design's own"),
        ({"factors": {"t": {}}}, "factors.t has no levels"),
        ({"repeats": 100_000}, "400,000 discussions"),
    ],
)
def test_what_is_wrong_with_a_design(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        design(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"setup": {"conv_len": 0}}, "the cell turns robin, moderation none: conv_len"),
        ({"users": {"personas": POOL, "count": 6}}, "6 are to be drawn from 5 personas"),
        (
            {"factors": {"m": {"a": {"moderator": "Moderater"}}}},
            "the cell m a: moderator: none of the personas is called “Moderater”; did you mean",
        ),
    ],
)
def test_what_is_wrong_with_a_cell(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(plan(design(**changes)))
