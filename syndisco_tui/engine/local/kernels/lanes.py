"""Vectors of sixteen numbers in LLVM's language, which any processor's own are made from.

The pieces from which the inner loops of kernels are built, where a compiler does not find the
vectors by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llvmlite import ir

from .numbers import EXP, LN_2, LOG2_E

LANES = 16
FLOATS, WORDS = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(32), LANES)
INT, INDEX = ir.IntType(32), ir.IntType(64)
FAST = ("fast",)


def pointers(
    context: Any, builder: Any, kinds: Sequence[Any], values: Sequence[Any]
) -> Callable[..., Any]:
    """Where an array's number begins: of the arguments, that array and that index, or 0.

    Strides are not looked at: arrays are contiguous.
    """

    def start(array: int, index: int | None = None) -> Any:
        if kinds[array].layout != "C":
            raise ValueError(f"an array is not contiguous: {kinds[array]}")
        first = context.make_array(kinds[array])(context, builder, values[array]).data
        return first if index is None else moved(builder, first, builder.sext(values[index], INDEX))

    return start


def moved(builder: Any, start: Any, offset: Any) -> Any:
    """Where the number lies that is ``offset`` numbers behind ``start``."""
    return builder.gep(start, [offset if isinstance(offset, ir.Value) else INDEX(offset)])


def load(builder: Any, start: Any, kind: Any = FLOATS) -> Any:
    return builder.load(builder.bitcast(start, kind.as_pointer()), align=4)


def vectors(builder: Any, start: Any, offset: int, size: int) -> list[Any]:
    """``size`` numbers as they are kept, widened to float32."""
    number = start.type.pointee
    kept = ir.VectorType(number, LANES)
    found = []
    for at in range(offset, offset + size, LANES):
        place = builder.bitcast(builder.gep(start, [INDEX(at)]), kept.as_pointer())
        vector = builder.load(place, align=2 if isinstance(number, ir.IntType) else 4)
        if isinstance(number, ir.IntType):  # bfloat16: the upper half of a float32
            vector = builder.bitcast(builder.shl(builder.zext(vector, WORDS), integer(16)), FLOATS)
        found.append(vector)
    return found


def store(builder: Any, vector: Any, start: Any, offset: int = 0) -> None:
    place = moved(builder, start, offset)
    builder.store(vector, builder.bitcast(place, vector.type.as_pointer()), align=4)


def fetch(builder: Any, start: Any, offset: int, size: int) -> None:
    """Have the processor fetch ``size`` numbers, line by line."""
    number = start.type.pointee
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, INT, INT, INT])
    prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
    line = 64 // (number.width // 8 if isinstance(number, ir.IntType) else 4)
    for at in range(offset, offset + size, line):
        place = builder.bitcast(builder.gep(start, [INDEX(at)]), byte)
        builder.call(prefetch, [place, INT(0), INT(3), INT(1)])


def spread(builder: Any, number: Any) -> Any:
    """The same number in every lane."""
    nothing = ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined)
    lone = builder.insert_element(nothing, number, INT(0))
    return builder.shuffle_vector(lone, nothing, ir.Constant(WORDS, [0] * LANES))


def constant(number: float) -> Any:
    return ir.Constant(FLOATS, [number] * LANES)


def integer(number: int) -> Any:
    return ir.Constant(WORDS, [number] * LANES)


def fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a · b + c, rounded once."""
    kind = ir.FunctionType(FLOATS, [FLOATS] * 3)
    function = builder.module.declare_intrinsic(f"llvm.fma.v{LANES}f32", (), kind)
    return builder.call(function, [a, b, c])


def reduced(builder: Any, how: str, vector: Any) -> Any:
    number = ir.FloatType()
    first = [ir.Constant(number, -0.0)] if how == "fadd" else []
    kinds = [*(one.type for one in first), FLOATS]
    name = f"llvm.vector.reduce.{how}.v{LANES}f32"
    function = builder.module.declare_intrinsic(name, (), ir.FunctionType(number, kinds))
    return builder.call(function, [*first, vector], fastmath=FAST)


def exp(builder: Any, x: Any) -> Any:
    """As ``numbers.exp``, of numbers up to 0."""
    low = constant(-87.0)
    x = builder.select(builder.fcmp_ordered(">", x, low), x, low)
    kind = ir.FunctionType(FLOATS, [FLOATS])
    floor = builder.module.declare_intrinsic(f"llvm.floor.v{LANES}f32", (), kind)
    halves = builder.fadd(times(builder, x, constant(LOG2_E)), constant(0.5), FAST)
    whole = builder.call(floor, [halves])
    rest = x
    for part in LN_2:
        rest = builder.fsub(rest, times(builder, whole, constant(part)), FAST)
    sum_ = constant(EXP[0])
    for factor in EXP[1:]:
        sum_ = builder.fadd(times(builder, sum_, rest), constant(factor), FAST)
    square = times(builder, rest, rest)
    sum_ = builder.fadd(builder.fadd(times(builder, sum_, square), rest, FAST), constant(1.0), FAST)
    exponent = builder.add(builder.fptosi(whole, WORDS), integer(127))
    power = builder.bitcast(builder.shl(exponent, integer(23)), FLOATS)
    return times(builder, sum_, power)


def times(builder: Any, a: Any, b: Any) -> Any:
    return builder.fmul(a, b, FAST)


def choose(builder: Any, number: Any, cases: Sequence[int]) -> Iterator[int]:
    """For each case, as a constant: what is built meanwhile is done if ``number`` is that one."""
    for case in cases:
        with builder.if_then(builder.icmp_signed("==", number, number.type(case))):
            yield case


def loop(
    builder: Any, count: Any, begin: Sequence[Any], body: Callable[[Any, Sequence[Any]], list[Any]]
) -> list[Any]:
    """``body`` for 0 … count − 1, with what it gave the last time; gives back the last."""
    before = builder.block
    check, inside, after = (builder.append_basic_block(name) for name in ("check", "in", "after"))
    builder.branch(check)
    builder.position_at_end(check)
    at = builder.phi(INDEX)
    held = [builder.phi(one.type) for one in begin]
    at.add_incoming(INDEX(0), before)
    for phi, one in zip(held, begin, strict=True):
        phi.add_incoming(one, before)
    builder.cbranch(builder.icmp_signed("<", at, count), inside, after)
    builder.position_at_end(inside)
    results = body(at, held)
    at.add_incoming(builder.add(at, INDEX(1)), builder.block)
    for phi, one in zip(held, results, strict=True):
        phi.add_incoming(one, builder.block)
    builder.branch(check)
    builder.position_at_end(after)
    return held
