"""Whether the slots can hold a model: looked up in its configuration, then shown by trying.

Knows models and slots; nothing of requests.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

from .llama_runner import LeanForward
from .model_runner import Forward
from .slots import Slots

_TAKEN = ("input_ids", "attention_mask", "position_ids", "past_key_values", "logits_to_keep")


def forward_for(model: Any, budget: int) -> Forward | None:
    """Forward passes of ``model`` over empty slots, or None if only ``generate`` can run it.

    ``budget``: bytes that keys and values may take. Sliding windows, state spaces and encoders
    are seen in the configuration. What cannot be seen there (positions taken from the mask,
    unusual caches) is found by comparing a prefill in two pieces and a ragged decode step with a
    plain forward pass.
    """
    layers = _plain_attention_layers(model)
    if layers == 0:
        return None
    for kind in _kinds(model):
        try:
            forward = kind(model, Slots(layers, budget))
            if _agrees(forward):
                return forward
        except torch.OutOfMemoryError:
            raise
        except Exception:  # whatever a foreign architecture makes of these arguments
            continue
    return None


def _kinds(model: Any) -> list[type[Forward]]:
    """What may run ``model``, the quickest first."""
    kinds: list[type[Forward]] = [Forward]
    if LeanForward.knows(model):
        kinds.insert(0, LeanForward)
    try:
        from .llama_cpu_runner import CompiledForward
    # numba is not made for every processor and every Python, and may find no place for its files.
    except (ImportError, RuntimeError):
        return kinds
    if CompiledForward.knows(model):
        kinds.insert(0, CompiledForward)
    return kinds


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


@torch.inference_mode()
def _agrees(forward: Forward) -> bool:
    model, slots = forward.model, forward.slots
    vocabulary = model.get_input_embeddings().weight.shape[0]
    ids = (torch.arange(12, device=forward.device) * 7919 + 13) % vocabulary
    expected = model(input_ids=ids[None], use_cache=False).logits[0].float()
    first, second = (slots.acquire([0], 16, 1)[0] for _ in range(2))
    forward.prefill(first.index, ids[:3], 0)
    forward.prefill(second.index, ids[:4], 0)
    end = forward.prefill(second.index, ids[4:7], 4)
    ragged = forward.decode([first.index, second.index], ids[[3, 7]], [3, 7])
    alone = forward.decode([second.index], ids[8:9], [8])
    slots.release(first)
    slots.release(second)
    slots.forget()
    results = ((end, 6), (ragged[0], 3), (ragged[1], 7), (alone[0], 8))
    tolerance = _tolerance(model)
    return all(
        _error(actual.float(), expected[position]) <= tolerance for actual, position in results
    )


def _tolerance(model: Any) -> float:
    """A position or a mask that is wrong by one is an error of 0.6 or more, in any dtype.

    16 bits in another order of products came to 0.11. Of eight-bit weights the error must be that
    of 16 bits in the same order: LLM.int8 rounds by which rows are computed together, so that a
    kept prefix would change the words.
    """
    if getattr(model, "is_loaded_in_8bit", False):
        return 0.1
    if getattr(model, "is_quantized", False):
        return 0.25
    return 1e-4 if model.dtype == torch.float32 else 0.25


def _error(actual: Tensor, expected: Tensor) -> float:
    """The root mean square difference, as a share of the expected values' spread."""
    return float((actual - expected).pow(2).mean().sqrt() / expected.std())
