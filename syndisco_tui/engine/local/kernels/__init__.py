"""Kernels for decode steps of a single sequence on a CPU, compiled by numba and cached on disk.

There is one wherever it is at least 1.5 times as fast as torch's operations on the starter model.
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
