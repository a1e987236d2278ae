"""The live session: commands in, events out; saved before it is told; nothing is ever lost."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionRecord, EarlierSetup, Persona
from syndisco_tui.engine.base import EngineError, LoadProgress
from syndisco_tui.session import (
    Closed,
    Condition,
    DiscussionClosed,
    ErrorRaised,
    ModelReady,
    NotSaved,
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
    DiscussionFile,
    discussion_files,
    read_discussion,
    resumable_discussions,
)
from syndisco_tui.store.lock import has_writer
from tests.support.live_session import SETUP, SLOW, Begin, Live, changed, seed_as_reply
from tests.support.project import start_python
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


class TestAnotherDiscussion:
    def test_the_first_stays_valid_and_can_be_resumed(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        first = live.until(Opened).path
        live.until(Posted)
        live.until(ReplyGrew)
        live.session.start(changed(conv_len=1))
        live.until(ReplyDropped)
        second = live.until(Opened).path
        live.until_state("finished")
        assert second != first
        assert read_discussion(first).status == "paused"
        assert len(read_discussion(first).entries) == 1
        assert not has_writer(first)
        assert has_writer(second)

    def test_one_that_is_resumed_takes_the_place_of_one_that_was_to_begin(
        self, begin: Begin
    ) -> None:
        live = begin(step=True)
        saved = live.until(Opened).path
        live.until_state("paused")
        other = begin(delay=SLOW, load_steps=5, setup=changed(title="never begun"))
        live.session.close()
        other.until(LoadProgress)
        other.session.resume(saved)
        assert other.until(Opened).path == saved
        other.until_state("finished")
        assert discussion_files(other.folder) == [saved]

    def test_a_setup_without_users_is_refused_and_nothing_is_left(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.start(changed(personas=()))
        told = live.until(ErrorRaised)
        assert told == ErrorRaised("Nobody takes part: choose at least one persona.")
        live.session.run()
        live.until_state("finished")
        assert len(discussion_files(live.folder)) == 1

    def test_a_change_to_nobody_is_refused(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.change_setup(changed(personas=()))
        assert "Nobody takes part" in live.until(ErrorRaised).sentence
        assert live.record.setup == SETUP
        live.session.run()
        live.until_state("finished")


RUN_UNTIL_KILLED = """if True:
    import sys
    from pathlib import Path
    from syndisco_tui.session import LiveSession, Posted, Runner
    from tests.support.scripted_engine import ScriptedEngine
    from tests.support.live_session import SETUP, seed_as_reply
    session = LiveSession(Runner(ScriptedEngine(seed_as_reply, delay=0.02), Path(sys.argv[1])))
    session.start(SETUP.model_copy(update={"conv_len": 8}))
    while True:
        if isinstance(session.events.get(), Posted):
            print("posted", flush=True)
"""


class TestResuming:
    def test_a_killed_run_goes_on_as_if_nothing_had_been(self, begin: Begin, folder: Path) -> None:
        process = start_python(RUN_UNTIL_KILLED, folder)
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "posted\n"
        process.kill()
        process.communicate()
        (path,) = discussion_files(folder)
        record = read_discussion(path)
        assert [(path, record)] == list(resumable_discussions(folder))
        said = len(record.entries)
        assert 3 <= said < 8

        live = begin(seed_as_reply, setup=None)
        live.session.resume(path)
        live.until_state("finished")
        whole = begin(seed_as_reply, setup=changed(conv_len=8))
        whole.until_state("finished")
        assert live.engine.requests == whole.engine.requests[said:]
        assert [entry.text for entry in read_discussion(path).entries] == whole.texts()
        assert read_discussion(path).status == "finished"
        assert read_discussion(path).id == record.id

    @pytest.mark.parametrize("turn", [1, 2, 3])
    def test_wherever_it_was_paused_the_rest_is_the_same(self, begin: Begin, turn: int) -> None:
        moderated = changed(moderator=Persona(username="Mod"), turn_manager="RandomWeighted")
        whole = begin(seed_as_reply, setup=moderated)
        whole.until_state("finished")
        live = begin(seed_as_reply, setup=moderated, step=True)
        path = live.until(Opened).path
        for _ in range(turn - 1):
            live.until_state("paused")
            live.session.step()
        live.until_state("paused")
        live.session.close()
        again = begin(seed_as_reply, setup=None)
        again.session.resume(path)
        assert len(again.until(Opened).record.entries) == turn
        again.until_state("finished")
        assert live.engine.requests + again.engine.requests == whole.engine.requests

    def test_it_can_be_opened_without_going_on(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.close()
        again = begin(setup=None)
        again.session.resume(live.path, run=False)
        again.until_state("paused")
        assert again.quiet()
        again.session.run()
        again.until_state("finished")

    def test_a_changed_setup_is_remembered(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.change_setup(changed(context="It is raining."))
        live.session.step()
        live.until(SetupApplied)
        live.session.close()
        again = begin(setup=None)
        again.session.resume(live.path)
        again.until_state("finished")
        assert again.record.earlier_setups == (EarlierSetup(1, SETUP, 1),)
        assert "It is raining." in again.engine.requests[0].chat[0].content

    def test_what_cannot_be_opened_leaves_the_open_one_running(
        self, begin: Begin, tmp_path: Path
    ) -> None:
        live = begin(delay=SLOW)
        live.until(Posted)
        nowhere = tmp_path / "gone" / "a.json"
        live.session.resume(nowhere)
        told = live.until(ErrorRaised).sentence
        assert told == f"{nowhere}: cannot be opened to go on: No such file or directory"
        live.until_state("finished")
        assert not live.all(Condition)

    def test_a_file_in_use_is_refused_with_a_sentence(self, begin: Begin, folder: Path) -> None:
        file = DiscussionFile.create(folder, datetime.now(UTC))
        file.path.write_text("{}")
        live = begin(setup=None)
        live.session.resume(file.path)
        told = live.until(ErrorRaised)
        assert told.sentence == (
            f"{file.path.name}: another syndisco-tui is running this discussion"
        )
        assert not told.fatal
        live.until_state("idle")
        assert file.path.read_text() == "{}"
        file.close()

    @pytest.mark.parametrize("content", ["{", "[]", '{"logs": []}', '{"logs": 3}'])
    def test_garbage_is_refused_and_let_go(self, begin: Begin, folder: Path, content: str) -> None:
        path = folder / "garbage.json"
        path.write_text(content)
        live = begin(setup=None)
        live.session.resume(path)
        assert "Unexpected" not in live.until(ErrorRaised).sentence
        live.until_state("idle")
        assert path.read_text() == content
        assert os.listdir(folder) == ["garbage.json"]

    def test_a_finished_one_is_shown_and_stays_finished(self, begin: Begin) -> None:
        live = begin()
        live.until_state("finished")
        live.session.close()
        again = begin(setup=None)
        again.session.resume(live.path)
        again.until_state("finished")
        assert len(again.all(Opened)[0].record.entries) == 4
        assert again.record.entries == live.record.entries
        assert again.quiet()
        assert not again.all(ModelReady)  # nobody needs it


class TestEngineFaults:
    def test_a_failed_reply_pauses_and_its_turn_can_be_repeated(self, begin: Begin) -> None:
        fault = EngineError("The GPU is out of memory; use a smaller model.")
        live = begin(["Hello.", fault, "Well."])
        told = live.until(ErrorRaised)
        assert told == ErrorRaised("The GPU is out of memory; use a smaller model.")
        live.until_state("paused")
        assert [event.name for event in live.all(ReplyDropped)] == ["Bob"]
        assert (live.record.status, len(live.record.entries)) == ("paused", 1)
        assert live.quiet()
        live.session.step()
        live.until_state("paused")
        _, failed, again = live.engine.requests
        assert again == failed
        assert [entry.text for entry in live.record.entries] == ["Hello.", "Well."]

    def test_a_model_that_cannot_be_had_is_fatal(self, begin: Begin, folder: Path) -> None:
        live = begin(setup=changed(model="nowhere"))
        told = live.until(ErrorRaised)
        assert told.fatal
        assert told.sentence == "There is no model “nowhere”; try --model starter."
        live.until_state("idle")
        assert os.listdir(folder) == []

    def test_a_model_that_nobody_waits_for_is_not_fatal(self, begin: Begin) -> None:
        live = begin(setup=None)
        live.session.load(changed(model="nowhere"))
        assert not live.until(ErrorRaised).fatal
        live.session.start(SETUP)
        live.until_state("finished")

    def test_another_model_that_cannot_be_had_keeps_the_discussion(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.change_setup(changed(model="nowhere"))
        live.session.run()
        live.until(ErrorRaised)
        live.until_state("paused")
        live.session.change_setup(SETUP)
        live.session.run()
        live.until_state("finished")
        assert len(live.record.entries) == 4

    def test_a_model_that_another_session_replaced_is_loaded_again(self, begin: Begin) -> None:
        live = begin(setup=changed(model="one", conv_len=1))
        live.until_state("finished")
        beside: SimpleQueue[SessionEvent] = SimpleQueue()
        sibling = live.session.sibling(beside.put)
        sibling.start(changed(model="two", conv_len=1))
        while getattr(beside.get(timeout=5), "state", "") != "finished":
            pass
        assert sibling.close()
        live.session.start(changed(model="one", conv_len=1))
        assert live.until(Posted).message.model == "one"

    def test_a_model_that_is_ready_is_not_loaded_twice(self, begin: Begin) -> None:
        live = begin(setup=None, load_steps=2)
        live.session.load(SETUP)
        live.until(ModelReady)
        live.session.start(SETUP)
        live.until_state("finished")
        live.session.start(SETUP)
        live.until_state("finished")
        assert len(live.all(ModelReady)) == 1

    @pytest.mark.parametrize("command", ["pause", "stop"])
    def test_loading_can_be_given_up(self, begin: Begin, folder: Path, command: str) -> None:
        live = begin(delay=SLOW, load_steps=100)
        live.until(LoadProgress)
        getattr(live.session, command)()
        assert live.until(ErrorRaised) == ErrorRaised("Loading was cancelled.")
        live.until_state("idle")
        assert os.listdir(folder) == []


class TestDiskFaults:
    """The folder goes away, as a full or read-only disk does to its writer, and comes back."""

    @pytest.fixture
    def away(self, folder: Path) -> Path:
        return folder.with_name("away")

    def test_a_message_that_cannot_be_saved_pauses_and_is_kept(
        self, begin: Begin, folder: Path, away: Path
    ) -> None:
        live = begin(seed_as_reply, delay=SLOW)
        live.until(Posted)
        live.until(ReplyStarted)
        folder.rename(away)
        told = live.until(Condition)
        assert told.cause == "saving"
        assert told.sentence.startswith("Cannot save: no such file or directory.")
        assert told.where == str(folder)
        live.until_state("paused")
        assert live.quiet()
        assert len(live.all(Posted)) == 1
        (kept,) = live.all(NotSaved)

        away.rename(folder)
        live.session.run()
        assert live.until(Condition) == Condition("saving", "")
        assert live.until(Posted).message == kept.message
        live.until_state("finished")
        assert live.texts() == [entry.text for entry in live.record.entries]
        whole = begin(seed_as_reply)
        whole.until_state("finished")
        assert live.engine.requests == whole.engine.requests

    def test_as_long_as_it_cannot_be_saved_nothing_is_asked(
        self, begin: Begin, folder: Path, away: Path
    ) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        folder.rename(away)
        live.until(Condition)
        for command in (live.session.run, live.session.step, live.session.run):
            live.until_state("paused")
            command()
            live.until_state("running")
        live.until_state("paused")
        assert len(live.all(Condition)) == 1
        assert len(live.engine.requests) == 1
        away.rename(folder)
        live.session.step()
        live.until(Posted)
        live.until_state("paused")

    def test_quitting_saves_what_could_not_be_saved(
        self, begin: Begin, folder: Path, away: Path
    ) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        folder.rename(away)
        live.until(Condition)
        away.rename(folder)
        live.session.close()
        live.until(Closed)
        assert len(live.all(Posted)) == 1
        assert (live.record.status, len(live.record.entries)) == ("paused", 1)

    def test_quitting_ends_even_if_nothing_can_be_saved(
        self, begin: Begin, folder: Path, away: Path
    ) -> None:
        live = begin(delay=SLOW)
        live.until(ReplyStarted)
        folder.rename(away)
        assert live.session.close()
        assert "Cannot save" in live.until(Condition).sentence
        live.until(Closed)
        (path,) = discussion_files(away)
        assert [waiting for waiting, _ in resumable_discussions(away)] == [path]

    def test_a_discussion_that_cannot_be_saved_does_not_begin(
        self, begin: Begin, folder: Path
    ) -> None:
        folder.rmdir()
        live = begin()
        assert "Cannot save" in live.until(Condition).sentence
        live.until_state("idle")
        assert live.engine.requests == []
        folder.mkdir()
        live.session.start(SETUP)
        live.until_state("finished")


class TestClosing:
    def test_a_reply_in_the_making_is_dropped_and_the_rest_is_paused(self, begin: Begin) -> None:
        live = begin(["word " * 500], delay=0.01)
        live.until(ReplyGrew)
        began = time.monotonic()
        assert live.session.close()
        assert time.monotonic() - began < 0.5
        live.until(Closed)
        assert live.session.events.empty()
        assert (live.record.status, live.record.entries) == ("paused", ())

    def test_no_leftover_stays_in_the_folder(self, begin: Begin, folder: Path) -> None:
        live = begin(step=True)
        live.until_state("paused")
        assert len(os.listdir(folder)) == 2
        live.session.close()
        assert os.listdir(folder) == [live.path.name]

    def test_a_finished_discussion_stays_finished(self, begin: Begin) -> None:
        live = begin()
        live.until_state("finished")
        live.session.close()
        assert live.record.status == "finished"

    def test_loading_does_not_hold_it_up(self, begin: Begin) -> None:
        live = begin(delay=SLOW, load_steps=1000)
        live.until(LoadProgress)
        assert live.session.close(0.5)

    def test_it_can_be_closed_twice(self, begin: Begin) -> None:
        live = begin(setup=None)
        assert live.session.close()
        assert live.session.close()
