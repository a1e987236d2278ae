"""After an inference thread hung or died, the next one gives the same replies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import EngineError, GenerationRequest, Loaded
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.model import ModelSpec
from tests.support.engines import load

REQUEST = GenerationRequest((ChatMessage("user", "Hello."),), 12, seed=5)


@pytest.fixture
def engine(starter_cache: Path, tiny_folder: Path) -> Iterator[LocalEngine]:
    engine = LocalEngine(starter_cache, threads=2)
    assert isinstance(load(engine, ModelSpec(str(tiny_folder))), Loaded)
    yield engine
    engine.close()


def at_token(engine: LocalEngine, number: int, fault: Callable[[], None]) -> None:
    """Call ``fault`` in the forward pass of that token only."""
    decoder: Any = engine._decoder.ordinary
    runner, step, passes = decoder._runner, decoder._runner.step, iter(range(1, 1000))

    def faulty(*arguments: Any) -> Any:
        if next(passes) == number:
            fault()
        return step(*arguments)

    runner.step = faulty


def test_a_thread_that_hangs_in_the_model(engine: LocalEngine, tiny_folder: Path) -> None:
    words = engine.submit(REQUEST).result(30).text
    stuck, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        stuck.set()
        goes_on.wait(60)

    at_token(engine, 4, hang)
    hanging = engine.submit(REQUEST)
    assert stuck.wait(30)
    old = engine._thread
    engine.restart()
    with pytest.raises(EngineError, match="restarted"):
        hanging.result(5)
    assert engine.info is None
    assert isinstance(load(engine, ModelSpec(str(tiny_folder))), Loaded)
    assert engine.submit(REQUEST).result(30).text == words
    goes_on.set()  # the old thread wakes up and ends
    old.join(30)
    assert not old.is_alive()
    assert engine.submit(REQUEST).result(30).text == words
    assert engine.is_alive


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_in_the_model(engine: LocalEngine, tiny_folder: Path) -> None:
    words = engine.submit(REQUEST).result(30).text

    def die() -> None:
        raise SystemExit

    at_token(engine, 4, die)
    dying, old = engine.submit(REQUEST), engine._thread
    old.join(30)
    assert not engine.is_alive
    assert isinstance(load(engine, ModelSpec(str(tiny_folder))), Loaded)
    assert engine.is_alive
    assert dying.is_done  # its caller does not wait forever
    assert engine.submit(REQUEST).result(30).text == words
