"""What kernels are made of: numbers as they are kept and as they are computed with."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import config, njit, set_num_threads, types
from numba.core.registry import cpu_target
from numba.extending import overload
from platformdirs import user_cache_path


def _cache_folder() -> Path:
    """Where compiled kernels are kept: by the contents of all files here.

    numba itself looks at a kernel's own file only, and would go on with what it made of others.
    """
    here = Path(__file__).parent
    sources = b"".join(path.read_bytes() for path in sorted(here.glob("*.py")))
    base = here / "__pycache__" if os.access(here, os.W_OK) else user_cache_path("numba")
    return Path(config.CACHE_DIR or base) / hashlib.sha256(sources).hexdigest()[:16]


config.CACHE_DIR = str(_cache_folder())
config.THREADING_LAYER = "omp"  # others fight with torch's threads for the cores

SINGLE = {"nogil": True, "fastmath": True, "cache": True}
SHARED = {**SINGLE, "parallel": True}
# Said, not left out: a kernel takes over what it is not told from the one that calls it.
EXACT = {**SINGLE, "fastmath": False}

F = np.float32
# e to the x as Cephes' expf calculates it (Moshier 1989): 2 to a whole number, and a polynomial.
LOG2_E, LN_2 = 1.44269504, (0.693359375, -2.12194440e-4)
EXP = (
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)
_LOG2_E, (_LN_2_HIGH, _LN_2_LOW) = F(LOG2_E), (F(part) for part in LN_2)
_EXP_0, _EXP_1, _EXP_2, _EXP_3, _EXP_4, _EXP_5 = (F(factor) for factor in EXP)


def processor_has(*features: str) -> bool:
    """Whether kernels are compiled for a processor with all of these, in LLVM's names."""
    compiled_for = cpu_target.target_context.codegen().magic_tuple()[2].split(",")
    return all(f"+{feature}" in compiled_for for feature in features)


def use_threads(count: int) -> None:
    """How many threads kernels use that are called from this thread."""
    set_num_threads(max(1, min(count, config.NUMBA_NUM_THREADS)))


def wide(number: Any) -> Any:
    """A number as it is kept → float32."""
    if isinstance(number, np.uint16):
        return np.uint32(int(number) << 16).view(np.float32)
    return np.float32(number)


@overload(wide, inline="always")
def _wide(number: Any) -> Callable[..., Any]:
    def widened(number: Any) -> Any:
        return np.uint32(np.uint32(number) << np.uint32(16)).view(np.float32)

    def same(number: Any) -> Any:
        return number

    return widened if number == types.uint16 else same


def narrow(number: Any, like: Any) -> Any:
    """A float32 → as ``like`` is kept, rounded to the nearest, halves to even."""
    if isinstance(like, np.uint16):
        bits = int(np.float32(number).view(np.uint32))
        return np.uint16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 & 0xFFFF)
    return np.float32(number)


@overload(narrow, inline="always")
def _narrow(number: Any, like: Any) -> Callable[..., Any]:
    def rounded(number: Any, like: Any) -> Any:
        bits = np.float32(number).view(np.uint32)
        odd = np.uint32((bits >> np.uint32(16)) & np.uint32(1))
        return np.uint16(np.uint32(bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))

    def same(number: Any, like: Any) -> Any:
        return np.float32(number)

    return rounded if like == types.uint16 else same


@njit(**SINGLE)
def exp(x: Any) -> Any:
    """e to the x, in a way that compilers turn into vectors."""
    x = min(max(x, F(-87)), F(88))
    whole = np.float32(math.floor(x * _LOG2_E + F(0.5)))
    rest = x - whole * _LN_2_HIGH - whole * _LN_2_LOW
    sum_ = _EXP_0
    sum_ = sum_ * rest + _EXP_1
    sum_ = sum_ * rest + _EXP_2
    sum_ = sum_ * rest + _EXP_3
    sum_ = sum_ * rest + _EXP_4
    sum_ = sum_ * rest + _EXP_5
    sum_ = sum_ * rest * rest + rest + F(1)
    power = np.uint32(np.uint32(np.int32(whole) + np.int32(127)) << np.uint32(23))
    return sum_ * power.view(np.float32)
