"""The inner loops of attention, written as vectors of sixteen numbers.

A compiler makes vectors of a sum over one key at a time, and then spends more on adding up the
lanes of each than on its products. Here sixteen keys' lanes are added up together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .lanes import (
    FAST,
    INDEX,
    INT,
    LANES,
    WORDS,
    constant,
    exp,
    fetch,
    loop,
    pointers,
    reduced,
    spread,
    store,
    times,
    vectors,
)

_REGISTERS = 24  # sums that are held at a time; processors have 32 or, halved by LLVM, 16
_AHEAD = 12  # positions that are fetched before they are needed


@intrinsic(prefer_literal=True)
def sixteen_scores(
    typing_context: Any,
    keys: Any,
    key_at: Any,
    query: Any,
    query_at: Any,
    scores: Any,
    score_at: Any,
    stride: Any,
    group: Any,
    width: Any,
) -> Any:
    """scores[score_at + g · stride + t] = query g · key t, for sixteen keys and ``group`` queries.

    All arrays are flat; key t begins at key_at + t · width, query g at query_at + g · width.
    ``stride``, ``group`` and ``width``, a multiple of sixteen, are constants.
    """
    heads, size, apart = (each.literal_value for each in (group, width, stride))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        start = pointers(context, builder, signature.args, arguments)
        key, asked, scored = start(0, 1), start(2, 3), start(4, 5)
        batch = max(1, _REGISTERS // (2 * size // LANES))
        for first in range(0, heads, batch):
            some = range(first, min(first + batch, heads))
            queries = [vectors(builder, asked, g * size, size) for g in some]
            halves: list[list[tuple[int, Any]]] = [[] for _ in some]
            for t in range(LANES):
                if first == 0:
                    fetch(builder, key, (t + _AHEAD) * size, size)
                parts = vectors(builder, key, t * size, size)
                for g, one in enumerate(queries):
                    _add_up(builder, halves[g], _product(builder, one, parts))
            for g, (_, sums) in zip(some, (half[0] for half in halves), strict=True):
                store(builder, sums, scored, g * apart)

    arrays = (keys, key_at, query, query_at, scores, score_at, stride, group, width)
    return types.void(*arrays), generate


@intrinsic(prefer_literal=True)
def weigh(
    typing_context: Any,
    scores: Any,
    score_at: Any,
    count: Any,
    scale: Any,
    edges: Any,
    edge_at: Any,
) -> Any:
    """scores[score_at + t] = e to the scale · (score t − the highest), for ``count`` of them.

    edges[edge_at] = scale · the highest, and in the next place the sum of what came out. Scores
    have room up to a multiple of sixteen. ``scale`` is float32 and positive.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        start = pointers(context, builder, signature.args, arguments)
        score, edge = start(0, 1), start(4, 5)
        positions = builder.sext(arguments[2], INDEX)
        blocks = builder.ashr(builder.add(positions, INDEX(LANES - 1)), INDEX(4))
        lowest = constant(-math.inf)

        def scores_of(block: Any) -> tuple[Any, Any, Any]:
            at = builder.mul(block, INDEX(LANES))
            place = builder.gep(score, [at])
            left = builder.trunc(builder.sub(positions, at), INT)
            lanes = ir.Constant(WORDS, list(range(LANES)))
            there = builder.icmp_signed("<", lanes, spread(builder, left))
            return place, vectors(builder, place, 0, LANES)[0], there

        def higher(block: Any, held: Sequence[Any]) -> list[Any]:
            _, one, there = scores_of(block)
            one = builder.select(there, one, lowest)
            return [builder.select(builder.fcmp_ordered(">", one, held[0]), one, held[0])]

        (most,) = loop(builder, blocks, [lowest], higher)
        highest = spread(builder, reduced(builder, "fmax", most))
        factor = spread(builder, arguments[3])

        def weighed(block: Any, held: Sequence[Any]) -> list[Any]:
            place, one, there = scores_of(block)
            one = times(builder, builder.fsub(one, highest, FAST), factor)
            one = builder.select(there, exp(builder, one), constant(0.0))
            store(builder, one, place, 0)
            return [builder.fadd(held[0], one, FAST)]

        (total,) = loop(builder, blocks, [constant(0.0)], weighed)
        first = builder.extract_element(times(builder, highest, factor), INT(0))
        builder.store(first, edge)
        builder.store(reduced(builder, "fadd", total), builder.gep(edge, [INDEX(1)]))

    return types.void(scores, score_at, count, scale, edges, edge_at), generate


@intrinsic(prefer_literal=True)
def add_values(
    typing_context: Any,
    values: Any,
    value_at: Any,
    count: Any,
    weights: Any,
    weight_at: Any,
    sums: Any,
    sum_at: Any,
    stride: Any,
    group: Any,
    width: Any,
) -> Any:
    """sums[sum_at + g · width + i] += Σ of weights[weight_at + g · stride + t] · value t, i.

    Over ``count`` values; all else as in ``sixteen_scores``.
    """
    heads, size, apart = (each.literal_value for each in (group, width, stride))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        start = pointers(context, builder, signature.args, arguments)
        value, weight, summed = start(0, 1), start(3, 4), start(5, 6)
        positions = builder.sext(arguments[2], INDEX)
        batch = max(1, _REGISTERS // (size // LANES))
        for first in range(0, heads, batch):
            some = range(first, min(first + batch, heads))

            def added(t: Any, held: Sequence[Any], some: range = some) -> list[Any]:
                at = builder.gep(value, [builder.mul(t, INDEX(size))])
                if some.start == 0:
                    fetch(builder, at, _AHEAD * size, size)
                parts = vectors(builder, at, 0, size)
                more = []
                for g in some:
                    share = builder.load(
                        builder.gep(weight, [builder.add(t, INDEX(g * apart))]), align=4
                    )
                    shares = spread(builder, share)
                    more += [times(builder, shares, part) for part in parts]
                return [builder.fadd(a, b, FAST) for a, b in zip(held, more, strict=True)]

            begin = vectors(builder, summed, some.start * size, len(some) * size)
            held = loop(builder, positions, begin, added)
            for n, vector in enumerate(held):
                store(builder, vector, summed, some.start * size + n * LANES)

    arrays = (values, value_at, count, weights, weight_at, sums, sum_at, stride, group, width)
    return types.void(*arrays), generate


def _product(builder: Any, a: Sequence[Any], b: Sequence[Any]) -> Any:
    """The sum of products, lane by lane."""
    total = times(builder, a[0], b[0])
    for one, other in zip(a[1:], b[1:], strict=True):
        total = builder.fadd(total, times(builder, one, other), FAST)
    return total


def _add_up(builder: Any, waiting: list[tuple[int, Any]], sums: Any) -> None:
    """Join one more key's lanes with those that wait for as many as they are.

    Of two vectors that hold n keys each comes one that holds 2 n: four such rounds leave sixteen
    keys with one lane each.
    """
    level = 0
    while waiting and waiting[-1][0] == level:
        _, before = waiting.pop()
        ones, others = _LANES_OF[level]
        sums = builder.fadd(
            builder.shuffle_vector(before, sums, ir.Constant(WORDS, ones)),
            builder.shuffle_vector(before, sums, ir.Constant(WORDS, others)),
            FAST,
        )
        level += 1
    waiting.append((level, sums))


def _lanes(level: int) -> tuple[list[int], list[int]]:
    """Which lanes of two vectors (0 … 15, 16 … 31) are added in a round.

    The first two rounds stay within four neighbouring lanes, the others move fours: each is one
    instruction of x86.
    """
    a, b = range(LANES), range(LANES, 2 * LANES)
    if level == 0:  # a0 b0 a1 b1 + a2 b2 a3 b3
        return (
            [lane for f in range(0, LANES, 4) for i in (0, 1) for lane in (a[f + i], b[f + i])],
            [lane for f in range(0, LANES, 4) for i in (2, 3) for lane in (a[f + i], b[f + i])],
        )
    if level == 1:  # a0 a1 b0 b1 + a2 a3 b2 b3
        return (
            [v[f + i] for f in range(0, LANES, 4) for v in (a, b) for i in (0, 1)],
            [v[f + i] for f in range(0, LANES, 4) for v in (a, b) for i in (2, 3)],
        )
    return (  # fours: a0 a2 b0 b2 + a1 a3 b1 b3
        [v[4 * f + i] for v in (a, b) for f in (0, 2) for i in range(4)],
        [v[4 * f + i] for v in (a, b) for f in (1, 3) for i in range(4)],
    )


_LANES_OF = [_lanes(level) for level in range(4)]
