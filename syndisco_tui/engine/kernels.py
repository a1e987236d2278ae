"""Kernels for the processor, compiled by numba when they are first needed and kept on disk.

What torch's operations do slowly on a CPU: the attention of single tokens, a layer for one token,
and the small steps between products. Knows arrays only, in float32 or, as their 16 bits in
uint16, bfloat16; sums are float32. What a row gives does not depend on the other rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, prange, set_num_threads, types
from numba.extending import intrinsic, overload

config.THREADING_LAYER = "omp"  # others fight with torch's threads for the cores

CHUNK = 128  # positions that are read at a time; each chunk of each row can have its own thread
AHEAD = 16  # positions that are fetched before they are needed

_SINGLE = {"nogil": True, "fastmath": True, "cache": True}
_SHARED = {**_SINGLE, "parallel": True}

F = np.float32
_LOG2_E, _LN_2_HIGH, _LN_2_LOW = F(1.44269504), F(0.693359375), F(-2.12194440e-4)


def use_threads(count: int) -> None:
    """How many threads kernels use that are called from this thread."""
    set_num_threads(max(1, min(count, config.NUMBA_NUM_THREADS)))


def wide(number: Any) -> Any:
    """A number as it is kept → float32."""
    raise NotImplementedError("only within kernels")


@overload(wide, inline="always")
def _wide(number: Any) -> Callable[..., Any]:
    def widened(number: Any) -> Any:
        return np.uint32(np.uint32(number) << np.uint32(16)).view(np.float32)

    def same(number: Any) -> Any:
        return number

    return widened if number == types.uint16 else same


def narrow(number: Any, like: Any) -> Any:
    """A float32 → as ``like`` is kept, rounded to the nearest, halves to even."""
    raise NotImplementedError("only within kernels")


@overload(narrow, inline="always")
def _narrow(number: Any, like: Any) -> Callable[..., Any]:
    def rounded(number: Any, like: Any) -> Any:
        bits = np.float32(number).view(np.uint32)
        odd = np.uint32((bits >> np.uint32(16)) & np.uint32(1))
        return np.uint16(np.uint32(bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))

    def same(number: Any, like: Any) -> Any:
        return np.float32(number)

    return rounded if like == types.uint16 else same


@intrinsic
def fetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Have the processor fetch the line of a one-dimensional array that holds ``index``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        start = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        where = builder.bitcast(builder.gep(start, [arguments[1]]), byte)
        builder.call(prefetch, [where, number(0), number(3), number(1)])

    return types.void(array, types.intp), generate


@njit(**_SINGLE)
def exp(x: Any) -> Any:
    """e to the x as polynomial (Cephes' expf, Moshier 1989), which compilers turn into vectors."""
    x = min(max(x, F(-87)), F(88))
    whole = np.float32(math.floor(x * _LOG2_E + F(0.5)))
    rest = x - whole * _LN_2_HIGH - whole * _LN_2_LOW
    sum_ = F(1.9875691500e-4)
    sum_ = sum_ * rest + F(1.3981999507e-3)
    sum_ = sum_ * rest + F(8.3334519073e-3)
    sum_ = sum_ * rest + F(4.1665795894e-2)
    sum_ = sum_ * rest + F(1.6666665459e-1)
    sum_ = sum_ * rest + F(5.0000001201e-1)
    sum_ = sum_ * rest * rest + rest + F(1)
    power = np.uint32(np.uint32(np.int32(whole) + np.int32(127)) << np.uint32(23))
    return sum_ * power.view(np.float32)


@njit(**_SINGLE)
def _norm_row(x: Any, weight: Any, epsilon: Any, out: Any) -> None:
    squares = F(0)
    for i in range(len(x)):
        squares += wide(x[i]) * wide(x[i])
    scale = F(1) / np.float32(math.sqrt(squares / np.float32(len(x)) + F(epsilon)))
    for i in range(len(x)):
        out[i] = narrow(wide(x[i]) * scale * wide(weight[i]), out[i])


@njit(**_SHARED)
def rms_norm(x: Any, weight: Any, epsilon: float, out: Any) -> None:
    """Root mean square norm of each row (Zhang & Sennrich 2019); x and out [rows, width]."""
    for row in prange(len(x)):
        _norm_row(x[row], weight, epsilon, out[row])


@njit(**_SHARED)
def rotate(states: Any, turned: int, cos: Any, sin: Any) -> None:
    """Rotary positions (Su et al. 2021) for the first ``turned`` heads of each token, in place.

    states [tokens, heads, head_dim]; cos and sin float32 [tokens, head_dim], halves alike.
    """
    half = states.shape[2] // 2
    for token in prange(len(states)):
        for head in range(turned):
            for i in range(half):
                a, b = wide(states[token, head, i]), wide(states[token, head, half + i])
                c, s = cos[token, i], sin[token, i]
                states[token, head, i] = narrow(a * c - b * s, states[token, head, i])
                states[token, head, half + i] = narrow(b * c + a * s, states[token, head, i])


@njit(**_SINGLE)
def keep(states: Any, heads: int, cache: Any, rows: Any, positions: Any) -> None:
    """Write the keys and values of one token a row into the cache.

    states [rows, heads + 2 · kv_heads, head_dim]; cache [2, slots, kv_heads, length, head_dim].
    """
    kv_heads = cache.shape[2]
    for at in range(len(rows)):
        for side in range(2):
            for head in range(kv_heads):
                kept = cache[side, rows[at], head, positions[at]]
                new = states[at, heads + side * kv_heads + head]
                for i in range(len(new)):
                    kept[i] = new[i]


@njit(inline="always", **_SINGLE)
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


@njit(inline="always", **_SINGLE)
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


@njit(inline="always", **_SINGLE)
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

    @njit(**_SHARED)
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


@njit(**_SINGLE)
def _two_dots(weight: Any, first: int, second: int, x: Any) -> Any:
    """Two rows of ``weight`` times x: memory is quicker when asked in two places at once."""
    one, other = weight[first], weight[second]
    a, b = F(0), F(0)
    for i in range(len(x)):
        a += wide(one[i]) * x[i]
        b += wide(other[i]) * x[i]
    return a, b


@njit(**_SINGLE)
def _biased(number: Any, bias: Any, at: int) -> Any:
    return number + wide(bias[at]) if len(bias) else number


@njit(**_SHARED)
def linear(weight: Any, bias: Any, x: Any, out: Any) -> None:
    """out = weight · x + bias, for one x [in]; weight [out, in], bias [out] or empty."""
    count = len(out)
    half = count // 2
    for i in prange(half):
        a, b = _two_dots(weight, i, half + i, x)
        out[i], out[half + i] = _biased(a, bias, i), _biased(b, bias, half + i)
    if count % 2:
        a, _ = _two_dots(weight, count - 1, count - 1, x)
        out[count - 1] = _biased(a, bias, count - 1)


@njit(**_SHARED)
def before_attention(
    x: Any,
    norm: Any,
    epsilon: float,
    qkv: Any,
    bias: Any,
    head_norms: Any,
    cos: Any,
    sin: Any,
    cache: Any,
    slot: int,
    position: int,
    normed: Any,
    states: Any,
) -> None:
    """For one token: norm, queries, keys and values, their positions, and into the cache.

    x and normed: float32 [hidden]; states: float32 [heads + 2 · kv_heads, head_dim], which is
    what comes out; head_norms: [2, head_dim], of queries and of keys, or [0, 0].
    """
    count, width, kv_heads = states.shape[0], states.shape[1], cache.shape[2]
    turned, half = count - kv_heads, width // 2
    _norm_row(x, norm, epsilon, normed)
    for head in prange(count):
        state = states[head]
        for i in range(half):
            at = head * width + i
            a, b = _two_dots(qkv, at, at + half, normed)
            state[i], state[half + i] = _biased(a, bias, at), _biased(b, bias, at + half)
        if head < turned:
            if len(head_norms):
                which = head_norms[0 if head < turned - kv_heads else 1]
                _norm_row(state, which, epsilon, state)
            for i in range(half):
                a, b = state[i], state[half + i]
                state[i] = a * cos[i] - b * sin[i]
                state[half + i] = b * cos[i] + a * sin[i]
    for new in range(2 * kv_heads):
        kept = cache[new // kv_heads, slot, new % kv_heads, position]
        for i in range(width):
            kept[i] = narrow(states[turned - kv_heads + new, i], kept[i])


@njit(**_SHARED)
def after_attention(
    x: Any,
    attended: Any,
    output: Any,
    output_bias: Any,
    norm: Any,
    epsilon: float,
    gate_up: Any,
    gate_up_bias: Any,
    down: Any,
    down_bias: Any,
    normed: Any,
    gated: Any,
) -> None:
    """For one token: what attention gave is put into x [hidden], then the gated MLP is."""
    half = len(x) // 2  # hidden sizes are even
    for i in prange(half):
        a, b = _two_dots(output, i, half + i, attended)
        x[i] += _biased(a, output_bias, i)
        x[half + i] += _biased(b, output_bias, half + i)
    _norm_row(x, norm, epsilon, normed)
    count = len(gated)
    for i in prange(count):
        gate, up = _two_dots(gate_up, i, count + i, normed)
        gate = _biased(gate, gate_up_bias, i)
        gated[i] = gate / (F(1) + exp(-gate)) * _biased(up, gate_up_bias, count + i)
    for i in prange(half):
        a, b = _two_dots(down, i, half + i, gated)
        x[i] += _biased(a, down_bias, i)
        x[half + i] += _biased(b, down_bias, half + i)
