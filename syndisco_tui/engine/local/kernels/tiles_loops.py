"""The inner loops of products on a matrix unit, in LLVM's names of its instructions (Intel's AMX).

It has eight tiles of 16 lines of 64 bytes. Here tiles 0 to 3 are sums, of tokens 0 to 15 and 16 to
31 with the first sixteen outputs and the second; 4 and 5 are tokens, 6 and 7 weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .lanes import (
    FLOATS,
    INDEX,
    LANES,
    WORDS,
    choose,
    constant,
    exp,
    fetch,
    fma,
    integer,
    load,
    loop,
    moved,
    pointers,
    reduced,
    spread,
    store,
)
from .packing import BFLOAT16, BLOCK, FORM_OF_LINES, Form

ROWS = 16  # of a tile: tokens, or pairs of inputs of weights
PARTS = 3  # bfloat16 numbers that make a float32
PART = ROWS * BLOCK  # numbers of a tile of tokens
SUMS = ROWS * LANES  # numbers of a tile of sums
STORES, ADDS, GATES = range(3)
"""What is done with products: they replace what is in ``out``, are added to it, or the second
half of them, each times SiLU of its partner in the first, replaces it."""

_TOKENS, _WEIGHTS = 4, 6
_AHEAD = 4  # blocks that are fetched before they are needed
_BYTE, _SHORT = ir.IntType(8), ir.IntType(16)
_SHORTS, _HALVES = ir.VectorType(_SHORT, LANES), ir.VectorType(_SHORT, 2 * LANES)
_LINE = INDEX(64)  # bytes from a line of a tile to the next, for all that is kept in memory


def _unit(builder: Any, instruction: str, *arguments: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    name = f"llvm.x86.{instruction}"
    builder.call(builder.module.declare_intrinsic(name, (), kind), arguments)


def _bytes(builder: Any, place: Any) -> Any:
    return builder.bitcast(place, _BYTE.as_pointer())


def _scaled(builder: Any, at: Any, size: int) -> Any:
    return builder.mul(at, INDEX(size))


@intrinsic
def configure(typing_context: Any, sizes: Any) -> Any:
    """Give the tiles of this thread their sizes, as the unit takes them: uint8 [64]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        place = pointers(context, builder, signature.args, arguments)(0)
        _unit(builder, "ldtilecfg", _bytes(builder, place))

    return types.void(sizes), generate


@intrinsic
def release(typing_context: Any) -> Any:
    """Leave the tiles of this thread to others."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        _unit(builder, "tilerelease")

    return types.void(), generate


@intrinsic
def split_block(
    typing_context: Any, x: Any, x_at: Any, parts: Any, part_at: Any, totals: Any, total_at: Any
) -> Any:
    """A block of a token's numbers → their parts, each PART after the one before, and their sum.

    x and totals: float32, parts: uint16, all flat.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        start = pointers(context, builder, signature.args, arguments)
        numbers, part_of, total = start(0, 1), start(2, 3), start(4, 5)
        halves = [load(builder, moved(builder, numbers, n * LANES)) for n in range(2)]
        builder.store(reduced(builder, "fadd", builder.fadd(*halves)), total)
        for n, rest in enumerate(halves):
            for part in range(PARTS):
                bits = builder.and_(builder.bitcast(rest, WORDS), integer(0xFFFF0000))
                rest = builder.fsub(rest, builder.bitcast(bits, FLOATS))
                kept = builder.trunc(builder.lshr(bits, integer(16)), _SHORTS)
                place = moved(builder, part_of, part * PART + n * LANES)
                builder.store(kept, builder.bitcast(place, _SHORTS.as_pointer()), align=2)

    return types.void(x, x_at, parts, part_at, totals, total_at), generate


@intrinsic
def begin(typing_context: Any, sums: Any, bias: Any, first: Any, second: Any, has_bias: Any) -> Any:
    """sums [2, 2, 16, 16] = the biases of two tiles of outputs, or zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        start = pointers(context, builder, signature.args, arguments)
        place = start(0)
        for m in range(2):
            with builder.if_else(arguments[4]) as (then, otherwise):
                with then:
                    found, after_then = load(builder, start(1, 2 + m)), builder.block
                with otherwise:
                    after_otherwise = builder.block
            number = builder.phi(FLOATS)
            number.add_incoming(found, after_then)
            number.add_incoming(constant(0.0), after_otherwise)
            for n in range(2):
                for row in range(ROWS):
                    store(builder, number, place, (2 * n + m) * SUMS + row * LANES)

    return types.void(sums, bias, first, second, has_bias), generate


@intrinsic
def add_products(
    typing_context: Any,
    parts: Any,
    parts_at: Any,
    parts_apart: Any,
    totals: Any,
    totals_at: Any,
    totals_apart: Any,
    packed: Any,
    first: Any,
    second: Any,
    widened: Any,
    widens: Any,
    blocks: Any,
    lines: Any,
    tokens: Any,
    dots: Any,
    sums: Any,
) -> Any:
    """sums += x · two tiles of outputs, for one or two tiles of ``tokens``, up to 32 in all.

    All arrays are flat. ``parts`` and ``totals``: of x as ``split_block`` gives them, from ``at``
    on, and ``apart`` for the second tile of tokens. ``packed``: tiles of outputs, from ``first``
    and ``second`` on. ``widened``: uint32 [blocks + 1, 2, 16, 16], levels of both as bfloat16
    numbers, which are put there if it ``widens``. dots: float32 [2, 4, 16, 16], to calculate in.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        def index(argument: int) -> Any:
            return builder.sext(arguments[argument], INDEX)

        start = pointers(context, builder, signature.args, arguments)
        is_more = builder.icmp_signed(">", index(13), INDEX(ROWS))
        for size in choose(builder, index(12), list(FORM_OF_LINES)):
            for more in choose(builder, is_more, (0, 1)):
                count = 1 + more
                apart = [0, index(2)][:count], [0, index(5)][:count]
                product = _Product(
                    builder,
                    FORM_OF_LINES[size],
                    [moved(builder, start(0, 1), offset) for offset in apart[0]],
                    [moved(builder, start(3, 4), offset) for offset in apart[1]],
                    [start(6, 7), start(6, 8)],
                    levels=start(9),
                    dots=start(14),
                    sums=start(15),
                )
                if product.form is BFLOAT16:
                    product.of_numbers(index(11))
                    continue
                for is_first in choose(builder, arguments[10], (0, 1)):
                    product.of_levels(index(11), index(13), widens=bool(is_first))

    of_x = parts, parts_at, parts_apart, totals, totals_at, totals_apart
    of_weights = packed, first, second, widened, widens, blocks, lines
    return types.void(*of_x, *of_weights, tokens, dots, sums), generate


@dataclass
class _Product:
    """What ``add_products`` is built from; all places are those of the first block."""

    builder: Any
    form: Form
    tokens: Sequence[Any]
    totals: Sequence[Any]
    outputs: Sequence[Any]
    levels: Any
    dots: Any
    sums: Any

    def of_numbers(self, blocks: Any) -> None:
        """Of weights that are bfloat16 numbers: the unit adds up all of them."""

        def block(at: Any, held: Sequence[Any]) -> list[Any]:
            for place in self._outputs_of(at):
                self._fetch(place)
            self._multiply(at, self._outputs_of(at))
            return []

        self._each_sum("tileloadd64", self.sums)
        loop(self.builder, blocks, [], block)
        self._each_sum("tilestored64", self.sums)

    def of_levels(self, blocks: Any, tokens: Any, *, widens: bool) -> None:
        """Of weights on grids: each block's dots are scaled on their own."""
        builder = self.builder

        def block_of_few(at: Any, held: Sequence[Any]) -> list[Any]:
            self._calculate(at, widens)
            add = self._scaling(at)

            def row(token: Any, held: Sequence[Any]) -> list[Any]:
                add(0, token)
                return []

            loop(builder, tokens, [], row)
            return []

        def block_of_many(at: Any, held: Sequence[Any]) -> list[Any]:
            """One is scaled while the unit calculates the next: of few it would not pay."""
            add = self._scaling(at)
            scaled = [partial(add, n, token) for n, token in all_tokens]
            self._calculate(builder.add(at, INDEX(1)), widens, scaled)
            return []

        if widens:
            for task in self._widening(INDEX(0)):
                task()
        if len(self.tokens) == 1:
            loop(builder, blocks, [], block_of_few)
            return
        all_tokens = [(n, INDEX(token)) for n in range(len(self.tokens)) for token in range(ROWS)]
        last = builder.sub(blocks, INDEX(1))
        self._calculate(INDEX(0), widens)
        loop(builder, last, [], block_of_many)
        add = self._scaling(last)
        for n, token in all_tokens:
            add(n, token)

    def _multiply(
        self, at: Any, weights: Sequence[Any], meanwhile: Sequence[Callable[[], None]] = ()
    ) -> None:
        """A block's dots into the tiles of sums, and what the processor does meanwhile."""
        builder, count = self.builder, len(self.tokens)
        for m, place in enumerate(weights):
            _unit(builder, "tileloadd64", _BYTE(_WEIGHTS + m), _bytes(builder, place), _LINE)
        block = _scaled(builder, at, PARTS * PART)
        steps, step, done = PARTS * count * 2, 0, 0
        for part in range(PARTS):
            for n, numbers in enumerate(self.tokens):
                place = moved(builder, numbers, builder.add(block, INDEX(part * PART)))
                _unit(builder, "tileloadd64", _BYTE(_TOKENS + n), _bytes(builder, place), _LINE)
            for tile in range(2 * count):
                both = _BYTE(_TOKENS + tile // 2), _BYTE(_WEIGHTS + tile % 2)
                _unit(builder, "tdpbf16ps", _BYTE(tile), *both)
                step += 1
                upto = step * len(meanwhile) // steps
                for task in meanwhile[done:upto]:
                    task()
                done = upto

    def _calculate(
        self, at: Any, widens: bool, meanwhile: Sequence[Callable[[], None]] = ()
    ) -> None:
        """The dots of a block of levels; the levels of the next are got ready."""
        builder = self.builder
        if widens:
            meanwhile = [*meanwhile, *self._widening(builder.add(at, INDEX(1)))]
        first = moved(builder, self.levels, _scaled(builder, at, 2 * SUMS))
        for tile in range(2 * len(self.tokens)):
            _unit(builder, "tilezero", _BYTE(tile))
        self._multiply(at, [first, moved(builder, first, SUMS)], meanwhile)
        self._each_sum("tilestored64", self._dots_of(at))

    def _widening(self, at: Any) -> list[Callable[[], None]]:
        """What puts the levels of a block where they are wanted, a pair of inputs each."""
        builder = self.builder
        to = moved(builder, self.levels, _scaled(builder, at, 2 * SUMS))

        def widen(m: int, place: Any, pair: int) -> None:
            if pair == 0:
                self._fetch(place)
            levels = _levels(builder, place, pair, self.form)
            store(builder, levels, to, m * SUMS + pair * LANES)

        return [
            partial(widen, m, place, pair)
            for m, place in enumerate(self._outputs_of(at))
            for pair in range(ROWS)
        ]

    def _scaling(self, at: Any) -> Callable[[int, Any], None]:
        """What puts the dots of a block into the sums, for one token of a tile."""
        builder = self.builder
        places = self._outputs_of(at)
        scales = [load(builder, place) for place in places]
        offsets = [load(builder, moved(builder, place, LANES)) for place in places]
        offset = _scaled(builder, at, ROWS)
        totals = [moved(builder, tile, offset) for tile in self.totals]
        from_ = self._dots_of(at)

        def add(n: int, token: Any) -> None:
            if self.form.bits == 4:  # the offsets of wider levels are zero
                total = builder.load(moved(builder, totals[n], token), align=4)
                total = spread(builder, total)
            row = _scaled(builder, token, LANES)
            for m in range(2):
                place = builder.add(row, INDEX((2 * n + m) * SUMS))
                to = moved(builder, self.sums, place)
                dot = load(builder, moved(builder, from_, place))
                sum_ = fma(builder, dot, scales[m], load(builder, to))
                if self.form.bits == 4:
                    sum_ = fma(builder, total, offsets[m], sum_)
                store(builder, sum_, to)

        return add

    def _outputs_of(self, at: Any) -> list[Any]:
        offset = _scaled(self.builder, at, self.form.lines * LANES)
        return [moved(self.builder, output, offset) for output in self.outputs]

    def _dots_of(self, at: Any) -> Any:
        """Where the dots of a block lie, until they have become part of the sums."""
        odd = self.builder.and_(at, INDEX(1))
        return moved(self.builder, self.dots, _scaled(self.builder, odd, 4 * SUMS))

    def _fetch(self, place: Any) -> None:
        size = self.form.lines * LANES
        fetch(self.builder, place, _AHEAD * size, size)

    def _each_sum(self, instruction: str, place: Any) -> None:
        for tile in range(2 * len(self.tokens)):
            where = _bytes(self.builder, moved(self.builder, place, tile * SUMS))
            _unit(self.builder, instruction, _BYTE(tile), where, _LINE)


def _levels(builder: Any, block: Any, pair: int, form: Form) -> Any:
    """A pair of inputs of sixteen outputs: levels, less the half of all, as bfloat16 numbers."""
    in_word = 16 // form.bits
    words = load(builder, moved(builder, block, (2 + pair // in_word) * LANES), WORDS)
    words = builder.lshr(words, integer(pair % in_word * form.bits))
    if form.bits == 4:  # the lowest five bits choose from a table; the fifth does not count
        levels = np.array([level % 16 - form.half for level in range(32)], np.float32)
        table = ir.Constant(_HALVES, (levels.view(np.uint32) >> 16).tolist())
        kind = ir.FunctionType(_HALVES, [_HALVES, _HALVES])
        name = "llvm.x86.avx512.permvar.hi.512"
        permute = builder.module.declare_intrinsic(name, (), kind)
        return builder.call(permute, [table, builder.bitcast(words, _HALVES)])
    even, odd = (
        builder.sub(builder.and_(part, integer(0xFF)), integer(form.half))
        for part in (words, builder.lshr(words, integer(16)))
    )
    even, odd = (builder.bitcast(builder.sitofp(part, FLOATS), WORDS) for part in (even, odd))
    odd = builder.and_(odd, integer(0xFFFF0000))
    return builder.bitcast(builder.or_(builder.lshr(even, integer(16)), odd), _HALVES)


@intrinsic
def end(
    typing_context: Any,
    sums: Any,
    out: Any,
    first: Any,
    second: Any,
    width: Any,
    tokens: Any,
    ending: Any,
) -> Any:
    """Do with sums [2, 2, 16, 16] what ``ending`` says, for ``tokens``.

    ``first`` and ``second`` are where the first token's outputs of two tiles belong in ``out``,
    whose rows are ``width`` apart; of GATES only ``first``.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        start = pointers(context, builder, signature.args, arguments)
        place, targets = start(0), [start(1, 2), start(1, 3)]
        apart, count = (builder.sext(arguments[n], INDEX) for n in (4, 5))

        def row(how: int, token: Any, held: Sequence[Any]) -> list[Any]:
            # Tokens from 16 on lie behind the second tile of those before.
            line = builder.add(token, builder.and_(token, INDEX(ROWS)))
            from_ = moved(builder, place, _scaled(builder, line, LANES))
            to = [moved(builder, target, builder.mul(token, apart)) for target in targets]
            both = [load(builder, moved(builder, from_, m * SUMS)) for m in range(2)]
            if how == GATES:
                store(builder, _gated(builder, *both), to[0])
                return []
            if how == ADDS:  # before anything is stored, as both may be the same tile
                pairs = zip(both, to, strict=True)
                both = [builder.fadd(number, load(builder, target)) for number, target in pairs]
            for number, target in zip(both, to, strict=True):
                store(builder, number, target)
            return []

        for how in choose(builder, arguments[6], (STORES, ADDS, GATES)):
            loop(builder, count, [], partial(row, how))

    return types.void(sums, out, first, second, width, tokens, ending), generate


def _gated(builder: Any, a: Any, b: Any) -> Any:
    """SiLU(a) · b."""
    one, is_negative = constant(1.0), builder.fcmp_ordered("<", a, constant(0.0))
    # Of e to a number below 0: there is no overflow.
    small = exp(builder, builder.select(is_negative, a, builder.fneg(a)))
    share = builder.fdiv(builder.select(is_negative, small, one), builder.fadd(one, small))
    return builder.fmul(builder.fmul(a, share), b)
