"""A session runs a discussion to its end and obeys commands on the way."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionRecord, EarlierSetup, Persona
from syndisco_tui.engine.base import LoadProgress
from syndisco_tui.session import (
    DiscussionClosed,
    ErrorRaised,
    ModelReady,
    Opened,
    Posted,
    Renamed,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    SetupApplied,
    SetupStaged,
    StateChanged,
)
from syndisco_tui.session import live as live_module
from syndisco_tui.session import stream as stream_module
from syndisco_tui.store.discussions import (
    discussion_files,
    read_discussion,
)
from tests.support.live_session import SETUP, SLOW, Begin, Live, changed, seed_as_reply
from tests.support.scripted_engine import ScriptedEngine


class TestToTheEnd:
    def test_a_discussion_runs_to_its_end_and_is_on_disk(self, begin: Begin) -> None:
        live = begin(load_steps=2)
        end = live.until_state("finished")
        assert (end.turn, end.turns, end.path) == (4, 4, live.path)
        record = live.record
        assert record.status == "finished"
        assert [entry.name for entry in record.entries] == ["Ann", "Bob", "Ann", "Bob"]
        assert list(record.entries) == [event.message for event in live.all(Posted)]

    def test_the_order_of_events(self, begin: Begin) -> None:
        live = begin(load_steps=2, setup=changed(conv_len=1))
        live.until_state("finished")
        kinds = [type(event) for event in live.heard if not isinstance(event, ReplyGrew)]
        assert kinds == [
            StateChanged,
            LoadProgress,
            LoadProgress,
            ModelReady,
            StateChanged,
            Opened,
            StateChanged,
            ReplyStarted,
            StateChanged,
            Posted,
            StateChanged,
        ]
        states = [event.state for event in live.all(StateChanged)]
        assert states[0] == "loading"
        assert states[-2:] == ["running", "finished"]

    def test_every_message_is_saved_before_it_is_reported(self, folder: Path) -> None:
        told: list[tuple[str, DiscussionRecord]] = []

        class Witness(SimpleQueue[SessionEvent]):
            """Reads the file at the very moment an event is told."""

            def put(self, event: SessionEvent, *_: Any) -> None:
                if isinstance(event, Opened):
                    told.append(("", read_discussion(event.path)))
                if isinstance(event, Posted):
                    (path,) = discussion_files(folder)
                    told.append((event.message.text, read_discussion(path)))
                super().put(event)

        live = Live(ScriptedEngine(), folder)
        live.session.events = Witness()
        live.session.start(changed(moderator=Persona(username="Mod")))
        live.until_state("finished")
        live.session.close()
        assert len(told) == 1 + 8
        for number, (text, record) in enumerate(told):
            assert len(record.entries) == number
            assert number == 0 or record.entries[-1].text == text
        assert {record.status for _, record in told[:-1]} == {"running"}
        assert told[-1][1].status == "finished"

    def test_the_moderator_answers_and_a_silence_is_kept_out_of_the_logs(
        self, begin: Begin
    ) -> None:
        setup = changed(moderator=Persona(username="Mod"), conv_len=2)
        live = begin(["Hello.", '""', "Well, well.", "Be kind."], setup=setup)
        live.until_state("finished")
        assert [(entry.name, entry.text) for entry in live.record.entries] == [
            ("Ann", "Hello."),
            ("Mod", ""),
            ("Bob", "Well, well."),
            ("Mod", "Be kind."),
        ]
        assert '"silences"' in live.path.read_text()
        assert '""' not in live.engine.requests[2].chat[-1].content

    def test_a_reply_at_the_token_limit_is_marked_as_cut(self, begin: Begin) -> None:
        live = begin(["one two three four"], setup=changed(max_out_tokens=2, conv_len=1))
        live.until_state("finished")
        (message,) = live.record.entries
        assert (message.text, message.is_cut) == ("one two", True)

    def test_the_record_names_the_model_instead_of_auto(self, begin: Begin) -> None:
        live = begin(setup=changed(model="auto"))
        live.until_state("finished")
        assert live.record.setup.model == "scripted"
        assert live.record.engine["model"] == "scripted"
        assert {entry.model for entry in live.record.entries} == {"scripted"}

    def test_times_are_the_clock_s(self, begin: Begin) -> None:
        noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
        live = begin(clock=lambda: noon)
        live.until_state("finished")
        assert live.path.name.startswith("20260304T120000000Z-")
        assert live.record.started_at == "2026-03-04T12:00:00+00:00"
        assert live.record.entries[0].created_at == "2026-03-04T12:00:00.000+00:00"

    def test_the_same_setup_asks_the_same_of_the_engine(self, begin: Begin) -> None:
        first, second = begin(seed_as_reply), begin(seed_as_reply)
        first.until_state("finished")
        second.until_state("finished")
        assert first.engine.requests == second.engine.requests
        assert len({request.seed for request in first.engine.requests}) == 4

    def test_unread_growth_is_left_out(self, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_module, "MAX_UNREAD", 10)
        monkeypatch.setattr(stream_module, "GROWTH_INTERVAL", 0)
        live = begin("word " * 300, setup=changed(conv_len=2, max_out_tokens=400))
        time.sleep(0.5)
        live.until_state("finished")
        assert len(live.all(ReplyGrew)) < 12
        assert len(live.texts()) == 2

    def test_a_growing_reply_is_shown_as_the_guard_leaves_it(self, begin: Begin) -> None:
        reply = "User Ann posted: Well, this takes me quite a while to say."
        live = begin([reply], setup=changed(conv_len=1), delay=SLOW)
        live.until_state("finished")
        shown = [event.text for event in live.all(ReplyGrew)]
        assert len(shown) >= 3
        assert not any("posted" in text for text in shown[4:])
        assert all(live.record.entries[0].text.startswith(text) for text in shown[4:])
        assert live.record.entries[0].raw_text == reply


class TestCommandsDuringARun:
    def test_pause_waits_for_the_message(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        live.session.pause()
        assert live.until(StateChanged, lambda event: event.pausing).state == "running"
        live.until(Posted)
        live.until_state("paused")
        assert live.quiet()
        assert len(live.engine.requests) == 1
        assert (live.record.status, len(live.record.entries)) == ("paused", 1)

    def test_a_pause_can_be_taken_back(self, begin: Begin) -> None:
        live = begin(delay=0.01)
        live.until(ReplyStarted)
        live.session.pause()
        live.session.run()
        live.until_state("finished")
        assert "paused" not in {event.state for event in live.all(StateChanged)}

    def test_a_step_is_one_message(self, begin: Begin) -> None:
        live = begin(step=True)
        for count in (1, 2, 3):
            live.until_state("paused")
            assert live.quiet(0.05)
            assert len(live.record.entries) == count
            live.session.step()
        live.until_state("finished")

    def test_stop_drops_the_reply_and_its_turn_stays_open(self, begin: Begin) -> None:
        live = begin(seed_as_reply, delay=SLOW)
        live.until(Posted)
        live.until(ReplyGrew)
        live.session.stop()
        assert live.until(ReplyDropped).name == "Bob"
        live.until_state("paused")
        assert live.quiet()
        assert (live.record.status, len(live.record.entries)) == ("paused", 1)
        live.session.run()
        live.until(Posted)
        _, dropped, again = live.engine.requests[:3]
        assert again == dropped
        live.session.stop()

    def test_a_stopped_reply_costs_no_more_words(self, begin: Begin) -> None:
        live = begin(["word " * 500], delay=0.01)
        live.until(ReplyGrew)
        live.session.stop()
        live.until_state("paused")
        live.session.run()
        live.until(ReplyGrew, within=0.5)

    def test_another_setup_applies_from_the_next_turn(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        new = changed(context="It is raining.", conv_len=3)
        live.session.change_setup(new)
        assert live.until(Posted).message.turn == 1
        assert live.until(SetupApplied) == SetupApplied(new, from_turn=2)
        live.until_state("finished")
        contexts = ["It is raining" in request.chat[0].content for request in live.engine.requests]
        assert contexts == [False, True, True]
        assert live.record.setup == new
        assert live.record.earlier_setups == (EarlierSetup(1, SETUP, 1),)

    def test_the_last_of_several_setups_applies(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        for context in ("one", "two", "three"):
            live.session.change_setup(changed(context=context))
        live.until_state("finished")
        assert [event.setup.context for event in live.all(SetupApplied)] == ["three"]
        assert len(live.record.earlier_setups) == 1

    def test_another_model_is_loaded_before_the_next_turn(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        live.session.change_setup(changed(model="other"))
        live.until_state("finished")
        models = [entry.model for entry in live.record.entries]
        assert models == ["scripted", "other", "other", "other"]

    @pytest.mark.parametrize("command", ["run", "step"])
    def test_a_setup_changed_while_paused_applies_once_the_user_goes_on(
        self, begin: Begin, command: str
    ) -> None:
        live = begin(step=True)
        live.until_state("paused")
        saved = live.path.read_bytes()
        new = changed(context="It is raining.", title="Rain")
        live.session.change_setup(new)
        assert live.until(SetupStaged) == SetupStaged(new, from_turn=2)
        assert live.quiet()
        assert live.path.read_bytes() == saved
        getattr(live.session, command)()
        assert live.until(SetupApplied) == SetupApplied(new, from_turn=2)
        live.until(Posted)
        assert live.record.setup == new
        assert live.record.title == "Rain"
        assert live.record.earlier_setups == (EarlierSetup(1, SETUP, 1),)

    def test_a_draft_is_left_behind_with_the_discussion(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.change_setup(changed(context="It is raining.", conv_len=1))
        live.session.close_discussion()
        live.until(DiscussionClosed)
        assert live.until(StateChanged).state == "idle"
        assert live.session.record is None
        assert live.record.setup == SETUP
        assert live.record.status == "paused"
        live.session.resume(live.path)
        live.until_state("finished")
        assert not live.all(SetupApplied)
        assert len(live.record.entries) == 4

    def test_closing_a_discussion_drops_the_reply_and_its_turn_stays_open(
        self, begin: Begin
    ) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyGrew)
        live.session.close_discussion()
        live.until(ReplyDropped)
        live.until(DiscussionClosed)
        live.until(StateChanged)
        assert live.quiet()
        assert live.record.status == "paused"
        assert live.record.entries == ()

    def test_another_title_is_the_setups_too_and_no_change_of_an_earlier_turn(
        self, begin: Begin
    ) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.rename("Rain")
        assert live.until(Renamed) == Renamed("", "Rain")
        assert live.record.title == live.record.setup.title == "Rain"
        live.session.change_setup(changed(title="Rain"))
        live.session.run()
        live.until_state("finished")
        assert not live.all(SetupApplied)
        assert live.record.earlier_setups == ()

    def test_a_setup_changed_while_loading_is_the_one_that_begins(self, begin: Begin) -> None:
        live = begin(delay=SLOW, load_steps=5)
        live.until(LoadProgress)
        live.session.change_setup(changed(context="It is raining.", conv_len=1))
        live.until_state("finished")
        assert live.record.setup.context == "It is raining."
        assert live.record.earlier_setups == ()

    def test_a_finished_discussion_goes_on_when_it_is_made_longer(self, begin: Begin) -> None:
        live = begin(seed_as_reply, setup=changed(conv_len=2))
        live.until_state("finished")
        live.session.change_setup(SETUP)
        live.until(SetupStaged)
        assert live.record.status == "finished"
        live.session.run()
        live.until_state("finished")
        whole = begin(seed_as_reply)
        whole.until_state("finished")
        assert live.engine.requests == whole.engine.requests
        assert len(discussion_files(live.folder)) == 2

    def test_run_after_the_end_changes_nothing(self, begin: Begin) -> None:
        live = begin()
        live.until_state("finished")
        live.session.run()
        live.until_state("finished")
        assert len(live.record.entries) == 4

    def test_commands_before_anything_is_open_do_no_harm(self, begin: Begin) -> None:
        live = begin(setup=None)
        for command in (live.session.run, live.session.step, live.session.pause, live.session.stop):
            command()
        live.session.change_setup(SETUP)
        live.session.start(SETUP)
        live.until_state("finished")
        assert live.all(ErrorRaised) == []
