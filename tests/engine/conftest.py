"""Tiny models and the engines that run them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from syndisco_tui.engine.base import Loaded, ModelSpec
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.starter import STARTER
from tests.support.engines import load

from .hub import Hub
from .pretended_gpu import Machine, pretended_gpu
from .tiny import make_tiny

TINY = {
    "vocab_size": 49152,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}


@pytest.fixture(scope="session")
def starter_folder(starter_cache: Path) -> Path:
    return starter_cache / STARTER


@pytest.fixture(scope="session")
def tiny_folder(starter_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two hundred thousand weights beside its embeddings."""
    return make_tiny(starter_folder, tmp_path_factory.mktemp("tiny"), LlamaConfig(**TINY))


@pytest.fixture(scope="session")
def rounded_folder(starter_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in bfloat16 numbers, which the engine holds in fewer bits."""
    folder = tmp_path_factory.mktemp("rounded")
    return make_tiny(starter_folder, folder, LlamaConfig(**TINY), rounded=True)


@pytest.fixture(scope="session")
def engine_for(starter_cache: Path) -> Iterator[Callable[[Path], LocalEngine]]:
    """Engines by model folder, one at a time."""
    engine = LocalEngine(starter_cache, threads=2)

    def loaded(folder: Path) -> LocalEngine:
        assert isinstance(load(engine, ModelSpec(str(folder))), Loaded)
        return engine

    yield loaded
    engine.close()


@pytest.fixture(scope="session")
def starter_model(starter_folder: Path) -> tuple[Any, Any]:
    """The starter without the engine: (model, tokenizer) as transformers gives them."""
    return read_model(starter_folder)


def read_model(folder: Path) -> tuple[Any, Any]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    return model, AutoTokenizer.from_pretrained(folder)


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
