"""The inner loops of products whose weights are packed, in vectors of sixteen numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from numba import types
from numba.extending import intrinsic

from .lanes import (
    FLOATS,
    INDEX,
    LANES,
    WORDS,
    choose,
    constant,
    fetch,
    fma,
    integer,
    load,
    loop,
    moved,
    pointers,
    spread,
    store,
)
from .packing import BFLOAT16, BLOCK, FORM_OF_LINES, Form

_AHEAD = 16  # lines that are fetched before they are needed


@intrinsic
def two_tiles(
    typing_context: Any,
    packed: Any,
    first: Any,
    second: Any,
    blocks: Any,
    lines: Any,
    x: Any,
    sums: Any,
    first_sum: Any,
    second_sum: Any,
) -> Any:
    """sums[first_sum + i] = x · output i of the tile that begins at packed[first], and so on.

    A block's inputs are added one after the other, and then the blocks. All arrays are flat;
    ``blocks`` is how many a tile has, ``lines`` how many a block has.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        start = pointers(context, builder, signature.args, arguments)
        tiles, inputs = (start(0, 1), start(0, 2)), start(5)
        nothing = constant(0.0)

        def block(form: Form, at: Any, held: Sequence[Any]) -> list[Any]:
            numbers = moved(builder, inputs, builder.mul(at, INDEX(BLOCK)))
            offset = builder.mul(at, INDEX(form.lines * LANES))
            widened = [Widened(builder, moved(builder, tile, offset), form) for tile in tiles]
            of_block = [nothing, nothing]
            for i in range(BLOCK):
                number = spread(builder, builder.load(moved(builder, numbers, i), align=4))
                of_block = [
                    fma(builder, one.input(i), number, sum_)
                    for one, sum_ in zip(widened, of_block, strict=True)
                ]
            return [builder.fadd(a, b) for a, b in zip(held, of_block, strict=True)]

        count = builder.sext(arguments[3], INDEX)
        for case in choose(builder, arguments[4], list(FORM_OF_LINES)):
            of_form = partial(block, FORM_OF_LINES[case])
            for n, result in enumerate(loop(builder, count, [nothing, nothing], of_form)):
                store(builder, result, start(6, 7 + n))

    arrays = packed, first, second, blocks, lines, x, sums, first_sum, second_sum
    return types.void(*arrays), generate


class Widened:
    """A block of a tile: the weights of an input as sixteen float32, one for each output."""

    def __init__(self, builder: Any, start: Any, form: Form) -> None:
        self._builder, self._start, self._form = builder, start, form
        fetch(builder, start, _AHEAD * LANES, form.lines * LANES)
        self._lines: dict[int, Any] = {}
        if form is not BFLOAT16:
            self._scale, offset = (builder.bitcast(self._line(n), FLOATS) for n in range(2))
            lowest = builder.fmul(constant(form.half + (1 << form.bits)), self._scale)
            self._offset = builder.fsub(offset, lowest)

    def input(self, at: int) -> Any:
        builder, bits = self._builder, self._form.bits
        if self._form is BFLOAT16:
            words = self._line(at // 2)
            upper = builder.and_(words, integer(0xFFFF0000)) if at % 2 else None
            return builder.bitcast(upper or builder.shl(words, integer(16)), FLOATS)
        # A level goes behind the leading bit of a float32: 16 + level, or 256 + level.
        per_word = 32 // bits
        words = self._line(2 + at // per_word)
        now, wanted = at % per_word // 2 * bits + at % 2 * 16, 23 - bits
        if now < wanted:
            words = builder.shl(words, integer(wanted - now))
        elif now > wanted:
            words = builder.lshr(words, integer(now - wanted))
        words = builder.and_(words, integer((1 << bits) - 1 << wanted))
        words = builder.or_(words, integer(127 + bits << 23))
        return fma(builder, builder.bitcast(words, FLOATS), self._scale, self._offset)

    def _line(self, line: int) -> Any:
        if line not in self._lines:  # each is loaded where it is first needed
            place = moved(self._builder, self._start, line * LANES)
            self._lines[line] = load(self._builder, place, WORDS)
        return self._lines[line]
