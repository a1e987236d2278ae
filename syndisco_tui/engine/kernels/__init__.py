"""Kernels for the processor, compiled by numba when they are first needed and kept on disk.

What torch's operations do slowly on a CPU: the attention of single tokens, a layer for one token,
and the small steps between products. They know arrays only, in float32 or, as their 16 bits in
uint16, bfloat16; sums are float32.
"""

from .attention import Scratch, attention, fair_order, scratch_for
from .lanes import LANES
from .layer import after_attention, before_attention, keep, linear, rms_norm, rotate
from .numbers import exp, use_threads

__all__ = [
    "LANES",
    "Scratch",
    "after_attention",
    "attention",
    "before_attention",
    "exp",
    "fair_order",
    "keep",
    "linear",
    "rms_norm",
    "rotate",
    "scratch_for",
    "use_threads",
]
