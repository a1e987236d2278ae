"""Whether a model's weights fit into memory. Does not need torch."""

from __future__ import annotations

from importlib.util import find_spec

from .checkpoint import Checkpoint

KV_CACHE_SHARE = 0.2  # memory to leave for the KV cache, as a share of the weights
LOADING_FACTOR = 1.05  # memory that loading takes, as a multiple of the weights


def quantization_that_fits(
    checkpoint: Checkpoint, element_bytes: int, quantization: str, free: int
) -> str:
    """``quantization``, or ``4bit`` if the weights would leave no memory for the KV cache.

    Args:
        checkpoint: The model's files.
        element_bytes: Size of the weights' dtype, in bytes.
        quantization: The setup's choice.
        free: Free memory, in bytes.
    """
    needed = checkpoint.memory_bytes(element_bytes, quantization)
    can_quantize = quantization == "none" and has_bitsandbytes()
    return "4bit" if can_quantize and needed * (1 + KV_CACHE_SHARE) > free else quantization


def fits(checkpoint: Checkpoint, element_bytes: int, quantization: str, free: int) -> bool:
    """Whether loading the weights takes at most ``free`` bytes of memory."""
    return checkpoint.memory_bytes(element_bytes, quantization) * LOADING_FACTOR <= free


def has_bitsandbytes() -> bool:
    """Whether weights can be quantized when they are loaded."""
    return find_spec("bitsandbytes") is not None
