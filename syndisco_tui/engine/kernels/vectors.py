"""The two inner loops of attention, written as vectors of sixteen numbers.

A compiler makes vectors of a sum over one key at a time, and then spends more on adding up the
lanes of each than on its products. Here sixteen keys' lanes are added up together. It is LLVM's own
language, which any processor's vectors are made from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .numbers import EXP, LN_2, LOG2_E

LANES = 16
_FLOATS, _WORDS = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(32), LANES)
_INT, _INDEX = ir.IntType(32), ir.IntType(64)
_FAST = ("fast",)
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
        start = _pointers(context, builder, signature.args, arguments)
        key, asked, scored = start(0, 1), start(2, 3), start(4, 5)
        batch = max(1, _REGISTERS // (2 * size // LANES))
        for first in range(0, heads, batch):
            some = range(first, min(first + batch, heads))
            queries = [_vectors(builder, asked, g * size, size) for g in some]
            halves: list[list[tuple[int, Any]]] = [[] for _ in some]
            for t in range(LANES):
                if first == 0:
                    _fetch(builder, key, (t + _AHEAD) * size, size)
                parts = _vectors(builder, key, t * size, size)
                for g, one in enumerate(queries):
                    _add_up(builder, halves[g], _product(builder, one, parts))
            for g, (_, sums) in zip(some, (half[0] for half in halves), strict=True):
                _store(builder, sums, scored, g * apart)

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
        start = _pointers(context, builder, signature.args, arguments)
        score, edge = start(0, 1), start(4, 5)
        positions = builder.sext(arguments[2], _INDEX)
        blocks = builder.ashr(builder.add(positions, _INDEX(LANES - 1)), _INDEX(4))
        lowest = _constant(-math.inf)

        def scores_of(block: Any) -> tuple[Any, Any, Any]:
            at = builder.mul(block, _INDEX(LANES))
            place = builder.gep(score, [at])
            left = builder.trunc(builder.sub(positions, at), _INT)
            lanes = ir.Constant(_WORDS, list(range(LANES)))
            there = builder.icmp_signed("<", lanes, _spread(builder, left))
            return place, _vectors(builder, place, 0, LANES)[0], there

        def higher(block: Any, held: Sequence[Any]) -> list[Any]:
            _, one, there = scores_of(block)
            one = builder.select(there, one, lowest)
            return [builder.select(builder.fcmp_ordered(">", one, held[0]), one, held[0])]

        (most,) = _loop(builder, blocks, [lowest], higher)
        highest = _spread(builder, _reduced(builder, "fmax", most))
        factor = _spread(builder, arguments[3])

        def weighed(block: Any, held: Sequence[Any]) -> list[Any]:
            place, one, there = scores_of(block)
            one = _times(builder, builder.fsub(one, highest, _FAST), factor)
            one = builder.select(there, _exp(builder, one), _constant(0.0))
            _store(builder, one, place, 0)
            return [builder.fadd(held[0], one, _FAST)]

        (total,) = _loop(builder, blocks, [_constant(0.0)], weighed)
        first = builder.extract_element(_times(builder, highest, factor), _INT(0))
        builder.store(first, edge)
        builder.store(_reduced(builder, "fadd", total), builder.gep(edge, [_INDEX(1)]))

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
        start = _pointers(context, builder, signature.args, arguments)
        value, weight, summed = start(0, 1), start(3, 4), start(5, 6)
        positions = builder.sext(arguments[2], _INDEX)
        batch = max(1, _REGISTERS // (size // LANES))
        for first in range(0, heads, batch):
            some = range(first, min(first + batch, heads))

            def added(t: Any, held: Sequence[Any], some: range = some) -> list[Any]:
                at = builder.gep(value, [builder.mul(t, _INDEX(size))])
                if some.start == 0:
                    _fetch(builder, at, _AHEAD * size, size)
                parts = _vectors(builder, at, 0, size)
                more = []
                for g in some:
                    share = builder.load(
                        builder.gep(weight, [builder.add(t, _INDEX(g * apart))]), align=4
                    )
                    shares = _spread(builder, share)
                    more += [_times(builder, shares, part) for part in parts]
                return [builder.fadd(a, b, _FAST) for a, b in zip(held, more, strict=True)]

            begin = _vectors(builder, summed, some.start * size, len(some) * size)
            held = _loop(builder, positions, begin, added)
            for n, vector in enumerate(held):
                _store(builder, vector, summed, some.start * size + n * LANES)

    arrays = (values, value_at, count, weights, weight_at, sums, sum_at, stride, group, width)
    return types.void(*arrays), generate


def _pointers(
    context: Any, builder: Any, kinds: Sequence[Any], values: Sequence[Any]
) -> Callable[[int, int], Any]:
    """Where an array's number begins: of the arguments, that array and that index."""

    def start(array: int, index: int) -> Any:
        first = context.make_array(kinds[array])(context, builder, values[array]).data
        return builder.gep(first, [builder.sext(values[index], _INDEX)])

    return start


def _vectors(builder: Any, start: Any, offset: int, size: int) -> list[Any]:
    """``size`` numbers as they are kept, widened to float32."""
    number = start.type.pointee
    kept = ir.VectorType(number, LANES)
    found = []
    for at in range(offset, offset + size, LANES):
        place = builder.bitcast(builder.gep(start, [_INDEX(at)]), kept.as_pointer())
        vector = builder.load(place, align=2 if isinstance(number, ir.IntType) else 4)
        if isinstance(number, ir.IntType):  # bfloat16: the upper half of a float32
            sixteen = ir.Constant(_WORDS, [16] * LANES)
            vector = builder.bitcast(builder.shl(builder.zext(vector, _WORDS), sixteen), _FLOATS)
        found.append(vector)
    return found


def _store(builder: Any, vector: Any, start: Any, offset: int) -> None:
    place = builder.gep(start, [_INDEX(offset)])
    builder.store(vector, builder.bitcast(place, _FLOATS.as_pointer()), align=4)


def _fetch(builder: Any, start: Any, offset: int, size: int) -> None:
    """Have the processor fetch ``size`` numbers, line by line."""
    number = start.type.pointee
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT])
    prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
    line = 64 // (2 if isinstance(number, ir.IntType) else 4)
    for at in range(offset, offset + size, line):
        place = builder.bitcast(builder.gep(start, [_INDEX(at)]), byte)
        builder.call(prefetch, [place, _INT(0), _INT(3), _INT(1)])


def _spread(builder: Any, number: Any) -> Any:
    """The same number in every lane."""
    nothing = ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined)
    lone = builder.insert_element(nothing, number, _INT(0))
    return builder.shuffle_vector(lone, nothing, ir.Constant(_WORDS, [0] * LANES))


def _constant(number: float) -> Any:
    return ir.Constant(_FLOATS, [number] * LANES)


def _reduced(builder: Any, how: str, vector: Any) -> Any:
    number = ir.FloatType()
    first = [ir.Constant(number, -0.0)] if how == "fadd" else []
    kinds = [*(one.type for one in first), _FLOATS]
    name = f"llvm.vector.reduce.{how}.v{LANES}f32"
    function = builder.module.declare_intrinsic(name, (), ir.FunctionType(number, kinds))
    return builder.call(function, [*first, vector], fastmath=_FAST)


def _exp(builder: Any, x: Any) -> Any:
    """As ``numbers.exp``, of numbers up to 0."""
    low = _constant(-87.0)
    x = builder.select(builder.fcmp_ordered(">", x, low), x, low)
    kind = ir.FunctionType(_FLOATS, [_FLOATS])
    floor = builder.module.declare_intrinsic(f"llvm.floor.v{LANES}f32", (), kind)
    halves = builder.fadd(_times(builder, x, _constant(LOG2_E)), _constant(0.5), _FAST)
    whole = builder.call(floor, [halves])
    rest = x
    for part in LN_2:
        rest = builder.fsub(rest, _times(builder, whole, _constant(part)), _FAST)
    sum_ = _constant(EXP[0])
    for factor in EXP[1:]:
        sum_ = builder.fadd(_times(builder, sum_, rest), _constant(factor), _FAST)
    square = _times(builder, rest, rest)
    sum_ = builder.fadd(
        builder.fadd(_times(builder, sum_, square), rest, _FAST), _constant(1.0), _FAST
    )
    bits = builder.add(builder.fptosi(whole, _WORDS), ir.Constant(_WORDS, [127] * LANES))
    power = builder.bitcast(builder.shl(bits, ir.Constant(_WORDS, [23] * LANES)), _FLOATS)
    return _times(builder, sum_, power)


def _times(builder: Any, a: Any, b: Any) -> Any:
    return builder.fmul(a, b, _FAST)


def _product(builder: Any, a: Sequence[Any], b: Sequence[Any]) -> Any:
    """The sum of products, lane by lane."""
    total = _times(builder, a[0], b[0])
    for one, other in zip(a[1:], b[1:], strict=True):
        total = builder.fadd(total, _times(builder, one, other), _FAST)
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
            builder.shuffle_vector(before, sums, ir.Constant(_WORDS, ones)),
            builder.shuffle_vector(before, sums, ir.Constant(_WORDS, others)),
            _FAST,
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


def _loop(
    builder: Any, count: Any, begin: Sequence[Any], body: Callable[[Any, Sequence[Any]], list[Any]]
) -> list[Any]:
    """``body`` for 0 … count − 1, with what it gave the last time; gives back the last."""
    before = builder.block
    check, inside, after = (builder.append_basic_block(name) for name in ("check", "in", "after"))
    builder.branch(check)
    builder.position_at_end(check)
    at = builder.phi(_INDEX)
    held = [builder.phi(one.type) for one in begin]
    at.add_incoming(_INDEX(0), before)
    for phi, one in zip(held, begin, strict=True):
        phi.add_incoming(one, before)
    builder.cbranch(builder.icmp_signed("<", at, count), inside, after)
    builder.position_at_end(inside)
    results = body(at, held)
    at.add_incoming(builder.add(at, _INDEX(1)), builder.block)
    for phi, one in zip(held, results, strict=True):
        phi.add_incoming(one, builder.block)
    builder.branch(check)
    builder.position_at_end(after)
    return held
