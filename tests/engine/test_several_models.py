"""Two models of this process at once: each speaks as it does alone, if there is room for both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from transformers import LlamaConfig

from syndisco_tui.discussion import ChatMessage, DiscussionSetup
from syndisco_tui.engine.base import (
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    Sampling,
)
from syndisco_tui.engine.engines import Engines
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.loading import model_loader
from syndisco_tui.engine.model import ModelSpec
from syndisco_tui.session import LiveSession, Runner, StateChanged
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.engines import THREADS, load
from tests.support.people import people
from tests.support.tiny_models import TINY, make_tiny

CHAT = (ChatMessage("user", "Hello."),)


def request(seed: int, model: ModelSpec | None = None) -> GenerationRequest:
    return GenerationRequest(CHAT, 12, Sampling(), seed, model=model)


@pytest.fixture(scope="module")
def specs(starter_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[ModelSpec]:
    """Two models that differ in their weights."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    return [
        ModelSpec(str(make_tiny(starter_folder, folder, LlamaConfig(**TINY), seed)), device="cpu")
        for seed, folder in enumerate(folders, start=1)
    ]


@pytest.fixture
def engines(starter_cache: Path) -> Iterator[Engines]:
    def no_server() -> LocalEngine:
        raise AssertionError("nobody asked for a server")

    engines = Engines(lambda: LocalEngine(starter_cache, threads=THREADS), no_server)
    yield engines
    engines.close()


def load_both(engines: Engines, specs: list[ModelSpec]) -> list[LoadEvent]:
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engines.load(ModelSpec(specs[0].model, device="cpu", others=(specs[1],)), events.put)
    heard = [events.get(timeout=120)]
    while isinstance(heard[-1], LoadProgress):
        heard.append(events.get(timeout=120))
    return heard


def test_each_speaks_as_it_does_alone(
    engines: Engines, specs: list[ModelSpec], starter_cache: Path
) -> None:
    alone: dict[str, list[str]] = {}
    for spec in specs:
        engine = LocalEngine(starter_cache, threads=THREADS)
        assert isinstance(load(engine, spec), Loaded)
        alone[spec.model] = [engine.submit(request(n)).result(60).text for n in range(4)]
        engine.close()
    heard = load_both(engines, specs)
    assert isinstance(heard[-1], Loaded), heard[-1]
    assert [info.model for info in heard[-1].others] == [specs[1].model]
    stages = [event.stage for event in heard if isinstance(event, LoadProgress)]
    names = [stage.partition(":")[0] for stage in stages]
    assert list(dict.fromkeys(names)) == [spec.short_name for spec in specs]
    generations = [(spec, engines.submit(request(n, spec))) for n in range(4) for spec in specs]
    said: dict[str, list[str]] = {spec.model: [] for spec in specs}
    for spec, generation in generations:
        said[spec.model].append(generation.result(60).text)
    assert said == alone
    assert alone[specs[0].model] != alone[specs[1].model]


def test_where_there_is_no_room_for_both_one_sentence_has_the_numbers(
    engines: Engines, specs: list[ModelSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([10**12])
    monkeypatch.setattr(model_loader, "free_memory", lambda device: next(free, 1000))
    failed = load_both(engines, specs)[-1]
    assert isinstance(failed, LoadFailed)
    sentence = str(failed.error)
    assert specs[1].model in sentence
    assert "GB of memory as float32 and 0.0 GB are free on cpu" in sentence


def test_a_discussion_of_both_is_the_same_again(
    engines: Engines, specs: list[ModelSpec], tmp_path: Path
) -> None:
    setup = DiscussionSetup.model_validate(
        {
            "personas": people("Ann", "Bob"),
            "conv_len": 4,
            "max_out_tokens": 10,
            "model": specs[0].model,
            "models": {"Bob": specs[1].model},
        }
    )
    for _ in range(2):
        session = LiveSession(Runner(engines, tmp_path, device="cpu"))
        session.start(setup)
        while True:
            event = session.events.get(timeout=120)
            if isinstance(event, StateChanged) and event.state == "finished":
                break
        session.close()
    first, second = map(read_discussion, discussion_files(tmp_path))
    names = [Path(spec.model).name for spec in specs]
    assert [entry.model for entry in first.entries] == names * 2
    assert [entry.model_text for entry in first.entries] == [
        entry.model_text for entry in second.entries
    ]
    assert first.engine["exact"]
    assert first.engine["participants"]["Bob"]["exact"]
