"""One layer of a Llama for one token, in float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from .numbers import PARALLEL, SERIAL, F, exp
from .weights import product


@njit(**SERIAL)
def rms_norm(x: Any, weight: Any, epsilon: float, out: Any) -> None:
    """Root mean square norm (Zhang & Sennrich 2019) of x [width] into ``out``, which may be x."""
    squares = F(0)
    for i in range(len(x)):
        squares += x[i] * x[i]
    scale = F(1) / np.float32(math.sqrt(squares / np.float32(len(x)) + F(epsilon)))
    for i in range(len(x)):
        out[i] = x[i] * scale * weight[i]


@njit(**SERIAL)
def write_kv(states: Any, first: int, cache: Any, slot: int, position: int) -> None:
    """Write the keys and values of one token to the KV cache.

    Args:
        states: float32 [heads + 2 · kv_heads, head_dim].
        first: The row of ``states`` where keys begin.
        cache: float32 [2, slots, kv_heads, length, head_dim].
        slot, position: Where to write.
    """
    kv_heads, width = cache.shape[2], cache.shape[4]
    for new in range(2 * kv_heads):
        for i in range(width):
            cache[new // kv_heads, slot, new % kv_heads, position, i] = states[first + new, i]


@njit(**SERIAL)
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
    """Compute queries, keys and values with rotary embeddings; write the last two to the cache.

    Args:
        x: float32 [hidden].
        norm, epsilon: Of the norm before attention.
        qkv, bias: Packed weights and bias, which may be empty.
        head_norms: Weights of the norms of queries and of keys, [2, head_dim], or [0, 0].
        cos, sin: float32 [head_dim] with two equal halves (RoPE, Su et al. 2021).
        cache: float32 [2, slots, kv_heads, length, head_dim].
        slot, position: Where to write.
        normed: float32 [hidden], scratch memory.
        states: float32 [heads + 2 · kv_heads, head_dim], the output.
    """
    count, width, kv_heads = states.shape[0], states.shape[1], cache.shape[2]
    rotated, half = count - kv_heads, width // 2
    rms_norm(x, norm, epsilon, normed)
    product(qkv, bias, normed, states.reshape(count * width))
    for head in range(rotated):
        state = states[head]
        if len(head_norms):
            rms_norm(state, head_norms[0 if head < rotated - kv_heads else 1], epsilon, state)
        for i in range(half):
            a, b = state[i], state[half + i]
            state[i] = a * cos[i] - b * sin[i]
            state[half + i] = b * cos[i] + a * sin[i]
    write_kv(states, rotated - kv_heads, cache, slot, position)


@njit(**PARALLEL)
def attend(
    states: Any, cache: Any, slot: int, count: int, scale: float, scores: Any, out: Any
) -> None:
    """Attention of one token to the first ``count`` positions of its slot.

    Args:
        states: float32 [heads + …, head_dim], queries first.
        cache: float32 [2, slots, kv_heads, length, head_dim].
        slot, count: What to read.
        scale: Factor of the scores.
        scores: float32 [heads, count], scratch memory.
        out: float32 [heads, head_dim].
    """
    heads, width = out.shape
    group, factor = heads // cache.shape[2], F(scale)
    for head in prange(heads):
        query, weights, result = states[head], scores[head], out[head]
        keys, values = cache[0, slot, head // group], cache[1, slot, head // group]
        highest = F(-3e38)
        for position in range(count):
            score = F(0)
            for i in range(width):
                score += query[i] * keys[position, i]
            weights[position] = score * factor
            highest = max(highest, weights[position])
        total = F(0)
        for position in range(count):
            weights[position] = exp(weights[position] - highest)
            total += weights[position]
        for i in range(width):
            result[i] = F(0)
        fours = count // 4 * 4
        for first in range(0, fours, 4):  # four at once, so that the result is written less often
            a, b = weights[first], weights[first + 1]
            c, d = weights[first + 2], weights[first + 3]
            for i in range(width):
                result[i] += (
                    a * values[first, i]
                    + b * values[first + 1, i]
                    + c * values[first + 2, i]
                    + d * values[first + 3, i]
                )
        for position in range(fours, count):
            for i in range(width):
                result[i] += weights[position] * values[position, i]
        for i in range(width):
            result[i] /= total


@njit(**SERIAL)
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
    """Add the output projection of attention to ``x``, and then the gated MLP.

    Args:
        x: float32 [hidden], changed in place.
        attended: float32 [heads · head_dim].
        output, gate_up, down: Packed weights; each with its bias, which may be empty.
        norm, epsilon: Of the norm before the MLP.
        normed: float32 [hidden], scratch memory.
        gated: float32 [2 · intermediate], scratch memory.
    """
    product(output, output_bias, attended, normed)
    for i in range(len(x)):
        x[i] += normed[i]
    rms_norm(x, norm, epsilon, normed)
    product(gate_up, gate_up_bias, normed, gated)
    half = len(gated) // 2
    for i in range(half):  # SiLU(gate) · up
        gated[i] = gated[i] / (F(1) + exp(-gated[i])) * gated[half + i]
    product(down, down_bias, gated[:half], normed)
    for i in range(len(x)):
        x[i] += normed[i]
