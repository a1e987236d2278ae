"""Tiny models and the engines that run them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, LlamaConfig

from syndisco_tui.engine.base import Loaded
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.loading.starter import STARTER
from syndisco_tui.engine.model import ModelSpec
from tests.support.engines import THREADS, load
from tests.support.hub import Hub
from tests.support.pretended_gpu import Machine, pretended_gpu
from tests.support.tiny_models import TINY, make_tiny, read_model


@pytest.fixture(scope="session")
def starter_folder(starter_cache: Path) -> Path:
    return starter_cache / STARTER


@pytest.fixture(scope="session")
def starter_tokenizer(starter_folder: Path) -> Any:
    """The starter's tokenizer; not to be changed."""
    return AutoTokenizer.from_pretrained(starter_folder)


@pytest.fixture(scope="session")
def tiny_folder(starter_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two hundred thousand weights beside its embeddings."""
    return make_tiny(starter_folder, tmp_path_factory.mktemp("tiny"), LlamaConfig(**TINY))


@pytest.fixture(scope="session")
def grid_folder(starter_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama as it would come from GGUF, whose weights the engine packs."""
    folder = tmp_path_factory.mktemp("grid")
    return make_tiny(starter_folder, folder, LlamaConfig(**TINY), on_grid=True)


@pytest.fixture(scope="session")
def engine_for(starter_cache: Path) -> Iterator[Callable[[Path], LocalEngine]]:
    """Engines by model folder, one at a time."""
    engine = LocalEngine(starter_cache, threads=THREADS)

    def loaded(folder: Path) -> LocalEngine:
        assert isinstance(load(engine, ModelSpec(str(folder))), Loaded)
        return engine

    yield loaded
    engine.close()


@pytest.fixture(scope="session")
def starter_model(starter_folder: Path) -> tuple[Any, Any]:
    """The starter without the engine: (model, tokenizer) as transformers gives them."""
    return read_model(starter_folder)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with pretended_gpu(monkeypatch) as machine:
        yield machine


@pytest.fixture
def broken(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub of this test's own, with an empty cache."""
    from huggingface_hub import constants

    hub = Hub()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    yield hub
    hub.close()
