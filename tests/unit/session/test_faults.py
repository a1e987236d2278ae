"""Engines and disks that fail, and closing a session: nothing is lost."""

from __future__ import annotations

import os
import time
from pathlib import Path
from queue import SimpleQueue

import pytest

from syndisco_tui.engine.base import EngineError, LoadProgress
from syndisco_tui.session import (
    Closed,
    Condition,
    ErrorRaised,
    ModelReady,
    NotSaved,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
)
from syndisco_tui.store.discussions import (
    discussion_files,
    resumable_discussions,
)
from tests.support.live_session import SETUP, SLOW, Begin, changed, seed_as_reply


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
