"""Kernels for the processor, compiled by numba when they are first needed and kept on disk.

What torch's operations do slowly on a CPU: the attention of single tokens, a layer for one token,
the small steps between products, and products whose weights need fewer bits than they are given.
They know arrays only, in float32 or, as their 16 bits in uint16, bfloat16; sums are float32.
"""

from .attention import Scratch, attention, fair_order, scratch_for
from .lanes import LANES
from .layer import after_attention, before_attention, keep, linear, product, rms_norm, rotate
from .numbers import exp, processor_has, use_threads
from .packing import pack
from .tiles import has_tiles, tile_products
from .tiles_loops import ADDS, GATES, STORES

__all__ = [
    "ADDS",
    "GATES",
    "LANES",
    "STORES",
    "Scratch",
    "after_attention",
    "attention",
    "before_attention",
    "exp",
    "fair_order",
    "has_tiles",
    "keep",
    "linear",
    "pack",
    "processor_has",
    "product",
    "rms_norm",
    "rotate",
    "scratch_for",
    "tile_products",
    "use_threads",
]
