"""Weights in as few bits as lose nothing of them: a product reads them from memory each time.

Published weights seldom fill a float32: most are bfloat16 numbers, and those of quantized files
lie in blocks of 32 on grids of 16 or 256 levels. Which it is shows in the numbers themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange

from .numbers import EXACT

TILE = 16
"""Outputs that are computed together, one in each lane of a vector."""
BLOCK = 32
"""Inputs whose weights have a scale in common, as in GGUF files."""


@dataclass(frozen=True)
class Form:
    """How the weights of a tile's block are kept, in lines of sixteen 32-bit words."""

    lines: int
    bits: int
    half: int = 0
    """A grid's level u stands for scale · (u - half) + offset."""


BFLOAT16 = Form(16, 16)
"""Line l holds inputs 2 l in the lower and 2 l + 1 in the upper halves of its words."""
GRID_4 = Form(6, 4, 8)
"""Scales, offsets (float32) and four lines of eight inputs: the even ones in the lower halves."""
GRID_8 = Form(10, 8, 128)
"""Scales, offsets (float32) and eight lines of four inputs: the even ones in the lower halves."""
FORMS = (BFLOAT16, GRID_4, GRID_8)
FORM_OF_LINES = {form.lines: form for form in FORMS}


def pack(weights: Sequence[np.ndarray]) -> np.ndarray | None:
    """The same numbers in fewer bits: uint32 [out of all / 16, in / 32, lines, 16].

    weights: float32 [out, in] each, of the same inputs. None if no form holds every one of them
    exactly, or a tile or block would not be full. Of a grid, minus zero becomes zero. Do not copy
    what is given back: kernels read on into a block of room behind it.
    """
    if any(outputs % TILE or inputs % BLOCK for outputs, inputs in (w.shape for w in weights)):
        return None
    weights = [np.ascontiguousarray(weight) for weight in weights]
    for form in FORMS:
        is_likely = _packed([weights[0][:TILE]], form) is not None  # found in no time
        if is_likely and (packed := _packed(weights, form)) is not None:
            return packed
    return None


def _packed(weights: Sequence[np.ndarray], form: Form) -> np.ndarray | None:
    tiles, blocks = sum(map(len, weights)) // TILE, weights[0].shape[1] // BLOCK
    packed = _aligned((tiles, blocks, form.lines, TILE))
    is_exact = np.zeros(tiles, np.bool_)
    first = 0
    for weight in weights:
        part = slice(first, first + len(weight) // TILE)
        if form is BFLOAT16:
            _pack_bfloat16(weight.view(np.uint32), packed[part], is_exact[part])
        else:
            _pack_grid(weight, form.bits, form.half, packed[part], is_exact[part])
        first = part.stop
    return packed if is_exact.all() else None


def _aligned(shape: tuple[int, ...]) -> np.ndarray:
    """An array of uint32 that begins with a line of the processor's cache, with room behind it."""
    size = math.prod(shape)
    room = np.zeros(size + TILE + shape[-2] * TILE, np.uint32)
    first = -room.ctypes.data // 4 % TILE
    return room[first : first + size].reshape(shape)


@njit(parallel=True, **EXACT)
def _pack_bfloat16(weight: Any, packed: Any, is_exact: Any) -> None:
    for tile in prange(len(packed)):
        lost = np.uint32(0)
        for block in range(packed.shape[1]):
            for line in range(BLOCK // 2):
                for lane in range(TILE):
                    row, at = tile * TILE + lane, block * BLOCK + 2 * line
                    even, odd = weight[row, at], weight[row, at + 1]
                    lost |= (even | odd) & np.uint32(0xFFFF)
                    packed[tile, block, line, lane] = even >> np.uint32(16) | odd
        is_exact[tile] = lost == 0


@njit(parallel=True, **EXACT)
def _pack_grid(weight: Any, bits: int, half: int, packed: Any, is_exact: Any) -> None:
    for tile in prange(len(packed)):
        rows = weight[tile * TILE : (tile + 1) * TILE]
        is_exact[tile] = _pack_grid_tile(rows, bits, half, packed[tile])


@njit(**EXACT)
def _pack_grid_tile(rows: Any, bits: int, half: int, tile: Any) -> bool:
    for block in range(len(tile)):
        for lane in range(TILE):
            numbers = rows[lane, block * BLOCK : (block + 1) * BLOCK]
            if not _pack_grid_block(numbers, bits, half, tile[block], lane):
                return False
    return True


@njit(**EXACT)
def _pack_grid_block(numbers: Any, bits: int, half: int, lines: Any, lane: int) -> bool:
    low, high = numbers.min(), numbers.max()
    if bits == 4:  # the lowest level and the highest are in use
        scale = _as_float16((high - low) / 15)
        exact = low + half * scale
    else:  # the number farthest from zero has the highest level, or its negative
        scale = _as_float16(max(high, -low) / 127)
        exact = 0.0
    offset = np.float32(exact)
    start = lowest(np.float32(scale), offset, bits, half)
    first, levels = half + (1 << bits), 1 << bits
    if float(offset) != exact or float(start) != exact - first * scale:
        return False
    lines[0, lane] = np.float32(scale).view(np.uint32)
    lines[1, lane] = offset.view(np.uint32)
    per_word = 32 // bits
    for i in range(BLOCK):
        level = half
        if scale > 0:
            level += round((numbers[i] - exact) / scale)
        if not 0 <= level < levels:
            return False
        if np.float32(scale * (levels + level) + float(start)) != numbers[i]:
            return False
        line, at = 2 + i // per_word, i % per_word
        if at == 0:
            lines[line, lane] = np.uint32(0)
        lines[line, lane] |= np.uint32(level << (at // 2 * bits + at % 2 * 16))
    return True


@njit(**EXACT)
def lowest(scale: Any, offset: Any, bits: int, half: int) -> Any:
    """What a level is added to, when it stands behind the one in a float32's own bits."""
    return np.float32(offset - np.float32(half + (1 << bits)) * np.float32(scale))


@njit(**EXACT)
def _as_float16(number: float) -> float:
    """The float16 number next to it."""
    if number == 0:
        return 0.0
    _, exponent = math.frexp(number)
    step = math.ldexp(1.0, max(exponent, -13) - 11)
    return round(number / step) * step
