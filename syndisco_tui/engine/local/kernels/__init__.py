"""Kernels for steps of a single sequence on a CPU, compiled by numba and kept on disk.

They know arrays only, in float32, and stand where they are at least 1.5 times as fast as torch's
own operations on the starter; all else is torch's.
"""

from .layer import after_attention, attend, before_attention
from .numbers import use_threads
from .weights import TILE, Packed, pack, product

__all__ = [
    "TILE",
    "Packed",
    "after_attention",
    "attend",
    "before_attention",
    "pack",
    "product",
    "use_threads",
]
