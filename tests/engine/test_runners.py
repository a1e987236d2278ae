"""Forward passes: logits do not depend on what else is in the pass, and are the model's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

from syndisco_tui.engine.local.runners.attention import PrefillChunk
from syndisco_tui.engine.local.runners.llama_cpu_runner import LlamaCpuRunner
from syndisco_tui.engine.local.runners.llama_runner import LlamaRunner, _padded_count
from syndisco_tui.engine.local.runners.model_runner import ModelRunner
from syndisco_tui.engine.local.runners.probe import find_support
from tests.support.tiny_models import VOCABULARY, put_on_grid, read_model

SMALL: dict[str, Any] = {
    "vocab_size": 224,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
CONFIGS = {
    "llama": LlamaConfig(**SMALL),
    "llama with biases": LlamaConfig(**SMALL, attention_bias=True, mlp_bias=True),
    "qwen2": Qwen2Config(**SMALL),
    "qwen3": Qwen3Config(**SMALL, head_dim=32),
}


@pytest.fixture(scope="module", params=[LlamaRunner, LlamaCpuRunner])
def runner(grid_folder: Path, request: pytest.FixtureRequest) -> LlamaRunner:
    model, _ = read_model(grid_folder)
    made: LlamaRunner = request.param(model)
    return made


def ids(length: int, start: int = 0) -> torch.Tensor:
    return (torch.arange(start, start + length) * 7919 + 13) % VOCABULARY


@torch.inference_mode()
def fill(runner: ModelRunner, lengths: list[int]) -> list[int]:
    """Read prompts of these lengths into slots."""
    runner.kv_cache.resize(0, 0)
    runner.kv_cache.resize(len(lengths), 320)
    for slot, length in enumerate(lengths):
        if length:
            runner.prefill(slot, ids(length, slot), 0)
    return list(range(len(lengths)))


@torch.inference_mode()
def test_a_prompt_gives_the_same_bits_beside_any_other(runner: LlamaRunner) -> None:
    rows = fill(runner, [40, 7, 100, 3, 64, 65, 12, 0])
    prompt = ids(90, 5)
    alone = runner.step([], prompt[:0], [], [PrefillChunk(rows[7], prompt, 0)])[0]
    cached = runner.kv_cache.layers[-1].states
    assert cached is not None
    states = cached[:, rows[7], :, :90].clone()
    beside = [
        [PrefillChunk(rows[6], ids(33), 12), PrefillChunk(rows[7], prompt, 0)],
        [PrefillChunk(rows[5], ids(200), 65, ends_prompt=False), PrefillChunk(rows[7], prompt, 0)],
    ]
    for chunks in beside:
        both = runner.step(rows[:3], ids(3), [40, 7, 100], chunks)
        assert torch.equal(both[-1], alone)
        assert torch.equal(cached[:, rows[7], :, :90], states)


@torch.inference_mode()
def test_a_decoding_slot_gives_the_same_bits_beside_prompts(runner: LlamaRunner) -> None:
    rows = fill(runner, [40, 7, 100, 0])
    alone = runner.step(rows[:3], ids(3), [40, 7, 100], [])
    beside = runner.step(rows[:3], ids(3), [40, 7, 100], [PrefillChunk(rows[3], ids(77), 0)])
    assert torch.equal(beside[:3], alone)


@torch.inference_mode()
def test_a_prompt_read_in_chunks_gives_the_same_logits(runner: LlamaRunner) -> None:
    (row,) = fill(runner, [0])
    prompt = ids(120)
    whole = runner.prefill(row, prompt, 0)
    runner.step([], prompt[:0], [], [PrefillChunk(row, prompt[:50], 0, ends_prompt=False)])
    end = runner.step([], prompt[:0], [], [PrefillChunk(row, prompt[50:], 50)])
    torch.testing.assert_close(end[0], whole, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("kind", [LlamaRunner, LlamaCpuRunner])
def test_a_step_is_that_of_the_model(name: str, kind: type[LlamaRunner]) -> None:
    """For one slot, where the kernels run, and for three."""
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(CONFIGS[name]).eval()
    put_on_grid(model)
    prompts = [torch.arange(3, 3 + length) for length in (5, 17, 130)]
    expected = [model(prompt[None]).logits[0, -1] for prompt in prompts]
    runner = kind(model)
    runner.kv_cache.resize(3, 192)
    for slot, prompt in enumerate(prompts):
        runner.prefill(slot, prompt[:-1], 0)
    newest = torch.stack([prompt[-1] for prompt in prompts])
    lengths = [len(prompt) - 1 for prompt in prompts]
    together = runner.decode([0, 1, 2], newest, lengths)
    for slot in range(3):
        alone = runner.decode([slot], newest[slot : slot + 1], [lengths[slot]])[0]
        for logits in (alone, together[slot]):
            torch.testing.assert_close(logits, expected[slot], rtol=0, atol=2e-5)


def test_products_come_in_few_sizes() -> None:
    sizes = {_padded_count(tokens) for tokens in range(1, 513)}
    assert len(sizes) < 30
    for tokens in (1, 2, 4, 6, 65, 300):
        assert tokens <= _padded_count(tokens) <= max(4, 1.5 * tokens)


def test_the_reason_for_not_using_kernels_is_reported(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = read_model(tiny_folder)
    monkeypatch.setitem(
        __import__("sys").modules, "syndisco_tui.engine.local.runners.llama_cpu_runner", None
    )
    support = find_support(model)
    assert type(support.runner) is LlamaRunner
    assert "kernels for processors cannot be loaded" in support.reason


def test_a_runner_that_fails_is_reported_and_the_next_one_tried(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("rotary_emb")

    model, _ = read_model(tiny_folder)
    monkeypatch.setattr(LlamaRunner, "_forward_batches", broken)
    support = find_support(model)
    assert type(support.runner) is ModelRunner
    assert support.reason == "KeyError in LlamaRunner: 'rotary_emb'"
