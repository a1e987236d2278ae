"""What is between the products of a layer, and all of a layer for a single token."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange
from numba.extending import overload

from .numbers import SHARED, SINGLE, F, exp, narrow, wide
from .packed import PACKED_DIMENSIONS, packed_linear


@njit(**SINGLE)
def _norm_row(x: Any, weight: Any, epsilon: Any, out: Any) -> None:
    squares = F(0)
    for i in range(len(x)):
        squares += wide(x[i]) * wide(x[i])
    scale = F(1) / np.float32(math.sqrt(squares / np.float32(len(x)) + F(epsilon)))
    for i in range(len(x)):
        out[i] = narrow(wide(x[i]) * scale * wide(weight[i]), out[i])


@njit(**SHARED)
def rms_norm(x: Any, weight: Any, epsilon: float, out: Any) -> None:
    """Root mean square norm of each row (Zhang & Sennrich 2019); x and out [rows, width]."""
    for row in prange(len(x)):
        _norm_row(x[row], weight, epsilon, out[row])


@njit(**SHARED)
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


@njit(**SINGLE)
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


@njit(**SINGLE)
def _two_dots(weight: Any, first: int, second: int, x: Any) -> Any:
    """Two rows of ``weight`` times x: memory is quicker when asked in two places at once."""
    one, other = weight[first], weight[second]
    a, b = F(0), F(0)
    for i in range(len(x)):
        a += wide(one[i]) * x[i]
        b += wide(other[i]) * x[i]
    return a, b


@njit(**SINGLE)
def _biased(number: Any, bias: Any, at: int) -> Any:
    return number + wide(bias[at]) if len(bias) else number


@njit(**SHARED)
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


def product(weight: Any, bias: Any, x: Any, out: Any) -> None:
    """``linear``, of weights as they are or as ``pack`` gives them."""
    (packed_linear if weight.ndim == PACKED_DIMENSIONS else linear)(weight, bias, x, out)


@overload(product)
def _product(weight: Any, bias: Any, x: Any, out: Any) -> Callable[..., None]:
    def of_packed(weight: Any, bias: Any, x: Any, out: Any) -> None:
        packed_linear(weight, bias, x, out)

    def of_plain(weight: Any, bias: Any, x: Any, out: Any) -> None:
        linear(weight, bias, x, out)

    return of_packed if weight.ndim == PACKED_DIMENSIONS else of_plain


@njit(**SINGLE)
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
    product(qkv, bias, normed, states.reshape(count * width))
    for head in range(turned):
        state = states[head]
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


@njit(**SINGLE)
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
    """For one token: what attention gave is put into x [hidden], then the gated MLP is.

    normed: float32 [hidden] and gated: float32 [2 · intermediate], to calculate in.
    """
    product(output, output_bias, attended, normed)
    for i in range(len(x)):
        x[i] += normed[i]
    _norm_row(x, norm, epsilon, normed)
    product(gate_up, gate_up_bias, normed, gated)
    half = len(gated) // 2
    _gate_row(gated[:half], gated[half:])
    product(down, down_bias, gated[:half], normed)
    for i in range(len(x)):
        x[i] += normed[i]


@njit(**SINGLE)
def _gate_row(gate: Any, up: Any) -> None:
    """gate = SiLU(gate) · up."""
    for i in range(len(gate)):
        gate[i] = gate[i] / (F(1) + exp(-gate[i])) * up[i]
