"""Whether the slots can hold a model: looked up in its configuration, then shown by trying.

Knows models and slots; nothing of requests.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

from .forward import decode, prefill
from .slots import Slots

_TAKEN = ("input_ids", "attention_mask", "position_ids", "past_key_values", "logits_to_keep")


def slots_for(model: Any, budget: int) -> Slots | None:
    """Empty slots for ``model``, or None if only ``generate`` can run it.

    Sliding windows, state spaces and encoders are seen in the configuration. What cannot be seen
    there (positions taken from the mask, unusual caches) is found by comparing a prefill in two
    pieces and a ragged decode step with a plain forward pass.
    """
    layers = _plain_attention_layers(model)
    if layers == 0:
        return None
    slots = Slots(layers, budget)
    try:
        agrees = _agrees(model, slots)
    except torch.OutOfMemoryError:
        raise
    except Exception:  # whatever a foreign architecture makes of these arguments
        return None
    return slots if agrees else None


def _plain_attention_layers(model: Any) -> int:
    config = model.config
    taken = inspect.signature(model.forward).parameters
    if getattr(config, "is_encoder_decoder", False) or not all(name in taken for name in _TAKEN):
        return 0
    layers = DynamicCache(config=config).layers
    # A cache that is made layer by layer says nothing about its kinds.
    if not layers or any(type(layer) is not DynamicLayer for layer in layers):
        return 0
    return len(layers)


def _agrees(model: Any, slots: Slots) -> bool:
    device = model.get_input_embeddings().weight.device
    vocabulary = model.get_input_embeddings().weight.shape[0]
    ids = (torch.arange(12, device=device)[None] * 7919 + 13) % vocabulary
    with torch.inference_mode():
        expected = model(input_ids=ids, use_cache=False).logits[0].float()
        first, _ = slots.acquire([0], 16, 1)
        second, _ = slots.acquire([0], 16, 1)
        prefill(model, slots, first.index, ids[0, :3], 0)
        prefill(model, slots, second.index, ids[0, :4], 0)
        end = prefill(model, slots, second.index, ids[0, 4:7], 4)
        lengths = torch.tensor([3, 7], device=device)
        ragged = decode(model, slots, [first.index, second.index], ids[0, lengths], lengths, 8)
    slots.release(first)
    slots.release(second)
    slots.forget()
    return all(
        _close(actual.float(), expected[position], model.dtype)
        for actual, position in ((end, 6), (ragged[0], 3), (ragged[1], 7))
    )


def _close(actual: Tensor, expected: Tensor, dtype: torch.dtype) -> bool:
    error = (actual - expected).pow(2).mean().sqrt()
    spread = expected.std()
    return bool(error <= spread * (1e-4 if dtype == torch.float32 else 0.1))
