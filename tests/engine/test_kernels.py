"""The compiled kernels against torch's operations, and weights packed without loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from syndisco_tui.engine.local import kernels
from syndisco_tui.engine.local.kernels.layer import rms_norm
from syndisco_tui.engine.local.kernels.numbers import exp
from syndisco_tui.engine.local.kernels.weights import BLOCK, TILE, Packed

NO_BIAS = np.empty(0, np.float32)


def on_grid(outputs: int, inputs: int, seed: int, half: int) -> np.ndarray:
    """Weights as GGUF dequantizes them: Q8_0 (``half`` 127) or Q4_1 (``half`` 0)."""
    rng = np.random.default_rng(seed)
    blocks = (outputs, inputs // BLOCK, 1)
    scale = rng.uniform(0.001, 0.1, blocks).astype(np.float16).astype(np.float32)
    if half:
        levels = rng.integers(-127, 128, (*blocks[:2], BLOCK)).astype(np.float32)
        levels[..., 0], low = 127, np.float32(0)
    else:
        levels = rng.integers(0, 16, (*blocks[:2], BLOCK)).astype(np.float32)
        levels[..., 0], levels[..., 1] = 0, 15
        low = rng.uniform(-1, 0, blocks).astype(np.float16).astype(np.float32)
    return (scale * levels + low).reshape(outputs, inputs).astype(np.float32)


def unpacked(packed: Packed) -> np.ndarray:
    levels = packed.levels
    if levels.shape[2] < BLOCK:
        levels = np.concatenate([levels & 15, levels >> 4], axis=2)
    numbers = packed.scales[:, :, None].astype(float) * levels + packed.offsets[:, :, None]
    tiles, blocks = levels.shape[:2]
    return numbers.transpose(0, 3, 1, 2).reshape(tiles * TILE, blocks * BLOCK).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 1000), st.sampled_from([0, 127]))
def test_packed_weights_are_the_weights(tiles: int, blocks: int, seed: int, half: int) -> None:
    weights = [on_grid(tiles * TILE, blocks * BLOCK, seed + n, half) for n in range(2)]
    packed = kernels.pack(weights)
    assert packed is not None
    assert np.array_equal(unpacked(packed), np.concatenate(weights))
    assert packed.levels.shape[2] == (BLOCK if half else BLOCK // 2)
    assert packed.nbytes < sum(weight.nbytes for weight in weights) / 3


@pytest.mark.parametrize("change", [1e-7, 0.01, np.nan, np.inf])
def test_weights_that_would_change_are_not_packed(change: float) -> None:
    weight = on_grid(64, 64, 1, 0)
    weight[40, 33] += np.float32(change)
    assert kernels.pack([weight]) is None
    assert kernels.pack([np.random.default_rng(0).standard_normal((32, 32), np.float32)]) is None


@pytest.mark.parametrize("shape", [(33, 64), (32, 40)])
def test_sizes_that_fill_no_block_are_not_packed(shape: tuple[int, int]) -> None:
    assert kernels.pack([np.zeros(shape, np.float32)]) is None


@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("half", [0, 127])
def test_a_product_is_torchs(has_bias: bool, half: int) -> None:
    weight, rng = on_grid(96, 128, 3, half), np.random.default_rng(4)
    x, out = rng.standard_normal(128, np.float32), np.empty(96, np.float32)
    bias = rng.standard_normal(96, np.float32) if has_bias else NO_BIAS
    packed = kernels.pack([weight[:32], weight[32:]])
    kernels.product(packed, bias, x, out)
    expected = weight.astype(float) @ x + (bias if has_bias else 0)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-4)


def test_norm_is_torchs() -> None:
    x, weight = torch.randn(96), torch.randn(96)
    out = np.empty(96, np.float32)
    rms_norm(x.numpy(), weight.numpy(), 1e-5, out)
    expected = functional.rms_norm(x, (96,), weight, 1e-5)
    torch.testing.assert_close(torch.from_numpy(out), expected)


@pytest.mark.parametrize(("heads", "kv_heads", "width"), [(9, 3, 64), (4, 4, 16), (8, 1, 80)])
@pytest.mark.parametrize("count", [1, 2, 129, 300])
def test_attention_is_torchs(heads: int, kv_heads: int, width: int, count: int) -> None:
    torch.manual_seed(count)
    cache = torch.randn(2, 5, kv_heads, 320, width)
    cache[:, :, :, count:] = torch.nan  # positions that must not be read
    states = torch.randn(heads + 2 * kv_heads, width)
    out, scores = np.empty((heads, width), np.float32), np.empty((heads, count), np.float32)
    kernels.attend(states.numpy(), cache.numpy(), 3, count, 0.3, scores, out)
    keys, values = cache[:, 3:4, :, :count]
    query = states[:heads].view(1, kv_heads, -1, width)
    expected = functional.scaled_dot_product_attention(query, keys, values, scale=0.3)
    np.testing.assert_allclose(out, expected.reshape(heads, width), rtol=0, atol=5e-6)


def test_exp_is_numpys() -> None:
    x = np.linspace(-87, 20, 5000, dtype=np.float32)
    np.testing.assert_allclose([exp(number) for number in x], np.exp(x), rtol=6e-7)
