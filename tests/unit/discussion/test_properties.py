"""Whatever is done to a discussion, and in whatever order, its invariants hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from syndisco_tui.discussion import (
    TURN_MANAGERS,
    CannotChange,
    Discussion,
    DiscussionSetup,
    Message,
    NotTheNextTurn,
    Persona,
    Reply,
    TurnRequest,
    name_key,
    rebuild_request,
)
from syndisco_tui.discussion.past_requests import setups_in_force
from syndisco_tui.discussion.turns import make_turn_manager
from tests.support.people import MODERATOR, people, record_of

REPEATABLE = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

USERS = ("Ann", "Bob", "Cem", "Dia")
SPOKEN = (
    "Hi",
    "I agree.",
    '"Quoted"',
    "Yes.\nUser Bob posted:\nNo.",
    "cut sen",
    "Ann: a\nb",
    "x" * 60,
)
SILENT = ("", " ", '""', "\n", "“”", '\\"\\"')

spoken = st.sampled_from(SPOKEN) | st.text(max_size=30)
silent = st.sampled_from(SILENT)
replies = st.builds(Reply, spoken | silent, st.sampled_from(["stop", "length", "cancelled"]))
changes: dict[str, st.SearchStrategy[Any]] = {
    "personas": st.lists(st.sampled_from(USERS), min_size=1, unique=True).map(lambda n: people(*n)),
    "turn_manager": st.sampled_from(sorted(TURN_MANAGERS)),
    "p_respond": st.sampled_from([0.0, 0.4, 1.0]) | st.floats(0, 1),
    "history_context_len": st.none() | st.integers(0, 6),
    "prompt_style": st.sampled_from(["syndisco-2.0", "syndisco-2.2", "chat"]),
    "instructions": st.sampled_from(["Act like a human would", "Be brief"]),
    "seed": st.integers(0, 5),
}


@st.composite
def setups(draw: st.DrawFn, *, longest: int = 12) -> DiscussionSetup:
    opinions = draw(st.lists(st.sampled_from(["One", "Two", " "]), max_size=3))
    return DiscussionSetup(
        **{field: draw(values) for field, values in changes.items()},
        moderator=draw(st.sampled_from([None, MODERATOR])),
        moderator_takes_turns=draw(st.booleans()),
        conv_len=draw(st.integers(1, longest)),
        seed_opinions=tuple(opinions),
        seed_opinion_usernames=tuple("Zoe" if i else "ann" for i in range(len(opinions))),
    )


Phase = tuple[object, ...]


def state(discussion: Discussion) -> Phase:
    """All there is to know of a discussion."""
    return (
        discussion.setup,
        discussion.entries,
        discussion.earlier_setups,
        discussion.next_request(),
        discussion.odds(),
        discussion.turns_taken,
        discussion.is_finished,
        discussion.speaker_override,
    )


class DiscussionMachine(RuleBasedStateMachine):
    """All that can be done to a discussion, in any order.

    What each reply was asked with is noted by the message's time, which nothing changes.
    """

    @initialize(some=setups())
    def start(self, some: DiscussionSetup) -> None:
        self.discussion = Discussion(some)
        self.asked: dict[str, tuple[TurnRequest, DiscussionSetup]] = {}
        self.stale: list[TurnRequest] = []
        self.silence_was_edited = False

    @property
    def request(self) -> TurnRequest:
        request = self.discussion.next_request()
        assert request is not None
        return request

    def _time(self, request: TurnRequest) -> str:
        time = f"{len(self.asked)}"
        self.asked[time] = request, self.discussion.setup
        return time

    def _post(self, reply: Reply) -> Message:
        request = self.request
        message = self.discussion.post(request, reply, created_at=self._time(request))
        self.stale = [*self.stale[-4:], request]
        assert (message.name, message.role, message.turn, message.seed) == (
            request.name,
            request.role,
            request.turn,
            request.seed,
        )
        assert message == self.discussion.entries[-1]
        return message

    # What can be done -------------------------------------------------------------------------

    @precondition(lambda self: not self.discussion.is_finished)
    @rule(reply=replies)
    def post(self, reply: Reply) -> None:
        self._post(reply)

    @precondition(lambda self: not self.discussion.is_finished)
    @rule(text=silent)
    def keep_silent(self, text: str) -> None:
        assert self._post(Reply(text)).is_silence

    @rule(name=st.sampled_from(["Zoe", " bob", "MODERATOR", "Ann"]), text=st.sampled_from("hm"))
    def inject(self, name: str, text: str) -> None:
        before = self.discussion.turns_taken
        assert self.discussion.inject(name, text).turn == 0
        assert self.discussion.turns_taken == before

    @rule(count=st.integers(0, 3))
    def delete(self, count: int) -> None:
        before = self.discussion.entries
        deleted = self.discussion.delete(count)
        assert (*self.discussion.entries, *deleted) == before
        if len(deleted) < count:
            assert not self.discussion.entries or self.discussion.entries[-1].role == "seed"

    @precondition(lambda self: self.discussion.entries)
    @rule(data=st.data(), text=st.sampled_from(["edited", "Hi", "other"]))
    def edit(self, data: st.DataObject, text: str) -> None:
        position = data.draw(st.integers(0, len(self.discussion.entries) - 1))
        self._edit(position, text)

    def _edit(self, position: int, text: str) -> None:
        before = self.discussion.entries[position]
        self.silence_was_edited |= before.is_silence
        message = self.discussion.edit(position, text)
        original = before.text if before.original_text is None else before.original_text
        assert message.text == text
        assert message.original_text == (original if original != text else None)

    @rule()
    def regenerate(self) -> None:
        before = self.discussion.entries
        try:
            old = self.discussion.regenerate()
        except CannotChange:
            assert self.discussion.entries == before
            return
        request = self.request
        assert (request.name, request.role, request.turn) == (old.name, old.role, old.turn)
        tried = [
            message.seed
            for change in self.discussion.changes
            for message in change.before
            if change.position == len(self.discussion.entries)
            and (message.role, message.turn) == (old.role, old.turn)
            and self.asked[message.created_at][1].seed == self.discussion.setup.seed
            and change.kind != "edited"
        ]
        assert request.seed not in tried

    @rule(count=st.integers(1, 3), data=st.data())
    def choose(self, count: int, data: st.DataObject) -> None:
        before = self.discussion.entries
        try:
            requests = self.discussion.candidates(count)
        except CannotChange:
            return
        assert self.discussion.entries == before
        assert len({request.seed for request in requests}) == count
        made = [
            self.discussion.message(request, data.draw(replies), created_at=self._time(request))
            for request in requests
        ]
        chosen = data.draw(st.none() | st.integers(0, count - 1))
        self.discussion.choose(made, chosen)
        kept = self.discussion.changes[-1].before
        if chosen is None:
            assert (self.discussion.entries, kept) == (before, tuple(made))
        else:
            assert self.discussion.entries == (*before[:-1], made[chosen])
            assert {*kept} == {before[-1], *made} - {made[chosen]}

    @rule(data=st.data())
    def override_next_speaker(self, data: st.DataObject) -> None:
        name = data.draw(st.none() | st.sampled_from(self.discussion.setup.turn_takers))
        self.discussion.override_next_speaker(name)
        request = self.discussion.next_request()
        again = self.discussion._history.message_to_regenerate
        if name and request and request.turn > self.discussion.turns_taken and not again:
            assert request.name == name

    @rule()
    def undo(self) -> None:
        before, changes = state(self.discussion), self.discussion.changes
        said = {message.created_at for message in self.discussion.entries if message.is_prompted}
        try:
            undone = self.discussion.undo()
        except CannotChange:
            assert (state(self.discussion), self.discussion.changes) == (before, changes)
            return
        if undone is None:
            assert state(self.discussion) == before
            assert all(change.is_undone for change in changes)
        kept = {
            message.created_at
            for entries in (
                self.discussion.entries,
                *(change.before for change in self.discussion.changes),
            )
            for message in entries
        }
        assert said <= kept, "what a model said is never lost"

    @rule(data=st.data())
    def change_setup(self, data: st.DataObject) -> None:
        field = data.draw(st.sampled_from(sorted(changes)))
        values = {field: data.draw(changes[field])}
        some = self.discussion.setup.model_copy(update=values)
        before = self.discussion.entries
        self.discussion.change_setup(some)
        assert (self.discussion.setup, self.discussion.entries) == (some, before)

    @rule(data=st.data())
    def go_on_with_a_fork(self, data: st.DataObject) -> None:
        parent = self.discussion
        position = data.draw(st.integers(0, len(parent.entries)))
        before = state(parent)
        fork = parent.fork(position)
        speaker_override = parent.speaker_override if position == len(parent.entries) else None
        shorter = Discussion(
            parent.setup,
            parent.entries,
            parent.earlier_setups,
            speaker_override=speaker_override,
        )
        shorter.delete(len(parent.entries) - position)
        if len(shorter.entries) == position and not parent._history.message_to_regenerate:
            assert state(fork) == state(shorter), "a fork is what deleting leads to"
        fork.inject("Zoe", "in the fork alone")
        assert state(parent) == before
        fork.undo()
        assert fork.undo() is None, "what was done in the parent is not undone here"
        self.discussion = fork

    # What must then be so ---------------------------------------------------------------------

    @rule(name=st.sampled_from(["Zoe", "Moderator"]))
    def inject_and_undo_change_nothing(self, name: str) -> None:
        before = self._everything()
        self.discussion.inject(name, "hm")
        self.discussion.undo()
        assert self._everything() == before

    def _everything(self) -> object:
        return state(self.discussion), self.discussion.changes

    @rule(count=st.integers(1, 4))
    def delete_and_undo_change_nothing(self, count: int) -> None:
        entries, changes = self.discussion.entries, self.discussion.changes
        earlier = self.discussion.earlier_setups
        if self.discussion.delete(count):
            self.discussion.undo()
            now = self.discussion
            assert (now.entries, now.changes, now.earlier_setups) == (entries, changes, earlier)

    @rule()
    def regenerate_and_undo_change_nothing(self) -> None:
        before = self._everything()
        try:
            self.discussion.regenerate()
        except CannotChange:
            return
        self.discussion.undo()
        assert self._everything() == before

    @precondition(lambda self: not self.discussion.is_finished)
    @rule(reply=replies, more=replies)
    def another_try_and_undo_leave_the_first(self, reply: Reply, more: Reply) -> None:
        self._post(reply)
        before = state(self.discussion)
        self.discussion.regenerate()
        other = self._post(more)
        self.discussion.undo()
        assert state(self.discussion) == before
        assert self.discussion.changes[-1].before == (other,)

    @precondition(lambda self: self.discussion.entries)
    @rule(data=st.data())
    def edit_and_undo_change_nothing(self, data: st.DataObject) -> None:
        before = self._everything()
        position = data.draw(st.integers(0, len(self.discussion.entries) - 1))
        silence_was_edited = self.silence_was_edited
        self._edit(position, "never said")
        self.discussion.undo()
        self.silence_was_edited = silence_was_edited
        assert self._everything() == before

    @precondition(lambda self: not self.discussion.is_finished)
    @precondition(lambda self: not self.discussion._history.message_to_regenerate)
    @rule(reply=replies)
    def post_and_delete_open_the_same_turn(self, reply: Reply) -> None:
        before = self.request
        message = self._post(reply)
        assert self.discussion.delete() == (message,)
        assert self.request == before

    @rule(data=st.data())
    def a_stale_request_is_refused(self, data: st.DataObject) -> None:
        for request in self.stale:
            if request.entries != self.discussion.entries:
                before = state(self.discussion)
                with pytest.raises(NotTheNextTurn):
                    self.discussion.post(request, Reply("too late"))
                assert state(self.discussion) == before

    @invariant()
    def asking_changes_nothing(self) -> None:
        assert state(self.discussion) == state(self.discussion)

    @invariant()
    def no_more_turns_than_conv_len(self) -> None:
        assert self.discussion.turns_taken <= self.discussion.setup.conv_len

    @invariant()
    def it_is_finished_when_nothing_is_asked(self) -> None:
        assert self.discussion.is_finished == (self.discussion.next_request() is None)

    @invariant()
    def who_is_asked_could_be_chosen(self) -> None:
        odds = self.discussion.odds()
        assert sum(odds.values()) == pytest.approx(1)
        if request := self.discussion.next_request():
            assert odds[request.name] > 0

    @invariant()
    def turns_are_consecutive_and_the_moderators_are_those_they_follow(self) -> None:
        setup, turn = self.discussion.setup, 0
        for entry in self.discussion.entries:
            if entry.role in ("seed", "human"):
                assert entry.turn == 0
            elif entry.role == "moderator" and not setup.moderator_takes_turns:
                assert entry.turn == turn
            else:
                turn += 1
                assert entry.turn == turn
        assert turn == self.discussion.turns_taken == len(self.discussion.speakers())

    @invariant()
    def every_spoken_comment_is_answered_by_the_moderator_before_the_next_turn(self) -> None:
        setup = self.discussion.setup
        if setup.moderator is None or setup.moderator_takes_turns or self.silence_was_edited:
            return
        open_comment: Message | None = None
        for entry in self.discussion.entries:
            if entry.role == "user":
                assert open_comment is None, "the moderator was passed over"
                open_comment = None if entry.is_silence else entry
            elif entry.name == setup.moderator.name:
                assert entry.role == "human" or open_comment is not None, "asked without reason"
                open_comment = None
        request = self.discussion.next_request()
        assert (request is not None and request.role == "moderator") == (open_comment is not None)

    @invariant()
    def the_prompt_quotes_the_window_and_no_silence(self) -> None:
        request = self.discussion.next_request()
        if request is None:
            return
        length = self.discussion.setup.history_context_len
        messages = [entry for entry in self.discussion.entries if not entry.is_silence]
        quoted = messages if length is None else messages[max(0, len(messages) - length) :]
        window = self.discussion.entries[request.first_in_window :]
        assert [entry for entry in window if not entry.is_silence] == quoted
        prompt = "\n".join(message.content for message in request.chat[1:])
        assert all(entry.text in prompt for entry in quoted)

    @invariant()
    def generation_stops_at_everybody_elses_name(self) -> None:
        if request := self.discussion.next_request():
            heard = {entry.name for entry in self.discussion.entries}
            for name in {*self.discussion.setup.names, *heard}:
                stops = any(f"\nUser {name} posted:" == stop for stop in request.stop)
                assert stops == (name_key(name) != name_key(request.name))

    @invariant()
    def resumed_it_asks_for_the_same(self) -> None:
        some = DiscussionSetup.model_validate_json(self.discussion.setup.model_dump_json())
        entries = [Message(**vars(entry)) for entry in self.discussion.entries]
        resumed = Discussion(
            some,
            entries,
            self.discussion.earlier_setups,
            self.discussion.changes,
            self.discussion.speaker_override,
        )
        assert state(resumed) == state(self.discussion)

    @invariant()
    def earlier_setups_say_under_which_each_turn_was_asked_for(self) -> None:
        earlier = self.discussion.earlier_setups
        until = [one.last_turn for one in earlier]
        assert until == sorted(until)
        assert all(1 <= turn <= self.discussion.turns_taken for turn in until)
        lengths = [one.length for one in earlier]
        assert lengths == sorted(set(lengths))
        saved = record_of(self.discussion)
        for position, entry in enumerate(self.discussion.entries):
            if entry.is_prompted:
                _, setup = self.asked[entry.created_at]
                assert setups_in_force(saved, position)[0] == setup

    @invariant()
    def what_each_reply_was_asked_with_can_be_told_from_the_record(self) -> None:
        saved = record_of(self.discussion)
        for position, entry in enumerate(self.discussion.entries):
            if entry.is_prompted:
                request, setup = self.asked[entry.created_at]
                told = rebuild_request(saved, position)
                now = (told.request.chat, told.request.seed, told.setup)
                assert now == (request.chat, request.seed, setup)

    @invariant()
    def messages_are_what_the_guard_leaves(self) -> None:
        for entry in self.discussion.entries:
            if entry.is_prompted:
                text = entry.text if entry.original_text is None else entry.original_text
                assert text == text.strip()
                assert entry.raw_text is None or entry.raw_text != text
                assert text in entry.model_text
                assert json.loads(entry.prompt)["persona"]["username"] == entry.name


@pytest.mark.parametrize("runs", [40, pytest.param(400, marks=pytest.mark.campaign)])
def test_any_sequence_of_doings_keeps_the_invariants(runs: int) -> None:
    run_state_machine_as_test(
        DiscussionMachine,
        settings=settings(REPEATABLE, max_examples=runs, stateful_step_count=30),
    )


# A whole run ----------------------------------------------------------------------------------


@settings(REPEATABLE, max_examples=60)
@given(setups(), st.lists(replies, min_size=1, max_size=7))
def test_a_run_ends_after_conv_len_turns_and_is_the_same_from_anywhere(
    some: DiscussionSetup, texts: list[Reply]
) -> None:
    whole = Discussion(some)
    requests: dict[int, TurnRequest] = {}
    while request := whole.next_request():
        requests[len(whole.entries)] = request
        whole.post(request, texts[len(requests) % len(texts)])
    assert whole.turns_taken == some.conv_len
    assert len(requests) <= 2 * some.conv_len
    for position, request in requests.items():
        assert whole.fork(position).next_request() == request
        assert Discussion(some, whole.entries[:position]).next_request() == request


@settings(REPEATABLE, max_examples=60)
@given(setups(), st.lists(spoken, min_size=1, max_size=5), st.lists(spoken, min_size=1, max_size=5))
def test_two_runs_of_one_seed_have_the_same_draws_whatever_is_said(
    some: DiscussionSetup, one: list[str], other: list[str]
) -> None:
    """Speakers by turn and seeds by role and turn; only whether the moderator answers differs."""

    def draws(texts: list[str]) -> dict[tuple[str, int], tuple[str, int | None]]:
        discussion = Discussion(some)
        while request := discussion.next_request():
            discussion.post(request, Reply(texts[len(discussion.entries) % len(texts)]))
        return {
            (entry.role, entry.turn): (entry.name, entry.seed)
            for entry in discussion.entries
            if entry.is_prompted
        }

    first, second = draws(one), draws(other)
    shared = first.keys() & second.keys()
    assert all(first[key] == second[key] for key in shared)
    assert {turn for _, turn in shared} == set(range(1, some.conv_len + 1))


# Turn managers --------------------------------------------------------------------------------

some_names = st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, unique_by=name_key)


@settings(REPEATABLE, max_examples=300)
@given(
    st.sampled_from(sorted(TURN_MANAGERS)),
    some_names,
    st.floats(0, 1),
    st.lists(st.text("abcd", min_size=1, max_size=2), max_size=6),
    st.integers(0, 1 << 53),
)
def test_odds_are_a_distribution_over_the_names_whoever_spoke_before(
    kind: str, names: list[str], p_respond: float, previous: list[str], seed: int
) -> None:
    manager = make_turn_manager(kind, names, p_respond=p_respond, seed=seed)
    odds = manager.odds(previous)
    assert list(odds) == names
    assert all(0 <= probability <= 1 + 1e-9 for probability in odds.values())
    assert sum(odds.values()) == pytest.approx(1)
    assert odds[manager.choose(previous)] > 0
    if kind != "RoundRobin" and previous and len(names) > 1:
        assert odds.get(previous[-1], 0) == 0


# Values ---------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
nine = set(Persona.model_fields)


@settings(REPEATABLE, max_examples=200)
@given(st.dictionaries(st.text(min_size=1).filter(lambda key: key not in nine), json_values))
def test_a_personas_further_fields_survive_whatever_they_are(further: dict[str, Any]) -> None:
    fields = {"username": "Ann", **further}
    persona = Persona.model_validate(fields)
    assert {key: persona.as_dict()[key] for key in fields} == fields
    assert Persona.model_validate(json.loads(json.dumps(persona.as_dict()))) == persona
    told = persona.attributes()
    assert told.items() <= fields.items() if _hashable(fields) else set(told) <= set(fields)
    assert persona.name == "Ann"


def _hashable(fields: dict[str, Any]) -> bool:
    return not any(isinstance(value, list | dict) for value in fields.values())


@settings(REPEATABLE, max_examples=200)
@given(setups(longest=1000))
def test_a_setup_survives_json(some: DiscussionSetup) -> None:
    assert DiscussionSetup.model_validate_json(some.model_dump_json()) == some
    assert (
        DiscussionSetup.model_validate(json.loads(json.dumps(some.model_dump(mode="json")))) == some
    )
