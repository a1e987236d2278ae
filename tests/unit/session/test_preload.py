"""The last model is loaded before it is needed: joined, given up or missed without a word."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.engine.base import LoadProgress
from syndisco_tui.engine.model import EngineInfo, ModelSpec
from syndisco_tui.session import (
    ErrorRaised,
    LiveSession,
    ModelReady,
    Phase,
    PreloadFailed,
    Runner,
    SessionEvent,
    StateChanged,
)
from syndisco_tui.session.last_model import LastModelFile
from tests.support.scripted_engine import ScriptedEngine

SETUP = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")), conv_len=2, model="scripted"
)
OTHER = SETUP.model_copy(update={"model": "another"})


class Preloading:
    """A session whose engine loads nothing until it may."""

    def __init__(self, folder: Path, model: str | None = "scripted") -> None:
        folder.mkdir(exist_ok=True)
        self.file = folder / "last-model.json"
        self.last_model = LastModelFile(self.file)
        if model:
            LastModelFile(self.file).remember(ModelSpec(model), EngineInfo(model))
        self.engine = ScriptedEngine(load_steps=2)
        self.engine.may_load.clear()
        self.session = LiveSession(Runner(self.engine, folder, last_model=self.last_model))
        self.heard: list[SessionEvent] = []

    def until(self, kind: type[SessionEvent], state: Phase | None = None) -> SessionEvent:
        deadline = time.monotonic() + 5
        while True:
            try:
                event = self.session.events.get(timeout=max(0, deadline - time.monotonic()))
            except Empty:
                pytest.fail(f"no {kind.__name__} {state or ''} after {self.heard[-3:]}")
            self.heard.append(event)
            if isinstance(event, kind) and state in (None, getattr(event, "state", None)):
                return event

    def settled(self) -> list[SessionEvent]:
        """What is told until nothing more is."""
        time.sleep(0.2)
        while not self.session.events.empty():
            self.heard.append(self.session.events.get())
        return self.heard

    def all(self, kind: type[SessionEvent]) -> list[SessionEvent]:
        return [event for event in self.heard if isinstance(event, kind)]

    @property
    def loaded(self) -> list[str]:
        return [spec.model for spec in self.engine.loads]


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Preloading]:
    at = Preloading(tmp_path / "discussions")
    yield at
    at.engine.may_load.set()
    assert at.session.close()
    at.engine.close()


def test_it_is_loaded_while_nothing_has_begun(at: Preloading) -> None:
    at.session.preload(SETUP)
    begun = at.until(StateChanged)
    assert begun == StateChanged("idle", preloading=True)
    at.until(LoadProgress)
    at.engine.may_load.set()
    at.until(ModelReady)
    assert at.until(StateChanged) == StateChanged("idle")
    at.session.start(SETUP)
    at.until(StateChanged, "finished")
    assert at.loaded == ["scripted"]
    assert not at.all(ErrorRaised)


def test_a_discussion_joins_the_preload_of_its_model(at: Preloading) -> None:
    at.session.preload(SETUP)
    at.until(LoadProgress)
    at.session.start(SETUP)
    loading = at.until(StateChanged, "loading")
    assert not getattr(loading, "preloading", True)
    at.engine.may_load.set()
    at.until(StateChanged, "finished")
    assert at.loaded == ["scripted"]


def test_nothing_is_loaded_where_nothing_is_remembered(tmp_path: Path) -> None:
    first = Preloading(tmp_path / "discussions", model=None)
    first.session.preload(SETUP)
    assert not [event for event in first.settled() if isinstance(event, StateChanged)]
    assert first.loaded == []
    first.engine.may_load.set()
    first.session.start(SETUP)
    first.until(StateChanged, "finished")
    assert first.session.close()
    first.engine.close()
    last = LastModelFile(first.file).read()
    assert last
    assert last.spec.model == "scripted"


def test_no_other_model_than_the_last_is_loaded(at: Preloading) -> None:
    at.session.preload(OTHER)
    at.settled()
    assert at.loaded == []


def test_another_model_in_the_setup_cancels_the_preload(at: Preloading) -> None:
    at.session.preload(SETUP)
    at.until(LoadProgress)
    at.session.cancel_preload(unless=SETUP.model_copy(update={"conv_len": 9}))
    at.settled()
    assert not at.engine._cancel_load.is_set()
    at.session.cancel_preload(unless=OTHER)
    at.until(StateChanged)
    assert StateChanged("idle") in at.settled()
    assert not at.all(ErrorRaised)
    assert not at.all(PreloadFailed)
    assert at.engine.info is None
    at.engine.may_load.set()
    at.session.start(OTHER)
    at.until(StateChanged, "finished")
    assert at.loaded == ["scripted", "another"]


def test_a_discussion_with_another_model_takes_its_place(at: Preloading) -> None:
    at.session.preload(SETUP)
    at.until(LoadProgress)
    at.session.start(OTHER)
    at.until(StateChanged, "loading")
    at.engine.may_load.set()
    at.until(StateChanged, "finished")
    assert at.loaded == ["scripted", "another"]
    assert not at.all(ErrorRaised)


def test_a_cancelled_preload_can_be_started_at_once(at: Preloading) -> None:
    at.session.preload(SETUP)
    at.until(LoadProgress)
    at.session.stop()
    at.session.start(SETUP)
    at.engine.may_load.set()
    at.until(StateChanged, "finished")
    assert not at.all(ErrorRaised)


def test_a_failed_preload_stays_quiet_until_the_model_is_needed(tmp_path: Path) -> None:
    at = Preloading(tmp_path / "discussions", model="nowhere")
    setup = SETUP.model_copy(update={"model": "nowhere"})
    at.engine.may_load.set()
    at.session.preload(setup)
    failed = at.until(PreloadFailed)
    assert "There is no model" in getattr(failed, "sentence", "")
    at.settled()
    assert not at.all(ErrorRaised)
    at.session.start(setup)
    trouble = at.until(ErrorRaised)
    assert trouble == ErrorRaised("There is no model “nowhere”; try --model starter.", fatal=True)
    assert at.session.close()
    at.engine.close()


def test_closing_in_the_middle_ends_at_once(at: Preloading) -> None:
    at.session.preload(SETUP)
    at.until(LoadProgress)
    assert at.session.close(1)
