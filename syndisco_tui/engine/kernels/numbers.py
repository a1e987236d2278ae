"""What kernels are made of: numbers as they are kept and as they are computed with.

numba keeps compiled code until a kernel's own file changes. After a change in here, touch the
files beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, set_num_threads, types
from numba.extending import intrinsic, overload

config.THREADING_LAYER = "omp"  # others fight with torch's threads for the cores

SINGLE = {"nogil": True, "fastmath": True, "cache": True}
SHARED = {**SINGLE, "parallel": True}

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


@njit(**SINGLE)
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
