"""Forward passes of the Llama family with nothing but the arithmetic.

At one row a step of a small model spends a third of its time in Python and in operations on a
few numbers; at many, rows and chunks of prompts share one product. Knows these models' parts;
``probe`` shows that the result is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..cache.kv_cache import SlotLayer
from ..memory import free_memory
from ..transformers_api.llama import LlamaLayerParts, is_llama, llama_parts
from .attention import (
    Batch,
    DecodeBatch,
    PaddingBatch,
    PrefillBatch,
    PrefillChunk,
    StaticDecodeBatch,
)
from .linear import FEW_ROWS, Projection
from .model_runner import ModelRunner

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


class LlamaRunner(ModelRunner):
    """The pass of a Llama, of rows and chunks together."""

    joins_chunks = True

    def _prepare(self) -> None:
        self._parts = llama_parts(self.model)
        self._copies_budget = COPIES_SHARE * free_memory("cpu")
        self._heads, self._kv_heads = self._parts.heads, self._parts.kv_heads
        self._layers = [
            self._layer(layer, cache)
            for layer, cache in zip(self._parts.layers, self.kv_cache.layers, strict=True)
        ]
        self._last_norm = self._norm(self._parts.last_norm)
        self._head = self._project([self._parts.head])
        self._is_reordered = self.device.type == "cpu" and self._reorder()

    @staticmethod
    def supports(model: Any) -> bool:
        """Whether ``model`` is of the family."""
        return is_llama(model)

    def step(
        self,
        rows: Sequence[int],
        tokens: Tensor,
        lengths: Sequence[int],
        chunks: Sequence[PrefillChunk],
    ) -> Tensor:
        """One token for each row and chunks of prompts, all in one pass; see ``ModelRunner``."""
        dtype = self.model.dtype
        self._make_cache(dtype)
        batches: list[Batch] = []
        if rows:
            batches.append(self._decode_batch(rows, lengths))
        batches += [PrefillBatch(chunk, dtype) for chunk in chunks]
        ids = torch.cat([tokens, *(chunk.ids for chunk in chunks)]) if chunks else tokens
        missing = _padded_count(len(ids)) - len(ids) if self._is_reordered else 0
        if missing:
            ids = functional.pad(ids, (0, missing))
            batches.append(PaddingBatch(missing, ids))
        if not chunks and not missing:
            return self._pass(ids, batches, None)
        places, end = list(range(len(rows))), len(rows)
        for chunk in chunks:
            end += len(chunk.ids)
            if chunk.ends:
                places.append(end - 1)
        count = len(places)
        if self._is_reordered:
            # Beyond few rows, so that a prompt ends the same alone and among others.
            places += [0] * (_padded_count(max(count, FEW_ROWS + 1)) - count)
        logit_places = torch.tensor(places, dtype=torch.int64, device=self.device)
        return self._pass(ids, batches, logit_places)[:count]

    def _decode_batch(self, rows: Sequence[int], lengths: Sequence[int]) -> Batch:
        longest = self.kv_cache.length
        return DecodeBatch(rows, lengths, longest, self.model.dtype, self.device)

    def static_step(
        self,
        rows: Tensor | slice,
        row_ids: Tensor,
        tokens: Tensor,
        positions: Tensor,
        read_length: int,
    ) -> Tensor:
        """One token for each row, with all that changes in tensors; see ``ModelRunner``."""
        dtype = self.model.dtype
        self._make_cache(dtype)
        batch = StaticDecodeBatch(rows, row_ids, positions, read_length, dtype)
        return self._pass(tokens, [batch], None)

    def _pass(self, ids: Tensor, batches: Sequence[Batch], logit_places: Tensor | None) -> Tensor:
        """Logits of the tokens at ``logit_places`` (None: all), [places, vocabulary]."""
        x = self._parts.embedding(ids)
        cos, sin = self._rope_cos_sin(x, batches)
        counts = [batch.count for batch in batches]
        last = self._layers[-1]
        for layer in self._layers:
            states = self._states(layer, layer.before_attention(x), cos, sin)
            if len(batches) == 1:
                attended = batches[0].attend(layer.cache, states, layer.scaling)
            else:
                pairs = zip(batches, torch.split(states, counts), strict=True)
                attended = torch.cat([b.attend(layer.cache, s, layer.scaling) for b, s in pairs])
            # Of the other tokens only keys and values matter.
            if layer is last and logit_places is not None:
                attended, x = attended[logit_places], x[logit_places]
            x = layer.output.added_to(x, attended)
            x = layer.down.added_to(x, layer.gate_up.gated(layer.before_mlp(x), layer.activation))
        return self._head(self._last_norm(x))

    def _rope_cos_sin(self, x: Tensor, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
        """Cosines and signed sines for queries, keys and values, which are not rotated.

        [tokens, heads + 2 · kv_heads, head_dim]. (a, b) rotated is (a cos − b sin, b cos + a sin):
        with the sign in the sines, a roll does it.
        """
        each = [batch.positions for batch in batches]
        positions = each[0] if len(each) == 1 else torch.cat(each)
        cos, sin = self._parts.rotary(x, positions[None])
        cos, sin = cos[0, :, None], sin[0, :, None]
        half = cos.shape[-1] // 2
        sin = torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)
        rotated, plain = self._heads + self._kv_heads, (-1, self._kv_heads, -1)
        ones, zeros = torch.ones_like(cos).expand(plain), torch.zeros_like(sin).expand(plain)
        return (
            torch.cat([cos.expand(-1, rotated, -1), ones], dim=1),
            torch.cat([sin.expand(-1, rotated, -1), zeros], dim=1),
        )

    def _states(self, layer: Layer, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        rotated = self._heads + self._kv_heads
        states = layer.qkv(x).view(len(x), rotated + self._kv_heads, -1)
        if layer.query_norm is not None and layer.key_norm is not None:
            states = torch.cat(
                [
                    layer.query_norm(states[:, : self._heads]),
                    layer.key_norm(states[:, self._heads : rotated]),
                    states[:, rotated:],
                ],
                dim=1,
            )
        return self._apply_rope(states, cos, sin)

    def _apply_rope(self, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        return torch.addcmul(states * cos, states.roll(cos.shape[-1] // 2, dims=-1), sin)

    def _make_cache(self, dtype: torch.dtype) -> None:
        if self.kv_cache.layers[0].is_initialized:
            return
        size = (1, self._kv_heads, 1, self._parts.head_dim)
        like = torch.empty(size, dtype=dtype, device=self.device)
        for cache in self.kv_cache.layers:
            cache.lazy_initialization(like, like)

    def _layer(self, layer: LlamaLayerParts, cache: SlotLayer) -> Layer:
        return Layer(
            before_attention=self._norm(layer.before_attention),
            qkv=self._project(layer.qkv),
            query_norm=self._norm(layer.query_norm) if layer.query_norm else None,
            key_norm=self._norm(layer.key_norm) if layer.key_norm else None,
            output=self._project([layer.output]),
            before_mlp=self._norm(layer.before_mlp),
            gate_up=self._project(layer.gate_up),
            activation=layer.activation,
            down=self._project([layer.down]),
            scaling=layer.scaling,
            cache=cache,
        )

    def _project(self, modules: Sequence[Any]) -> Projection:
        return Projection(modules)

    def _norm(self, norm: tuple[Tensor, float]) -> Norm:
        return Norm(*norm)

    def _reorder(self) -> bool:
        projections = [self._head]
        for layer in self._layers:
            projections += [layer.qkv, layer.output, layer.gate_up, layer.down]
        if not any(p.nbytes for p in projections):
            return False
        if sum(p.nbytes for p in projections) > self._copies_budget:
            return False
        try:
            for layer in self._layers:
                layer.gate_up.reorder(apart=True)
            for projection in projections:
                projection.reorder()
        except (RuntimeError, AttributeError):  # a torch without oneDNN: the ordinary products
            return False
        return True


def _padded_count(tokens: int) -> int:
    """Up to which number products are padded: oneDNN compiles code for each size it meets.

    Unpadded, a thousand sizes came to half a gigabyte. What a row gives is the same.
    """
    if tokens <= 4:
        return tokens
    step = 8 if tokens <= 64 else 32 if tokens <= 256 else 64
    return -(-tokens // step) * step
