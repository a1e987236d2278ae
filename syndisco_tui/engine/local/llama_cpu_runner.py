"""Forward passes of the Llama family on a CPU, through kernels compiled for it.

Everything between the products is ours, and all of a step of one row; so are, of weights that fit
into fewer bits, the products of many rows where the processor has a matrix unit. Others stay
torch's. Knows torch's tensors and these kernels; nothing of requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import kernels
from .attention import Part, Piece
from .linear import Projection, is_silu
from .llama_runner import LeanForward, Norm
from .slots import SlotLayer, Slots
from .tiles import TileProjection, packed_weights

_DTYPES = (torch.float32, torch.bfloat16)
_NOTHING = np.empty(0, np.float32)


def array(tensor: Tensor) -> np.ndarray:
    """The same memory as the kernels take it."""
    tensor = tensor.detach()
    kept = tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor
    found: np.ndarray = kept.numpy()
    return found


class CompiledForward(LeanForward):
    """The pass of a Llama in float32 or bfloat16 on a CPU."""

    def __init__(self, model: Any, slots: Slots) -> None:
        kernels.use_threads(torch.get_num_threads())
        super().__init__(model, slots)
        self._one = _OneToken.of(self)

    @staticmethod
    def knows(model: Any) -> bool:
        """Whether ``model`` is of the family, where the kernels run."""
        at = model.get_input_embeddings().weight
        if not LeanForward.knows(model) or at.device.type != "cpu" or model.dtype not in _DTYPES:
            return False
        return bool(model.model.layers[0].self_attn.head_dim % kernels.LANES == 0)

    def step(
        self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int], pieces: Sequence[Piece]
    ) -> Tensor:
        """As ``Forward.step``."""
        if len(rows) == 1 and not pieces and self._one is not None:
            self._make_cache(self.model.dtype)
            return self._one(rows[0], tokens, lengths[0])
        return super().step(rows, tokens, lengths, pieces)

    def _rows(self, rows: Sequence[int], lengths: Sequence[int]) -> Part:
        return _Rows(rows, lengths, self._heads, self._kv_heads)

    def _project(self, modules: Sequence[Any]) -> Projection:
        exact = packed_weights(modules) if self._room > 0 else None
        if exact is None:
            return Projection(modules)
        self._room -= exact.nbytes
        return (TileProjection if kernels.has_tiles() else Projection)(modules, exact)

    def _norm(self, module: Any) -> Norm:
        return _Norm(module.weight, module.variance_epsilon)

    def _turns(self, x: Tensor, parts: Sequence[Part]) -> tuple[Tensor, Tensor]:
        """Cosines and sines, float32 [tokens, head_dim]."""
        positions = torch.cat([part.positions for part in parts])
        cos, sin = self._body.rotary_emb(x.new_empty(0, dtype=torch.float32), positions[None])
        return cos[0], sin[0]

    def _turned(self, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        turned = self._heads + self._kv_heads
        kernels.rotate(array(states), turned, cos.numpy(), sin.numpy())
        return states


@dataclass(frozen=True)
class _Norm(Norm):
    def __call__(self, x: Tensor) -> Tensor:
        out = torch.empty_like(x)
        width = x.shape[-1]
        kernels.rms_norm(
            array(x).reshape(-1, width),
            array(self.weight),
            self.epsilon,
            array(out.view(-1, width)),
        )
        return out


class _Rows:
    """One token for each of the slots ``rows``, which hold ``lengths`` tokens."""

    def __init__(
        self, rows: Sequence[int], lengths: Sequence[int], heads: int, kv_heads: int
    ) -> None:
        self.count = len(rows)
        self.positions = torch.tensor(lengths)
        self._heads, self._group = heads, heads // kv_heads
        self._row_ids, self._lengths = np.array(rows), np.array(lengths)
        self._order = kernels.fair_order(self._lengths, torch.get_num_threads())
        self._scratch: kernels.Scratch | None = None  # used by one layer after the other

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        assert cache.states is not None
        kept, new = array(cache.states), array(states)
        width = kept.shape[-1]
        if self._scratch is None:
            longest = int(self._lengths.max()) + 1
            self._scratch = kernels.scratch_for(
                self.count, longest, kept.shape[2], self._group, width
            )
        kernels.keep(new, self._heads, kept, self._row_ids, self._lengths)
        out = states.new_empty(self.count, self._heads, width)
        kernels.attention(self._group, width)(
            new,
            kept,
            self._row_ids,
            self._lengths + 1,
            self._order,
            scale,
            self._scratch,
            array(out),
        )
        return out.view(self.count, -1)


class _OneToken:
    """A step of one row: no product has a second row to share its weights with."""

    def __init__(self, forward: CompiledForward, layers: list[tuple[Any, ...]], head: Any) -> None:
        self._layers, self._head = layers, head
        self._body = forward._body
        self._norm = forward._last_norm
        self._vocabulary: int = forward.model.lm_head.out_features
        hidden = forward._body.embed_tokens.weight.shape[1]
        heads, kv_heads = forward._heads, forward._kv_heads
        width = forward._body.layers[0].self_attn.head_dim
        self._attention = kernels.attention(heads // kv_heads, width)
        self._normed = np.empty(hidden, np.float32)
        self._states = np.empty((heads + 2 * kv_heads, width), np.float32)
        self._attended = np.empty((1, heads, width), np.float32)
        self._gated = np.empty(2 * forward.model.config.intermediate_size, np.float32)

    @staticmethod
    def of(forward: CompiledForward) -> _OneToken | None:
        """None where a product is not an ordinary one, or the activation not SiLU."""
        layers: list[tuple[Any, ...]] = []
        head = _weights(forward._head)
        for layer in forward._layers:
            products = [layer.qkv, layer.output, layer.gate_up, layer.down]
            weights = [found for product in products if (found := _weights(product))]
            if head is None or len(weights) < len(products) or not is_silu(layer.activation):
                return None
            qkv, output, gate_up, down = weights
            norms = np.empty((0, 0), np.float32)
            if layer.query_norm is not None and layer.key_norm is not None:
                both = [layer.query_norm.weight, layer.key_norm.weight]
                norms = array(torch.stack([weight.detach() for weight in both]))
            before, after = layer.before_attention, layer.before_mlp
            layers.append(
                (
                    layer.cache,
                    layer.scaling,
                    (array(before.weight), before.epsilon, *qkv, norms),
                    (*output, array(after.weight), after.epsilon, *gate_up, *down),
                )
            )
        return _OneToken(forward, layers, head)

    def __call__(self, slot: int, token: Tensor, position: int) -> Tensor:
        x = self._body.embed_tokens(token)[0].float().numpy()
        where = torch.tensor([[position]])
        cos, sin = self._body.rotary_emb(torch.empty(0), where)
        cos, sin = cos[0, 0].numpy(), sin[0, 0].numpy()
        rows, counts, order = np.array([slot]), np.array([position + 1]), np.array([0])
        states, normed = self._states, self._normed
        _, heads, width = self._attended.shape
        kv_heads = (len(states) - heads) // 2
        scratch = kernels.scratch_for(1, position + 1, kv_heads, heads // kv_heads, width)
        for cache, scale, before, after in self._layers:
            kept = array(cache.states)
            kernels.before_attention(x, *before, cos, sin, kept, slot, position, normed, states)
            self._attention(states[None], kept, rows, counts, order, scale, scratch, self._attended)
            kernels.after_attention(x, self._attended.reshape(-1), *after, normed, self._gated)
        weight, bias = self._head
        logits = torch.empty(1, self._vocabulary)
        norm = self._norm
        kernels.rms_norm(x[None], array(norm.weight), norm.epsilon, normed[None])
        kernels.product(weight, bias, normed, logits[0].numpy())
        return logits


def _weights(product: Projection) -> tuple[np.ndarray, np.ndarray] | None:
    """Weight and bias (empty, if there is none) of an ordinary product."""
    weight: np.ndarray | None = product.exact
    if weight is None and product.weight is not None:
        weight = array(product.weight)
    if weight is None:
        return None
    return weight, _NOTHING if product.bias is None else array(product.bias)
