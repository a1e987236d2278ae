"""Options of numba's compiler, and an exponential function that vectorises."""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numba import config, njit, set_num_threads
from platformdirs import user_cache_path


def _cache_folder() -> Path:
    """Where numba caches compiled kernels: a folder named after the source of all kernels.

    numba invalidates a kernel only if its own file changes, not one that it imports.
    """
    folder = Path(__file__).parent
    sources = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    base = folder / "__pycache__" if os.access(folder, os.W_OK) else user_cache_path("numba")
    return Path(config.CACHE_DIR or base) / hashlib.sha256(sources).hexdigest()[:16]


config.CACHE_DIR = str(_cache_folder())
config.THREADING_LAYER = "omp"  # threads of another layer would compete with torch's for the cores

SERIAL = {"nogil": True, "fastmath": True, "cache": True}
PARALLEL = {**SERIAL, "parallel": True}
# Explicitly off: otherwise a kernel inherits the option from its caller.
EXACT = {**SERIAL, "fastmath": False}

F = np.float32
_LOG2_E, _LN_2_HIGH, _LN_2_LOW = F(1.44269504), F(0.693359375), F(-2.12194440e-4)
_P0, _P1, _P2 = F(1.9875691500e-4), F(1.3981999507e-3), F(8.3334519073e-3)
_P3, _P4, _P5 = F(4.1665795894e-2), F(1.6666665459e-1), F(5.0000001201e-1)


def use_threads(count: int) -> None:
    """Set how many threads kernels use that this thread calls."""
    set_num_threads(max(1, min(count, config.NUMBA_NUM_THREADS)))


@njit(**SERIAL)
def exp(x: Any) -> Any:
    """e to the x, without a branch, so that it vectorises (the polynomial of Cephes' expf)."""
    x = min(max(x, F(-87)), F(88))
    whole = np.float32(math.floor(x * _LOG2_E + F(0.5)))
    rest = x - whole * _LN_2_HIGH - whole * _LN_2_LOW
    total = _P0
    total = total * rest + _P1
    total = total * rest + _P2
    total = total * rest + _P3
    total = total * rest + _P4
    total = total * rest + _P5
    total = total * rest * rest + rest + F(1)
    power = np.uint32(np.uint32(np.int32(whole) + np.int32(127)) << np.uint32(23))
    return total * power.view(np.float32)
