"""Which architectures the slots hold, and that the others speak as well, through ``generate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import (
    BloomConfig,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
    T5Config,
)

from syndisco_tui.engine.base import GenerationRequest, Loaded, ModelSpec, Sampling
from syndisco_tui.engine.local import LocalEngine
from tests.support.engines import load

from .conftest import TINY, read_model
from .pretended_gpu import NAME, Machine
from .reference import ChatTurn, reference_reply
from .tiny import make_tiny

V = TINY["vocab_size"]

KINDS: dict[str, tuple[PretrainedConfig, str]] = {
    "llama": (LlamaConfig(**TINY, tie_word_embeddings=True), "slots"),
    "qwen2": (Qwen2Config(**TINY), "slots"),
    "qwen3": (Qwen3Config(**TINY, head_dim=16), "slots"),
    "mistral": (MistralConfig(**TINY, sliding_window=None), "slots"),
    "gpt-neox": (
        GPTNeoXConfig(
            vocab_size=V, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
            num_attention_heads=4, max_position_embeddings=512,
        ),
        "slots",
    ),
    "gpt2": (GPT2Config(vocab_size=V, n_embd=64, n_layer=2, n_head=4, n_positions=512), "slots"),
    "mistral with a window": (MistralConfig(**TINY, sliding_window=16), "generate"),
    "gemma2": (Gemma2Config(**TINY, head_dim=16, sliding_window=16), "generate"),
    "bloom": (BloomConfig(vocab_size=V, hidden_size=64, n_layer=2, n_head=4), "generate"),
    "mamba": (MambaConfig(vocab_size=V, hidden_size=64, num_hidden_layers=2), "generate"),
    "t5": (
        T5Config(
            vocab_size=V, d_model=64, d_kv=16, d_ff=64, num_layers=2, num_heads=4,
            decoder_start_token_id=2,
        ),
        "generate",
    ),
}  # fmt: skip

CHAT = (ChatTurn("system", "You are Emma35."), ChatTurn("user", "Should cities ban cars?"))
REQUESTS = [
    GenerationRequest(CHAT, 24, sampling, seed=7, stop=("\n\n",))
    for sampling in (Sampling(temperature=0.0), Sampling(), Sampling(top_k=0, top_p=0.8))
]


@pytest.mark.parametrize("kind", KINDS)
def test_path_and_words(
    engine_for: Callable[[Path], LocalEngine], starter_folder: Path, tmp_path: Path, kind: str
) -> None:
    config, path = KINDS[kind]
    folder = make_tiny(starter_folder, tmp_path, config)
    engine = engine_for(folder)
    assert engine.info is not None
    assert engine.info.path == path
    generations = [engine.submit(request) for request in REQUESTS]
    for generation in generations:
        text = "".join(generation)
        assert text == generation.result(60).text
    if kind in ("mamba", "t5", "bloom"):  # no DynamicCache for the reference loop to use
        again = engine.submit(REQUESTS[1]).result(60)
        assert again.token_ids == generations[1].result().token_ids
        return
    model, tokenizer = read_model(folder)
    for generation in generations:
        expected = reference_reply(model, tokenizer, generation.request)
        assert generation.result().token_ids == expected.token_ids


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "gpt-neox", "gpt2", "gemma2", "t5"])
def test_on_a_gpu(gpu: Machine, starter_folder: Path, tmp_path: Path, kind: str) -> None:
    """From loading to the last token, on the device where it is by default and in its numbers."""
    config, path = KINDS[kind]
    folder = make_tiny(starter_folder, tmp_path, config)
    engine = LocalEngine(tmp_path)
    try:
        for dtype in ("auto", "float32") if path == "slots" else ("auto",):
            loaded = load(engine, ModelSpec(str(folder), dtype=dtype))
            assert isinstance(loaded, Loaded)
            assert (loaded.info.device, loaded.info.path) == (NAME, path)
            assert loaded.info.dtype == ("bfloat16" if dtype == "auto" else "float32")
            assert not loaded.info.exact
            requests = REQUESTS[1:2] if dtype == "auto" else REQUESTS
            generations = [engine.submit(request) for request in requests]
            for generation in generations:
                assert "".join(generation) == generation.result(60).text
            assert (gpu.replays > 0) is (path == "slots")
    finally:
        engine.close()
    if path == "slots":
        model, tokenizer = read_model(folder)
        for generation in generations:
            expected = reference_reply(model, tokenizer, generation.request)
            assert generation.result().token_ids == expected.token_ids


def test_cancel_on_the_plain_path(
    engine_for: Callable[[Path], LocalEngine], starter_folder: Path, tmp_path: Path
) -> None:
    engine = engine_for(make_tiny(starter_folder, tmp_path, KINDS["mistral with a window"][0]))
    generation = engine.submit(GenerationRequest(CHAT, 400, Sampling(), seed=3))
    pieces = iter(generation)
    next(pieces)
    generation.cancel()
    result = generation.result(5)
    assert result.finish_reason == "cancelled"
    assert result.completion_tokens < 100
