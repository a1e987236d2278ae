"""What tests share: the real starter model, prepared once, and an engine that has it loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from syndisco_tui.engine.base import Loaded, LoadEvent, LoadFailed, ModelSpec
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.starter import prepare_starter


def load(engine: LocalEngine, spec: ModelSpec) -> Loaded | LoadFailed:
    """Load ``spec`` and wait for how it ends."""
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(spec, events.put)
    while True:
        event = events.get(timeout=300)
        if isinstance(event, (Loaded, LoadFailed)):
            return event


@pytest.fixture(scope="session")
def starter_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the starter model in it.

    ``SYNDISCO_TUI_TEST_CACHE`` names one that is kept between runs.
    """
    kept = os.environ.get("SYNDISCO_TUI_TEST_CACHE")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("cache")
    prepare_starter(folder)
    return folder


@pytest.fixture(scope="session")
def starter_engine(starter_cache: Path) -> Iterator[LocalEngine]:
    """An engine with the starter model, on all cores."""
    engine = LocalEngine(starter_cache, threads=os.cpu_count())
    assert isinstance(load(engine, ModelSpec("starter")), Loaded)
    yield engine
    engine.close()
