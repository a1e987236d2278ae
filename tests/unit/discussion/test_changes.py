"""What a person does to a discussion: edit, delete, regenerate, choose, undo, next speaker."""

from __future__ import annotations

import pytest

from syndisco_tui.discussion import (
    CannotChange,
    Discussion,
    Message,
    Reply,
    SpeakerOverride,
    rebuild_request,
)
from tests.support.people import asked, record_of, say, setup, texts


def prompt_of(discussion: Discussion, position: int) -> str:
    told = rebuild_request(record_of(discussion), position)
    return told.request.chat[-1].content


def begun(*said: str, **fields: object) -> Discussion:
    discussion = Discussion(setup(**fields))
    say(discussion, *said)
    return discussion


class TestEdit:
    def test_later_prompts_quote_the_new_text_and_the_old_one_is_kept(self) -> None:
        discussion = begun("one", "two")
        message = discussion.edit(0, " other ")
        assert (message.text, message.original_text, message.model_text) == ("other", "one", "one")
        assert "other" in asked(discussion).chat[-1].content
        assert discussion.changes[0].before[0].text == "one"

    def test_what_was_said_before_the_edit_was_made_from_the_old_text(self) -> None:
        discussion = begun("one", "two")
        discussion.edit(0, "other")
        say(discussion, "three")
        assert "one" in prompt_of(discussion, 1)
        assert "other" in prompt_of(discussion, 2)

    def test_the_raw_text_stays_what_the_model_said(self) -> None:
        discussion = begun('"one"')
        assert discussion.edit(0, "other").raw_text == '"one"'
        assert discussion.entries[0].model_text == '"one"'

    def test_the_first_text_is_no_edit_any_more(self) -> None:
        discussion = begun("one")
        discussion.edit(0, "other")
        discussion.edit(0, "third")
        assert discussion.edit(0, "one").original_text is None

    def test_the_same_text_is_no_change(self) -> None:
        discussion = begun("one")
        discussion.edit(0, "one")
        assert discussion.changes == ()

    def test_an_edited_message_is_not_cut(self) -> None:
        discussion = Discussion(setup())
        discussion.post(asked(discussion), Reply("half a sen", "length"))
        assert not discussion.edit(0, "half a sentence").is_cut

    @pytest.mark.parametrize("text", [" \n", '""'])
    def test_nothing_cannot_stand_there(self, text: str) -> None:
        discussion = begun("one")
        with pytest.raises(CannotChange, match="delete it"):
            discussion.edit(0, text)
        with pytest.raises(IndexError):
            discussion.edit(1, "x")

    def test_undone_at_once_it_leaves_no_trace(self) -> None:
        discussion = begun("one")
        before = discussion.entries
        discussion.edit(0, "other")
        discussion.undo()
        assert (discussion.entries, discussion.changes) == (before, ())

    def test_undone_later_the_record_still_tells_who_read_what(self) -> None:
        discussion = begun("one", "two")
        discussion.edit(0, "other")
        say(discussion, "three")
        assert discussion.undo() is not None
        say(discussion, "four")
        assert texts(discussion.entries) == ["one", "two", "three", "four"]
        quotes = ["other" in prompt_of(discussion, position) for position in (1, 2, 3)]
        assert quotes == [False, True, False]
        assert discussion.undo() is None

    def test_a_fork_knows_the_edits_of_its_parent(self) -> None:
        discussion = begun("one", "two", "three", "four")
        discussion.edit(0, "other")
        fork = discussion.fork(2)
        say(fork, "new three")
        quotes = ["other" in prompt_of(fork, position) for position in (1, 2)]
        assert quotes == [False, True]
        assert fork.undo() is None


class TestRegenerate:
    def test_the_same_speaker_is_asked_with_another_seed(self) -> None:
        discussion = begun("one", "two")
        old = discussion.regenerate()
        request = asked(discussion)
        assert (request.name, request.turn, request.attempt) == (old.name, 2, 1)
        assert request.seed != old.seed
        say(discussion, "two again")
        assert discussion.entries[-1].attempt == 1
        assert discussion.changes[-1].before == (old,)

    def test_every_try_has_its_own_seed_and_all_are_kept(self) -> None:
        discussion = begun("one")
        for number in range(3):
            discussion.regenerate()
            say(discussion, f"try {number}")
        seeds = [discussion.entries[0].seed, *(c.before[0].seed for c in discussion.changes)]
        assert len(set(seeds)) == 4

    def test_undone_the_first_stands_again_and_the_other_is_kept(self) -> None:
        discussion = begun("one")
        discussion.regenerate()
        other = say(discussion, "other")
        discussion.undo()
        assert texts(discussion.entries) == ["one"]
        assert discussion.changes[-1].before == (other,)
        assert discussion.undo() is None
        discussion.regenerate()
        assert asked(discussion).attempt == 2, "attempt 1 was made already"

    def test_the_speaker_stays_though_another_turn_manager_would_draw_another(self) -> None:
        discussion = begun("one", "two")
        other = discussion.setup.model_copy(
            update={"personas": tuple(reversed(discussion.setup.personas))}
        )
        discussion.change_setup(other)
        assert discussion.regenerate().name == asked(discussion).name == "Bob"

    def test_the_setup_of_then_comes_back_with_an_undo(self) -> None:
        discussion = begun("one", "two")
        hot = discussion.setup.model_copy(update={"temperature": 2.0})
        discussion.change_setup(hot)
        before = discussion.earlier_setups
        discussion.regenerate()
        assert [each.length for each in discussion.earlier_setups] == [1]
        say(discussion, "hot")
        discussion.undo()
        assert discussion.earlier_setups == before

    def test_a_moderators_answer_is_asked_again_under_the_new_setup(self) -> None:
        discussion = begun("one", "answer", moderated=True)
        hot = discussion.setup.model_copy(update={"temperature": 2.0})
        discussion.change_setup(hot)
        discussion.regenerate()
        say(discussion, "hot answer")
        told = rebuild_request(record_of(discussion), 1)
        assert told.setup.temperature == 2.0

    @pytest.mark.parametrize("opinion", [(), ("It rains.",)])
    def test_what_no_model_said_is_not_regenerated(self, opinion: tuple[str, ...]) -> None:
        discussion = Discussion(setup(seed_opinions=opinion))
        with pytest.raises(CannotChange, match="nothing to regenerate"):
            discussion.regenerate()

    def test_somebody_who_has_left_is_not_asked_again(self) -> None:
        discussion = begun("one")
        discussion.change_setup(setup("Bob", "Cem"))
        before = discussion.entries
        with pytest.raises(CannotChange, match="Ann cannot be asked again"):
            discussion.regenerate()
        assert (discussion.entries, discussion.changes) == (before, ())


class TestCandidates:
    def made(self, discussion: Discussion, *said: str) -> list[Message]:
        requests = discussion.candidates(len(said))
        return [
            discussion.message(request, Reply(text))
            for request, text in zip(requests, said, strict=True)
        ]

    def test_one_takes_the_place_and_the_others_are_kept(self) -> None:
        discussion = begun("one", "two")
        made = self.made(discussion, "a", "b", "c")
        discussion.choose(made, 1)
        assert texts(discussion.entries) == ["one", "b"]
        assert texts(discussion.changes[0].before) == ["two", "a", "c"]
        assert [message.attempt for message in made] == [1, 2, 3]

    def test_all_are_kept_if_none_is_taken(self) -> None:
        discussion = begun("one")
        discussion.choose(self.made(discussion, "a", "b"), None)
        assert texts(discussion.entries) == ["one"]
        assert texts(discussion.changes[0].before) == ["a", "b"]
        assert discussion.undo() is None

    def test_a_choice_can_be_undone_and_nothing_is_lost(self) -> None:
        discussion = begun("one")
        discussion.choose(self.made(discussion, "a", "b"), 0)
        discussion.undo()
        assert texts(discussion.entries) == ["one"]
        assert texts(discussion.changes[0].before) == ["a", "b"]
        discussion.regenerate()
        assert asked(discussion).attempt == 3

    def test_those_of_another_turn_are_refused(self) -> None:
        discussion = begun("one")
        made = self.made(discussion, "a")
        say(discussion, "two")
        with pytest.raises(ValueError, match="not of the last message"):
            discussion.choose(made, 0)


class TestDelete:
    def test_the_last_ones_go_and_come_back(self) -> None:
        discussion = begun("one", "two", "three")
        before = discussion.entries
        assert texts(discussion.delete(2)) == ["two", "three"]
        assert discussion.turns_taken == 1
        discussion.undo()
        assert (discussion.entries, discussion.changes) == (before, ())

    def test_what_is_deleted_stays_in_the_record(self) -> None:
        discussion = begun("one", "two")
        discussion.delete()
        say(discussion, "other")
        assert texts(discussion.changes[0].before) == ["two"]

    def test_it_is_not_undone_once_somebody_has_spoken(self) -> None:
        discussion = begun("one", "two")
        discussion.delete()
        say(discussion, "other")
        with pytest.raises(CannotChange, match="somebody has spoken since"):
            discussion.undo()

    def test_several_are_undone_in_turn(self) -> None:
        discussion = begun("one", "two")
        discussion.inject("Zoe", "hm")
        for _ in range(3):
            discussion.delete()
        for count in (1, 2, 3):
            discussion.undo()
            assert len(discussion.entries) == count
        discussion.undo()
        assert texts(discussion.entries) == ["one", "two"]


class TestFloor:
    def test_it_is_given_for_one_turn(self) -> None:
        discussion = begun("one")
        assert asked(discussion).name == "Bob"
        discussion.override_next_speaker("Ann")
        assert discussion.odds() == {"Ann": 1.0, "Bob": 0.0}
        say(discussion, "mine again")
        assert [entry.name for entry in discussion.entries] == ["Ann", "Ann"]
        assert discussion.entries[-1].speaker_overridden
        assert discussion.speaker_override is None
        assert asked(discussion).name == "Ann", "turn 3 of a round"

    def test_it_is_taken_back(self) -> None:
        discussion = begun("one")
        discussion.override_next_speaker("Ann")
        discussion.override_next_speaker(None)
        assert asked(discussion).name == "Bob"

    def test_the_moderator_answers_first(self) -> None:
        discussion = begun("one", moderated=True)
        discussion.override_next_speaker("Ann")
        assert asked(discussion).name == "Moderator"
        say(discussion, "well")
        assert asked(discussion).name == "Ann"

    def test_a_turn_that_is_open_again_has_the_floor_it_had(self) -> None:
        discussion = begun("one")
        discussion.override_next_speaker("Ann")
        say(discussion, "two", "three")
        discussion.delete(2)
        assert discussion.speaker_override == SpeakerOverride(2, "Ann")
        assert begun("one").fork(1).speaker_override is None

    def test_the_record_tells_who_was_asked(self) -> None:
        discussion = begun("one")
        discussion.override_next_speaker("Ann")
        say(discussion, "two", "three")
        for position in range(3):
            told = rebuild_request(record_of(discussion), position)
            assert told.request.name == discussion.entries[position].name

    def test_who_takes_no_turns_does_not_get_it(self) -> None:
        discussion = Discussion(setup(moderated=True))
        with pytest.raises(CannotChange, match="Moderator takes no turns"):
            discussion.override_next_speaker("Moderator")

    def test_who_leaves_loses_it(self) -> None:
        discussion = begun("one")
        discussion.override_next_speaker("Ann")
        discussion.change_setup(setup("Bob", "Cem"))
        assert discussion.speaker_override is None
        assert asked(discussion).name in ("Bob", "Cem")
