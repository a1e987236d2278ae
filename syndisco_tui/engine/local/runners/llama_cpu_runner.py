"""Forward passes of a Llama on a CPU, with compiled kernels for steps of a single sequence.

For float32 weights that can be packed into 4 or 8 bits without loss, as those that were
dequantized from GGUF can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import kernels
from ..cache.kv_cache import KVCache
from ..transformers_api import UnsupportedModel
from ..transformers_api.llama import LlamaLayerParts, LlamaParts, is_silu, llama_parts
from .attention import PrefillChunk
from .linear import joined_biases
from .llama_runner import LlamaRunner, rms_norm

_NO_BIAS = np.empty(0, np.float32)

Product = tuple[kernels.Packed, np.ndarray]
"""Packed weights and a bias, which may be empty."""


class LlamaCpuRunner(LlamaRunner):
    """Forward passes of a Llama; a step of one sequence reads packed weights.

    Raises:
        UnsupportedModel: Some of the weights cannot be packed.
    """

    def _prepare(self) -> None:
        kernels.use_threads(torch.get_num_threads())
        super()._prepare()
        self._single_step = _SingleStep(self._parts, self.kv_cache)

    @staticmethod
    def supports(model: Any) -> bool:
        """Whether ``model`` is a float32 Llama on a CPU of which some weights can be packed."""
        if not LlamaRunner.supports(model) or model.dtype != torch.float32:
            return False
        parts = llama_parts(model)
        down, head = parts.layers[0].down, parts.head
        if head.weight.device.type != "cpu" or type(down) is not nn.Linear:
            return False
        sample = kernels.pack([_array(down.weight[: kernels.TILE])])
        return sample is not None and is_silu(parts.layers[0].activation)

    def step(
        self,
        slots: Sequence[int],
        tokens: Tensor,
        lengths: Sequence[int],
        chunks: Sequence[PrefillChunk],
    ) -> Tensor:
        """One token for each of ``slots``, and ``chunks`` read: ``ModelRunner.step``."""
        if len(slots) == 1 and not chunks:
            self._make_cache(torch.float32)
            return self._single_step(slots[0], tokens, lengths[0])
        return super().step(slots, tokens, lengths, chunks)


@dataclass(frozen=True)
class _PackedLayer:
    """Constant arguments of ``kernels.before_attention`` and ``kernels.after_attention``."""

    before_attention: tuple[Any, ...]
    after_attention: tuple[Any, ...]
    scaling: float


class _SingleStep:
    """A decode step of one sequence, bound by how many bytes of weights are read."""

    def __init__(self, parts: LlamaParts, kv_cache: KVCache) -> None:
        self._parts, self._kv_cache = parts, kv_cache
        self._layers = [_packed_layer(layer) for layer in parts.layers]
        self._head = _product([parts.head])
        hidden, width = parts.head.in_features, parts.head_dim
        self._normed = np.empty(hidden, np.float32)
        self._states = np.empty((parts.heads + 2 * parts.kv_heads, width), np.float32)
        self._attended = np.empty((parts.heads, width), np.float32)
        self._gated = np.empty(2 * parts.intermediate_size, np.float32)

    def __call__(self, slot: int, token: Tensor, position: int) -> Tensor:
        parts, normed, states, attended = self._parts, self._normed, self._states, self._attended
        x = parts.embedding(token)[0].numpy().copy()
        rope = parts.rotary(torch.empty(0), torch.tensor([[position]]))
        cos, sin = (_array(part[0, 0]) for part in rope)
        scores = np.empty((parts.heads, position + 1), np.float32)
        for layer, cache in zip(self._layers, self._kv_cache.layers, strict=True):
            assert cache.states is not None
            kv = cache.states.numpy()
            kernels.before_attention(
                x, *layer.before_attention, cos, sin, kv, slot, position, normed, states
            )
            kernels.attend(states, kv, slot, position + 1, layer.scaling, scores, attended)
            kernels.after_attention(
                x, attended.reshape(-1), *layer.after_attention, normed, self._gated
            )
        last = rms_norm(torch.from_numpy(x), parts.last_norm).numpy()
        logits = torch.empty(1, parts.head.out_features)
        kernels.product(*self._head, last, logits[0].numpy())
        return logits


def _packed_layer(layer: LlamaLayerParts) -> _PackedLayer:
    head_norms = np.empty((0, 0), np.float32)
    if layer.query_norm and layer.key_norm:
        head_norms = _array(torch.stack([layer.query_norm[0], layer.key_norm[0]]))
    (before, before_epsilon), (after, after_epsilon) = layer.before_attention, layer.before_mlp
    return _PackedLayer(
        (_array(before), before_epsilon, *_product(layer.qkv), head_norms),
        (
            *_product([layer.output]),
            _array(after),
            after_epsilon,
            *_product(layer.gate_up),
            *_product([layer.down]),
        ),
        layer.scaling,
    )


def _product(modules: Sequence[nn.Module]) -> Product:
    layers = [module for module in modules if type(module) is nn.Linear]
    packed = None
    if len(layers) == len(modules):
        packed = kernels.pack([_array(layer.weight) for layer in layers])
    if packed is None:
        raise UnsupportedModel("some of its weights cannot be held in 8 bits without a loss")
    bias = joined_biases(layers)
    return packed, _NO_BIAS if bias is None else _array(bias)


def _array(tensor: Tensor) -> np.ndarray:
    """A view of the tensor's memory."""
    array: np.ndarray = tensor.detach().numpy()
    return array
