"""Forward passes of the Llama family with nothing but the arithmetic.

At one row a step of a small model spends a third of its time in Python and in operations on a
few numbers; at many, rows and pieces of prompts share one product. Knows these models' parts;
``probe`` shows that the result is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .attention import Padding, Part, Piece, PieceAttention, RowsAttention, StaticRowsAttention
from .linear import FEW_ROWS, Projection
from .memory import free_memory
from .model_runner import Forward
from .slots import SlotLayer, Slots

FAMILY = {"llama", "mistral", "qwen2", "qwen3"}
COPIES_SHARE = 0.25  # of free memory that copies of the weights may take


@dataclass(frozen=True)
class Norm:
    """A root mean square norm as one operation (the models' own code takes seven)."""

    weight: Tensor
    epsilon: float

    def __call__(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


@dataclass(frozen=True)
class Layer:
    """The parts of a layer, in the order of the arithmetic."""

    before_attention: Norm
    qkv: Projection
    query_norm: Norm | None
    key_norm: Norm | None
    output: Projection
    before_mlp: Norm
    gate_up: Projection
    activation: Any
    down: Projection
    scaling: float
    cache: SlotLayer


class LeanForward(Forward):
    """The pass of a Llama, of rows and pieces together."""

    joins_pieces = True

    def __init__(self, model: Any, slots: Slots) -> None:
        super().__init__(model, slots)
        config, self._body = model.config, model.model
        self._room = COPIES_SHARE * free_memory("cpu")
        self._heads: int = config.num_attention_heads
        self._kv_heads: int = config.num_key_value_heads
        self._layers = [
            self._layer(layer, cache)
            for layer, cache in zip(self._body.layers, slots.layers, strict=True)
        ]
        self._last_norm = self._norm(self._body.norm)
        self._head = self._project([model.lm_head])
        self._is_reordered = self.device.type == "cpu" and self._reorder()

    @staticmethod
    def knows(model: Any) -> bool:
        """Whether ``model`` is of the family."""
        return model.config.model_type in FAMILY and type(model).__name__.endswith("ForCausalLM")

    def step(
        self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int], pieces: Sequence[Piece]
    ) -> Tensor:
        """As ``Forward.step``, all in one pass."""
        dtype = self.model.dtype
        self._make_cache(dtype)
        parts: list[Part] = []
        if rows:
            parts.append(self._rows(rows, lengths))
        parts += [PieceAttention(piece, dtype) for piece in pieces]
        ids = torch.cat([tokens, *(piece.ids for piece in pieces)]) if pieces else tokens
        missing = _padded(len(ids)) - len(ids) if self._is_reordered else 0
        if missing:
            ids = functional.pad(ids, (0, missing))
            parts.append(Padding(missing, ids))
        if not pieces and not missing:
            return self._pass(ids, parts, None)
        wanted, at = list(range(len(rows))), len(rows)
        for piece in pieces:
            at += len(piece.ids)
            if piece.ends:
                wanted.append(at - 1)
        count = len(wanted)
        if self._is_reordered:
            # Beyond few rows, so that a prompt ends the same alone and among others.
            wanted += [0] * (_padded(max(count, FEW_ROWS + 1)) - count)
        places = torch.tensor(wanted, dtype=torch.int64, device=self.device)
        return self._pass(ids, parts, places)[:count]

    def _rows(self, rows: Sequence[int], lengths: Sequence[int]) -> Part:
        longest = self.slots.length
        return RowsAttention(rows, lengths, longest, self.model.dtype, self.device)

    def static_step(
        self, rows: Tensor | slice, row_ids: Tensor, tokens: Tensor, positions: Tensor, top: int
    ) -> Tensor:
        """As ``Forward.static_step``."""
        dtype = self.model.dtype
        self._make_cache(dtype)
        part = StaticRowsAttention(rows, row_ids, positions, top, dtype)
        return self._pass(tokens, [part], None)

    def _pass(self, ids: Tensor, parts: Sequence[Part], wanted: Tensor | None) -> Tensor:
        """Logits of the tokens ``wanted`` (None: all), [wanted, vocabulary]."""
        x = self._body.embed_tokens(ids)
        cos, sin = self._turns(x, parts)
        counts = [part.count for part in parts]
        last = self._layers[-1]
        for layer in self._layers:
            states = self._states(layer, layer.before_attention(x), cos, sin)
            if len(parts) == 1:
                attended = parts[0].attend(layer.cache, states, layer.scaling)
            else:
                pairs = zip(parts, torch.split(states, counts), strict=True)
                attended = torch.cat([p.attend(layer.cache, s, layer.scaling) for p, s in pairs])
            if layer is last and wanted is not None:  # of the others only keys and values matter
                attended, x = attended[wanted], x[wanted]
            x = layer.output.added_to(x, attended)
            x = layer.down.added_to(x, layer.gate_up.gated(layer.before_mlp(x), layer.activation))
        return self._head(self._last_norm(x))

    def _turns(self, x: Tensor, parts: Sequence[Part]) -> tuple[Tensor, Tensor]:
        """Cosines and signed sines for queries, keys and values, which are not turned.

        [tokens, heads + 2 · kv_heads, head_dim]. (a, b) turned is (a cos − b sin, b cos + a sin):
        with the sign in the sines, a roll does it.
        """
        at = [part.positions for part in parts]
        positions = at[0] if len(at) == 1 else torch.cat(at)
        cos, sin = self._body.rotary_emb(x, positions[None])
        cos, sin = cos[0, :, None], sin[0, :, None]
        half = cos.shape[-1] // 2
        sin = torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)
        turned, kept = self._heads + self._kv_heads, (-1, self._kv_heads, -1)
        ones, zeros = torch.ones_like(cos).expand(kept), torch.zeros_like(sin).expand(kept)
        return (
            torch.cat([cos.expand(-1, turned, -1), ones], dim=1),
            torch.cat([sin.expand(-1, turned, -1), zeros], dim=1),
        )

    def _states(self, layer: Layer, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        turned = self._heads + self._kv_heads
        states = layer.qkv(x).view(len(x), turned + self._kv_heads, -1)
        if layer.query_norm is not None and layer.key_norm is not None:
            states = torch.cat(
                [
                    layer.query_norm(states[:, : self._heads]),
                    layer.key_norm(states[:, self._heads : turned]),
                    states[:, turned:],
                ],
                dim=1,
            )
        return self._turned(states, cos, sin)

    def _turned(self, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        return torch.addcmul(states * cos, states.roll(cos.shape[-1] // 2, dims=-1), sin)

    def _make_cache(self, dtype: torch.dtype) -> None:
        if self.slots.layers[0].is_initialized:
            return
        size = (1, self._kv_heads, 1, self._body.layers[0].self_attn.head_dim)
        like = torch.empty(size, dtype=dtype, device=self.device)
        for cache in self.slots.layers:
            cache.lazy_initialization(like, like)

    def _layer(self, layer: Any, cache: SlotLayer) -> Layer:
        attention, mlp = layer.self_attn, layer.mlp
        return Layer(
            before_attention=self._norm(layer.input_layernorm),
            qkv=self._project([attention.q_proj, attention.k_proj, attention.v_proj]),
            query_norm=self._norm(attention.q_norm) if hasattr(attention, "q_norm") else None,
            key_norm=self._norm(attention.k_norm) if hasattr(attention, "k_norm") else None,
            output=self._project([attention.o_proj]),
            before_mlp=self._norm(layer.post_attention_layernorm),
            gate_up=self._project([mlp.gate_proj, mlp.up_proj]),
            activation=mlp.act_fn,
            down=self._project([mlp.down_proj]),
            scaling=attention.scaling,
            cache=cache,
        )

    def _project(self, modules: Sequence[Any]) -> Projection:
        return Projection(modules)

    def _norm(self, module: Any) -> Norm:
        return Norm(module.weight, module.variance_epsilon)

    def _reorder(self) -> bool:
        projections = [self._head]
        for layer in self._layers:
            projections += [layer.qkv, layer.output, layer.gate_up, layer.down]
        if not any(p.nbytes for p in projections):
            return False
        if sum(p.nbytes for p in projections) > self._room:
            return False
        try:
            for layer in self._layers:
                layer.gate_up.reorder(apart=True)
            for projection in projections:
                projection.reorder()
        except (RuntimeError, AttributeError):  # a torch without oneDNN: the ordinary products
            return False
        return True


def _padded(tokens: int) -> int:
    """Up to which number products are padded: oneDNN compiles code for each size it meets.

    Unpadded, a thousand sizes came to half a gigabyte. What a row gives is the same.
    """
    if tokens <= 4:
        return tokens
    step = 8 if tokens <= 64 else 32 if tokens <= 256 else 64
    return -(-tokens // step) * step
