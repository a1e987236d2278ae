"""Weights packed into 4 or 8 bits without loss, and their product with one vector.

A step of one sequence reads all weights once, so fewer bytes make it faster. Weights that were
dequantized from GGUF (Q4_1, Q8_0, …) are scale · level + offset in blocks of 32 inputs, which can
be recovered from the numbers. 32 outputs are computed together, one in each lane of a vector, so
the layout is [out / 32, in / 32, 32 inputs, 32 outputs]. In 4 bits, inputs i and i + 16 of a block
share a byte.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from .numbers import EXACT, PARALLEL, SERIAL, F

BLOCK = 32  # inputs that share a scale and an offset, as in GGUF
HALF = BLOCK // 2
TILE = 32  # outputs that are computed together


class Packed(NamedTuple):
    """Weights of ``tiles`` · 32 outputs and ``blocks`` · 32 inputs."""

    levels: np.ndarray
    """uint8 [tiles, blocks, BLOCK, TILE], or half as many inputs in 4 bits"""
    scales: np.ndarray
    """float32 [tiles, blocks, TILE]"""
    offsets: np.ndarray
    """float32 [tiles, blocks, TILE]"""

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self)


def pack(weights: Sequence[np.ndarray]) -> Packed | None:
    """Pack weights, float32 [out, in] each, joined along ``out``; None if a value would change."""
    inputs = weights[0].shape[1]
    if inputs % BLOCK or any(len(weight) % TILE for weight in weights):
        return None
    return _packed(weights, 4) or _packed(weights, 8)


def _packed(weights: Sequence[np.ndarray], bits: int) -> Packed | None:
    tiles, blocks = sum(map(len, weights)) // TILE, weights[0].shape[1] // BLOCK
    levels = np.empty((tiles, blocks, BLOCK * bits // 8, TILE), np.uint8)
    scales, offsets = (np.empty((tiles, blocks, TILE), np.float32) for _ in range(2))
    first = 0
    for weight in weights:
        part = slice(first, first + len(weight) // TILE)
        target = levels[part], scales[part], offsets[part]
        if not any(_pack_tiles(weight, steps, *target) for steps in (15, 127)[: bits // 4]):
            return None
        first = part.stop
    return Packed(levels, scales, offsets)


@njit(parallel=True, **EXACT)
def _pack_tiles(weight: Any, steps: int, levels: Any, scales: Any, offsets: Any) -> bool:
    """Pack float32 [tiles · TILE, in]; whether no value changed.

    Args:
        weight: The weights.
        steps: 15 from the lowest number of a block to the highest, or 127 on each side of zero.
        levels, scales, offsets: The output, as in ``Packed``.
    """
    if not _pack_tile(weight[:TILE], steps, levels[0], scales[0], offsets[0]):
        return False
    changed = 0
    for tile in prange(1, len(levels)):
        rows = weight[tile * TILE : (tile + 1) * TILE]
        changed += not _pack_tile(rows, steps, levels[tile], scales[tile], offsets[tile])
    return changed == 0


@njit(**EXACT)
def _pack_tile(rows: Any, steps: int, levels: Any, scales: Any, offsets: Any) -> bool:
    changed = 0
    for lane in range(TILE):
        for block in range(len(levels)):
            numbers = rows[lane, block * BLOCK : (block + 1) * BLOCK]
            low = high = numbers[0]
            for i in range(1, BLOCK):
                low, high = min(low, numbers[i]), max(high, numbers[i])
            if steps == 15:  # a block uses its lowest and its highest level
                scale, offset = _as_float16((float(high) - float(low)) / 15), float(low)
            else:  # the number farthest from zero has level 127
                scale = _as_float16(max(float(high), -float(low)) / 127)
                offset = -128 * scale
            scales[block, lane], offsets[block, lane] = scale, offset
            inverse = 1 / scale if scale > 0 else 0.0
            for i in range(BLOCK):
                level: Any = min(max(np.int32((numbers[i] - offset) * inverse + 0.5), 0), 255)
                changed += np.float32(scale * level + offset) != numbers[i]
                if levels.shape[1] == BLOCK or i < HALF:
                    levels[block, i, lane] = level
                else:
                    changed += level > 15
                    levels[block, i - HALF, lane] |= level << 4
        if changed:
            return False
    return True


@njit(**EXACT)
def _as_float16(number: float) -> float:
    """The nearest float16 number, GGUF's type of scales."""
    if number == 0:
        return 0.0
    _, exponent = math.frexp(number)
    step = math.ldexp(1.0, max(exponent, -13) - 11)
    return round(number / step) * step


@njit(**SERIAL)
def _block_sums(x: Any, blocks: int) -> Any:
    # Not part of ``product``: a parallel function would start threads for every sum.
    sums = np.empty(blocks, np.float32)
    for block in range(blocks):
        total = F(0)
        for i in range(block * BLOCK, (block + 1) * BLOCK):
            total += x[i]
        sums[block] = total
    return sums


@njit(**PARALLEL)
def product(packed: Any, bias: Any, x: Any, out: Any) -> None:
    """out = packed weights · x + bias; x float32 [in], out float32 [out], bias [out] or empty."""
    levels, scales, offsets = packed
    blocks = levels.shape[1]
    sums = _block_sums(x, blocks)
    for tile in prange(len(levels)):
        total, of_block = np.empty(TILE, np.float32), np.empty(TILE, np.float32)
        for lane in range(TILE):
            total[lane] = F(0)
        for block in range(blocks):
            for lane in range(TILE):
                of_block[lane] = F(0)
            start = block * BLOCK
            # Four inputs at once, so that the sums are written less often.
            if levels.shape[2] == BLOCK:
                for i in range(0, BLOCK, 4):
                    four = levels[tile, block, i : i + 4]
                    a, b, c, d = x[start + i], x[start + i + 1], x[start + i + 2], x[start + i + 3]
                    for lane in range(TILE):
                        of_block[lane] += (
                            np.float32(four[0, lane]) * a
                            + np.float32(four[1, lane]) * b
                            + np.float32(four[2, lane]) * c
                            + np.float32(four[3, lane]) * d
                        )
            else:
                for i in range(0, HALF, 2):
                    two, first = levels[tile, block, i : i + 2], start + i
                    a, b, c, d = x[first], x[first + 1], x[first + HALF], x[first + HALF + 1]
                    for lane in range(TILE):
                        of_block[lane] += (
                            np.float32(two[0, lane] & np.uint8(15)) * a
                            + np.float32(two[1, lane] & np.uint8(15)) * b
                            + np.float32(two[0, lane] >> np.uint8(4)) * c
                            + np.float32(two[1, lane] >> np.uint8(4)) * d
                        )
            for lane in range(TILE):
                scaled = scales[tile, block, lane] * of_block[lane]
                total[lane] += scaled + offsets[tile, block, lane] * sums[block]
        for lane in range(TILE):
            row = tile * TILE + lane
            out[row] = total[lane] + bias[row] if len(bias) else total[lane]
