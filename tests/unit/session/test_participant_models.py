"""Discussions whose participants have different models, down to the saved file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, rebuild_request
from syndisco_tui.engine.base import GenerationRequest
from syndisco_tui.engine.engines import Engines
from syndisco_tui.engine.model import ModelSpec
from syndisco_tui.session import LiveSession, Runner, SessionEvent
from syndisco_tui.session.batch import Batch
from syndisco_tui.session.batch_run import saved_runs
from syndisco_tui.session.events import (
    ErrorRaised,
    ModelReady,
    Posted,
    ReplyStarted,
    SetupApplied,
    StateChanged,
)
from syndisco_tui.session.model_specs import local_specs, model_spec
from syndisco_tui.store.discussions import read_discussion
from tests.support.people import people
from tests.support.scripted_engine import ScriptedEngine

FAR, FARTHER = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"


class Mixed:
    """Engines that say which model speaks, and a session on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[ScriptedEngine] = []
        self.engine = Engines(self._new, self._new)
        self.runner = Runner(self.engine, folder)
        self.session = LiveSession(self.runner)
        self.heard: list[SessionEvent] = []

    def _new(self) -> ScriptedEngine:
        def say(request: GenerationRequest) -> str:
            return f"{made.info.model if made.info else None} with {request.reasoning}"

        made = ScriptedEngine(say)
        self.made.append(made)
        return made

    @property
    def loads(self) -> list[str]:
        return [spec.model for engine in self.made for spec in engine.loads]

    def until(self, is_it: Callable[[SessionEvent], bool]) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                event = self.session.events.get(timeout=0.1)
            except Empty:
                continue
            self.heard.append(event)
            if is_it(event):
                return
        raise AssertionError(self.heard[-5:])

    def until_state(self, state: str) -> None:
        self.until(lambda event: isinstance(event, StateChanged) and event.state == state)

    @property
    def record(self) -> DiscussionRecord:
        return read_discussion(next(self.folder.glob("*.json")))

    def close(self) -> None:
        self.session.close()
        self.engine.close()


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Mixed]:
    mixed = Mixed(tmp_path)
    yield mixed
    mixed.close()


def setup(models: dict[str, Any], **fields: Any) -> DiscussionSetup:
    values: dict[str, Any] = {"personas": people("Ann", "Bob"), "conv_len": 4, "model": "m"}
    return DiscussionSetup.model_validate({**values, "models": models, **fields})


class TestSpecs:
    def test_one_model_has_no_others(self) -> None:
        assert model_spec(setup({"Ann": "m"}), "cpu") == ModelSpec("m", device="cpu")

    def test_the_setups_own_is_the_main_one_if_somebody_has_it(self) -> None:
        spec = model_spec(setup({"Ann": {"model": "n", "server": FAR}}), "cpu")
        far = ModelSpec("n", server=(FAR,))
        assert spec == ModelSpec("m", device="cpu", others=(far,))
        assert local_specs(setup({"Ann": {"model": "n", "server": FAR}})) == {
            ModelSpec("m", device="")
        }

    def test_what_nobody_has_is_not_loaded(self) -> None:
        spec = model_spec(setup({"Ann": {"server": FAR}, "Bob": {"server": FARTHER}}), "cpu")
        farther = ModelSpec("auto", server=(FARTHER,))
        assert spec == ModelSpec("auto", server=(FAR,), others=(farther,))
        assert local_specs(setup({"Ann": {"server": FAR}, "Bob": {"server": FARTHER}})) == set()

    def test_the_moderator_may_have_another(self) -> None:
        spec = model_spec(setup({"Mod": "n"}, moderator=people("Mod")[0]), "cpu")
        assert spec.others == (ModelSpec("n", device="cpu"),)


def test_everybody_speaks_with_their_own_and_the_file_says_so(mixed: Mixed) -> None:
    mixed.session.start(setup({"Bob": {"model": "n", "server": FAR, "reasoning": "off"}}))
    mixed.until_state("finished")
    record = mixed.record
    assert [(each.name, each.model, each.text) for each in record.entries] == [
        ("Ann", "m", "m with auto"),
        ("Bob", "n", "n with off"),
    ] * 2
    assert record.engine["model"] == "m"
    assert {name: each["model"] for name, each in record.engine["participants"].items()} == {
        "Bob": "n"
    }
    ready = next(event for event in mixed.heard if isinstance(event, ModelReady))
    assert (ready.info.model, [each.model for each in ready.others]) == ("m", ["n"])
    started = [event.info for event in mixed.heard if isinstance(event, ReplyStarted)]
    assert [info.model if info else None for info in started] == ["m", "n", "m", "n"]


def test_one_model_for_all_says_nothing_of_participants(mixed: Mixed) -> None:
    mixed.session.start(setup({"Bob": {"reasoning": "off"}}))
    mixed.until_state("finished")
    assert [each.text for each in mixed.record.entries[:2]] == ["m with auto", "m with off"]
    assert "participants" not in mixed.record.engine
    assert not any(event.info for event in mixed.heard if isinstance(event, ReplyStarted))


def test_resuming_loads_the_same_models_by_their_names(mixed: Mixed, tmp_path: Path) -> None:
    mixed.session.start(setup({"Bob": {"server": FAR}}, model="auto"), step=True)
    mixed.until(lambda event: isinstance(event, Posted))
    mixed.until_state("paused")
    mixed.close()
    assert mixed.record.setup.model == "scripted"
    assert mixed.record.setup.models["Bob"].model == "scripted"
    assert mixed.record.setup.models["Bob"].server == (FAR,)
    other = Mixed(tmp_path)
    other.session.resume(next(tmp_path.glob("*.json")))
    other.until_state("finished")
    other.close()
    assert other.loads == ["scripted", "scripted"]
    assert len(other.made) == 2
    assert [each.model for each in other.record.entries] == ["scripted"] * 4


def test_another_model_applies_from_the_next_turn_on(mixed: Mixed) -> None:
    mixed.session.start(setup({}), step=True)
    mixed.until(lambda event: isinstance(event, Posted))
    mixed.until_state("paused")
    mixed.session.change_setup(setup({"Bob": {"server": FAR}}))
    mixed.session.run()
    mixed.until_state("finished")
    applied = [event for event in mixed.heard if isinstance(event, SetupApplied)]
    assert [(event.from_turn, event.setup.models["Bob"].model) for event in applied] == [
        (2, "scripted")
    ]
    record = mixed.record
    assert [each.model for each in record.entries] == ["m", "scripted", "m", "scripted"]
    assert [(each.last_turn, each.setup.models) for each in record.earlier_setups] == [(1, {})]
    for index in range(4):
        assert rebuild_request(record, index).request.name == record.entries[index].name
    assert mixed.made[0].loads[0] == ModelSpec("m")
    assert len(mixed.made) == 2


def test_a_draft_whose_model_cannot_be_had_stays_a_draft(mixed: Mixed) -> None:
    mixed.session.start(setup({}), step=True)
    mixed.until(lambda event: isinstance(event, Posted))
    mixed.until_state("paused")
    mixed.session.change_setup(setup({"Bob": "nowhere"}))
    mixed.session.run()
    mixed.until(lambda event: isinstance(event, ErrorRaised))
    assert mixed.record.setup.models == {}
    mixed.session.change_setup(setup({"Bob": "n"}))
    mixed.session.run()
    mixed.until_state("finished")
    assert [each.model for each in mixed.record.entries] == ["m", "n", "m", "n"]


def test_a_fork_has_the_same_models(mixed: Mixed) -> None:
    mixed.session.start(setup({"Bob": "n"}))
    mixed.until_state("finished")
    record = mixed.record
    mixed.session.fork(2, record.setup)
    mixed.until_state("paused")
    mixed.session.run()
    mixed.until_state("finished")
    forked = [path for path in mixed.folder.glob("*.json") if read_discussion(path).parent]
    fork = read_discussion(forked[0])
    assert [each.model for each in fork.entries] == ["m", "n", "m", "n"]
    assert fork.engine["participants"]["Bob"]["model"] == "n"


def test_a_batch_mixes_models_and_finds_its_files_again(mixed: Mixed, tmp_path: Path) -> None:
    far = {"Bob": {"server": FAR}}
    setups = [
        setup(far, model="auto", seed=1),
        setup({"Ann": "x"}, seed=2),
        setup({"Ann": "x"}, model="m", seed=3),
        setup({}, model="y", seed=4),
        setup({"Ann": {"server": FAR}, **far}, seed=5),
    ]
    batch = Batch(lambda hear: LiveSession(mixed.runner, hear), setups)
    deadline = time.monotonic() + 20
    while not batch.is_over and time.monotonic() < deadline:
        batch.drain(0.05)
    batch.close()
    assert batch.is_finished, [run.error for run in batch.runs]
    said = {run.seed: [each.model for each in run.entries] for run in batch.runs}
    assert said == {
        1: ["scripted"] * 4,
        2: ["x", "m"] * 2,
        3: ["x", "m"] * 2,
        4: ["y"] * 4,
        5: ["scripted"] * 4,
    }
    assert [bool(path) for path in saved_runs(tmp_path, setups)] == [True] * 5
    assert saved_runs(tmp_path, [setup({"Bob": {"server": FARTHER}}, model="auto", seed=1)]) == [
        None
    ]
