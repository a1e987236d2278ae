"""The attention of single tokens: one for each of many rows of the cache.

Rows are read in chunks, each of which can have its own thread, and the chunks' sums are joined. So
what a row gives does not depend on the other rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit, prange

from .numbers import SHARED, SINGLE, F, exp, fetch, narrow, wide

CHUNK = 128  # positions that are read at a time
AHEAD = 16  # positions that are fetched before they are needed


@njit(inline="always", **SINGLE)
def _score(key: Any, query: Any, group: int, width: int, scale: Any, scores: Any, at: int) -> None:
    # Four heads at a time, so that a key is widened once for all of them.
    last = group - group % 4
    for g in range(0, last, 4):
        a, b, c, e = F(0), F(0), F(0), F(0)
        for i in range(width):
            k = wide(key[i])
            a += k * query[g, i]
            b += k * query[g + 1, i]
            c += k * query[g + 2, i]
            e += k * query[g + 3, i]
        scores[g, at], scores[g + 1, at] = a * scale, b * scale
        scores[g + 2, at], scores[g + 3, at] = c * scale, e * scale
    if group % 4 == 3:
        a, b, c = F(0), F(0), F(0)
        for i in range(width):
            k = wide(key[i])
            a += k * query[last, i]
            b += k * query[last + 1, i]
            c += k * query[last + 2, i]
        scores[last, at], scores[last + 1, at] = a * scale, b * scale
        scores[last + 2, at] = c * scale
    elif group % 4 == 2:
        a, b = F(0), F(0)
        for i in range(width):
            k = wide(key[i])
            a += k * query[last, i]
            b += k * query[last + 1, i]
        scores[last, at], scores[last + 1, at] = a * scale, b * scale
    elif group % 4 == 1:
        a = F(0)
        for i in range(width):
            a += wide(key[i]) * query[last, i]
        scores[last, at] = a * scale


@njit(inline="always", **SINGLE)
def _add_values(
    values: Any, first: int, count: int, group: int, width: int, weights: Any, sums: Any
) -> None:
    flat = values.reshape(-1)
    line = 64 // values.itemsize
    fours = count - count % 4
    for t in range(0, fours, 4):
        for i in range(4 * width // line):
            fetch(flat, (first + t + AHEAD) * width + i * line)
        for g in range(group):
            a, b, c, e = weights[g, t], weights[g, t + 1], weights[g, t + 2], weights[g, t + 3]
            for i in range(width):
                sums[g, i] += (
                    a * wide(values[first + t, i])
                    + b * wide(values[first + t + 1, i])
                    + c * wide(values[first + t + 2, i])
                    + e * wide(values[first + t + 3, i])
                )
    for t in range(fours, count):
        for g in range(group):
            a = weights[g, t]
            for i in range(width):
                sums[g, i] += a * wide(values[first + t, i])


@njit(inline="always", **SINGLE)
def _read_chunk(
    keys: Any,
    values: Any,
    first: int,
    count: int,
    group: int,
    width: int,
    scale: Any,
    query: Any,
    scores: Any,
    sums: Any,
    edges: Any,
) -> None:
    flat = keys.reshape(-1)
    line = 64 // keys.itemsize
    for t in range(count):
        for i in range(width // line):
            fetch(flat, (first + t + AHEAD) * width + i * line)
        _score(keys[first + t], query, group, width, scale, scores, t)
    for g in range(group):
        highest = scores[g, 0]
        for t in range(1, count):
            highest = max(highest, scores[g, t])
        total = F(0)
        for t in range(count):
            scores[g, t] = exp(scores[g, t] - highest)
            total += scores[g, t]
        edges[g, 0], edges[g, 1] = highest, total
        for i in range(width):
            sums[g, i] = F(0)
    _add_values(values, first, count, group, width, scores, sums)


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


@cache
def attention(group: int, width: int) -> Callable[..., None]:
    """The attention of one token a row, for ``group`` query heads to a key of ``width``.

    Both are constants of the compiled code: loops over them become straight lines of vectors.
    It takes states [rows, heads + …, width] that begin with the queries, the cache [2, slots,
    kv_heads, length, width], the slots ``rows`` and how many positions of each are read
    ``counts`` (int64 [rows]), a scale, the room of ``scratch_for``, and out [rows, heads, width].
    """

    @njit(**SHARED)
    def attend(
        states: Any, cache: Any, rows: Any, counts: Any, scale: float, scratch: Any, out: Any
    ) -> None:
        queries, scores, sums, edges = scratch
        kv_heads, chunks = cache.shape[2], scores.shape[2]
        factor = F(scale)
        for item in prange(len(rows) * kv_heads * chunks):
            row, head = item // (kv_heads * chunks), item // chunks % kv_heads
            chunk = item % chunks
            first = chunk * CHUNK
            count = min(CHUNK, counts[row] - first)
            if count > 0:
                query = queries[row, head, chunk]
                for g in range(group):
                    for i in range(width):
                        query[g, i] = wide(states[row, head * group + g, i])
                _read_chunk(
                    cache[0, rows[row], head],
                    cache[1, rows[row], head],
                    first,
                    count,
                    group,
                    width,
                    factor,
                    query,
                    scores[row, head, chunk],
                    sums[row, head, chunk],
                    edges[row, head, chunk],
                )
        # The chunks' sums are joined, each weighed by how high its scores were (Dao et al. 2022).
        for item in prange(len(rows) * kv_heads * group):
            row, head, g = item // (kv_heads * group), item // group % kv_heads, item % group
            parts = (counts[row] + CHUNK - 1) // CHUNK
            joined = queries[row, head, 0, g]  # not needed any more
            highest = edges[row, head, 0, g, 0]
            for chunk in range(1, parts):
                highest = max(highest, edges[row, head, chunk, g, 0])
            total = F(0)
            for i in range(width):
                joined[i] = F(0)
            for chunk in range(parts):
                weight = exp(edges[row, head, chunk, g, 0] - highest)
                total += weight * edges[row, head, chunk, g, 1]
                for i in range(width):
                    joined[i] += weight * sums[row, head, chunk, g, i]
            to = out[row, head * group + g]
            for i in range(width):
                to[i] = narrow(joined[i] / total, to[i])

    return attend
