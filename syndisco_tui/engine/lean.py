"""Decode steps of the Llama family with nothing but the arithmetic.

At one row a step of a small model spends a third of its time in Python and in operations on a
few numbers. Knows these models' parts; ``probe`` shows that the result is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .forward import Forward, neighbours
from .linear import FEW_ROWS, Projection
from .memory import free_memory
from .slots import SlotLayer, Slots

FAMILY = {"llama", "mistral", "qwen2", "qwen3"}
PACKED_SHARE = 0.25  # of free memory that packed copies of the weights may take

_Norm = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class _Layer:
    before_attention: _Norm
    qkv: Projection
    query_norm: _Norm | None
    key_norm: _Norm | None
    output: Projection
    before_mlp: _Norm
    gate_up: Projection
    activation: Any
    down: Projection
    scaling: float
    cache: SlotLayer


class LeanForward(Forward):
    """Prefills through the model's own code, decodes through this."""

    def __init__(self, model: Any, slots: Slots) -> None:
        super().__init__(model, slots)
        config, self._body = model.config, model.model
        self._heads: int = config.num_attention_heads
        self._kv_heads: int = config.num_key_value_heads
        self._layers = [
            _layer(layer, cache)
            for layer, cache in zip(self._body.layers, slots.layers, strict=True)
        ]
        self._norm = _norm(self._body.norm)
        self._head = Projection([model.lm_head])
        self._packable = self.device.type == "cpu"

    @staticmethod
    def knows(model: Any) -> bool:
        """Whether ``model`` is of the family."""
        return model.config.model_type in FAMILY and type(model).__name__.endswith("ForCausalLM")

    def decode(self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """As ``Forward.decode``."""
        if self._packable and (len(rows) > FEW_ROWS or self.model.dtype == torch.bfloat16):
            self._pack()
        positions = torch.tensor(lengths, device=self.device)
        x = self._body.embed_tokens(tokens)
        cos, sin = self._body.rotary_emb(x, positions[:, None])
        half = cos.shape[-1] // 2
        # (a, b) turned is (a cos − b sin, b cos + a sin): with the sign in ``sin``, a roll does.
        sin = torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)
        read = _Read(rows, lengths, positions, self.top(lengths), x.dtype)
        for layer in self._layers:
            x = x + self._attend(layer, layer.before_attention(x), cos, sin, read)
            gate, up = layer.gate_up(layer.before_mlp(x)).chunk(2, dim=-1)
            x = x + layer.down(layer.activation(gate) * up)
        return self._head(self._norm(x))

    def _attend(self, layer: _Layer, x: Tensor, cos: Tensor, sin: Tensor, read: _Read) -> Tensor:
        count, turned = x.shape[0], self._heads + self._kv_heads
        states = layer.qkv(x).view(count, turned + self._kv_heads, -1)
        if layer.query_norm is not None and layer.key_norm is not None:
            states = torch.cat(
                [
                    layer.query_norm(states[:, : self._heads]),
                    layer.key_norm(states[:, self._heads : turned]),
                    states[:, turned:],
                ],
                dim=1,
            )
        turn = states[:, :turned]
        turn = torch.addcmul(turn * cos, turn.roll(cos.shape[-1] // 2, dims=-1), sin)
        query = turn[:, : self._heads].reshape(count, self._kv_heads, -1, cos.shape[-1])
        keys, values = read.update(layer.cache, turn[:, self._heads :], states[:, turned:])
        attended = functional.scaled_dot_product_attention(
            query, keys, values, attn_mask=read.mask, scale=layer.scaling
        )
        return layer.output(attended.reshape(count, -1))

    def _pack(self) -> None:
        self._packable = False
        projections = [self._head]
        for layer in self._layers:
            projections += [layer.qkv, layer.output, layer.gate_up, layer.down]
        if sum(p.nbytes for p in projections) > PACKED_SHARE * free_memory("cpu"):
            return
        try:
            for projection in projections:
                projection.pack()
        except (RuntimeError, AttributeError):  # a torch without oneDNN: the ordinary products
            return


class _Read:
    """Where the step writes and what its attention reads, the same in every layer."""

    def __init__(
        self,
        rows: Sequence[int],
        lengths: Sequence[int],
        positions: Tensor,
        top: int,
        dtype: torch.dtype,
    ) -> None:
        self.mask: Tensor | None = None
        self._rows: slice | Tensor
        if len(rows) == 1:
            # Plain integers: no index tensors, no mask, and not one position too many is read.
            self._write: Any = (rows[0], slice(None), lengths[0])
            self._rows, self._top = slice(rows[0], rows[0] + 1), lengths[0] + 1
            return
        row_ids = torch.tensor(rows, device=positions.device)
        self._write = (row_ids, slice(None), positions)
        self._rows, self._top = neighbours(rows) or row_ids, top
        hidden = torch.arange(top, device=positions.device) > positions[:, None]
        mask = torch.zeros(len(rows), top, dtype=dtype, device=positions.device)
        self.mask = mask.masked_fill_(hidden, -torch.inf)[:, None, None]

    def update(self, cache: SlotLayer, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write [rows, kv_heads, head_dim]; give back [rows, kv_heads, positions, head_dim]."""
        cache.keys[self._write] = keys
        cache.values[self._write] = values
        return cache.keys[self._rows, :, : self._top], cache.values[self._rows, :, : self._top]


def _layer(layer: Any, cache: SlotLayer) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    return _Layer(
        before_attention=_norm(layer.input_layernorm),
        qkv=Projection([attention.q_proj, attention.k_proj, attention.v_proj]),
        query_norm=_norm(attention.q_norm) if hasattr(attention, "q_norm") else None,
        key_norm=_norm(attention.k_norm) if hasattr(attention, "k_norm") else None,
        output=Projection([attention.o_proj]),
        before_mlp=_norm(layer.post_attention_layernorm),
        gate_up=Projection([mlp.gate_proj, mlp.up_proj]),
        activation=mlp.act_fn,
        down=Projection([mlp.down_proj]),
        scaling=attention.scaling,
        cache=cache,
    )


def _norm(module: Any) -> _Norm:
    """The RMS norm of ``module`` as one operation (its own code takes seven)."""
    weight, epsilon = module.weight, module.variance_epsilon
    return lambda x: functional.rms_norm(x, weight.shape, weight, epsilon)
