"""Products with packed weights, for one x and on any processor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from .numbers import EXACT
from .packed_loops import two_tiles
from .packing import TILE

PACKED_DIMENSIONS = 4
"""Of an array that ``pack`` gave; weights as they are have two."""


@njit(parallel=True, **EXACT)
def packed_linear(packed: Any, bias: Any, x: Any, out: Any) -> None:
    """out = packed weights · x + bias, for one x float32 [in]; bias [out] or empty.

    Exactly the packed numbers, so without liberties in the order of sums.
    """
    tiles, blocks, lines, _ = packed.shape
    size, half = blocks * lines * TILE, (tiles + 1) // 2
    for item in prange(half):
        one = np.int64(item)
        other = one + half if one + half < tiles else one
        first, second = one * size, other * size
        two_tiles(packed, first, second, blocks, lines, x, out, one * TILE, other * TILE)
    for i in range(len(bias)):
        out[i] += bias[i]
