"""What tests share: one thread for each worker's torch, and the starter model, prepared once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from syndisco_tui.engine.base import Loaded
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.loading.starter import prepare_starter
from syndisco_tui.engine.model import ModelSpec
from tests.support.engines import IS_WORKER, THREADS, load

if IS_WORKER:
    os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is first imported


@pytest.fixture(scope="session")
def starter_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the starter model in it, common to all workers.

    It lies in pytest's own cache and is kept for the next run; ``SYNDISCO_TUI_TEST_CACHE`` names
    another place. The first worker that gets here fetches the model while the others wait.
    """
    if named := os.environ.get("SYNDISCO_TUI_TEST_CACHE"):
        folder = Path(named)
    elif cache := getattr(request.config, "cache", None):
        folder = cache.mkdir("syndisco-tui-starter")
    else:  # pytest was told to keep no cache
        base = tmp_path_factory.getbasetemp()
        folder = (base.parent if IS_WORKER else base) / "starter"
    prepare_starter(folder)
    return folder


@pytest.fixture(scope="session")
def starter_engine(starter_cache: Path) -> Iterator[LocalEngine]:
    """An engine with the starter model."""
    engine = LocalEngine(starter_cache, threads=THREADS)
    assert isinstance(load(engine, ModelSpec("starter")), Loaded)
    yield engine
    engine.close()
