"""When two names are one, which one a slip is near to, and names of nobody in a setup."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import (
    Discussion,
    DiscussionSetup,
    Message,
    Persona,
    RandomWeighted,
    name_clash,
    name_key,
    near_name,
)
from syndisco_tui.discussion.lint import author_warnings
from syndisco_tui.discussion.name_checks import (
    outside_author_warnings,
    outside_authors,
    own_instructions_errors,
)
from syndisco_tui.discussion.names import name_spellings
from syndisco_tui.discussion.prompt import chat_prompt, stop_strings

COMPOSED, DECOMPOSED = "Ren\u00e9", "Rene\u0301"


def setup(**values: object) -> DiscussionSetup:
    personas = tuple(Persona(username=name) for name in ("Emma35", "Giannis", COMPOSED))
    return DiscussionSetup.model_validate(
        {"personas": personas, "moderator": Persona(username="Mod"), **values}
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (COMPOSED, DECOMPOSED),
        (COMPOSED.upper(), DECOMPOSED),
        ("Straße", "STRASSE"),
        (" Ann ", "ann"),
        ("\u1e9b\u0323", "\u1e9b\u0323".casefold()),
    ],
)
def test_names_that_look_the_same_are_the_same(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
    assert name_clash([one, "Zoe", other]) == (one, other)


@given(st.text(max_size=8))
def test_every_spelling_of_a_name_has_one_key(name: str) -> None:
    for form in ("NFC", "NFD"):
        assert name_key(unicodedata.normalize(form, name)) == name_key(name)
    assert name_key(name_key(name)) == name_key(name)


def test_different_names_are_different() -> None:
    assert name_clash(["Rene", COMPOSED, "Emma", "Emma35"]) is None


def test_two_personas_of_one_name_are_refused_however_it_is_composed() -> None:
    people = [{"username": COMPOSED}, {"username": DECOMPOSED}]
    with pytest.raises(ValueError, match="are the same"):
        DiscussionSetup.model_validate({"personas": people})


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Emma", "Emma35"),
        ("emma_35", "Emma35"),
        ("Gianis", "Giannis"),
        ("Emma35b", "Emma35"),
        ("Zorba", None),
        ("", None),
    ],
)
def test_a_slip_has_a_near_name(name: str, near: str | None) -> None:
    assert near_name(name, ["Emma35", "Giannis"]) == near


def test_both_spellings_are_looked_for_the_longest_first() -> None:
    assert name_spellings([COMPOSED, "Al"]) == (DECOMPOSED, COMPOSED, "Al")


class TestDiscussions:
    """Somebody whose name is spelt anew in the middle of a discussion stays who they were."""

    def test_nobody_speaks_twice_in_a_row(self) -> None:
        manager = RandomWeighted([COMPOSED, "Zoe", "Ann"], 1.0)
        assert manager.odds([DECOMPOSED])[COMPOSED] == 0
        assert manager.odds([DECOMPOSED.upper(), "zoe"]) == {COMPOSED: 1, "Zoe": 0, "Ann": 0}

    def test_ones_own_messages_are_ones_own_turns(self) -> None:
        history = [Message(DECOMPOSED, "Oui.", "user", 1)]
        assert [turn.role for turn in chat_prompt("chat", "", history, COMPOSED)][-1] == "assistant"
        assert stop_strings("chat", [DECOMPOSED], COMPOSED) == ()

    def test_who_was_heard_is_put_in_under_their_name(self) -> None:
        discussion = Discussion(setup())
        assert discussion.inject(DECOMPOSED, "Oui.").name == COMPOSED
        assert discussion.inject("Zo\u00e9", "Oui.").name == "Zo\u00e9"
        assert discussion.inject("ZOE\u0301", "Oui.").name == "Zo\u00e9"


def test_a_near_author_is_pointed_out_at_the_persona() -> None:
    quoting = setup(seed_opinions=("a", "b"), seed_opinion_usernames=("Emma", "Zorba"))
    (warning,) = author_warnings(quoting.personas, quoting)
    assert warning.index == 0
    assert warning.sentence == "a seed opinion is by “Emma”, who takes no part; is Emma35 meant?"


class TestSetups:
    def test_own_instructions_of_nobody_are_an_error_with_the_near_name(self) -> None:
        sentence = "own_instructions: no user is called “Emma”; did you mean “Emma35”?"
        assert own_instructions_errors(setup(own_instructions={"Emma": "PROVOKE"})) == (sentence,)
        sentence = "own_instructions: no user is called “Zorba”"
        assert own_instructions_errors(setup(own_instructions={"Zorba": "PROVOKE"})) == (sentence,)

    def test_a_moderators_are_written_elsewhere(self) -> None:
        (sentence,) = own_instructions_errors(setup(own_instructions={"mod": "Be kind"}))
        assert sentence.endswith("is the moderator; write them as moderator_instructions")

    def test_one_user_has_them_once(self) -> None:
        (sentence,) = own_instructions_errors(
            setup(own_instructions={"Emma35": "a", "emma35": "b"})
        )
        assert sentence == "own_instructions: “Emma35” and “emma35” are the same name"

    def test_case_and_composition_do_not_matter(self) -> None:
        good = setup(own_instructions={"emma35 ": "PROVOKE", DECOMPOSED: "PROVOKE"})
        assert own_instructions_errors(good) == ()
        assert good.actor("Emma35").instructions == good.actor(COMPOSED).instructions == "PROVOKE"

    def test_a_stranger_may_be_quoted_and_a_near_name_is_asked_about(self) -> None:
        quoting = setup(
            seed_opinions=("a", "b", "c"), seed_opinion_usernames=("Zorba", "Emma", "mod")
        )
        assert outside_authors(quoting) == ("Zorba", "Emma")
        assert outside_author_warnings(quoting) == (
            (
                "seed_opinion_usernames: “Emma” takes no part in the discussion; "
                "did you mean “Emma35”?"
            ),
        )


def test_a_joiner_that_nobody_sees_makes_no_other_name() -> None:
    assert name_key("می\u200cخواهم") == name_key("میخواهم")
