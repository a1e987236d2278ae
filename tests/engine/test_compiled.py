"""The compiled kernels against torch's own operations, and whole passes against each other."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

from syndisco_tui.engine import kernels
from syndisco_tui.engine.local.kernels.numbers import narrow, wide
from syndisco_tui.engine.local.kernels.packing import BLOCK
from syndisco_tui.engine.local.llama_cpu_runner import CompiledForward, array
from syndisco_tui.engine.local.llama_runner import LeanForward
from syndisco_tui.engine.local.probe import forward_for
from syndisco_tui.engine.local.slots import Slots
from syndisco_tui.engine.local.tiles import TileProjection

from .test_packing import weights_of

DTYPES = [torch.float32, torch.bfloat16]
TINY: dict[str, Any] = {
    "vocab_size": 211,  # odd, as some are
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
CONFIGS = {
    "llama": LlamaConfig(**TINY),
    "llama with biases": LlamaConfig(**TINY, attention_bias=True, mlp_bias=True),
    "qwen2": Qwen2Config(**TINY),
    "qwen3": Qwen3Config(**TINY, head_dim=32),
}


def tolerance(dtype: torch.dtype) -> dict[str, float]:
    exact = dtype == torch.float32
    return {"rtol": 0, "atol": 8e-6 if exact else 2e-2}


@torch.inference_mode()
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("group", "width"), [(1, 64), (3, 64), (7, 16), (3, 80), (8, 128), (1, 256)]
)
def test_attention_is_torchs(group: int, width: int, dtype: torch.dtype) -> None:
    counts, kv_heads, slots = [1, 127, 128, 129, 300], 2, 9
    torch.manual_seed(group)
    cache = torch.randn(2, slots, kv_heads, 320, width).to(dtype)
    cache[:, :, :, 300:] = torch.nan  # what lies beyond a row is not counted
    states = torch.randn(len(counts), (group + 2) * kv_heads, width).to(dtype)
    rows = [7, 0, 3, 8, 1]
    out = torch.empty(len(counts), group * kv_heads, width, dtype=dtype)
    kernels.attention(group, width)(
        array(states),
        array(cache),
        np.array(rows),
        np.array(counts),
        kernels.fair_order(np.array(counts), 2),
        0.3,
        kernels.scratch_for(len(counts), max(counts), kv_heads, group, width),
        array(out),
    )
    for at, (row, count) in enumerate(zip(rows, counts, strict=True)):
        keys, values = cache[:, row : row + 1, :, :count].float()
        query = states[at, : group * kv_heads].float().view(1, kv_heads, group, width)
        expected = functional.scaled_dot_product_attention(query, keys, values, scale=0.3)
        torch.testing.assert_close(out[at].float(), expected.reshape(-1, width), **tolerance(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_is_attended_to_the_same_bits_among_many(dtype: torch.dtype) -> None:
    """Whether a thread reads all of a row or a chunk of it, and in whichever order."""
    kv_heads, group, width = 3, 3, 64
    cache = torch.randn(2, 12, kv_heads, 320, width).to(dtype)
    states = torch.randn(12, (group + 2) * kv_heads, width).to(dtype)

    def attended(rows: list[int], order: list[int]) -> Tensor:
        counts = np.array([17 + 23 * row for row in rows])
        out = torch.empty(len(rows), group * kv_heads, width, dtype=dtype)
        scratch = kernels.scratch_for(len(rows), int(counts.max()), kv_heads, group, width)
        kernels.attention(group, width)(
            array(states[rows]),
            array(cache),
            np.array(rows),
            counts,
            np.array(order),
            0.125,
            scratch,
            array(out),
        )
        return out

    many = attended(list(range(12)), list(reversed(range(12))))
    for few in ([0], [11], [3, 9]):
        assert torch.equal(attended(few, list(range(len(few)))), many[few])


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=70), st.integers(1, 9))
def test_threads_read_as_much_as_each_other(counts: list[int], threads: int) -> None:
    order = kernels.fair_order(np.array(counts), threads)
    assert sorted(order) == list(range(len(counts)))
    if len(counts) % threads == 0:
        shares = np.array(counts)[order].reshape(threads, -1).sum(axis=1)
        assert shares.max() - shares.min() <= max(counts)


@pytest.mark.parametrize("dtype", DTYPES)
def test_norm_is_torchs(dtype: torch.dtype) -> None:
    x, weight = torch.randn(5, 96).to(dtype), torch.randn(96).to(dtype)
    out = torch.empty_like(x)
    kernels.rms_norm(array(x), array(weight), 1e-5, array(out))
    expected = functional.rms_norm(x.float(), (96,), weight.float(), 1e-5)
    torch.testing.assert_close(out.float(), expected, **tolerance(dtype) | {"rtol": 1e-2})


def test_rounding_is_torchs() -> None:
    """To bfloat16 and back: the nearest, and of two that are as near the even one."""
    x = torch.cat([torch.randn(4000), torch.tensor([1.00390625, 1.01171875, -1.00390625, 0.0])])
    states = x.to(torch.bfloat16).view(1, 1, -1)
    turned = torch.empty_like(states).copy_(states)
    cos, sin = np.full((1, x.numel()), 0.7, np.float32), np.zeros((1, x.numel()), np.float32)
    kernels.rotate(array(turned), 1, cos, sin)
    expected = (states.float() * torch.tensor(0.7)).to(torch.bfloat16)
    assert torch.equal(turned, expected)


@settings(deadline=None)  # the first is compiled
@given(st.floats(width=32, allow_nan=False))
def test_numbers_are_kept_in_kernels_as_outside(number: float) -> None:
    """What Python does with them is what the compiled code does."""
    for like in (np.float32(0), np.uint16(0)):
        kept = narrow(np.float32(number), like)
        compiled = _kept_in_a_kernel(np.float32(number), like)
        assert type(kept) is type(like)
        assert kept == compiled[0]
        assert wide(kept) == compiled[1]


@njit
def _kept_in_a_kernel(number: Any, like: Any) -> Any:
    kept = narrow(number, like)
    return kept, wide(kept)


def test_exp_is_numpys() -> None:
    x = np.linspace(-86, 86, 20001, dtype=np.float32)
    found = np.array([kernels.exp(number) for number in x])
    np.testing.assert_allclose(found, np.exp(x.astype(np.float64)), rtol=3e-7)
    assert kernels.exp(np.float32(-1e30)) < 1e-37


def model_of(name: str, dtype: torch.dtype) -> Any:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(CONFIGS[name], dtype=dtype).eval()
    for parameter in model.parameters():
        parameter.normal_(0, 0.2)
    return model


def logits_of(kind: type[LeanForward], model: Any) -> list[Tensor]:
    """Of three prompts, of one row alone, and of three rows."""
    forward = kind(model, Slots(2, 1 << 30))
    slots = [forward.slots.acquire([0], 200, 9)[0].index for _ in range(3)]
    found = [
        forward.prefill(slot, torch.arange(n), 0)
        for slot, n in zip(slots, (3, 9, 150), strict=True)
    ]
    found.append(forward.decode(slots[2:], torch.tensor([5]), [150])[0])
    found += forward.decode(slots, torch.tensor([5, 6, 7]), [3, 9, 151])
    return found


@torch.inference_mode()
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CONFIGS)
def test_a_pass_is_torchs(name: str, dtype: torch.dtype) -> None:
    """One row alone (all of it compiled), several, and rows beside a prompt."""
    model = model_of(name, dtype)
    assert isinstance(forward_for(model, 1 << 30), CompiledForward)
    for ours, theirs in zip(
        logits_of(CompiledForward, model), logits_of(LeanForward, model), strict=True
    ):
        error = (ours.float() - theirs.float()).pow(2).mean().sqrt() / theirs.float().std()
        assert error < (1e-5 if dtype == torch.float32 else 0.1)


@torch.inference_mode()
@pytest.mark.parametrize("has_tiles", [False, True])
@pytest.mark.parametrize("kind", ["bfloat16", "4 bits", "8 bits"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_pass_with_packed_weights_is_torchs(
    name: str, kind: str, has_tiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of weights that are bfloat16 numbers, as most published ones are, or on grids."""
    if has_tiles and not kernels.has_tiles():
        pytest.skip("this processor has no matrix unit (AMX)")
    monkeypatch.setattr(kernels, "has_tiles", lambda: has_tiles)
    model = model_of(name, torch.float32)
    for seed, parameter in enumerate(model.parameters()):
        if parameter.dim() == 2 and not parameter.shape[1] % BLOCK:
            parameter.copy_(torch.from_numpy(weights_of(kind, *parameter.shape, seed)))
    forward = CompiledForward(model, Slots(2, 1 << 30))
    assert isinstance(forward._layers[0].down, TileProjection) is has_tiles
    assert forward._layers[0].down.exact is not None
    assert forward._head.exact is None, "a vocabulary of 211 is not packed"
    for ours, theirs in zip(
        logits_of(CompiledForward, model), logits_of(LeanForward, model), strict=True
    ):
        assert (ours - theirs).pow(2).mean().sqrt() / theirs.std() < 1e-5


def test_weights_are_not_packed_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    model = AutoModelForCausalLM.from_config(CONFIGS["llama"], dtype=torch.bfloat16).float().eval()
    monkeypatch.setattr("syndisco_tui.engine.local.llama_runner.free_memory", lambda device: 10_000)
    layers = CompiledForward(model, Slots(2, 1 << 30))._layers
    assert layers[0].qkv.exact is not None
    assert layers[-1].down.exact is None


def test_a_row_alone_keeps_its_words_when_the_kernels_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = AutoModelForCausalLM.from_config(CONFIGS["llama"]).eval()
    monkeypatch.setitem(sys.modules, "syndisco_tui.engine.local.llama_cpu_runner", None)
    assert type(forward_for(model, 1 << 30)) is LeanForward
