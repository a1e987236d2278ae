"""Steps over static buffers, as a GPU records them, give the words of the ordinary path."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import torch

from syndisco_tui.engine.attention import StaticRowsAttention, _split
from syndisco_tui.engine.base import Chunk, Generation, GenerationRequest, Sampling
from syndisco_tui.engine.decoder import SlotDecoder
from syndisco_tui.engine.forward import Forward
from syndisco_tui.engine.lean import LeanForward
from syndisco_tui.engine.slots import Slots
from syndisco_tui.engine.static import GIVE_UP, StaticSteps, Step

from .conftest import read_model
from .reference import ChatTurn, random_request, reference_reply


class Recorder:
    """A graph without a GPU: recording runs the step, replaying runs it on the same buffers."""

    def __init__(self, fails: Callable[[int], bool] = lambda number: False) -> None:
        self.recordings = self.replays = 0
        self.decoder: SlotDecoder | None = None
        self._fails = fails

    def __call__(self, step: Step) -> Step:
        self.recordings += 1
        for _ in range(3):  # as a warm-up does: its traces must not be seen afterwards
            step()
        if self._fails(self.recordings):
            raise RuntimeError("operation not permitted when stream is capturing")

        recorded_for = self._addresses()

        def replay() -> None:
            assert self._addresses() == recorded_for, "a graph would write where nothing is"
            self.replays += 1
            step()

        return replay

    def _addresses(self) -> list[Any]:
        assert self.decoder is not None
        cache = [layer.address for layer in self.decoder._slots.layers]
        return [*cache, *(tensor.data_ptr() for tensor in self.decoder._state.changing())]


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path) -> tuple[Any, Any]:
    return read_model(tiny_folder)


def decoder_of(
    tiny: tuple[Any, Any], capture: Any, kind: type[Forward] = LeanForward, rows: int = 64
) -> SlotDecoder:
    model, tokenizer = tiny
    forward = kind(model, Slots(model.config.num_hidden_layers, 1 << 30))
    static = StaticSteps(forward, capture)
    decoder = SlotDecoder(
        forward, tokenizer, eos=[2], context_length=512, max_rows=rows, static=static
    )
    if capture is not None:
        capture.decoder = decoder
    return decoder


def run(decoder: SlotDecoder) -> None:
    while decoder.busy:
        decoder.advance()


@pytest.mark.parametrize("kind", [LeanForward, Forward])
@pytest.mark.parametrize("captured", [True, False])
def test_the_words_are_those_of_the_reference(
    tiny: tuple[Any, Any], kind: type[Forward], captured: bool
) -> None:
    """Requests of any kind join while others decode; some neighbours are cancelled on the way."""
    recorder = Recorder()
    decoder = decoder_of(tiny, recorder if captured else None, kind)
    rng = random.Random(3)
    kept: list[Generation] = []
    for _ in range(8):
        wave = [Generation(short_request(rng, 24, full=0.05)) for _ in range(rng.choice([1, 2, 6]))]
        doomed = [Generation(short_request(rng, 99)) for _ in range(rng.randint(0, 2))]
        for generation in [*wave, *doomed]:
            decoder.submit(generation)
        for _ in range(rng.randint(1, 12)):
            decoder.advance()
        for generation in doomed:
            generation.cancel()
        kept += wave
    run(decoder)
    for generation in kept:
        expected = reference_reply(*tiny, generation.request)
        result = generation.result(1)
        assert result.token_ids == expected.token_ids, generation.request
        assert (result.text, result.finish_reason) == (expected.text, expected.finish_reason)
    assert (recorder.replays > 40) is captured


@pytest.mark.parametrize("fails", [lambda number: number == 1, lambda number: True])
def test_what_cannot_be_recorded_runs_as_it_is(
    tiny: tuple[Any, Any], fails: Callable[[int], bool]
) -> None:
    recorder = Recorder(fails)
    decoder = decoder_of(tiny, recorder)
    rng = random.Random(4)
    generations = [Generation(short_request(rng, 16)) for _ in range(12)]
    for generation in generations:
        decoder.submit(generation)
        decoder.advance()
    run(decoder)
    for generation in generations:
        assert (
            generation.result(1).token_ids == reference_reply(*tiny, generation.request).token_ids
        )
    if fails(2):
        assert recorder.recordings == GIVE_UP  # after which no more are tried


def test_a_step_of_one_size_is_recorded_once(tiny: tuple[Any, Any]) -> None:
    recorder = Recorder()
    decoder = decoder_of(tiny, recorder)
    for seed in range(5):
        chat = (ChatTurn("user", "Tell me."),)
        decoder.submit(Generation(GenerationRequest(chat, 20, Sampling(), seed)))
        run(decoder)
    assert recorder.recordings == 1
    assert recorder.replays >= 5 * 18


def test_fewer_slots_than_before(tiny: tuple[Any, Any]) -> None:
    """What was let go is made anew for as many as are wanted, and steps are no larger than that."""
    decoder = decoder_of(tiny, Recorder())
    for count in (50, 33, 3):
        wave = [
            Generation(
                GenerationRequest((ChatTurn("user", f"{n}, please"),), 5, Sampling(top_k=20), n)
            )
            for n in range(count)
        ]
        for generation in wave:
            decoder.submit(generation)
        run(decoder)
        for generation in wave:
            expected = reference_reply(*tiny, generation.request)
            assert generation.result(1).token_ids == expected.token_ids
        decoder._slots.forget()


def test_a_step_without_memory_is_made_again(
    tiny: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No token is lost that was under way when the next step could not be started."""
    decoder = decoder_of(tiny, Recorder())
    launch, launches = StaticSteps.launch, 0

    def launch_or_not(*args: Any) -> Any:
        nonlocal launches
        launches += 1
        if launches % 5 == 0:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return launch(*args)

    monkeypatch.setattr(StaticSteps, "launch", launch_or_not)
    chat = (ChatTurn("user", "Tell me."),)
    wave = [Generation(GenerationRequest(chat, 20, Sampling(), seed)) for seed in range(3)]
    for generation in wave:
        decoder.submit(generation)
    run(decoder)
    assert launches > 20
    for generation in wave:
        expected = reference_reply(*tiny, generation.request)
        assert generation.result(1).token_ids == expected.token_ids


def test_a_reply_that_ends_while_the_next_step_is_under_way(tiny: tuple[Any, Any]) -> None:
    """The step after the last token is computed for nothing, and nobody hears of it."""
    decoder = decoder_of(tiny, Recorder())
    chat = (ChatTurn("user", "Tell me something about the town."),)
    whole = Generation(GenerationRequest(chat, 40, Sampling(), 5))
    decoder.submit(whole)
    run(decoder)
    stop = whole.result(1).text[10:14]
    events: SimpleQueue[Any] = SimpleQueue()
    short = Generation(GenerationRequest(chat, 40, Sampling(), 5, (stop,)), events.put)
    after = Generation(GenerationRequest(chat, 7, Sampling(), 6))
    decoder.submit(short)
    decoder.submit(after)
    run(decoder)
    assert short.result(1).text == whole.result(1).text.partition(stop)[0]
    chunks = [e.text for e in iter_events(events) if isinstance(e, Chunk)]
    assert "".join(chunks) == short.result(1).text
    assert after.result(1).token_ids == reference_reply(*tiny, after.request).token_ids


def short_request(rng: random.Random, longest_reply: int, full: float = 0.0) -> GenerationRequest:
    """A random request; a choice among the whole vocabulary, which is slow here, is rarer."""
    request = random_request(rng, longest_reply)
    if request.sampling.top_k in (1, 5, 50) or rng.random() < full:
        return request
    return replace(request, sampling=replace(request.sampling, top_k=20))


def iter_events(events: SimpleQueue[Any]) -> list[Any]:
    return [events.get() for _ in range(events.qsize())]


def test_a_reply_that_fills_its_slot(tiny: tuple[Any, Any]) -> None:
    decoder = decoder_of(tiny, Recorder())
    chat = (ChatTurn("user", "word " * 440),)
    generation = Generation(GenerationRequest(chat, 500, Sampling(), 1))
    beside = Generation(GenerationRequest((ChatTurn("user", "Hm?"),), 90, Sampling(), 2))
    decoder.submit(generation)
    decoder.submit(beside)
    run(decoder)
    result = generation.result(1)
    assert result.prompt_tokens + result.completion_tokens <= 512
    for each in (beside,):
        assert each.result(1).token_ids == reference_reply(*tiny, each.request).token_ids


def test_attention_in_parts_is_attention(tiny: tuple[Any, Any]) -> None:
    """What a GPU does with few rows, against what everybody does."""
    torch.manual_seed(0)
    cache = Slots(1, 1 << 30)
    layer = cache.layers[0]
    cache.acquire([0], 256, 1)
    layer.lazy_initialization(torch.empty(1, 2, 1, 16), torch.empty(1, 2, 1, 16))
    assert layer.states is not None
    layer.states.normal_()
    states = torch.randn(1, 4 + 2 * 2, 16)
    part = StaticRowsAttention(
        torch.tensor([0]), torch.tensor([0]), torch.tensor([100]), 128, torch.float32
    )
    whole = part.attend(layer, states, 0.25)
    query = states[:, :4].reshape(1, 2, 2, 16)
    keys, values = layer.states[0][:1, :, :128], layer.states[1][:1, :, :128]
    split = _split(query, keys, values, part._mask, 0.25)
    torch.testing.assert_close(whole, split)
