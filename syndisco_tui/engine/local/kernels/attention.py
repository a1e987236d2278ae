"""The attention of single tokens: one for each of many rows of the cache.

Rows are read in chunks, and the chunks' sums are joined: so what a row gives does not depend on
the other rows, nor on which threads read it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit, prange

from .attention_loops import add_values, sixteen_scores, weigh
from .lanes import LANES
from .numbers import SHARED, SINGLE, F, exp, narrow, wide

CHUNK = 128  # positions whose scores are weighed together
FEW = 16  # up to so many heads of rows, each chunk can have its own thread


@njit(inline="always", **SINGLE)
def _read(
    keys: Any,
    values: Any,
    first: int,
    last: int,
    count: int,
    group: int,
    width: int,
    scale: Any,
    query: Any,
    scores: Any,
    sums: Any,
    edges: Any,
) -> None:
    """Read the chunks from ``first`` to before ``last`` of a row that holds ``count`` positions.

    The keys of a chunk are read beside the values of the one before: memory is quicker when asked
    in two places at once, and is asked while scores are weighed.
    """
    for chunk in range(first, last + 1):
        for at in range(0, CHUNK, LANES):
            here = chunk * CHUNK + at
            if chunk < last and here < count:  # up to LANES - 1 scores too many, of what is there
                sixteen_scores(keys, here * width, query, 0, scores[chunk], at, CHUNK, group, width)
            here -= CHUNK
            if chunk > first and here < count:
                some, before = min(LANES, count - here), chunk - 1
                add_values(
                    values,
                    here * width,
                    some,
                    scores[before],
                    at,
                    sums[before],
                    0,
                    CHUNK,
                    group,
                    width,
                )
        if chunk < last:
            some = min(CHUNK, count - chunk * CHUNK)
            for g in range(group):
                weigh(scores[chunk], g * CHUNK, some, scale, edges[chunk], 2 * g)
            sums[chunk] = F(0)


Scratch = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""What ``attention`` calculates in: of each chunk the query, the scores, the sums of values
[rows, kv_heads, chunks, group, …], and the highest score and the sum of weights."""


def scratch_for(rows: int, longest: int, kv_heads: int, group: int, width: int) -> Scratch:
    """Room for the attention of ``rows`` that read ``longest`` positions at most."""
    size = (rows, kv_heads, -(-longest // CHUNK), group)
    query, scores, sums, edges = (
        np.empty((*size, last), np.float32) for last in (width, CHUNK, width, 2)
    )
    return query, scores, sums, edges


def fair_order(counts: np.ndarray, threads: int) -> np.ndarray:
    """An order of rows of which every thread, taking its share in one piece, reads as much.

    counts: int64 [rows], how much each reads. Gives int64 [rows].
    """
    longest_first = np.argsort(-counts, kind="stable")
    return np.concatenate([longest_first[thread::threads] for thread in range(threads)])


@cache
def attention(group: int, width: int) -> Callable[..., None]:
    """The attention of one token a row, for ``group`` query heads to a key of ``width``.

    Both are constants of the compiled code; ``width`` is a multiple of sixteen. It takes states
    [rows, heads + …, width] that begin with the queries, the cache [2, slots, kv_heads, length,
    width] with a length that is a multiple of sixteen, the slots ``rows``, how many positions of
    each are read ``counts`` and the order in which they are ``order`` (int64 [rows]), a scale, the
    room of ``scratch_for``, and out [rows, heads, width].
    """

    @njit(**SHARED)
    def attend(
        states: Any,
        cache: Any,
        rows: Any,
        counts: Any,
        order: Any,
        scale: float,
        scratch: Any,
        out: Any,
    ) -> None:
        queries, scores, sums, edges = scratch
        kv_heads, chunks = cache.shape[2], scores.shape[2]
        factor = F(scale)
        parts = chunks if len(rows) * kv_heads <= FEW else 1
        for item in prange(len(rows) * kv_heads * parts):
            row, head = order[item // (kv_heads * parts)], item // parts % kv_heads
            used = (counts[row] + CHUNK - 1) // CHUNK
            first, last = (0, used) if parts == 1 else (item % parts, min(used, item % parts + 1))
            if first < last:
                query = queries[row, head, first]
                for g in range(group):
                    for i in range(width):
                        query[g, i] = wide(states[row, head * group + g, i])
                _read(
                    cache[0, rows[row], head],
                    cache[1, rows[row], head],
                    first,
                    last,
                    counts[row],
                    group,
                    width,
                    factor,
                    query,
                    scores[row, head],
                    sums[row, head],
                    edges[row, head],
                )
        # The chunks' sums are joined, each weighed by how high its scores were (Dao et al. 2022).
        for item in prange(len(rows) * kv_heads * group):
            row, head, g = item // (kv_heads * group), item // group % kv_heads, item % group
            used = (counts[row] + CHUNK - 1) // CHUNK
            joined = queries[row, head, 0, g]  # not needed any more
            highest = edges[row, head, 0, g, 0]
            for chunk in range(1, used):
                highest = max(highest, edges[row, head, chunk, g, 0])
            total = F(0)
            for i in range(width):
                joined[i] = F(0)
            for chunk in range(used):
                weight = exp(edges[row, head, chunk, g, 0] - highest)
                total += weight * edges[row, head, chunk, g, 1]
                for i in range(width):
                    joined[i] += weight * sums[row, head, chunk, g, i]
            to = out[row, head * group + g]
            for i in range(width):
                to[i] = narrow(joined[i] / total, to[i])

    return attend
