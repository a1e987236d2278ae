"""Who speaks next: SynDisco's turn managers against their rules and against theory."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import islice, pairwise

import pytest

from syndisco_tui.discussion import (
    TURN_MANAGERS,
    DiscussionSetup,
    RandomTurn,
    RandomWeighted,
    RoundRobin,
    TurnManager,
)
from syndisco_tui.discussion.turns import make_turn_manager
from tests.support.statistics_of_draws import assert_rate, assert_uniform

NAMES = ("Ann", "Bob", "Cem", "Dia", "Eli")
PROBABILITIES = (0.0, 0.4, 1.0)
SEEDS = range(3000)
TURNS = 10


@cache
def runs(p_respond: float) -> list[list[str]]:
    """The first ``TURNS`` speakers for every seed."""
    return [list(islice(RandomWeighted(NAMES, p_respond, seed=s), TURNS)) for s in SEEDS]


# RoundRobin -----------------------------------------------------------------------------------


def test_round_robin_goes_in_order_forever() -> None:
    assert list(islice(RoundRobin(["John", "Mary", "Zoe"]), 3000)) == ["John", "Mary", "Zoe"] * 1000


def test_round_robin_is_sure_of_the_next() -> None:
    manager = RoundRobin(["John", "Mary"])
    assert manager.odds([]) == {"John": 1.0, "Mary": 0.0}
    assert manager.odds(["John"]) == {"John": 0.0, "Mary": 1.0}


def test_round_robin_does_not_depend_on_the_seed() -> None:
    assert {next(RoundRobin(["John", "Mary"], seed=seed)) for seed in range(50)} == {"John"}


# RandomWeighted against theory ----------------------------------------------------------------


@pytest.mark.parametrize("p_respond", PROBABILITIES)
def test_first_speaker_is_uniform(p_respond: float) -> None:
    first = Counter(run[0] for run in runs(p_respond))
    assert_uniform([first[name] for name in NAMES])


@pytest.mark.parametrize("p_respond", PROBABILITIES)
def test_second_speaker_is_uniform_among_the_others(p_respond: float) -> None:
    pairs = Counter((run[0], run[1]) for run in runs(p_respond))
    assert_uniform([pairs[a, b] for a in NAMES for b in NAMES if a != b])
    assert not any(pairs[name, name] for name in NAMES)


@pytest.mark.parametrize("p_respond", PROBABILITIES)
@pytest.mark.parametrize("turn", range(3, TURNS + 1))
def test_from_the_third_turn_the_one_before_answers_as_often_as_theory_says(
    p_respond: float, turn: int
) -> None:
    """Heads: the one before the last. Tails: uniform, who may be that one all the same."""
    answers = sum(run[turn - 1] == run[turn - 3] for run in runs(p_respond))
    assert_rate(answers, len(SEEDS), p_respond + (1 - p_respond) / (len(NAMES) - 1))


@pytest.mark.parametrize("p_respond", [0.0, 0.4])
def test_who_does_not_answer_is_uniform_among_the_rest(p_respond: float) -> None:
    places: Counter[int] = Counter()
    for run in runs(p_respond):
        for before, last, speaker in zip(run, run[1:], run[2:], strict=False):
            if speaker != before:
                rest = [name for name in NAMES if name not in (before, last)]
                places[rest.index(speaker)] += 1
    assert_uniform([places[i] for i in range(len(NAMES) - 2)])


def test_the_coin_of_a_turn_does_not_remember_the_coin_before() -> None:
    rate = 0.4 + 0.6 / (len(NAMES) - 1)
    both = [(run[4] == run[2], run[5] == run[3]) for run in runs(0.4)]
    assert_rate(sum(first and second for first, second in both), len(SEEDS), rate * rate)


@pytest.mark.parametrize("p_respond", PROBABILITIES)
def test_nobody_speaks_twice_running(p_respond: float) -> None:
    assert all(a != b for run in runs(p_respond) for a, b in pairwise(run))


def test_at_one_the_first_two_talk_to_each_other_for_good() -> None:
    assert all(run == (run[:2] * TURNS)[:TURNS] for run in runs(1.0))


@pytest.mark.parametrize("p_respond", PROBABILITIES)
def test_two_alone_alternate(p_respond: float) -> None:
    for seed in range(100):
        run = list(islice(RandomWeighted(["Ann", "Bob"], p_respond, seed=seed), 8))
        assert run in (["Ann", "Bob"] * 4, ["Bob", "Ann"] * 4)


# RandomWeighted, its stated odds --------------------------------------------------------------


def test_odds_of_the_first_turn() -> None:
    assert RandomWeighted(NAMES, 0.4).odds([]) == dict.fromkeys(NAMES, 0.2)


def test_odds_of_the_second_turn_know_no_coin() -> None:
    odds = RandomWeighted(NAMES, 1.0).odds(["Bob"])
    assert odds == {"Ann": 0.25, "Bob": 0.0, "Cem": 0.25, "Dia": 0.25, "Eli": 0.25}


def test_odds_from_the_third_turn_on() -> None:
    odds = RandomWeighted(NAMES, 0.4).odds(["Ann", "Bob"])
    assert odds == pytest.approx({"Ann": 0.55, "Bob": 0, "Cem": 0.15, "Dia": 0.15, "Eli": 0.15})


def test_odds_look_at_the_last_two_alone() -> None:
    manager = RandomWeighted(NAMES, 0.4)
    assert manager.odds(["Dia", "Cem", "Eli", "Ann", "Bob"]) == manager.odds(["Ann", "Bob"])


@pytest.mark.parametrize("previous", [["Zoe", "Ann"], ["Ann", "Zoe"], ["Zoe", "Max"]])
def test_who_has_left_is_not_chosen(previous: list[str]) -> None:
    odds = RandomWeighted(["Ann", "Bob", "Cem"], 1.0).odds(previous)
    assert set(odds) == {"Ann", "Bob", "Cem"}
    assert sum(odds.values()) == pytest.approx(1)
    assert odds.get(previous[-1], 0) == 0


# RandomTurn -----------------------------------------------------------------------------------


def test_random_turn_is_uniform_among_all_but_the_last() -> None:
    places: Counter[int] = Counter()
    for seed in SEEDS:
        run = list(islice(RandomTurn(NAMES, seed=seed), TURNS))
        for last, speaker in pairwise(run):
            places[[name for name in NAMES if name != last].index(speaker)] += 1
    assert_uniform([places[i] for i in range(len(NAMES) - 1)])


# All of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TURN_MANAGERS)
def test_one_actor_alone_simply_speaks_again(kind: str) -> None:
    assert list(islice(make_turn_manager(kind, ["Ann"], p_respond=0.4, seed=1), 5)) == ["Ann"] * 5


@pytest.mark.parametrize("kind", TURN_MANAGERS)
@pytest.mark.parametrize("p_respond", PROBABILITIES)
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_odds_name_everybody_and_sum_to_one(kind: str, p_respond: float, count: int) -> None:
    names = [f"user {i}" for i in range(count)]
    manager = make_turn_manager(kind, names, p_respond=p_respond, seed=3)
    spoken: list[str] = []
    for _ in range(12):
        odds = manager.odds(spoken)
        assert list(odds) == names
        assert all(probability >= 0 for probability in odds.values())
        assert sum(odds.values()) == pytest.approx(1)
        speaker = next(manager)
        assert odds[speaker] > 0
        spoken.append(speaker)


@pytest.mark.parametrize("kind", TURN_MANAGERS)
def test_a_turn_is_computed_alone_from_who_spoke_before(kind: str) -> None:
    run = list(islice(make_turn_manager(kind, NAMES, p_respond=0.4, seed=7), 20))
    for turn, speaker in enumerate(run):
        alone = make_turn_manager(kind, NAMES, p_respond=0.4, seed=7)
        assert alone.choose(run[:turn]) == speaker
        assert alone.choose(run[:turn]) == speaker, "asking must not move it on"


def test_speakers_are_those_of_every_earlier_version() -> None:
    """A saved discussion goes on with these: another hash or rule would change them."""
    assert "".join(islice(RandomWeighted("abcd", 0.4, seed=7), 24)) == "cdcbdadadacadabdbabdbdbd"
    assert "".join(islice(RandomTurn("abcd", seed=7), 10)) == "cdbadacadb"


def test_managers_are_iterators_over_names() -> None:
    manager = RoundRobin(["John", "Mary"])
    assert iter(manager) is manager
    assert [next(manager), next(manager), next(manager)] == ["John", "Mary", "John"]
    assert next(RoundRobin(["John", "Mary"])) == "John"


def test_two_managers_do_not_share_their_place() -> None:
    first, second = RoundRobin(["John", "Mary"]), RoundRobin(["John", "Mary"])
    next(first)
    assert next(second) == "John"


@pytest.mark.parametrize("manager", [RoundRobin, RandomWeighted, RandomTurn])
def test_nobody_at_all_is_an_error(manager: type[TurnManager]) -> None:
    with pytest.raises(ValueError, match="at least one name"):
        manager([])


@pytest.mark.parametrize("manager", [RoundRobin, RandomWeighted, RandomTurn])
def test_the_same_name_twice_is_an_error_that_names_both(manager: type[TurnManager]) -> None:
    with pytest.raises(ValueError, match="“John” and “ JOHN ”"):
        manager(["John", "Mary", " JOHN "])


@pytest.mark.parametrize("p_respond", [-0.01, 1.01, float("nan"), float("inf")])
def test_p_respond_is_a_probability(p_respond: float) -> None:
    with pytest.raises(ValueError, match="p_respond"):
        RandomWeighted(NAMES, p_respond)


def test_make_turn_manager_hands_p_respond_and_seed_on() -> None:
    manager = make_turn_manager("RandomWeighted", NAMES, p_respond=0.3, seed=11)
    assert isinstance(manager, RandomWeighted)
    assert (manager.p_respond, manager.seed, manager.names) == (0.3, 11, NAMES)
    assert make_turn_manager("RandomTurn", NAMES, p_respond=0.9, seed=1).odds(["Ann", "Bob"]) == {
        "Ann": 0.25,
        "Bob": 0.0,
        "Cem": 0.25,
        "Dia": 0.25,
        "Eli": 0.25,
    }


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("QueueTurnManager", "RoundRobin"),
        ("RespondTurnManager", "RandomWeighted"),
        ("RandomTurnManager", "RandomTurn"),
    ],
)
def test_syndisco_s_own_names_are_understood(theirs: str, ours: str) -> None:
    made = [make_turn_manager(kind, NAMES, p_respond=0.4, seed=7) for kind in (theirs, ours)]
    assert list(islice(made[0], 20)) == list(islice(made[1], 20))
    setup = DiscussionSetup.model_validate({"turn_manager": theirs})
    assert setup.turn_manager == ours  # which is what files say from then on
