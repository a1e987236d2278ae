"""A person reaches into a discussion: saved before it is told, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import (
    IMPORTED_FROM,
    DiscussionRecord,
    Parent,
    Persona,
    SpeakerOverride,
)
from syndisco_tui.engine.base import EngineError, GenerationRequest
from syndisco_tui.headless.replay import replay
from syndisco_tui.session import (
    CandidateLost,
    CandidateMade,
    CandidatesBegun,
    Condition,
    Delete,
    DiscussionChanged,
    Edit,
    ErrorRaised,
    Inject,
    Intervention,
    InterventionsQueued,
    Opened,
    Posted,
    Regenerate,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SetNextSpeaker,
    SetupApplied,
    SetupStaged,
    Undo,
    runner,
)
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.store.summary import summarize_file
from tests.support.live_session import SETUP, SLOW, Begin, Live, changed, seed_as_reply
from tests.support.scripted_engine import ScriptedEngine


def said(live: Live) -> list[str]:
    return [entry.text for entry in live.record.entries]


def intervene(live: Live, step: Intervention) -> DiscussionRecord:
    """Do it, and wait until it is told; the file must hold it by then."""
    live.session.intervene(step)
    told = live.until(DiscussionChanged).record
    assert told == live.record
    return told


@pytest.fixture
def paused(begin: Begin) -> Live:
    """After two messages: "I drew …" of Ann and Bob."""
    live = begin(seed_as_reply, step=True)
    live.until(Posted)
    live.session.step()
    live.until(Posted)
    live.until_state("paused")
    return live


class TestBetweenTurns:
    def test_a_humans_words_are_saved_and_read_by_the_next_speaker(self, paused: Live) -> None:
        intervene(paused, Inject("Zoe", "Excuse me."))
        message = paused.record.entries[-1]
        assert (message.name, message.text, message.role) == ("Zoe", "Excuse me.", "human")
        assert message.created_at
        paused.session.step()
        paused.until(Posted)
        assert "Excuse me." in paused.engine.requests[-1].chat[-1].content

    def test_an_edited_message_is_read_as_it_is_now(self, paused: Live) -> None:
        intervene(paused, Edit(0, "Edited."))
        paused.session.step()
        paused.until(Posted)
        assert "Edited." in paused.engine.requests[-1].chat[-1].content
        assert paused.record.entries[0].original_text == paused.all(Posted)[0].message.text

    def test_a_regenerated_message_has_a_new_seed_and_the_first_is_kept(self, paused: Live) -> None:
        first = paused.record.entries[-1]
        paused.session.intervene(Regenerate())
        assert len(paused.until(DiscussionChanged).record.entries) == 1
        again = paused.until(Posted).message
        paused.until_state("paused")
        assert (again.name, again.turn) == (first.name, first.turn)
        assert again.seed != first.seed
        assert paused.record.changes[-1].before == (first,)
        intervene(paused, Undo())
        assert paused.record.entries[-1] == first

    def test_a_deleted_message_comes_back(self, paused: Live) -> None:
        before = paused.record.entries
        intervene(paused, Delete(0))
        assert paused.record.entries == ()
        intervene(paused, Undo())
        assert paused.record.entries == before
        assert paused.record.changes == ()

    def test_the_next_speaker_is_set_and_saved(self, paused: Live) -> None:
        assert intervene(paused, SetNextSpeaker("Bob")).speaker_override == SpeakerOverride(
            3, "Bob"
        )
        paused.session.step()
        assert paused.until(Posted).message.name == "Bob"
        paused.until_state("paused")
        assert paused.record.speaker_override is None
        assert paused.record.entries[-1].speaker_overridden

    def test_an_impossible_change_is_an_error_and_changes_nothing(self, paused: Live) -> None:
        before = intervene(paused, Inject("Zoe", "Hm."))
        paused.session.intervene(Regenerate())
        assert paused.until(ErrorRaised).sentence == (
            "There is nothing to regenerate: no model said the last message."
        )
        assert paused.record.entries == before.entries

    def test_the_last_message_of_a_finished_discussion_can_be_regenerated(
        self, begin: Begin
    ) -> None:
        live = begin()
        live.until_state("finished")
        live.session.intervene(Regenerate())
        live.until(Posted)
        live.until_state("finished")
        assert (live.record.status, live.record.turns_taken) == ("finished", 4)

    def test_deleting_reopens_a_finished_discussion(self, begin: Begin) -> None:
        live = begin()
        live.until_state("finished")
        intervene(live, Delete())
        live.until_state("paused")
        assert live.record.status == "paused"

    def test_a_resumed_discussion_continues_as_before(self, paused: Live, begin: Begin) -> None:
        intervene(paused, Edit(0, "Edited."))
        intervene(paused, SetNextSpeaker("Bob"))
        intervene(paused, Delete())
        paused.session.close()
        again = begin(seed_as_reply, setup=None)
        again.session.resume(paused.path, run=False)
        again.until_state("paused")
        intervene(again, Undo())
        assert len(again.record.entries) == 2
        again.session.run()
        again.until_state("finished")
        assert [entry.name for entry in again.record.entries] == ["Ann", "Bob", "Bob", "Bob"]
        engine = ScriptedEngine(seed_as_reply)
        assert replay(engine, again.record) == 0
        engine.close()

    def test_a_stopped_regeneration_continues_after_a_restart(
        self, begin: Begin, folder: Path
    ) -> None:
        live = begin(seed_as_reply, step=True, delay=SLOW)
        live.until(Posted)
        live.until_state("paused")
        live.session.intervene(Regenerate())
        live.until(ReplyGrew)
        live.session.close()
        asked = live.engine.requests[-1]
        again = begin(seed_as_reply, setup=None)
        again.session.resume(live.path)
        again.until_state("finished")
        assert again.engine.requests[0] == asked


class TestDuringAReply:
    def test_an_injected_message_waits_for_the_reply_in_progress(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        live.session.intervene(Inject("Zoe", "Excuse me."))
        assert live.until(InterventionsQueued).interventions == (Inject("Zoe", "Excuse me."),)
        live.until(Posted)
        live.until(DiscussionChanged)
        assert live.until(InterventionsQueued).interventions == ()
        assert said(live)[1] == "Excuse me."
        live.until_state("finished")

    def test_a_queued_intervention_can_be_undone(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        live.session.intervene(Inject("Zoe", "Excuse me."))
        live.session.intervene(Undo())
        live.until(InterventionsQueued, lambda event: not event.interventions)
        live.until_state("finished")
        assert not live.all(DiscussionChanged)

    def test_queued_interventions_are_applied_on_stop_and_quit(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        live.session.intervene(Inject("Zoe", "Excuse me."))
        live.session.stop()
        live.until(DiscussionChanged)
        live.session.run()
        live.until(ReplyStarted)
        live.session.intervene(Inject("Zoe", "Me again."))
        live.session.close()
        assert said(live) == ["Excuse me.", "Me again."]
        assert live.record.status == "paused"

    def test_regenerating_drops_the_reply_and_continues(self, begin: Begin) -> None:
        live = begin(seed_as_reply, delay=SLOW)
        first = live.until(Posted).message
        live.until(ReplyGrew)
        live.session.intervene(Regenerate())
        live.until(ReplyDropped)
        again = live.until(Posted).message
        assert (again.name, again.turn, again.attempt) == (first.name, 1, 1)
        live.until_state("finished")
        engine = ScriptedEngine(seed_as_reply)
        assert replay(engine, live.record) == 0
        engine.close()

    def test_deleting_drops_the_reply_and_pauses(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(Posted)
        live.until(ReplyGrew)
        live.session.intervene(Delete())
        live.until(ReplyDropped)
        live.until_state("paused")
        assert live.record.entries == ()
        assert live.quiet()

    def test_undoing_an_injected_message_drops_the_reply(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        live.session.intervene(Inject("Zoe", "Excuse me."))
        live.until(DiscussionChanged)
        live.until(ReplyStarted)
        live.session.intervene(Undo())
        live.until(ReplyDropped)
        live.until_state("finished")
        assert "Excuse me." not in said(live)
        assert "Excuse me." not in live.engine.requests[-1].chat[-1].content

    def test_an_impossible_change_does_not_drop_the_reply(self, paused: Live) -> None:
        paused.session.intervene(Inject("Zoe", "Excuse me."))
        paused.until(DiscussionChanged)
        paused.session.step()
        paused.until(Posted)
        paused.until_state("paused")
        paused.engine.delay = SLOW
        paused.session.run()
        paused.until(ReplyStarted)
        paused.session.intervene(Undo())
        assert "Somebody has spoken since" in paused.until(ErrorRaised).sentence
        paused.engine.delay = 0
        paused.until_state("finished")
        assert not paused.all(ReplyDropped)

    def test_a_staged_setup_can_be_withdrawn(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        new = changed(context="It is raining.")
        live.session.change_setup(new)
        assert live.until(SetupStaged) == SetupStaged(new, 2)
        live.session.change_setup(SETUP)
        assert live.until(SetupStaged).setup is None
        live.until_state("finished")
        assert not live.all(SetupApplied)

    @pytest.mark.parametrize("command", ["stop", "pause"])
    def test_a_staged_setup_waits_until_the_user_continues(
        self, begin: Begin, command: str
    ) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        raining, snowing = changed(context="It is raining."), changed(context="It is snowing.")
        live.session.change_setup(raining)
        live.until(SetupStaged)
        getattr(live.session, command)()
        live.until_state("paused")
        assert not live.all(SetupApplied)
        live.session.run()
        assert live.until(SetupApplied).setup == raining
        live.until(ReplyStarted)
        live.session.change_setup(snowing)
        live.session.close()
        assert live.record.setup.context == raining.context

    def test_regenerating_leaves_a_staged_setup_alone(self, paused: Live) -> None:
        raining = changed(context="It is raining.")
        paused.session.change_setup(raining)
        paused.until(SetupStaged)
        paused.session.intervene(Regenerate())
        paused.until(Posted)
        paused.until_state("paused")
        assert paused.record.setup.context == SETUP.context
        paused.session.step()
        assert paused.until(SetupApplied).setup == raining


class TestCandidates:
    def test_candidates_are_requested_together_and_one_is_chosen(self, paused: Live) -> None:
        before = len(paused.engine.requests)
        present = paused.record.entries[-1]
        paused.session.offer_candidates(3)
        assert paused.until(CandidatesBegun) == CandidatesBegun(present, 3)
        made = [paused.until(CandidateMade) for _ in range(3)]
        asked = paused.engine.requests[before:]
        assert len({request.seed for request in asked} | {present.seed}) == 4
        assert len({request.chat for request in asked}) == 1
        paused.session.choose(1)
        paused.until(DiscussionChanged)
        chosen = next(event.message for event in made if event.number == 1)
        assert paused.record.entries[-1] == chosen
        others = {event.message for event in made if event.number != 1}
        assert {*paused.record.changes[-1].before} == {present, *others}
        assert paused.record.status == "paused"

    def test_keeping_the_message_saves_the_candidates(self, paused: Live) -> None:
        before = paused.record.entries
        paused.session.offer_candidates(2)
        for _ in range(2):
            paused.until(CandidateMade)
        paused.session.choose(None)
        paused.until(DiscussionChanged)
        assert paused.record.entries == before
        assert len(paused.record.changes[-1].before) == 2

    def test_continuing_dismisses_the_candidates(self, paused: Live) -> None:
        paused.engine.delay = SLOW
        paused.session.offer_candidates(2)
        paused.until(CandidatesBegun)
        paused.session.run()
        paused.engine.delay = 0
        paused.until_state("finished")
        assert len(paused.record.entries) == 4

    def test_offering_candidates_drops_the_reply_and_pauses(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(Posted)
        live.until(ReplyGrew)
        live.session.offer_candidates(2)
        live.until(ReplyDropped)
        live.until(CandidateMade)
        assert live.record.status == "paused"

    def test_a_failed_candidate_leaves_the_others_to_choose(self, begin: Begin) -> None:
        live = begin(["One.", EngineError("Out of memory."), "Three."], step=True)
        live.until_state("paused")
        live.session.offer_candidates(2)
        assert live.until(CandidateLost) == CandidateLost(0, "Out of memory.")
        live.until(CandidateMade)
        live.session.choose(1)
        live.until(DiscussionChanged)
        assert said(live) == ["Three."]

    def test_the_model_is_loaded_for_candidates(self, paused: Live, begin: Begin) -> None:
        paused.session.close()
        again = begin(setup=None)
        again.session.resume(paused.path, run=False)
        again.session.offer_candidates(2)
        again.until(CandidateMade)

    @pytest.mark.parametrize("meanwhile", ["regenerate", "another"])
    def test_leaving_while_the_model_loads_cancels_the_candidates(
        self, paused: Live, begin: Begin, meanwhile: str
    ) -> None:
        paused.session.start(SETUP, step=True)
        paused.until(Opened)
        paused.until(Posted)
        paused.session.close()
        other, first = discussion_files(paused.folder)
        again = begin(setup=None, delay=SLOW, load_steps=5)
        again.session.resume(first, run=False)
        again.session.offer_candidates(2)
        again.until_state("loading")
        if meanwhile == "regenerate":
            again.session.intervene(Regenerate())
            again.until(Posted)
        else:
            again.session.resume(other, run=False)
            again.until(Opened)
            again.session.load(SETUP)
        again.until_state("paused")
        assert again.quiet()
        assert not again.all(CandidatesBegun)

    def test_a_dead_engine_loses_unfinished_candidates(
        self, begin: Begin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner, "LOOK_INTERVAL", 0.02)

        def answer(request: GenerationRequest) -> str:
            if len(live.engine.requests) > 1:
                raise SystemExit
            return "One."

        live = begin(answer, step=True)
        live.until_state("paused")
        live.session.offer_candidates(2)
        for number in range(2):
            lost = live.until(CandidateLost)
            assert lost == CandidateLost(number, "The model's thread has ended.")
        assert live.until(Condition).cause == "engine"
        live.session.choose(None)
        live.session.step()
        live.until_state("paused")

    def test_candidates_need_a_last_message(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        live.session.offer_candidates(2)
        assert "nobody has spoken yet" in live.until(ErrorRaised).sentence
        live.session.run()
        live.engine.delay = 0
        live.until_state("finished")


class TestFork:
    def test_a_fork_shares_the_beginning_and_leaves_the_parent_alone(self, paused: Live) -> None:
        parent, before = paused.path, paused.record
        paused.session.fork(1, changed(title="What if", temperature=0.1))
        opened = paused.until(Opened)
        paused.until_state("paused")
        fork = read_discussion(opened.path)
        assert opened.path != parent
        assert (fork.title, fork.setup.temperature, fork.status) == ("What if", 0.1, "paused")
        assert fork.parent is not None
        assert (fork.parent.id, fork.parent.turn) == (before.id, 1)
        assert fork.entries == before.entries[:1]
        assert read_discussion(parent) == before
        paused.session.run()
        paused.until_state("finished")
        assert len(read_discussion(opened.path).entries) == 4

    def test_another_title_is_no_change_of_the_setup(self, paused: Live) -> None:
        setup = paused.record.setup.model_copy(update={"title": "What if"})
        paused.session.fork(1, setup)
        fork = read_discussion(paused.until(Opened).path)
        assert (fork.title, fork.setup, fork.earlier_setups) == ("What if", setup, ())

    def test_a_discussion_that_is_not_open_can_be_forked(self, paused: Live) -> None:
        other = replace(paused.record, id="other", title="Elsewhere")
        paused.session.fork(1, SETUP, other)
        fork = read_discussion(paused.until(Opened).path)
        assert fork.parent == Parent("other", 1)
        assert fork.entries == other.entries[:1]

    def test_a_fork_of_an_imported_discussion_can_be_continued(self, paused: Live) -> None:
        finished = replace(paused.record, status="finished", engine={IMPORTED_FROM: "SynDisco 2.0"})
        paused.session.fork(len(finished.entries), changed(conv_len=1), finished)
        opened = paused.until(Opened)
        assert (opened.record.status, opened.record.is_foreign) == ("finished", False)
        assert summarize_file(opened.path)[0].status == "finished"
        assert opened.record.engine == {}
        paused.session.start(SETUP)
        paused.session.resume(opened.path)
        paused.until(Opened, lambda event: event.record.id == opened.record.id)

    def test_a_fork_of_a_running_discussion_leaves_it_paused(
        self, begin: Begin, folder: Path
    ) -> None:
        live = begin(delay=SLOW)
        live.until(Posted)
        parent = live.path
        live.session.fork(1, SETUP)
        live.until(Opened, lambda event: event.path != parent)
        live.until_state("paused")
        assert read_discussion(parent).status == "paused"
        assert len(discussion_files(folder)) == 2


def test_a_change_is_reported_once_it_is_saved(
    paused: Live, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syndisco_tui.session.runner.RETRY_SECONDS", 0.05)
    away = folder.with_name("away")
    folder.rename(away)
    paused.session.intervene(Inject("Zoe", "Excuse me."))
    assert paused.until(Condition).cause == "saving"
    assert not paused.all(DiscussionChanged)
    away.rename(folder)
    told = paused.until(DiscussionChanged).record
    assert told.entries[-1].text == "Excuse me."
    assert said(paused)[-1] == "Excuse me."


@pytest.mark.parametrize("step", [Inject("Zoe", "Hm."), Undo(), Regenerate(), Delete()])
def test_interventions_without_a_discussion_do_nothing(begin: Begin, step: Any) -> None:
    live = begin(setup=None)
    live.session.intervene(step)
    assert live.quiet(0.05)


def test_the_moderators_answer_can_be_regenerated(begin: Begin) -> None:
    live = begin(setup=changed(moderator=Persona(username="Mod"), conv_len=1))
    live.until_state("finished")
    live.session.intervene(Regenerate())
    assert live.until(Posted).message.role == "moderator"
    live.until_state("finished")
