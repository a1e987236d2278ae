"""Decode steps that are captured, and launched one token ahead, give the reference's tokens."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import torch

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import Chunk, Generation, GenerationRequest, Sampling
from syndisco_tui.engine.local.cache.kv_cache import KVCache
from syndisco_tui.engine.local.decoding.decoder import InputProcessor
from syndisco_tui.engine.local.decoding.slot_decoder import SlotDecoder
from syndisco_tui.engine.local.runners.attention import StaticDecodeBatch, _split_attention
from syndisco_tui.engine.local.runners.cuda_graphs import (
    MAX_FAILURES,
    CudaGraphCapture,
    StaticSteps,
)
from syndisco_tui.engine.local.runners.llama_runner import LlamaRunner
from syndisco_tui.engine.local.runners.model_runner import ModelRunner
from tests.support.pretended_gpu import Machine, sent
from tests.support.reference import random_request, reference_reply
from tests.support.tiny_models import read_model


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path) -> tuple[Any, Any]:
    return read_model(tiny_folder)


def decoder_for(folder: Path, kind: type[ModelRunner] = LlamaRunner) -> SlotDecoder:
    model, tokenizer = read_model(folder)
    runner = kind(sent(model))
    inputs = InputProcessor(tokenizer, eos=[2], context_length=512)
    return SlotDecoder(
        runner, inputs, budget=1 << 30, static=StaticSteps(runner, CudaGraphCapture())
    )


def run(decoder: SlotDecoder) -> None:
    while decoder.busy:
        decoder.step()


@pytest.mark.parametrize("kind", [LlamaRunner, ModelRunner])
def test_tokens_are_those_of_the_reference(
    gpu: Machine, tiny: tuple[Any, Any], tiny_folder: Path, kind: type[ModelRunner]
) -> None:
    """Requests of any kind join while others decode, and some are cancelled."""
    decoder = decoder_for(tiny_folder, kind)
    rng = random.Random(3)
    compared: list[Generation] = []
    for _ in range(8):
        wave = [Generation(short_request(rng, 24, full=0.05)) for _ in range(rng.choice([1, 2, 6]))]
        to_cancel = [Generation(short_request(rng, 99)) for _ in range(rng.randint(0, 2))]
        for generation in [*wave, *to_cancel]:
            decoder.submit(generation)
        for _ in range(rng.randint(1, 12)):
            decoder.step()
        for generation in to_cancel:
            generation.cancel()
        compared += wave
    run(decoder)
    for generation in compared:
        expected = reference_reply(*tiny, generation.request)
        result = generation.result(1)
        assert result.token_ids == expected.token_ids, generation.request
        assert (result.text, result.finish_reason) == (expected.text, expected.finish_reason)
    assert gpu.replays > 40


@pytest.mark.parametrize("fails", [lambda number: number == 1, lambda number: True])
def test_a_step_that_cannot_be_captured_runs_all_the_same(
    gpu: Machine, tiny: tuple[Any, Any], tiny_folder: Path, fails: Callable[[int], bool]
) -> None:
    gpu.refuses = fails
    decoder = decoder_for(tiny_folder)
    rng = random.Random(4)
    generations = [Generation(short_request(rng, 16)) for _ in range(12)]
    for generation in generations:
        decoder.submit(generation)
        decoder.step()
    run(decoder)
    for generation in generations:
        assert (
            generation.result(1).token_ids == reference_reply(*tiny, generation.request).token_ids
        )
    if fails(2):
        assert gpu.recordings == MAX_FAILURES  # after which no more are tried


def test_a_step_of_one_size_is_captured_once(gpu: Machine, tiny_folder: Path) -> None:
    decoder = decoder_for(tiny_folder)
    for seed in range(5):
        chat = (ChatMessage("user", "Tell me."),)
        decoder.submit(Generation(GenerationRequest(chat, 20, Sampling(), seed)))
        run(decoder)
    assert gpu.recordings == 1
    assert gpu.replays >= 5 * 18


def test_fewer_slots_than_before(gpu: Machine, tiny: tuple[Any, Any], tiny_folder: Path) -> None:
    """After the slots are freed, fewer are allocated, and steps are no larger than these."""
    decoder = decoder_for(tiny_folder)
    for count in (12, 9, 3):
        wave = [
            Generation(
                GenerationRequest((ChatMessage("user", f"{n}, please"),), 5, Sampling(top_k=20), n)
            )
            for n in range(count)
        ]
        for generation in wave:
            decoder.submit(generation)
        run(decoder)
        for generation in wave:
            expected = reference_reply(*tiny, generation.request)
            assert generation.result(1).token_ids == expected.token_ids
        decoder._slots.forget_idle()


def test_a_step_without_memory_is_launched_again(
    gpu: Machine, tiny: tuple[Any, Any], tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No token in flight is lost when the next step cannot be launched."""
    decoder = decoder_for(tiny_folder)
    launch, launches = StaticSteps.launch, 0

    def launch_or_not(*args: Any) -> Any:
        nonlocal launches
        launches += 1
        if launches % 5 == 0:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return launch(*args)

    monkeypatch.setattr(StaticSteps, "launch", launch_or_not)
    chat = (ChatMessage("user", "Tell me."),)
    wave = [Generation(GenerationRequest(chat, 20, Sampling(), seed)) for seed in range(3)]
    for generation in wave:
        decoder.submit(generation)
    run(decoder)
    assert launches > 20
    for generation in wave:
        expected = reference_reply(*tiny, generation.request)
        assert generation.result(1).token_ids == expected.token_ids


def test_a_reply_that_ends_while_the_next_step_is_in_flight(
    gpu: Machine, tiny: tuple[Any, Any], tiny_folder: Path
) -> None:
    """The step after the last token has no effect."""
    decoder = decoder_for(tiny_folder)
    chat = (ChatMessage("user", "Tell me something about the town."),)
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
    """A random request; sampling from the whole vocabulary, which is slow, is rarer."""
    request = random_request(rng, longest_reply)
    if request.sampling.top_k in (1, 5, 50) or rng.random() < full:
        return request
    return replace(request, sampling=replace(request.sampling, top_k=20))


def iter_events(events: SimpleQueue[Any]) -> list[Any]:
    return [events.get() for _ in range(events.qsize())]


def test_a_reply_that_fills_its_slot(
    gpu: Machine, tiny: tuple[Any, Any], tiny_folder: Path
) -> None:
    decoder = decoder_for(tiny_folder)
    chat = (ChatMessage("user", "word " * 440),)
    generation = Generation(GenerationRequest(chat, 500, Sampling(), 1))
    beside = Generation(GenerationRequest((ChatMessage("user", "Hm?"),), 90, Sampling(), 2))
    decoder.submit(generation)
    decoder.submit(beside)
    run(decoder)
    result = generation.result(1)
    assert result.prompt_tokens + result.completion_tokens <= 512
    assert beside.result(1).token_ids == reference_reply(*tiny, beside.request).token_ids


def test_split_attention_is_attention() -> None:
    """What a GPU computes for few rows, against torch's attention."""
    torch.manual_seed(0)
    cache = KVCache(1)
    layer = cache.layers[0]
    cache.resize(1, 256)
    layer.lazy_initialization(torch.empty(1, 2, 1, 16), torch.empty(1, 2, 1, 16))
    assert layer.states is not None
    layer.states.normal_()
    states = torch.randn(1, 4 + 2 * 2, 16)
    batch = StaticDecodeBatch(
        torch.tensor([0]), torch.tensor([0]), torch.tensor([100]), 128, torch.float32
    )
    whole = batch.attend(layer, states, 0.25)
    query = states[:, :4].reshape(1, 2, 2, 16)
    keys, values = layer.states[0][:1, :, :128], layer.states[1][:1, :, :128]
    split = _split_attention(query, keys, values, batch._mask, 0.25)
    torch.testing.assert_close(whole, split)
