"""Weights in fewer bits are the same numbers, and products with them exact float32 products."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from syndisco_tui.engine import kernels
from syndisco_tui.engine.local.kernels.packed import packed_linear
from syndisco_tui.engine.local.kernels.packing import BLOCK, FORM_OF_LINES, TILE

NO_BIAS = np.empty(0, np.float32)
KINDS = ["bfloat16", "4 bits", "8 bits"]
LINES = {"bfloat16": 16, "4 bits": 6, "8 bits": 10}

needs_tiles = pytest.mark.skipif(
    not kernels.has_tiles(), reason="this processor has no matrix unit (AMX)"
)


def weights_of(kind: str, outputs: int, inputs: int, seed: int = 0) -> np.ndarray:
    """Random float32 weights as files of that kind hold them."""
    rng = np.random.default_rng(seed)
    if kind == "bfloat16":
        numbers = rng.normal(0, 0.1, (outputs, inputs)).astype(np.float32)
        return (numbers.view(np.uint32) & 0xFFFF0000).view(np.float32)
    blocks = outputs, inputs // BLOCK, 1
    scale = rng.uniform(0.001, 0.02, blocks).astype(np.float16).astype(np.float32)
    lowest, levels = (0, 16) if kind == "4 bits" else (-127, 128)
    level = rng.integers(lowest, levels, (*blocks[:2], BLOCK)).astype(np.float32)
    level[..., 0], level[..., 1] = lowest, levels - 1  # what the scale was chosen for
    numbers = level * scale
    if kind == "4 bits":
        numbers += rng.normal(-0.1, 0.05, blocks).astype(np.float16).astype(np.float32)
    return numbers.reshape(outputs, inputs)


def unpacked(packed: np.ndarray) -> np.ndarray:
    """The numbers that the documentation of the forms says are there."""
    tiles, blocks, lines, _ = packed.shape
    form = FORM_OF_LINES[lines]
    numbers = np.empty((tiles, TILE, blocks, BLOCK), np.float32)
    per_word = 32 // form.bits
    for i in range(BLOCK):
        shift = np.uint32(i % per_word // 2 * form.bits + i % 2 * 16)
        words = packed[:, :, (0 if form.bits == 16 else 2) + i // per_word]
        levels = words >> shift & np.uint32((1 << form.bits) - 1)
        if form.bits == 16:
            found = (levels << np.uint32(16)).view(np.float32)
        else:
            scales, offsets = (packed[:, :, n].view(np.float32).astype(float) for n in range(2))
            found = ((levels.astype(float) - form.half) * scales + offsets).astype(np.float32)
        numbers[:, :, :, i] = found.transpose(0, 2, 1)
    return numbers.reshape(tiles * TILE, blocks * BLOCK)


def packed_of(kind: str, *weights: np.ndarray) -> np.ndarray:
    packed = kernels.pack(weights)
    assert packed is not None
    assert packed.shape[2] == LINES[kind]
    return packed


def inputs_of(tokens: int, inputs: int) -> np.ndarray:
    return np.random.default_rng(7).normal(0, 1, (tokens, inputs)).astype(np.float32)


def assert_float32(found: np.ndarray, x: np.ndarray, weights: np.ndarray) -> None:
    """As near to the true sums as float32 sums of as many products are."""
    exact = x.astype(float) @ weights.T.astype(float)
    size = np.abs(x).astype(float) @ np.abs(weights.T).astype(float)
    assert np.abs(found - exact).max() <= (size * 2.0**-23).max()


@pytest.mark.parametrize("kind", KINDS)
def test_packed_weights_are_the_same_numbers(kind: str) -> None:
    weights = weights_of(kind, 48, 96)
    weights[16:32, 32:64] = 0
    packed = packed_of(kind, weights[:16], weights[16:])
    assert np.array_equal(unpacked(packed), weights)
    assert packed.nbytes <= weights.nbytes / (2 if kind == "bfloat16" else 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [(0, 0), (31, 63), (17, 5)])
def test_a_single_number_more_is_not_lost(kind: str, at: tuple[int, int]) -> None:
    """Weights are packed exactly or not at all."""
    weights = weights_of(kind, 32, 64)
    weights[at] = np.nextafter(weights[at], np.float32(9))
    assert kernels.pack([weights]) is None


def test_the_first_weights_do_not_tell_what_all_are() -> None:
    """Rows of zeros, of tokens that are never used, fit into any form."""
    weights = weights_of("4 bits", 64, 64)
    weights[:16] = weights[-16:] = 0
    assert np.array_equal(unpacked(packed_of("4 bits", weights)), weights)


@pytest.mark.parametrize("shape", [(32, 48), (24, 64), (8, 32), (16, 16)])
def test_weights_that_fill_no_tile_stay_as_they_are(shape: tuple[int, int]) -> None:
    assert kernels.pack([np.ones(shape, np.float32)]) is None


def test_numbers_of_every_size_are_packed_exactly_or_not_at_all() -> None:
    """Scales that are hardly a float16, the smallest and the largest numbers, minus zero."""
    weights = weights_of("4 bits", 32, 32)
    for factor in (2.0**-60, 2.0**-20, 2.0**-12, 2.0**8, 2.0**100):
        scaled = (weights * np.float32(factor)).astype(np.float32)
        packed = kernels.pack([scaled])
        assert packed is None or np.array_equal(unpacked(packed), scaled)
    odd = weights_of("bfloat16", 16, 32)
    odd[0, :6] = [np.inf, -np.inf, -0.0, 0.0, 2.0**-133, -(2.0**-133)]
    packed = packed_of("bfloat16", odd)
    assert np.array_equal(unpacked(packed).view(np.uint32), odd.view(np.uint32))
    for number in (np.nan, np.inf):
        grid = weights.copy()
        grid[3, 3] = number
        assert kernels.pack([grid]) is None


def test_the_starter_is_packed_as_its_file_was(starter_folder: Path) -> None:
    with safe_open(starter_folder / "model.safetensors", "numpy") as file:
        matrices = [name for name in file.keys() if file.get_slice(name).get_shape()[1:]]  # noqa: SIM118
        forms = []
        for name in matrices[::7]:
            weights = file.get_tensor(name)
            packed = kernels.pack([weights])
            assert packed is not None, name
            assert np.array_equal(unpacked(packed), weights)
            forms.append(packed.shape[2])
    assert {6, 10} >= set(forms)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outputs", [16, 48, 160])
def test_a_product_of_one_token(kind: str, outputs: int) -> None:
    weights, x = weights_of(kind, outputs, 96), inputs_of(1, 96)
    bias, out = inputs_of(1, outputs)[0], np.empty(outputs, np.float32)
    packed = packed_of(kind, weights)
    packed_linear(packed, NO_BIAS, x[0], out)
    assert_float32(out, x, weights)
    with_bias = np.empty_like(out)
    packed_linear(packed, bias, x[0], with_bias)
    assert np.array_equal(with_bias, out + bias)


def multiplied(x: np.ndarray, packed: Any, bias: np.ndarray, ending: int, out: Any) -> Any:
    kernels.tile_products(x, packed, bias, ending, 2, out)
    return out


@needs_tiles
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("outputs", "inputs"), [(16, 96), (48, 96), (160, 96), (32, 32)])
def test_products_of_many_tokens(kind: str, outputs: int, inputs: int) -> None:
    weights, x = weights_of(kind, outputs, inputs), inputs_of(83, inputs)
    packed = packed_of(kind, weights)
    found = multiplied(x, packed, NO_BIAS, kernels.STORES, np.empty((83, outputs), np.float32))
    assert_float32(found, x, weights)


@needs_tiles
@pytest.mark.parametrize("kind", KINDS)
def test_a_token_has_the_same_bits_among_many(kind: str) -> None:
    """However many tokens are computed together, and wherever it is among them."""
    weights, x = weights_of(kind, 64, 1536), inputs_of(300, 1536)
    packed = packed_of(kind, weights)

    def products(some: np.ndarray) -> np.ndarray:
        out = np.empty((len(some), 64), np.float32)
        found: np.ndarray = multiplied(some, packed, NO_BIAS, kernels.STORES, out)
        return found

    many = products(x)
    for first, count in [(0, 1), (299, 1), (3, 16), (40, 17), (5, 33), (100, 129)]:
        some = slice(first, first + count)
        assert np.array_equal(products(x[some]), many[some])


@needs_tiles
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("tokens", "inputs"), [(1, 64), (20, 64), (70, 64), (150, 3072)])
@pytest.mark.parametrize("outputs", [32, 48])
def test_what_is_done_with_products(kind: str, tokens: int, inputs: int, outputs: int) -> None:
    weights = weights_of(kind, outputs, inputs)
    x = inputs_of(tokens, inputs) / np.float32(math.sqrt(inputs / 64))
    packed, bias = packed_of(kind, weights), inputs_of(1, outputs)[0]
    shape = tokens, outputs
    plain = multiplied(x, packed, NO_BIAS, kernels.STORES, np.empty(shape, np.float32))
    added = multiplied(x, packed, NO_BIAS, kernels.ADDS, np.full(shape, 3, np.float32))
    assert np.array_equal(added, plain + np.float32(3))
    biased = multiplied(x, packed, bias, kernels.STORES, np.empty(shape, np.float32))
    np.testing.assert_allclose(biased, plain + bias, rtol=0, atol=1e-5)
    if outputs == 32:
        x *= np.float32(30)
        both = multiplied(x, packed, bias, kernels.STORES, np.empty(shape, np.float32))
        gate, up = np.split(both.astype(np.longdouble), 2, axis=1)
        gated = multiplied(x, packed, bias, kernels.GATES, np.empty((tokens, 16), np.float32))
        np.testing.assert_allclose(gated, gate / (1 + np.exp(-gate)) * up, rtol=2e-6, atol=1e-30)
