"""An engine that raises, hangs or dies: the session lives, says so, and begins anew when asked."""

from __future__ import annotations

import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from syndisco_tui.engine.base import (
    EngineError,
    Failed,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
)
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.model import EngineInfo, ModelSpec
from syndisco_tui.session import (
    Condition,
    ErrorRaised,
    ModelReady,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    StateChanged,
)
from syndisco_tui.session import runner as runner_module
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.live_session import Live, changed
from tests.support.scripted_engine import ScriptedEngine

KINDS_OF_FAULT = ("raises", "hangs", "dies")
SOON = 0.1


class Troubled:
    """Replies: one, then a fault, then one, then the next fault, …"""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        self.hang = threading.Event()
        self._asked = 0

    def __call__(self, request: GenerationRequest) -> str:
        self._asked += 1
        if self._asked % 2 == 0 and self.faults:
            fault = self.faults.pop(0)
            if fault == "dies":
                raise SystemExit
            if fault == "hangs":
                self.hang.wait()
                return "too late"
            return EngineError("The GPU is on fire.")  # type: ignore[return-value]
        return f"I drew {request.seed}"


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "LOOK_INTERVAL", 0.02)


@pytest.mark.parametrize("rounds", [2, pytest.param(17, marks=pytest.mark.campaign)])
@pytest.mark.usefixtures("quick_looks")
def test_after_many_faults_every_message_is_there(folder: Path, rounds: int) -> None:
    faults = KINDS_OF_FAULT * rounds
    script = Troubled(list(faults))
    live = Live(ScriptedEngine(script, load_steps=0), folder, silence=SOON)
    live.session.start(changed(conv_len=len(faults) + 2))
    for fault in faults:
        live.until(Posted)
        if fault == "raises":
            assert live.until(ErrorRaised).sentence == "The GPU is on fire."
        elif fault == "hangs":
            told = live.until(Condition, lambda event: event.cause == "silence")
            assert "No reply for" in told.sentence
            live.session.stop()
            assert live.until(Condition) == Condition("silence", "")
        else:
            told = live.until(Condition, lambda event: event.cause == "engine")
            assert told.sentence == "The model's thread has ended."
        live.until_state("paused")
        live.session.run()
    live.until(StateChanged, lambda event: event.state == "finished", within=20)
    assert live.session.close()
    assert len(live.all(ReplyDropped)) == len(faults)
    entries = read_discussion(discussion_files(folder)[0]).entries
    assert [entry.text for entry in entries] == live.texts()
    assert [entry.turn for entry in entries] == list(range(1, len(faults) + 3))
    assert live.texts() == [f"I drew {entry.seed}" for entry in entries]
    # Two of three faults cost the model: it was loaded again each time.
    assert len(live.all(ModelReady)) == 1 + 2 * rounds
    script.hang.set()


@pytest.mark.usefixtures("quick_looks")
def test_an_engine_that_dies_while_it_loads(folder: Path) -> None:
    engine = ScriptedEngine()
    engine.load_steps = "none"  # type: ignore[assignment]
    live = Live(engine, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)
        live.session.start(changed(conv_len=1))
        assert live.until(Condition).cause == "engine"
    live.until_state("idle")
    engine.load_steps = 0
    live.session.start(changed(conv_len=1))
    live.until_state("finished")
    assert live.session.close()


def test_words_after_a_silence_take_the_warning_back(folder: Path) -> None:
    first = threading.Event()

    def reply(_request: GenerationRequest) -> str:
        first.wait(10)
        return "At last."

    live = Live(ScriptedEngine(reply), folder, silence=SOON)
    live.session.start(changed(conv_len=1))
    live.until(Condition)
    first.set()
    assert live.until(Condition) == Condition("silence", "")
    live.until_state("finished")
    assert live.session.close()


def test_a_slow_model_that_says_something_is_not_silent(folder: Path) -> None:
    live = Live(ScriptedEngine(["word " * 12], delay=0.1), folder, silence=1.0)
    live.session.start(changed(conv_len=1))
    live.until_state("finished")
    assert not live.all(Condition)
    assert len(live.all(ReplyGrew)) > 3
    assert live.session.close()


def test_a_hanging_engine_does_not_hold_up_quitting(folder: Path) -> None:
    script = Troubled(["hangs"])
    live = Live(ScriptedEngine(script), folder)
    live.session.start(changed(conv_len=4))
    live.until(Posted)
    live.until(ReplyStarted)
    began = time.monotonic()
    assert live.session.close()
    assert time.monotonic() - began < 3.5
    assert read_discussion(discussion_files(folder)[0]).status == "paused"
    script.hang.set()


# The engine in this process --------------------------------------------------------------------


class FakeDecoder:
    """Stands where a model's decoder does; ``fault`` happens at the next token."""

    def __init__(self) -> None:
        self.waiting: list[Generation] = []
        self.fault: Callable[[], None] = lambda: None

    @property
    def busy(self) -> bool:
        return bool(self.waiting)

    def submit(self, generation: Generation) -> None:
        self.waiting.append(generation)

    def step(self) -> None:
        self.fault()

    def abort_all(self, error: EngineError | None) -> None:
        for generation in self.waiting:
            generation.emit(Failed(generation, error or EngineError("cancelled")))
        self.waiting.clear()


REQUEST = GenerationRequest(chat=(), max_out_tokens=1)
SPEC = ModelSpec("fake")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalEngine]:
    """A local engine without torch: its models are fake decoders."""
    memory = types.ModuleType("syndisco_tui.engine.local.memory")
    memory.release_memory = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, memory.__name__, memory)
    engine = LocalEngine(tmp_path)

    def install(_loaded: object, _load: object) -> EngineInfo:
        engine._decoder, engine._spec = FakeDecoder(), SPEC
        engine._info = EngineInfo("fake")
        return engine._info

    monkeypatch.setattr(engine, "_wait_for_model", lambda load: None)
    monkeypatch.setattr(engine, "_install", install)
    yield engine
    engine.close()


def loaded(engine: LocalEngine) -> FakeDecoder:
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(SPEC, events.put)
    assert isinstance(events.get(timeout=5), Loaded)
    assert isinstance(engine._decoder, FakeDecoder)
    return engine._decoder


def ask(engine: LocalEngine) -> SimpleQueue[GenerationEvent]:
    events: SimpleQueue[GenerationEvent] = SimpleQueue()
    engine.submit(REQUEST, events.put)
    return events


def test_a_decoder_that_raises_costs_the_model_and_not_the_thread(engine: LocalEngine) -> None:
    decoder = loaded(engine)

    def fault() -> None:
        raise RuntimeError("CUDA error: an illegal memory access\nand a long tale")

    decoder.fault = fault
    failed = ask(engine).get(timeout=5)
    assert isinstance(failed, Failed)
    fault_of_cuda = "CUDA error: an illegal memory access"
    assert str(failed.error) == f"The model failed ({fault_of_cuda}): load it again."
    assert engine.is_alive
    assert engine.info is None
    assert loaded(engine) is not decoder


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_started_anew_by_the_next_load(engine: LocalEngine) -> None:
    decoder = loaded(engine)
    decoder.fault = sys.exit  # a SystemExit ends a thread without a word
    ask(engine)
    dying = engine._thread
    dying.join(5)
    assert not engine.is_alive
    assert loaded(engine) is not decoder
    assert engine.is_alive


def test_a_thread_that_hangs_is_left_behind(engine: LocalEngine) -> None:
    decoder, stuck, goes_on = loaded(engine), threading.Event(), threading.Event()

    def fault() -> None:
        stuck.set()
        goes_on.wait(20)

    decoder.fault = fault
    hanging = ask(engine)
    assert stuck.wait(5)
    queued = ask(engine)
    old = engine._thread
    engine.restart()
    assert isinstance(hanging.get(timeout=5), Failed)
    assert isinstance(queued.get(timeout=5), Failed)
    fresh = loaded(engine)
    assert fresh is not decoder
    goes_on.set()
    old.join(5)
    assert not old.is_alive()
    assert engine._decoder is fresh  # the old thread took nothing with it
    assert engine.is_alive


def test_a_load_under_way_is_told_of_a_restart(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, goes_on = threading.Event(), threading.Event()

    def wait(_load: object) -> None:
        began.set()
        goes_on.wait(20)

    monkeypatch.setattr(engine, "_wait_for_model", wait)
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(SPEC, events.put)
    assert began.wait(5)
    engine.restart()
    assert isinstance(events.get(timeout=5), LoadFailed)
    monkeypatch.setattr(engine, "_wait_for_model", lambda load: None)
    goes_on.set()
    assert loaded(engine)
