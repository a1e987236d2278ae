"""Loading: progress, cancellation, memory, and what is loaded."""

from __future__ import annotations

import contextlib
import gc
import json
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from transformers import AutoModelForCausalLM

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    EngineError,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    ModelUnavailable,
)
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.loading import model_loader
from syndisco_tui.engine.local.loading.weights_progress import weights_progress
from syndisco_tui.engine.model import ModelSpec
from tests.support.engines import load
from tests.support.hub import Hub
from tests.support.pretended_gpu import Machine

CHAT = (ChatMessage("user", "Hello."),)


@pytest.fixture
def engine(starter_cache: Path) -> Iterator[LocalEngine]:
    engine = LocalEngine(starter_cache)
    yield engine
    engine.close()


def test_importing_the_engine_imports_no_torch() -> None:
    code = (
        "import sys, syndisco_tui.engine.base, syndisco_tui.engine.local, pathlib;"
        "syndisco_tui.engine.local.LocalEngine(pathlib.Path('nowhere')).close();"
        "print([m for m in ('torch', 'transformers', 'numpy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "[]", run.stderr


def test_the_starter_is_loaded_with_progress_and_prints_nothing(starter_cache: Path) -> None:
    code = f"""
import os
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from syndisco_tui.engine.base import *
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.loading.weights_progress import weights_progress
engine, events = LocalEngine(Path({str(starter_cache)!r})), SimpleQueue()
engine.load(ModelSpec("auto", device="cpu"), events.put)
stages = []
while not isinstance(event := events.get(), (Loaded, LoadFailed)):
    stages.append(event.stage)
info = event.info
assert [*dict.fromkeys(stages)] == ["starting torch", "reading weights", "warming up"], stages
assert (info.model, info.name) == ("starter", "SmolLM2-135M-Instruct")
assert (info.device, info.dtype, info.path) == ("cpu", "float32", "slots")
assert info.context_length == 8192
assert 500e6 < info.memory_bytes < 600e6
assert set(info.versions) == {{"torch", "transformers", "python"}}
events = SimpleQueue()
engine.load(ModelSpec("starter", device="cpu"), events.put)
assert isinstance(events.get(timeout=0.1), Loaded)
import torch
assert torch.get_num_threads() >= 1
engine.close()
os._exit(0)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_folder_is_a_model(engine: LocalEngine, tiny_folder: Path) -> None:
    ended = load(engine, ModelSpec(str(tiny_folder), dtype="bfloat16"))
    assert isinstance(ended, Loaded)
    assert ended.info.model == str(tiny_folder)
    assert ended.info.name == tiny_folder.name
    assert ended.info.dtype == "bfloat16"
    assert engine.submit(GenerationRequest(CHAT, 4)).result(30).completion_tokens == 4


def test_another_model_frees_the_one_before(
    engine: LocalEngine, tiny_folder: Path, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[weakref.ref[object]] = []
    original = model_loader.load_model

    def load_and_watch(*arguments: object) -> object:
        loaded = original(*arguments)  # type: ignore[arg-type]
        models.append(weakref.ref(loaded.model))
        return loaded

    monkeypatch.setattr(model_loader, "load_model", load_and_watch)
    load(engine, ModelSpec(str(tiny_folder)))
    engine.submit(GenerationRequest(CHAT, 4)).result(30)
    load(engine, ModelSpec(str(broken)))
    gc.collect()
    assert models[0]() is None
    assert models[1]() is not None


def test_a_request_under_way_fails_when_the_model_is_replaced(
    engine: LocalEngine, tiny_folder: Path, broken: Path
) -> None:
    load(engine, ModelSpec(str(tiny_folder)))
    running = engine.submit(GenerationRequest(CHAT, 490))
    waiting: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(ModelSpec(str(broken)), waiting.put)
    queued = engine.submit(GenerationRequest(CHAT, 4))
    with pytest.raises(EngineError, match="replaced"):
        running.result(30)
    assert queued.result(60).completion_tokens == 4  # by the new model


def test_a_model_from_the_hub(engine: LocalEngine, hub: Hub, tiny_folder: Path) -> None:
    hub.answer = "serving"
    hub.files = {path.name: path.read_bytes() for path in tiny_folder.iterdir()}
    hub.files["pytorch_model.bin"] = b"must not be fetched"
    seen: list[LoadProgress] = []
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(ModelSpec("some/model"), events.put)
    while isinstance(event := events.get(timeout=60), LoadProgress):
        seen.append(event)
    assert isinstance(event, Loaded), event
    assert (event.info.model, event.info.revision) == ("some/model", "0" * 40)
    assert any(p.unit == "bytes" and 0 < p.done <= p.total for p in seen)
    hub.answer = "unknown"  # from now on it is in the cache
    assert isinstance(load(engine, ModelSpec("some/model", dtype="bfloat16")), Loaded)


def test_an_abandoned_load_does_not_disturb_the_progress_of_the_next(
    tiny_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The abandoned load still reads while the second one runs."""
    entered, given_up = threading.Event(), threading.Event()
    reports: list[LoadProgress] = []

    def first() -> None:
        with weights_progress(lambda _: None, lambda: True):
            entered.set()
            given_up.wait(30)

    def read() -> None:
        AutoModelForCausalLM.from_pretrained(tiny_folder)

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(30)
    with weights_progress(reports.append, lambda: False):
        given_up.set()
        thread.join(30)
        read()
    assert reports[-1].done == reports[-1].total > 1
    assert capfd.readouterr().err == ""
    read()  # no progress bar cancels it


@pytest.mark.parametrize(
    ("free", "asked", "becomes"),
    [
        (80, {}, "16 GB of bfloat16, none"),
        (18, {}, "16 GB of bfloat16, 4bit"),  # the KV cache needs memory as well
        (18, {"quantization": "none"}, "16 GB of bfloat16, none"),
        (18, {"quantization": "8bit"}, "16 GB of bfloat16, 8bit"),
        (4, {}, "takes 6.0 GB of memory as bfloat16 and 4.0 GB are free on cuda: choose a smaller"),
        (8, {"quantization": "none"}, "free on cuda: quantize it (4bit), choose a smaller one"),
        (20, {"device": "cpu"}, "as float32 and 20.0 GB are free on cpu: choose bfloat16 for its"),
    ],
)
def test_dtype_and_quantization_by_free_memory(
    gpu: Machine,
    engine: LocalEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    asked: dict[str, str],
    becomes: str,
) -> None:
    """A checkpoint of eight billion weights that consists of a header."""
    (tmp_path / "config.json").write_text("{}")
    shapes = {"embed_tokens": [50_000, 20_000], "mlp": [70_000, 100_000]}
    header = {name: {"dtype": "BF16", "shape": shape} for name, shape in shapes.items()}
    content = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(content)) + content)

    def read(checkpoint: Any, name: str, dtype: Any, quantization: str, device: str) -> Any:
        as_it_is = checkpoint.memory_bytes(dtype.itemsize, "none") / 1e9
        raise EngineError(f"{as_it_is:.0f} GB of {str(dtype)[6:]}, {quantization}")

    monkeypatch.setattr(model_loader, "_read", read)
    monkeypatch.setattr(model_loader, "free_memory", lambda device: free * 10**9)
    ended = load(engine, ModelSpec(str(tmp_path), **asked))
    assert isinstance(ended, LoadFailed)
    assert becomes in str(ended.error)


def test_a_load_reads_after_the_abandoned_one_has_ended(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If both read at once, weights of one would count as missing."""
    reads, given_up, at_once = 0, threading.Event(), 0
    started = threading.Event()

    def read(*_: object) -> None:
        nonlocal reads, at_once
        reads += 1
        at_once = max(at_once, reads)
        started.set()
        given_up.wait(10)
        reads -= 1
        raise ModelUnavailable("read")

    monkeypatch.setattr(model_loader, "_read", read)

    def load_one() -> None:
        with contextlib.suppress(ModelUnavailable):
            spec = ModelSpec(str(tiny_folder))
            model_loader.load_model(spec, tiny_folder, lambda _: None, lambda: False)

    threads = [threading.Thread(target=load_one) for _ in range(2)]
    threads[0].start()
    assert started.wait(60)
    threads[1].start()
    threads[1].join(1)
    given_up.set()
    for thread in threads:
        thread.join(30)
    assert at_once == 1
    assert not model_loader._reading.locked()
