"""Several models side by side: each request reaches its own."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    Cancelled,
    EngineError,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
)
from syndisco_tui.engine.engines import Engines
from syndisco_tui.engine.model import ModelSpec
from tests.support.scripted_engine import ScriptedEngine

CHAT = (ChatMessage("user", "Hello"),)
A, B = ModelSpec("a"), ModelSpec("b")
OWN = ModelSpec("python:own_module:Model")
FAR = ModelSpec("far", server=("http://127.0.0.1:1/v1",))


class Made:
    """Engines of scripted ones; each local one says its number, servers say “far”."""

    def __init__(self) -> None:
        self.locals: list[ScriptedEngine] = []
        self.servers: list[ScriptedEngine] = []
        self.own: list[ScriptedEngine] = []
        self.engines = Engines(self._new_local, self._new_server, self._new_own)

    def _new_local(self) -> ScriptedEngine:
        self.locals.append(ScriptedEngine([f"local {len(self.locals)}"]))
        return self.locals[-1]

    def _new_server(self) -> ScriptedEngine:
        self.servers.append(ScriptedEngine(["far"]))
        return self.servers[-1]

    def _new_own(self) -> ScriptedEngine:
        self.own.append(ScriptedEngine(["own"]))
        return self.own[-1]

    def load(self, spec: ModelSpec) -> list[LoadEvent]:
        events: SimpleQueue[LoadEvent] = SimpleQueue()
        self.engines.load(spec, events.put)
        heard = [events.get(timeout=5)]
        while isinstance(heard[-1], LoadProgress):
            heard.append(events.get(timeout=5))
        return heard

    def say(self, model: ModelSpec | None = None) -> str:
        return self.engines.submit(GenerationRequest(CHAT, 9, model=model)).result(5).text


@pytest.fixture
def made() -> Iterator[Made]:
    made = Made()
    yield made
    made.engines.close()


def test_each_request_reaches_its_model(made: Made) -> None:
    events = made.load(ModelSpec("a", others=(B, FAR)))
    assert isinstance(events[-1], Loaded)
    assert events[-1].info.model == "a"
    assert (made.say(), made.say(A), made.say(B), made.say(FAR)) == (
        "local 0", "local 0", "local 1", "far",
    )  # fmt: skip
    info = made.engines.info_of(B)
    assert info is not None
    assert info.model == "b"


def test_progress_and_infos_name_the_model(made: Made) -> None:
    far = ModelSpec("auto", server=("http://127.0.0.1:1/v1",))
    *progress, loaded = made.load(ModelSpec("org/a", others=(B, far)))
    stages = [event.stage for event in progress if isinstance(event, LoadProgress)]
    expected = ["a: reading weights", "b: reading weights", "127.0.0.1:1/v1: reading weights"]
    assert list(dict.fromkeys(stages)) == expected
    assert isinstance(loaded, Loaded)
    assert [info.model for info in loaded.others] == ["b", "scripted"]


def test_a_model_also_goes_by_the_name_that_auto_stands_for(made: Made) -> None:
    auto, named = ModelSpec("auto"), ModelSpec("scripted")
    loaded = made.load(ModelSpec("auto", others=(named,)))[-1]
    assert isinstance(loaded, Loaded)
    assert [each.info for each in made.locals] == [loaded.info]
    assert loaded.others == (loaded.info,)
    assert made.engines.info_of(named) == made.engines.info_of(auto) == loaded.info
    assert made.say(named) == made.say(auto) == "local 0"


def test_nothing_has_to_go_for_models_that_are_there(made: Made) -> None:
    made.load(ModelSpec("a", others=(B,)))
    made.load(B)
    assert (made.say(A), made.say(B)) == ("local 0", "local 1")
    made.load(ModelSpec("c", others=(B,)))
    assert made.say(B) == "local 1"
    assert made.engines.info_of(A) is None


def test_loading_of_several_is_cancelled_at_any_of_them(made: Made) -> None:
    made.load(A)
    made.locals[0].may_load.clear()
    events: SimpleQueue[LoadEvent] = SimpleQueue()

    def hear(event: LoadEvent) -> None:
        if isinstance(event, LoadProgress) and event.stage.startswith("b"):
            made.engines.cancel_load()
        events.put(event)

    made.engines.load(ModelSpec("a", others=(B, ModelSpec("c"))), hear)
    while isinstance(event := events.get(timeout=5), LoadProgress):
        pass
    assert isinstance(event, LoadFailed)
    assert isinstance(event.error, Cancelled)
    assert made.engines.info_of(ModelSpec("c")) is None


def test_one_model_after_the_other_stays_one_engine(made: Made) -> None:
    for name in ("a", "b", "a"):
        made.load(ModelSpec(name))
    assert len(made.locals) == 1
    assert [spec.model for spec in made.locals[0].loads] == ["a", "b", "a"]


def test_a_model_that_cannot_be_had_is_said(made: Made) -> None:
    events = made.load(ModelSpec("a", others=(ModelSpec("nowhere"),)))
    assert isinstance(events[-1], LoadFailed)


def test_a_model_whose_reply_is_in_flight_is_not_let_go(made: Made) -> None:
    made.load(A)
    made.locals[0].may_speak.clear()
    ended: SimpleQueue[Any] = SimpleQueue()
    generation = made.engines.submit(GenerationRequest(CHAT, 9), ended.put)
    made.load(B)
    assert len(made.locals) == 2
    made.locals[0].may_speak.set()
    assert generation.result(5).text == "local 0"
    made.load(FAR)
    assert made.say() == "far"


def test_servers_stay_beside_a_local_model(made: Made) -> None:
    made.load(FAR)
    made.load(A)
    assert (made.say(FAR), made.say(A)) == ("far", "local 0")
    assert made.engines.info_of(B) is None
    with pytest.raises(EngineError, match="no longer loaded"):
        made.say(B)


def test_a_class_of_the_user_s_own_has_an_engine_of_its_own(made: Made) -> None:
    """It loads no other model, and no other engine loads it."""
    made.load(A)
    made.load(OWN)
    assert (made.say(OWN), len(made.own)) == ("own", 1)
    assert not made.locals[0].is_alive  # nor does a model wait beside it in memory
    made.load(A)
    assert made.say(A) == "local 1"
    made.load(ModelSpec("a", others=(OWN,)))
    assert (made.say(A), made.say(OWN), len(made.locals)) == ("local 1", "own", 2)


def test_events_come_from_the_model_that_was_asked(made: Made) -> None:
    made.load(ModelSpec("a", others=(FAR,)))
    events: list[GenerationEvent] = []
    made.engines.submit(GenerationRequest(CHAT, 9, model=FAR), events.append).result(5)
    assert len(made.servers[0].requests) == 1
    assert events
