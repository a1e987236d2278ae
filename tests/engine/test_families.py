"""Every family of models generates the tokens of transformers' ``generate``, also in a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import Generation, GenerationRequest, Loaded, Sampling
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.decoding.decoder import Decoder, InputProcessor
from syndisco_tui.engine.local.decoding.factory import decoder_for
from syndisco_tui.engine.local.runners.probe import find_support
from syndisco_tui.engine.local.tokenization.chat_tokenizer import ChatTokenizer
from syndisco_tui.engine.model import ModelSpec
from tests.support.engines import THREADS, load
from tests.support.families import Family, build, installed, save
from tests.support.pretended_gpu import NAME, Machine
from tests.support.tiny_models import read_model

GREEDY = Sampling(temperature=0.0, repetition_penalty=1.0)
NEW_TOKENS = 8


@pytest.fixture(scope="module")
def tokenizer(tiny_folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_folder)


def request(words: int, tokens: int = NEW_TOKENS) -> GenerationRequest:
    text = " ".join(f"word {number * words}" for number in range(words))
    chat = (ChatMessage("system", "You are Emma35."), ChatMessage("user", text))
    return GenerationRequest(chat, tokens, GREEDY)


def generated(model: Any, tokenizer: Any, request: GenerationRequest) -> tuple[int, ...]:
    """The reply of transformers' ``generate``, without the end token."""
    ids = torch.tensor([ChatTokenizer(tokenizer).ids(request.chat)])
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=request.max_out_tokens,
        do_sample=False,
        eos_token_id=2,
        pad_token_id=0,
    )
    tokens = output[0, ids.shape[1] :].tolist()
    return tuple(tokens[: tokens.index(2)] if 2 in tokens else tokens)


def finish(decoder: Decoder) -> None:
    while decoder.busy:
        decoder.step()


@pytest.mark.parametrize("family", installed(), ids=lambda family: family.name)
def test_tokens_and_path(family: Family, tokenizer: Any) -> None:
    """Alone, then in a ragged batch of four, which a fifth joins and one is cancelled from."""
    model = build(family)
    support = find_support(model)
    assert support.path == family.path, support.reason
    assert bool(support.reason) is (family.path != "slots")
    decoder = decoder_for(model, support, InputProcessor(tokenizer, eos=[2], context_length=512))
    requests = [request(words) for words in (3, 8, 5, 12, 4)]
    expected = [generated(model, tokenizer, one) for one in requests]

    solo = Generation(requests[1])
    decoder.submit(solo)
    finish(decoder)
    assert solo.result(1).token_ids == expected[1]

    batch = [Generation(one) for one in requests[:4]]
    cancelled = Generation(request(9, tokens=200))
    for generation in (*batch[:2], cancelled, *batch[2:]):
        decoder.submit(generation)
    for _ in range(6):
        if decoder.busy:
            decoder.step()
    joined = Generation(requests[4])
    decoder.submit(joined)
    decoder.step()
    cancelled.cancel()
    finish(decoder)
    for generation, tokens in zip([*batch, joined], expected, strict=True):
        assert generation.result(1).token_ids == tokens
    if family.path != "generate":  # which had ended by then
        assert cancelled.result(1).finish_reason in ("cancelled", "stop")
    cached = batch[1].result(1).cached_tokens
    assert cached == (solo.result(1).prompt_tokens - 1 if family.path == "slots" else 0)


def test_generate_is_cancelled_within_a_token(tokenizer: Any) -> None:
    (family,) = (one for one in installed() if one.path == "generate")
    model = build(family)
    inputs = InputProcessor(tokenizer, eos=[2], context_length=512)
    decoder = decoder_for(model, find_support(model), inputs)
    generation = Generation(request(3, tokens=200), lambda event: generation.cancel())
    decoder.submit(generation)
    finish(decoder)
    assert generation.result(1).finish_reason == "cancelled"
    assert generation.result(1).completion_tokens <= 2


@pytest.mark.parametrize(
    "name",
    [
        "qwen3",
        *(
            pytest.param(name, marks=pytest.mark.campaign)
            # No mixture of experts: on a GPU it needs operations that the pretended one lacks.
            for name in ("gpt_neox", "gemma2", "olmo3", "mistral, with a window")
        ),
    ],
)
def test_on_a_gpu(gpu: Machine, starter_folder: Path, tmp_path: Path, name: str) -> None:
    """From loading to the last token with CUDA graphs, in bfloat16 and in float32."""
    (family,) = (one for one in installed() if one.name == name)
    folder = save(family, starter_folder, tmp_path / "model")
    engine = LocalEngine(tmp_path, threads=THREADS)
    try:
        for dtype in ("auto", "float32"):
            loaded = load(engine, ModelSpec(str(folder), dtype=dtype))
            assert isinstance(loaded, Loaded)
            assert (loaded.info.device, loaded.info.path) == (NAME, "slots")
            assert loaded.info.dtype == ("bfloat16" if dtype == "auto" else "float32")
            assert not loaded.info.exact
            generations = [engine.submit(request(words)) for words in (3, 20)]
            for generation in generations:
                assert "".join(generation) == generation.result(120).text
            assert gpu.replays > 0
    finally:
        engine.close()
    model, tokenizer = read_model(folder)
    for generation in generations:
        expected = generated(model, tokenizer, generation.request)
        assert generation.result().token_ids == expected
