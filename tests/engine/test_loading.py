"""Loading: what it reports, how it is cancelled, and one sentence for all that goes wrong."""

from __future__ import annotations

import gc
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

import pytest
import torch
from safetensors.torch import load_file, save_file

from syndisco_tui.engine import loading
from syndisco_tui.engine.base import (
    Cancelled,
    EngineError,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    ModelSpec,
    ModelUnavailable,
)
from syndisco_tui.engine.local import LocalEngine
from tests.conftest import load

from .reference import ChatTurn
from .tiny import edit_json

CHAT = (ChatTurn("user", "Hello."),)


@pytest.fixture
def engine(starter_cache: Path) -> Iterator[LocalEngine]:
    engine = LocalEngine(starter_cache)
    yield engine
    engine.close()


@pytest.fixture
def broken(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


def refusal(engine: LocalEngine, spec: ModelSpec) -> str:
    ended = load(engine, spec)
    assert isinstance(ended, LoadFailed)
    assert isinstance(ended.error, ModelUnavailable)
    sentence = str(ended.error)
    assert re.fullmatch(r"[^\n]+\.", sentence)
    assert engine.info is None
    return sentence


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
from syndisco_tui.engine.base import *
from syndisco_tui.engine.local import LocalEngine
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
    held: list[weakref.ref[object]] = []
    original = loading.load_model

    def load_and_watch(*arguments: object) -> object:
        loaded = original(*arguments)  # type: ignore[arg-type]
        held.append(weakref.ref(loaded.model))
        return loaded

    monkeypatch.setattr(loading, "load_model", load_and_watch)
    load(engine, ModelSpec(str(tiny_folder)))
    engine.submit(GenerationRequest(CHAT, 4)).result(30)
    load(engine, ModelSpec(str(broken)))
    gc.collect()
    assert held[0]() is None
    assert held[1]() is not None


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


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: (f / "config.json").unlink(), "holds no model: config.json is missing"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be read"),
        (lambda f: edit_json(f / "config.json", model_type="nonesuch"), "cannot be loaded"),
        (lambda f: edit_json(f / "config.json", model_type="vit"), "does not write text"),
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\0" * 99), "not a safetensors file"),
        (lambda f: (f / "chat_template.jinja").unlink(), "no chat template"),
        (lambda f: edit_json(f / "config.json", hidden_size=32), "model"),
        (lambda f: edit_json(f / "config.json", num_hidden_layers=9), "tensors are missing"),
        (lambda f: drop_tensor(f, "model.norm.weight"), r"1 tensors are missing \(model.norm"),
    ],
)  # fmt: skip
def test_a_folder_that_is_no_model(
    engine: LocalEngine, broken: Path, damage: Callable[[Path], object], says: str
) -> None:
    damage(broken)
    assert re.search(says, refusal(engine, ModelSpec(str(broken))))


def drop_tensor(folder: Path, name: str) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors[name]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_pickled_weights_are_refused(engine: LocalEngine, broken: Path) -> None:
    torch.save(load_file(broken / "model.safetensors"), broken / "pytorch_model.bin")
    (broken / "model.safetensors").unlink()
    assert "pickled" in refusal(engine, ModelSpec(str(broken)))


def test_code_that_a_model_brings_is_never_run(engine: LocalEngine, broken: Path) -> None:
    trap = broken / "ran"
    (broken / "configuration_x.py").write_text(f"open({str(trap)!r}, 'w')\n")
    auto = {"AutoConfig": "configuration_x.X", "AutoModelForCausalLM": "configuration_x.X"}
    edit_json(broken / "config.json", auto_map=auto, model_type="x")
    assert "never run here" in refusal(engine, ModelSpec(str(broken)))
    assert not trap.exists()


def test_too_large_for_the_memory(
    engine: LocalEngine, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "free_memory", lambda device: 1_000_000)
    assert "GB of memory as float32 and 0.0 GB are free on cpu" in refusal(
        engine, ModelSpec(str(tiny_folder))
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"device": "cuda"}, "torch finds none"),
        ({"device": "abacus"}, "no device “abacus”"),
        ({"dtype": "int8"}, "no dtype “int8”"),
        ({"quantization": "2bit"}, "no quantization “2bit”"),
    ],
)
def test_what_this_machine_cannot_do(
    engine: LocalEngine, tiny_folder: Path, options: dict[str, str], says: str
) -> None:
    assert re.search(says, refusal(engine, ModelSpec(str(tiny_folder), **options)))


class Hub:
    """A hub on this machine. ``answer``: how it treats every question."""

    def __init__(self) -> None:
        self.answer = "unknown"
        self.files: dict[str, bytes] = {}
        self.hanging = threading.Event()
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.respond(self)

            def do_HEAD(self) -> None:
                outer.respond(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        if self.answer == "hanging":
            self.hanging.wait(60)
        elif self.answer == "gated":
            self.send(request, 403, b"{}", {"X-Error-Code": "GatedRepo"})
        elif self.answer == "unknown":
            self.send(request, 404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif "/tree/" in request.path:
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in self.files.items()
            ]
            self.send(request, 200, json.dumps(tree).encode(), {})
        elif request.path.startswith("/api/models/"):
            files = [
                {"rfilename": name, "size": len(content)} for name, content in self.files.items()
            ]
            model = {"id": "some/model", "sha": "0" * 40, "siblings": files, "private": False}
            self.send(request, 200, json.dumps(model).encode(), {})
        else:
            name = request.path.rpartition("/")[2]
            headers = {"ETag": f'"{name}"', "X-Repo-Commit": "0" * 40}
            self.send(request, 200, self.files[name], headers)

    def send(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    from huggingface_hub import constants

    hub = Hub()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    yield hub
    hub.hanging.set()
    hub.server.shutdown()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("unknown", "There is no model “some/model” on the hub"),
        ("gated", "“some/model” is gated: accept its terms at https://huggingface.co/some/model"),
        ("pickles", "has no weights as safetensors"),
    ],
)
def test_what_the_hub_refuses(engine: LocalEngine, hub: Hub, answer: str, says: str) -> None:
    hub.answer, hub.files = answer, {"config.json": b"{}", "pytorch_model.bin": b"x"}
    sentence = refusal(engine, ModelSpec("some/model"))
    assert says in sentence
    assert sentence.endswith("(--model starter).")


def test_a_hub_that_is_not_there(
    engine: LocalEngine, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
    sentence = refusal(engine, ModelSpec("some/model"))
    assert "the hub cannot be reached" in sentence
    assert sentence.endswith("(--model starter).")


def test_a_hub_whose_name_nobody_knows(
    engine: LocalEngine, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")  # RFC 6761: never resolved
    assert "the hub cannot be reached" in refusal(engine, ModelSpec("some/model"))


def test_a_name_that_is_no_id(engine: LocalEngine) -> None:
    assert "no folder and no hub id" in refusal(engine, ModelSpec("a b/c?d"))
    assert "There is no folder" in refusal(engine, ModelSpec("/no/such/folder"))


def test_a_hub_that_hangs_is_cancelled_within_a_second(engine: LocalEngine, hub: Hub) -> None:
    hub.answer = "hanging"
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(ModelSpec("some/model"), events.put)
    while not (isinstance(event := events.get(timeout=30), LoadProgress) and "hub" in event.stage):
        pass
    began = time.monotonic()
    engine.cancel_load()
    while isinstance(event := events.get(timeout=5), LoadProgress):
        pass
    assert time.monotonic() - began < 1
    assert isinstance(event, LoadFailed)
    assert isinstance(event.error, Cancelled)


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
