"""Forward passes of the Llama family, written out.

With one sequence, a third of a small model's step is Python and operations on a few numbers; with
many, decoding slots and chunks of prompts share each matrix product. ``probe`` compares the result
with that of the model's own code.
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

COPIES_SHARE = 0.25  # of free memory, for reordered copies of the weights


@dataclass(frozen=True)
class Layer:
    """A layer's modules, its matrix products and its part of the KV cache."""

    parts: LlamaLayerParts
    qkv: Projection
    output: Projection
    gate_up: Projection
    down: Projection
    cache: SlotLayer


class LlamaRunner(ModelRunner):
    """Forward passes of a Llama, in which decoding slots and chunks of prompts share products."""

    joins_chunks = True

    def _prepare(self) -> None:
        self._parts = llama_parts(self.model)
        self._copies_budget = COPIES_SHARE * free_memory("cpu")
        self._heads, self._kv_heads = self._parts.heads, self._parts.kv_heads
        self._layers = [
            Layer(
                parts,
                qkv=Projection(parts.qkv),
                output=Projection([parts.output]),
                gate_up=Projection(parts.gate_up),
                down=Projection([parts.down]),
                cache=cache,
            )
            for parts, cache in zip(self._parts.layers, self.kv_cache.layers, strict=True)
        ]
        self._head = Projection([self._parts.head])
        self._is_reordered = self.device.type == "cpu" and self._reorder()

    @staticmethod
    def supports(model: Any) -> bool:
        """Whether ``model`` is of the Llama family."""
        return is_llama(model)

    def step(
        self,
        slots: Sequence[int],
        tokens: Tensor,
        lengths: Sequence[int],
        chunks: Sequence[PrefillChunk],
    ) -> Tensor:
        """One token for each slot, and ``chunks`` read, in one pass: ``ModelRunner.step``."""
        dtype = self.model.dtype
        self._make_cache(dtype)
        batches: list[Batch] = []
        if slots:
            longest = self.kv_cache.length
            batches.append(DecodeBatch(slots, lengths, longest, dtype, self.device))
        batches += [PrefillBatch(chunk, dtype) for chunk in chunks]
        ids = torch.cat([tokens, *(chunk.ids for chunk in chunks)]) if chunks else tokens
        padding = _padded_count(len(ids)) - len(ids) if self._is_reordered else 0
        if padding:
            ids = functional.pad(ids, (0, padding))
            batches.append(PaddingBatch(padding, ids))
        if not chunks and not padding:
            return self._forward_batches(ids, batches, None)
        last_rows, end = list(range(len(slots))), len(slots)
        for chunk in chunks:
            end += len(chunk.ids)
            if chunk.ends_prompt:
                last_rows.append(end - 1)
        count = len(last_rows)
        if self._is_reordered:
            # More than FEW_ROWS, so that a prompt's logits are the same alone and among others.
            last_rows += [0] * (_padded_count(max(count, FEW_ROWS + 1)) - count)
        logit_rows = torch.tensor(last_rows, dtype=torch.int64, device=self.device)
        return self._forward_batches(ids, batches, logit_rows)[:count]

    def static_step(
        self,
        rows: Tensor | slice,
        row_ids: Tensor,
        tokens: Tensor,
        positions: Tensor,
        read_length: int,
    ) -> Tensor:
        """One token for each row, without waiting for the device: ``ModelRunner.static_step``."""
        dtype = self.model.dtype
        self._make_cache(dtype)
        batch = StaticDecodeBatch(rows, row_ids, positions, read_length, dtype)
        return self._forward_batches(tokens, [batch], None)

    def _forward_batches(
        self, ids: Tensor, batches: Sequence[Batch], logit_rows: Tensor | None
    ) -> Tensor:
        """Logits after the tokens in ``logit_rows`` (None: all), [logit rows, vocabulary]."""
        x = self._parts.embedding(ids)
        cos, sin = self._rope_cos_sin(x, batches)
        counts = [batch.count for batch in batches]
        last = self._layers[-1]
        for layer in self._layers:
            parts = layer.parts
            states = self._states(layer, rms_norm(x, parts.before_attention), cos, sin)
            if len(batches) == 1:
                attended = batches[0].attend(layer.cache, states, parts.scaling)
            else:
                pairs = zip(batches, torch.split(states, counts), strict=True)
                attended = torch.cat([b.attend(layer.cache, s, parts.scaling) for b, s in pairs])
            if layer is last and logit_rows is not None:
                attended, x = attended[logit_rows], x[logit_rows]
            x = layer.output.added_to(x, attended)
            gated = layer.gate_up.gated(rms_norm(x, parts.before_mlp), parts.activation)
            x = layer.down.added_to(x, gated)
        return self._head(rms_norm(x, self._parts.last_norm))

    def _rope_cos_sin(self, x: Tensor, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the rotary embedding (Su et al. 2021), each
        [tokens, heads + 2 · kv_heads, head_dim].

        Halves (a, b) rotate to (a cos − b sin, b cos + a sin); the sign is part of the sines here.
        Values are not rotated: 1 and 0.
        """
        positions = torch.cat([batch.positions for batch in batches])
        cos, sin = self._parts.rotary(x, positions[None])
        cos, sin = cos[0, :, None], sin[0, :, None]
        half = cos.shape[-1] // 2
        sin = torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)
        rotated, of_values = self._heads + self._kv_heads, (-1, self._kv_heads, -1)
        ones = torch.ones_like(cos).expand(of_values)
        zeros = torch.zeros_like(sin).expand(of_values)
        return (
            torch.cat([cos.expand(-1, rotated, -1), ones], dim=1),
            torch.cat([sin.expand(-1, rotated, -1), zeros], dim=1),
        )

    def _states(self, layer: Layer, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Queries, keys and values of x [tokens, hidden], after norms and rotation."""
        rotated = self._heads + self._kv_heads
        states = layer.qkv(x).view(len(x), rotated + self._kv_heads, -1)
        query_norm, key_norm = layer.parts.query_norm, layer.parts.key_norm
        if query_norm is not None and key_norm is not None:
            queries = rms_norm(states[:, : self._heads], query_norm)
            keys = rms_norm(states[:, self._heads : rotated], key_norm)
            states = torch.cat([queries, keys, states[:, rotated:]], dim=1)
        return torch.addcmul(states * cos, states.roll(cos.shape[-1] // 2, dims=-1), sin)

    def _make_cache(self, dtype: torch.dtype) -> None:
        if self.kv_cache.layers[0].is_initialized:
            return
        size = (1, self._kv_heads, 1, self._parts.head_dim)
        like = torch.empty(size, dtype=dtype, device=self.device)
        for cache in self.kv_cache.layers:
            cache.lazy_initialization(like, like)

    def _reorder(self) -> bool:
        """Reorder all weights, if there is memory for copies; whether that was done."""
        projections = [self._head]
        for layer in self._layers:
            projections += [layer.qkv, layer.output, layer.gate_up, layer.down]
        if not 0 < sum(p.nbytes for p in projections) <= self._copies_budget:
            return False
        try:
            for layer in self._layers:
                layer.gate_up.reorder(separately=True)
            for projection in projections:
                projection.reorder()
        except (RuntimeError, AttributeError):  # a torch without oneDNN
            return False
        return True


def rms_norm(x: Tensor, norm: tuple[Tensor, float]) -> Tensor:
    """Root mean square norm of x by (weight, epsilon), as one operation instead of seven."""
    weight, epsilon = norm
    return functional.rms_norm(x, weight.shape, weight, epsilon)


def _padded_count(tokens: int) -> int:
    """To how many rows products of ``tokens`` rows are padded.

    oneDNN compiles code for each size: for a thousand sizes, half a gigabyte.
    """
    if tokens <= 4:
        return tokens
    step = 8 if tokens <= 64 else 32 if tokens <= 256 else 64
    return -(-tokens // step) * step
