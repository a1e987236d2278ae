"""A setup is one value that defines a run; what cannot run is refused where it is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.discussion.participant_models import ParticipantModel
from tests.support.people import MODERATOR, people, setup


def test_the_defaults_are_syndiscos() -> None:
    plain = DiscussionSetup()
    assert plain.context == "You are taking part in an online conversation"
    assert plain.instructions == "Act like a human would"
    assert (plain.turn_manager, plain.prompt_style) == ("RoundRobin", "syndisco-2.0")
    assert (plain.history_context_len, plain.moderator, plain.seed) == (5, None, 0)


# Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [("Ann", "Ann"), ("Ann", "ANN"), ("Ann", "ann ")])
def test_two_users_of_one_name_are_an_error_that_names_both(first: str, second: str) -> None:
    with pytest.raises(ValidationError, match=f"“{first}” and “{second.strip()}” are the same"):
        setup(first, "Bob", second)


def test_the_moderators_name_is_nobody_elses() -> None:
    with pytest.raises(ValidationError, match="“MODERATOR” and “Moderator” are the same"):
        setup("Ann", "MODERATOR", moderated=True)


def test_names_are_users_first_and_the_moderator_last() -> None:
    assert setup("Bob", " Ann ", moderated=True).names == ("Bob", "Ann", "Moderator")


def test_the_moderator_is_no_turn_taker_unless_the_setup_says_so() -> None:
    assert setup(moderated=True).turn_takers == ("Ann", "Bob")
    both = setup(moderated=True, moderator_takes_turns=True)
    assert both.turn_takers == ("Ann", "Bob", "Moderator")
    assert setup(moderator_takes_turns=True).turn_takers == ("Ann", "Bob")


# Actors ---------------------------------------------------------------------------------------


def test_users_and_moderator_have_instructions_of_their_own() -> None:
    some = setup(moderated=True, context="C", instructions="U", moderator_instructions="M")
    ann, moderator = some.actor("Ann"), some.actor("Moderator")
    assert (ann.role, ann.context, ann.instructions) == ("user", "C", "U")
    assert (moderator.role, moderator.context, moderator.instructions) == ("moderator", "C", "M")


def test_a_user_may_have_others_than_the_rest() -> None:
    some = setup("Ann", "Bob", instructions="Be kind.", own_instructions={" bob": "Provoke."})
    assert some.actor("Ann").instructions == "Be kind."
    assert some.actor("Bob").instructions == "Provoke."


def test_an_actor_is_found_by_the_trimmed_name() -> None:
    assert setup(" Ann ").actor("Ann").persona == Persona(username=" Ann ")


def test_somebody_unknown_is_no_actor() -> None:
    with pytest.raises(KeyError):
        setup().actor("Zoe")


# Bounds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "lowest", "highest"),
    [
        ("p_respond", 0, 1),
        ("conv_len", 1, 100_000),
        ("max_out_tokens", 1, 100_000),
        ("temperature", 0, 10),
        ("seed", 0, (1 << 53) - 1),
        ("history_context_len", 0, 10**9),
        ("history_context_len", None, None),
        ("top_k", 0, 10**6),
        ("top_p", 0.001, 1),
        ("repetition_penalty", 0.001, 10),
    ],
)
def test_both_ends_of_a_range_are_allowed(field: str, lowest: Any, highest: Any) -> None:
    assert getattr(setup(**{field: lowest}), field) == lowest
    assert getattr(setup(**{field: highest}), field) == highest


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("p_respond", -0.01),
        ("p_respond", 1.01),
        ("p_respond", float("nan")),
        ("conv_len", 0),
        ("conv_len", 100_001),
        ("conv_len", 2.5),
        ("history_context_len", -1),
        ("max_out_tokens", 0),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", -1),
        ("repetition_penalty", 0),
        ("seed", -1),
        ("seed", 1 << 53),
        ("model", ""),
        ("turn_manager", "Roundrobin"),
        ("prompt_style", "syndisco-3.0"),
        ("quantization", "2bit"),
        ("dtype", "float8"),
        ("personas", [{"age": 3}]),
        ("moderator", {"username": ""}),
    ],
)
def test_a_value_outside_is_an_error_that_names_the_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        DiscussionSetup.model_validate({field: value})


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValidationError, match="conv_length"):
        DiscussionSetup.model_validate({"conv_length": 3})


# Seed opinions --------------------------------------------------------------------------------


def test_seed_opinions_are_said_by_those_named() -> None:
    some = setup(seed_opinions=("one", "two"), seed_opinion_usernames=("Bob", "Zoe"))
    assert some.seeded() == [("Bob", "one"), ("Zoe", "two")]


def test_one_author_may_have_several() -> None:
    some = setup(seed_opinions=("one", "two", "three"), seed_opinion_usernames=("Bob",) * 3)
    assert some.seeded() == [("Bob", "one"), ("Bob", "two"), ("Bob", "three")]


def test_an_authors_name_is_the_participants_however_it_is_written() -> None:
    some = setup(seed_opinions=("one", "two"), seed_opinion_usernames=(" bob ", " Zoe "))
    assert some.seeded() == [("Bob", "one"), ("Zoe", "two")]


def test_without_usernames_users_are_drawn_without_replacement() -> None:
    users = ("Ann", "Bob", "Cem", "Dia")
    firsts = set()
    for seed in range(60):
        drawn = setup(*users, seed_opinions=("1", "2", "3", "4"), seed=seed, moderated=True)
        authors = [author for author, _ in drawn.seeded()]
        assert sorted(authors) == sorted(users), "users alone, and each once"
        assert [text for _, text in drawn.seeded()] == ["1", "2", "3", "4"]
        firsts.add(authors[0])
    assert firsts == set(users)


def test_authors_drawn_are_those_of_every_earlier_version() -> None:
    some = setup("a", "b", "c", "d", seed_opinions=("x", "y", "z"), seed=7)
    assert some.seeded() == [("b", "x"), ("d", "y"), ("a", "z")] == some.seeded()


def test_an_empty_opinion_is_not_said_and_moves_nobody() -> None:
    full = setup("a", "b", "c", seed_opinions=("x", "y", "z"), seed=7).seeded()
    gap = setup("a", "b", "c", seed_opinions=("x", " ", "z"), seed=7).seeded()
    assert gap == [full[0], full[2]]


@pytest.mark.parametrize("names", [("Ann",), ("Ann", "Bob", "Ann")])
def test_opinions_and_usernames_are_as_many(names: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match=f"2 entries and seed_opinion_usernames {len(names)}"):
        setup(seed_opinions=("one", "two"), seed_opinion_usernames=names)


def test_usernames_without_opinions_are_an_error() -> None:
    with pytest.raises(ValidationError, match="seed_opinions"):
        setup(seed_opinion_usernames=("Ann",))


@pytest.mark.parametrize("name", ["", "  "])
def test_an_author_has_a_name(name: str) -> None:
    with pytest.raises(ValidationError, match="seed_opinion_usernames: username 2 is empty"):
        setup(seed_opinions=("one", "two"), seed_opinion_usernames=("Ann", name))


def test_more_opinions_than_users_need_named_authors() -> None:
    with pytest.raises(ValidationError, match="seed_opinions has 3 entries but only 2 users"):
        setup(seed_opinions=("one", "two", "three"))


def test_a_moderator_alone_is_no_author_to_draw() -> None:
    with pytest.raises(ValidationError, match="seed_opinion_usernames"):
        DiscussionSetup(moderator=MODERATOR, moderator_takes_turns=True, seed_opinions=("one",))


# One value ------------------------------------------------------------------------------------


FULL = DiscussionSetup(
    title="Autos – ja?",
    personas=(
        Persona.model_validate({"username": "Ann", "age": -1, "hobbies": ["Schach"], "x": None}),
        Persona(username="李雷", age="Under 18", personality_characteristics=("calm",)),
    ),
    moderator=MODERATOR,
    moderator_takes_turns=True,
    context="A forum",
    instructions='Say "hi"\n',
    own_instructions={"Ann": "Provoke."},
    moderator_instructions="Be kind",
    seed_opinions=("one", "two"),
    seed_opinion_usernames=("Ann", "Zoe"),
    turn_manager="RandomWeighted",
    p_respond=0.1 + 0.2,
    conv_len=15,
    history_context_len=None,
    prompt_style="syndisco-2.2",
    model="some/model",
    quantization="4bit",
    dtype="bfloat16",
    max_out_tokens=1500,
    temperature=0.0,
    top_p=1.0,
    top_k=0,
    repetition_penalty=1.0,
    seed=(1 << 53) - 1,
    server=("lab", "http://127.0.0.1:8000/v1"),
    models={"Ann": ParticipantModel(model="other", reasoning="off")},
    reasoning="off",
    guard="off",
    silence_words=("(silent)", "no response"),
    reasoning_effort="low",
    max_reasoning_tokens=500,
    stop_when_silent_for=2,
    stop_when_said="(?i)tschüss",
    max_discussion_tokens=9000,
    tell_turns_left=True,
)


def test_the_full_setup_differs_from_the_defaults_in_every_field() -> None:
    plain = DiscussionSetup()
    same = [
        field for field in plain.__class__.model_fields if _get(FULL, field) == _get(plain, field)
    ]
    assert same == [], "the round trip below must try them too"


def _get(some: DiscussionSetup, field: str) -> object:
    return getattr(some, field)


@pytest.mark.parametrize("some", [DiscussionSetup(), setup(moderated=True), FULL])
def test_a_setup_survives_json(some: DiscussionSetup) -> None:
    through_text = json.loads(json.dumps(some.model_dump(mode="json"), allow_nan=False))
    assert DiscussionSetup.model_validate(through_text) == some
    assert DiscussionSetup.model_validate_json(some.model_dump_json()) == some


class TestModels:
    SETUP = setup("Ann", "Bob", model="m", server="http://a/v1", dtype="float16")

    def of(self, **models: Any) -> DiscussionSetup:
        return DiscussionSetup.model_validate({**self.SETUP.model_dump(), "models": models})

    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            ({"model": "n"}, ("n", ("http://a/v1",))),
            ("n", ("n", ("http://a/v1",))),
            ({"server": "http://b/v1"}, ("auto", ("http://b/v1",))),
            ({"model": "n", "server": ["http://b/v1", "lab"]}, ("n", ("http://b/v1", "lab"))),
            ({"model": "n", "server": ""}, ("n", ())),
            ({"reasoning": "off"}, ("m", ("http://a/v1",))),
        ],
    )
    def test_what_is_not_given_is_the_setups(self, entry: object, expected: object) -> None:
        own = self.of(Ann=entry).with_model_of("ann ")
        assert (own.model, own.server) == expected
        assert own.dtype == "float16"
        assert self.of(Ann=entry).with_model_of("Bob") == self.of(Ann=entry)

    @pytest.mark.parametrize("entry", [{"modle": "n"}, {"model": ""}, {"server": "a b"}, 3])
    def test_a_slip_is_refused(self, entry: object) -> None:
        with pytest.raises(ValidationError):
            self.of(Ann=entry)

    def test_names_of_models_in_the_place_of_auto_make_no_other_setup(self) -> None:
        requested = self.of(Ann={"server": "http://b/v1"}, Bob={"reasoning": "off"})
        auto = requested.model_copy(update={"model": "auto"})
        resolved = self.of(Ann={"server": "http://b/v1", "model": "x"}, Bob={"reasoning": "off"})
        assert resolved.names_models_of(requested)
        assert resolved.names_models_of(auto)
        assert not auto.names_models_of(resolved)
        assert not self.of(Ann={"server": "http://c/v1", "model": "x"}).names_models_of(auto)


def test_a_setup_is_a_value() -> None:
    assert setup(seed=3) == setup(seed=3) != setup(seed=4)
    with pytest.raises(ValidationError, match="frozen"):
        setup().seed = 5  # type: ignore[misc]


def test_nobody_yet_is_a_setup_still_being_written() -> None:
    empty = DiscussionSetup(seed_opinions=("one", "two", "three"))
    assert empty.turn_takers == () == empty.names
    assert empty.model_copy(update={"personas": people("Ann")}).names == ("Ann",)
