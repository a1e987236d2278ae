"""Products of many tokens on the matrix unit of processors that have one (Intel's AMX), in float32.

The unit multiplies bfloat16 numbers and adds up in float32. A float32 is the sum of three bfloat16
numbers, and packed weights are bfloat16 numbers or, up to a scale and an offset, levels that are:
so every product is exact, and sums are rounded as float32 sums are. (Numbers below 1e-38 count as
zero.)
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache
from typing import Any

import numpy as np
from numba import njit, prange

from .numbers import EXACT, processor_has
from .packing import BLOCK, TILE
from .tiles_loops import (
    GATES,
    PART,
    PARTS,
    ROWS,
    SUMS,
    add_products,
    begin,
    configure,
    end,
    release,
    split_block,
)

_L2_BYTES = 1 << 20  # of parts of tokens, which all outputs read
_GROUPS = 4  # of outputs, for each thread
_LINE = 16  # words of the processor's cache


@cache
def has_tiles() -> bool:
    """Whether the processor has the unit, and the system lets this process use it.

    Linux wants to be asked once (arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA).
    """
    if platform.system() != "Linux" or not processor_has("amx-tile", "amx-bf16", "avx512bw"):
        return False
    return bool(ctypes.CDLL(None).syscall(158, 0x1023, 18) == 0)


@njit(**EXACT)
def _room(words: int) -> Any:
    """uint32 [words], from where a line of the cache begins: else each load would take two."""
    room = np.empty(words + _LINE, np.uint32)
    first = (-room.ctypes.data // 4) % _LINE
    return room[first : first + words]


@njit(**EXACT)
def _put_sizes(sizes: Any, first: int, second: int) -> None:
    """Tiles of ``first`` and ``second`` tokens, and of all inputs of a block."""
    sizes[:] = 0
    sizes[0] = 1
    for tile in range(8):
        sizes[16 + 2 * tile] = 64  # bytes of a line
        sizes[48 + tile] = ROWS
    for tile in (0, 1, 4):
        sizes[48 + tile] = first
    for tile in (2, 3, 5):
        sizes[48 + tile] = second


@njit(**EXACT)
def _split(x: Any, tile: int, parts: Any, totals: Any) -> None:
    """The sixteen tokens of a ``tile`` of x float32 [tokens, in] → parts, and sums of blocks.

    parts: uint16 [tiles, blocks, PARTS, 16, BLOCK]; totals: float32 [tiles, blocks, 16]; flat.
    """
    tokens, inputs = x.shape
    blocks = inputs // BLOCK
    for block in range(tile * blocks, (tile + 1) * blocks):
        for row in range(min(ROWS, tokens - tile * ROWS)):
            at = (tile * ROWS + row) * inputs + (block - tile * blocks) * BLOCK
            part_at = (block * PARTS * ROWS + row) * BLOCK
            split_block(x, at, parts, part_at, totals, block * ROWS + row)


@njit(**EXACT)
def _tiles_of(pair: int, count: int, ending: int) -> tuple[int, int]:
    """The tiles of a pair: neighbours, or what is gated and its gate."""
    if ending == GATES:
        return pair, pair + count // 2
    return 2 * pair, min(2 * pair + 1, count - 1)


@njit(**EXACT)
def _multiply_pair(
    parts: Any,
    totals: Any,
    packed: Any,
    tiles: tuple[int, int],
    bias: Any,
    ending: int,
    out: Any,
    room: tuple[Any, Any, Any, Any],
) -> None:
    """The products of all tokens with two ``tiles`` of outputs."""
    tokens, width = out.shape
    _, blocks, lines, _ = packed.shape
    one, other = tiles[0] * blocks * lines * TILE, tiles[1] * blocks * lines * TILE
    widened, dots, sums, sizes = room
    part, total = blocks * PARTS * PART, blocks * ROWS  # of a tile of tokens
    for token in range(0, tokens, 2 * ROWS):
        some = min(2 * ROWS, tokens - token)
        _put_sizes(sizes, min(some, ROWS), max(1, some - ROWS))
        configure(sizes)
        begin(sums, bias, tiles[0] * TILE, tiles[1] * TILE, len(bias) > 0)
        p, t = token // ROWS * part, token // ROWS * total
        widens = 1 if token == 0 else 0  # others find the weights widened
        # fmt: off
        add_products(parts, p, part, totals, t, total, packed, one, other, widened, widens,
                     blocks, lines, some, dots, sums)
        # fmt: on
        first = token * width + tiles[0] * TILE
        second = first if ending == GATES else token * width + tiles[1] * TILE
        end(sums, out, first, second, width, some, ending)


@njit(**EXACT)
def _multiply_pairs(
    parts: Any, totals: Any, packed: Any, first: int, last: int, bias: Any, ending: int, out: Any
) -> None:
    """The products of all tokens with the pairs of tiles from ``first`` to before ``last``."""
    tiles, blocks = packed.shape[:2]
    widened = _room(2 * (blocks + 1) * SUMS)
    dots, sums = _room(8 * SUMS).view(np.float32), _room(4 * SUMS).view(np.float32)
    room = widened, dots, sums, np.empty(64, np.uint8)
    for pair in range(first, last):
        _multiply_pair(
            parts, totals, packed, _tiles_of(pair, tiles, ending), bias, ending, out, room
        )
    release()


@njit(parallel=True, **EXACT)
def tile_products(x: Any, packed: Any, bias: Any, ending: int, threads: int, out: Any) -> None:
    """x · packed weights + bias, in or into ``out`` as ``ending`` says.

    x: float32 [tokens, in]; packed: what ``pack`` gave; bias: float32 [outputs] or empty; threads:
    how many there are (numba does not keep what asks it on disk); out: float32 [tokens, outputs],
    or half as many outputs with GATES, of which the tiles are even in number. A token's numbers do
    not depend on the others, bit for bit.
    """
    pairs, blocks = (len(packed) + 1) // 2, packed.shape[1]
    groups = min(pairs, _GROUPS * threads)
    chunk = max(2 * ROWS, _L2_BYTES // (x.shape[1] * 2 * PARTS) // (2 * ROWS) * 2 * ROWS)
    for start in range(0, len(x), chunk):
        some, to = x[start : start + chunk], out[start : start + chunk]
        tiles = (len(some) + ROWS - 1) // ROWS
        parts = _room(tiles * blocks * PARTS * PART // 2).view(np.uint16)
        totals = _room(tiles * blocks * ROWS).view(np.float32)
        for tile in prange(tiles):
            _split(some, np.int64(tile), parts, totals)
        for group in prange(groups):
            at = np.int64(group)
            first, last = at * pairs // groups, (at + 1) * pairs // groups
            _multiply_pairs(parts, totals, packed, first, last, bias, ending, to)
