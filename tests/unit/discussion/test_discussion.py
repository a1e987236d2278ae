"""The state machine: whose turn it is, what is asked, what becomes of a reply."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syndisco_tui.discussion import (
    HARDCODED,
    Discussion,
    DiscussionSetup,
    EarlierSetup,
    Message,
    NotTheNextTurn,
    Reply,
)
from syndisco_tui.discussion.chance import draw_seed
from syndisco_tui.discussion.turns import make_turn_manager
from tests.support.people import MODERATOR, asked, names, people, say, setup, texts


def to_the_end(discussion: Discussion) -> Discussion:
    while request := discussion.next_request():
        discussion.post(request, Reply(f"{request.role} {request.turn}"))
    return discussion


# Turns ----------------------------------------------------------------------------------------


def test_conv_len_turns_are_taken_and_then_it_is_over() -> None:
    discussion = Discussion(setup(conv_len=5))
    taken = [discussion.turns_taken]
    while request := discussion.next_request():
        assert not discussion.is_finished
        assert request.turn == len(taken)
        say(discussion, "Hi")
        taken.append(discussion.turns_taken)
    assert taken == [0, 1, 2, 3, 4, 5]
    assert discussion.is_finished
    assert names(discussion.entries) == ["Ann", "Bob", "Ann", "Bob", "Ann"]


def test_speakers_are_the_turn_managers() -> None:
    some = setup("a", "b", "c", "d", turn_manager="RandomWeighted", p_respond=0.4, conv_len=24)
    seeded = some.model_copy(update={"seed": 7})
    assert "".join(to_the_end(Discussion(seeded)).speakers()) == "cdcbdadadacadabdbabdbdbd"


def test_silences_take_their_turn_and_the_next_speaker_follows() -> None:
    discussion = Discussion(setup(conv_len=4))
    say(discussion, '""', "", "Hi", " ")
    assert discussion.is_finished
    assert names(discussion.entries) == ["Ann", "Bob", "Ann", "Bob"]
    assert [entry.is_silence for entry in discussion.entries] == [True, True, False, True]


def test_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody takes part"):
        Discussion(DiscussionSetup())
    with pytest.raises(ValueError, match="nobody takes part"):
        Discussion(DiscussionSetup(moderator=MODERATOR))


def test_one_user_alone_goes_on_alone() -> None:
    assert names(to_the_end(Discussion(setup("Ann", conv_len=3))).entries) == ["Ann"] * 3


# The moderator --------------------------------------------------------------------------------


def test_the_moderator_is_asked_after_every_spoken_comment() -> None:
    discussion = to_the_end(Discussion(setup(moderated=True, conv_len=3)))
    assert [(entry.name, entry.role, entry.turn) for entry in discussion.entries] == [
        ("Ann", "user", 1),
        ("Moderator", "moderator", 1),
        ("Bob", "user", 2),
        ("Moderator", "moderator", 2),
        ("Ann", "user", 3),
        ("Moderator", "moderator", 3),
    ]


def test_the_moderators_answers_are_not_counted_in_conv_len() -> None:
    discussion = Discussion(setup(moderated=True, conv_len=1))
    say(discussion, "Hi")
    assert discussion.turns_taken == 1
    assert not discussion.is_finished, "the moderator still answers"
    assert asked(discussion).name == "Moderator"
    say(discussion, "Be kind")
    assert (discussion.turns_taken, discussion.is_finished) == (1, True)


def test_the_moderator_is_not_asked_after_a_silence() -> None:
    discussion = Discussion(setup(moderated=True, conv_len=3))
    say(discussion, '""', "Hi", "Be kind", "")
    assert names(discussion.entries) == ["Ann", "Bob", "Moderator", "Ann"]
    assert discussion.is_finished


def test_a_silent_moderator_has_answered() -> None:
    discussion = Discussion(setup(moderated=True))
    say(discussion, "Hi", '""')
    assert asked(discussion).name == "Bob"


def test_seed_opinions_are_not_moderated() -> None:
    discussion = Discussion(setup(moderated=True, seed_opinions=("one",)))
    assert asked(discussion).role == "user"


def test_the_moderator_reads_the_moderators_instructions() -> None:
    discussion = Discussion(setup(moderated=True, instructions="U", moderator_instructions="M"))
    user = asked(discussion)
    say(discussion, "Hi")
    prompts = [json.loads(request.system_prompt) for request in (user, asked(discussion))]
    assert [prompt["instructions"] for prompt in prompts] == ["U", "M"]
    assert [prompt["persona"]["username"] for prompt in prompts] == ["Ann", "Moderator"]


def test_a_moderator_who_takes_turns_answers_nobody_and_is_counted() -> None:
    some = setup(moderated=True, moderator_takes_turns=True, conv_len=4)
    discussion = to_the_end(Discussion(some))
    assert [(entry.name, entry.role, entry.turn) for entry in discussion.entries] == [
        ("Ann", "user", 1),
        ("Bob", "user", 2),
        ("Moderator", "moderator", 3),
        ("Ann", "user", 4),
    ]


def test_a_human_in_the_moderators_name_has_answered() -> None:
    discussion = Discussion(setup(moderated=True))
    say(discussion, "Hi")
    discussion.inject("moderator ", "Be kind")
    assert asked(discussion).name == "Bob"


def test_a_human_in_another_name_leaves_the_moderators_answer_open() -> None:
    discussion = Discussion(setup(moderated=True))
    say(discussion, "Hi")
    discussion.inject("Bob", "Oh")
    assert asked(discussion).name == "Moderator"


# Odds -----------------------------------------------------------------------------------------


def test_odds_are_the_moderators_when_they_are_owed_an_answer() -> None:
    discussion = Discussion(setup("a", "b", "c", moderated=True, turn_manager="RandomTurn"))
    assert discussion.odds() == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    first = say(discussion, "Hi").name
    assert discussion.odds() == {"Moderator": 1.0}
    say(discussion, "Be kind")
    assert discussion.odds() == {name: 0.0 if name == first else 0.5 for name in "abc"}


# Stateless randomness -------------------------------------------------------------------------


def test_turn_seven_is_computed_alone() -> None:
    some = setup("a", "b", "c", "d", moderated=True, turn_manager="RandomWeighted", p_respond=0.4)
    discussion = to_the_end(Discussion(some.model_copy(update={"seed": 7})))
    speakers = discussion.speakers()
    manager = make_turn_manager("RandomWeighted", "abcd", p_respond=0.4, seed=7)
    assert manager.choose(speakers[:6]) == speakers[6]
    by_role = {entry.role: entry for entry in discussion.entries if entry.turn == 7}
    assert by_role["user"].seed == draw_seed(7, "sampler user", 7) == 3537250731227638
    assert by_role["moderator"].seed == draw_seed(7, "sampler moderator", 7) == 7016414597575286


def test_the_draws_do_not_depend_on_what_was_said() -> None:
    some = setup("a", "b", "c", "d", turn_manager="RandomWeighted", conv_len=12)
    talkative, silent = Discussion(some), Discussion(some)
    for _ in range(12):
        assert asked(talkative).name == asked(silent).name
        assert asked(talkative).seed == asked(silent).seed
        say(talkative, "Lots and lots")
        talkative.inject("Zoe", "Me too")
        say(silent, "")


def test_another_attempt_is_the_same_turn_with_another_seed() -> None:
    discussion = Discussion(setup())
    first, second = discussion.next_request(), discussion.next_request(attempt=1)
    assert first is not None
    assert second is not None
    assert first.seed != second.seed
    assert (first.turn, first.name, first.chat) == (second.turn, second.name, second.chat)
    message = discussion.post(second, Reply("Hi"))
    assert (message.attempt, message.seed) == (1, second.seed)


def test_every_turn_has_a_sampler_seed_of_its_own() -> None:
    discussion = to_the_end(Discussion(setup(moderated=True, conv_len=50)))
    assert len({entry.seed for entry in discussion.entries}) == 100


# Seed opinions --------------------------------------------------------------------------------


def test_seed_opinions_open_the_discussion_and_take_no_turn() -> None:
    some = setup(seed_opinions=("One", " Two "), seed_opinion_usernames=("Zoe", "Bob"), conv_len=2)
    discussion = Discussion(some)
    assert discussion.entries == (
        Message("Zoe", "One", "seed", model=HARDCODED),
        Message("Bob", "Two", "seed", model=HARDCODED),
    )
    assert discussion.turns_taken == 0
    assert discussion.speakers() == []
    request = asked(discussion)
    assert request.name == "Ann"
    assert request.chat[1].content == (
        "User Zoe posted:\nOne\nUser Bob posted:\nTwo\nUser Ann posted:"
    )
    assert names(to_the_end(discussion).entries) == ["Zoe", "Bob", "Ann", "Bob"]


def test_seed_opinions_without_usernames_are_drawn_by_the_seed() -> None:
    some = setup("a", "b", "c", "d", seed_opinions=("x", "y", "z"), seed=7)
    opening = [(entry.name, entry.text) for entry in Discussion(some).entries]
    assert opening == [("b", "x"), ("d", "y"), ("a", "z")]


def test_resumed_entries_are_not_seeded_again() -> None:
    some = setup(seed_opinions=("One",))
    assert Discussion(some, []).entries == ()
    assert texts(Discussion(some, Discussion(some).entries).entries) == ["One"]


# History --------------------------------------------------------------------------------------


def prompt_of(discussion: Discussion) -> str:
    return asked(discussion).chat[-1].content


def history(discussion: Discussion) -> list[str]:
    """The texts that the next prompt quotes, each of them one line."""
    return [line for line in prompt_of(discussion).splitlines() if not line.startswith("User ")]


@pytest.mark.parametrize(
    ("length", "quoted"),
    [
        (0, []),
        (1, ["u2"]),
        (3, ["u1", "m1", "u2"]),
        (4, ["seed", "u1", "m1", "u2"]),
        (99, ["seed", "u1", "m1", "u2"]),
        (None, ["seed", "u1", "m1", "u2"]),
    ],
)
def test_history_is_the_last_messages_the_moderators_included(
    length: int | None, quoted: list[str]
) -> None:
    some = setup(moderated=True, seed_opinions=("seed",), history_context_len=length)
    discussion = Discussion(some)
    say(discussion, "u1", "m1", "u2")
    assert history(discussion) == quoted
    assert (
        discussion.entries[asked(discussion).first_in_window :]
        == discussion.entries[len(discussion.entries) - len(quoted) :]
    )


def test_silences_are_not_put_into_history_and_take_no_room_there() -> None:
    discussion = Discussion(setup(history_context_len=2))
    say(discussion, "one", "two", "", '""')
    assert history(discussion) == ["one", "two"]
    assert asked(discussion).first_in_window == 0
    assert '""' not in prompt_of(discussion)


def test_what_a_human_put_in_is_history() -> None:
    discussion = Discussion(setup(history_context_len=2))
    say(discussion, "one", "two")
    discussion.inject("Zoe", "three")
    assert history(discussion) == ["two", "three"]


def test_an_empty_window_begins_after_the_last_entry() -> None:
    discussion = Discussion(setup(history_context_len=0))
    say(discussion, "one")
    assert asked(discussion).first_in_window == 1
    assert prompt_of(discussion) == "User Bob posted:"


# What becomes of a reply ----------------------------------------------------------------------


def test_a_message_keeps_all_there_is_to_know_of_its_making() -> None:
    discussion = Discussion(setup(seed=7))
    request = asked(discussion)
    reply = Reply("Hi", "length", "some/model", 30, 20, 1.5)
    message = discussion.post(request, reply, created_at="2026-01-02T03:04:05+00:00")
    assert message == Message(
        name="Ann",
        text="Hi",
        role="user",
        turn=1,
        model="some/model",
        prompt=request.system_prompt,
        raw_text=None,
        finish_reason="length",
        prompt_tokens=30,
        completion_tokens=20,
        seconds=1.5,
        seed=draw_seed(7, "sampler user", 1),
        attempt=0,
        created_at="2026-01-02T03:04:05+00:00",
    )
    assert discussion.entries == (message,)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ('"Hi"', "Hi"),
        ("User Ann posted:\nHi", "Hi"),
        ("Hi\nUser Moderator posted:\nKind!", "Hi"),
        ("Hi ", "Hi"),
        ('""', ""),
    ],
)
def test_raw_text_is_kept_where_it_differs(raw: str, text: str) -> None:
    message = say(Discussion(setup(moderated=True)), raw)
    assert (message.text, message.raw_text) == (text, raw)


def test_a_cut_sentence_is_marked() -> None:
    discussion = Discussion(setup())
    message = discussion.post(asked(discussion), Reply('"I think that "we', "length"))
    assert message.is_cut
    assert message.text == 'I think that "we', "its closing mark was cut off"


def test_a_growing_reply_is_cleaned_like_the_finished_one() -> None:
    discussion = Discussion(setup())
    request = asked(discussion)
    raw = 'User Ann posted:\n"Hello there"\nUser Bob posted:\nNo'
    guard = discussion.guard(request)
    shown = [guard.read(raw[:length]).text for length in range(len(raw) + 1)]
    assert shown[20] == "He"
    assert shown[-1] == "Hello there"
    assert discussion.post(request, Reply(raw)).text == shown[-1]


def test_a_reply_is_not_taken_for_going_on_at_its_speakers_own_name() -> None:
    discussion = Discussion(setup())
    assert "Ann" not in "".join(asked(discussion).stop)
    assert say(discussion, "My list:\nAnn: 1").text == "My list:\nAnn: 1"


@pytest.mark.parametrize("stranger", ["seed author", "human"])
def test_a_reply_ends_where_it_goes_on_as_anybody_who_was_heard(stranger: str) -> None:
    seeds: dict[str, Any] = {"seed_opinions": ("Hi",), "seed_opinion_usernames": ("Zoe",)}
    discussion = Discussion(setup(**(seeds if stranger == "seed author" else {})))
    if stranger == "human":
        discussion.inject("Zoe", "Hi")
    assert "\nUser Zoe posted:" in asked(discussion).stop
    assert say(discussion, "Yes.\nUser Zoe posted:\nNo.").text == "Yes."


# Stale requests -------------------------------------------------------------------------------


def test_a_reply_comes_too_late_once_another_was_posted() -> None:
    discussion = Discussion(setup())
    request = asked(discussion)
    say(discussion, "Hi")
    before = discussion.entries
    with pytest.raises(NotTheNextTurn, match="turn 1 of Ann"):
        discussion.post(request, Reply("Hi again"))
    assert discussion.entries == before


def test_a_reply_comes_too_late_once_a_human_has_spoken_or_an_entry_is_gone() -> None:
    discussion = Discussion(setup())
    say(discussion, "Hi")
    request = asked(discussion)
    discussion.inject("Zoe", "Me too")
    with pytest.raises(NotTheNextTurn):
        discussion.post(request, Reply("Yes"))
    discussion.delete()
    discussion.delete()
    with pytest.raises(NotTheNextTurn):
        discussion.post(request, Reply("Yes"))


def test_as_many_entries_are_not_the_same_entries() -> None:
    discussion = Discussion(setup())
    say(discussion, "Hi")
    request = asked(discussion)
    discussion.delete()
    discussion.inject("Zoe", "Something else")
    assert len(discussion.entries) == request.position
    with pytest.raises(NotTheNextTurn):
        discussion.post(request, Reply("Yes"))
    assert asked(discussion).turn == 1


def test_a_reply_still_fits_when_all_is_as_it_was() -> None:
    discussion = Discussion(setup())
    say(discussion, "Hi")
    request = asked(discussion)
    say(discussion, "Yes")
    discussion.delete()
    assert discussion.post(request, Reply("No")).text == "No"


# Injecting ------------------------------------------------------------------------------------


def test_a_humans_words_take_no_turn() -> None:
    discussion = Discussion(setup(conv_len=2))
    say(discussion, "Hi")
    before = asked(discussion)
    message = discussion.inject(" Zoe ", " Me too ", created_at="now")
    assert message == Message("Zoe", "Me too", "human", model=HARDCODED, created_at="now")
    after = asked(discussion)
    assert (after.turn, after.name, after.seed) == (before.turn, before.name, before.seed)
    assert discussion.turns_taken == 1
    assert discussion.speakers() == ["Ann"]


def test_a_participants_name_is_written_as_the_participants_own() -> None:
    discussion = Discussion(setup(moderated=True))
    assert discussion.inject(" ANN ", "Hi").name == "Ann"
    assert discussion.inject("moderator", "Hi").name == "Moderator"


@pytest.mark.parametrize(
    ("name", "text"), [("", "Hi"), (" ", "Hi"), ("Zoe", ""), ("Zoe", "\n "), ("Zoe", ' “”""')]
)
def test_nobody_and_nothing_cannot_be_put_in(name: str, text: str) -> None:
    discussion = Discussion(setup())
    with pytest.raises(ValueError, match="needs a name and a text"):
        discussion.inject(name, text)
    assert discussion.entries == ()


# Undoing --------------------------------------------------------------------------------------


def test_deleting_opens_the_turn_again() -> None:
    discussion = Discussion(setup(moderated=True))
    say(discussion, "u1", "m1")
    request = asked(discussion)
    message = say(discussion, "u2")
    assert discussion.delete() == (message,)
    assert discussion.next_request() == request
    assert texts(discussion.entries) == ["u1", "m1"]


def test_deleting_goes_back_an_entry_at_a_time() -> None:
    discussion = Discussion(setup(moderated=True))
    say(discussion, "u1", "m1", "")
    discussion.inject("Zoe", "h")
    undone = [discussion.delete() for _ in range(4)]
    assert [entry.text for (entry,) in undone] == ["h", "", "m1", "u1"]
    assert discussion.delete() == ()
    assert discussion.turns_taken == 0


def test_deleting_the_moderators_answer_makes_them_owe_it_again() -> None:
    discussion = Discussion(setup(moderated=True))
    say(discussion, "u1", "m1")
    discussion.delete()
    assert asked(discussion).name == "Moderator"


def test_deleting_reopens_a_finished_discussion() -> None:
    discussion = to_the_end(Discussion(setup(conv_len=2)))
    discussion.delete()
    assert not discussion.is_finished
    assert asked(discussion).turn == 2


def test_seed_opinions_are_not_deleted() -> None:
    discussion = Discussion(setup(seed_opinions=("One", "Two")))
    say(discussion, "Hi")
    assert discussion.delete()
    assert discussion.delete() == ()
    assert sorted(texts(discussion.entries)) == ["One", "Two"]


# Forking --------------------------------------------------------------------------------------


def test_a_fork_shares_the_beginning_and_goes_its_own_way() -> None:
    discussion = Discussion(setup(moderated=True, seed_opinions=("One",)))
    say(discussion, "u1", "m1", "u2")
    fork = discussion.fork(3)
    assert fork.entries == discussion.entries[:3]
    say(fork, "something else", "m2")
    discussion.delete()
    assert texts(fork.entries) == ["One", "u1", "m1", "something else", "m2"]
    assert texts(discussion.entries) == ["One", "u1", "m1"]


def test_a_fork_draws_what_its_parent_drew() -> None:
    some = setup("a", "b", "c", "d", turn_manager="RandomWeighted", p_respond=0.4, conv_len=20)
    parent = to_the_end(Discussion(some))
    fork = parent.fork(8)
    while request := fork.next_request():
        fork.post(request, Reply("something else"))
    assert fork.speakers() == parent.speakers()
    assert [entry.seed for entry in fork.entries] == [entry.seed for entry in parent.entries]


def test_a_fork_at_the_start_has_nothing_not_even_seeds() -> None:
    discussion = Discussion(setup(seed_opinions=("One",)))
    say(discussion, "u1")
    assert discussion.fork(0).entries == ()
    assert texts(discussion.fork(1).entries) == ["One"]
    assert discussion.fork(2).entries == discussion.entries


@pytest.mark.parametrize("position", [-1, 2])
def test_a_fork_is_at_a_message_there_is(position: int) -> None:
    discussion = Discussion(setup())
    say(discussion, "u1")
    with pytest.raises(IndexError, match="of 1"):
        discussion.fork(position)


# Changing the setup ---------------------------------------------------------------------------


def test_a_changed_setup_applies_from_the_next_turn() -> None:
    old, new = setup(instructions="old"), setup(instructions="new")
    discussion = Discussion(old)
    say(discussion, "u1", "u2")
    before = discussion.entries
    discussion.change_setup(new)
    assert discussion.setup == new
    assert discussion.entries == before
    assert json.loads(asked(discussion).system_prompt)["instructions"] == "new"
    assert discussion.earlier_setups == (EarlierSetup(2, old, 2),)


def test_several_changes_are_kept_in_order() -> None:
    some = [setup(temperature=temperature) for temperature in (0.1, 0.2, 0.3)]
    discussion = Discussion(some[0])
    for following in some[1:]:
        say(discussion, "Hi", "Hi")
        discussion.change_setup(following)
    assert discussion.earlier_setups == (EarlierSetup(2, some[0], 2), EarlierSetup(4, some[1], 4))


def test_a_setup_under_which_nobody_spoke_is_not_kept() -> None:
    first, second, third = (setup(temperature=t) for t in (0.1, 0.2, 0.3))
    discussion = Discussion(first)
    discussion.change_setup(second)
    assert discussion.earlier_setups == ()
    say(discussion, "Hi")
    discussion.change_setup(first)
    discussion.change_setup(third)
    assert discussion.earlier_setups == (EarlierSetup(1, second, 1),)


def test_the_same_setup_is_no_change() -> None:
    discussion = Discussion(setup())
    say(discussion, "Hi")
    discussion.change_setup(setup())
    assert discussion.earlier_setups == ()


def test_nobody_left_is_refused_and_nothing_changes() -> None:
    discussion = Discussion(setup())
    say(discussion, "Hi")
    with pytest.raises(ValueError, match="nobody takes part"):
        discussion.change_setup(DiscussionSetup())
    assert discussion.setup == setup()
    assert discussion.earlier_setups == ()


def test_deleting_gives_turns_back_to_the_changed_setup() -> None:
    old, new = setup(instructions="old"), setup(instructions="new")
    discussion = Discussion(old)
    say(discussion, "u1", "u2")
    discussion.change_setup(new)
    discussion.delete()
    assert discussion.earlier_setups == (EarlierSetup(1, old, 1),), "turn 2 will be spoken anew"
    discussion.delete()
    assert discussion.earlier_setups == ()


def test_a_fork_before_a_change_still_says_whose_setup_its_turns_had() -> None:
    old, new = setup(instructions="old"), setup(instructions="new")
    discussion = Discussion(old)
    say(discussion, "u1", "u2", "u3")
    discussion.change_setup(new)
    say(discussion, "u4")
    assert discussion.fork(4).earlier_setups == (EarlierSetup(3, old, 3),)
    assert discussion.fork(2).earlier_setups == (EarlierSetup(2, old, 2),)
    assert discussion.fork(0).earlier_setups == ()
    assert discussion.earlier_setups == (EarlierSetup(3, old, 3),)


def test_who_joins_speaks_and_who_leaves_does_not() -> None:
    discussion = Discussion(setup("Ann", "Bob", turn_manager="RandomTurn", conv_len=40))
    say(discussion, "u1", "u2")
    discussion.change_setup(setup("Bob", "Cem", turn_manager="RandomTurn", conv_len=40))
    to_the_end(discussion)
    assert set(names(discussion.entries[2:])) == {"Bob", "Cem"}
    assert history(Discussion(discussion.setup, discussion.entries[:2])) == ["u1", "u2"]


def test_a_longer_discussion_goes_on_and_a_shorter_one_is_over() -> None:
    discussion = to_the_end(Discussion(setup(conv_len=2)))
    discussion.change_setup(setup(conv_len=3))
    assert asked(discussion).turn == 3
    discussion.change_setup(setup(conv_len=1))
    assert discussion.is_finished
    assert discussion.turns_taken == 2


# Resuming -------------------------------------------------------------------------------------


def test_a_discussion_is_its_setup_and_its_entries() -> None:
    some = setup(moderated=True, turn_manager="RandomWeighted", seed_opinions=("One",), conv_len=6)
    whole = Discussion(some)
    while request := whole.next_request():
        assert Discussion(some, whole.entries).next_request() == request
        whole.post(request, Reply(f"{request.role} {request.turn}"))
    assert Discussion(some, whole.entries).is_finished


def test_entries_handed_in_are_not_shared() -> None:
    entries = [Message("Ann", "Hi", "user", 1)]
    discussion = Discussion(setup(), entries)
    say(discussion, "Yes")
    assert len(entries) == 1
    entries.clear()
    assert texts(discussion.entries) == ["Hi", "Yes"]


def test_the_personas_order_is_round_robins() -> None:
    some = setup().model_copy(update={"personas": people("Cem", "Ann", "Bob")})
    assert names(to_the_end(Discussion(some)).entries)[:4] == ["Cem", "Ann", "Bob", "Cem"]
