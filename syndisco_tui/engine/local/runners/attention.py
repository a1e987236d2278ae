"""Attention over slots of the KV cache.

The tokens of a forward pass are in batches that attend in different ways: decoding slots, with
one token each, and chunks of prompts. Their states are [tokens, heads + 2 · kv_heads, head_dim]:
queries, then keys, then values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from ..cache.kv_cache import SlotLayer
from ..cache.slot_table import LENGTH_STEP

GROUP = 8  # neighbouring slots that are read together, up to the length of the longest
SPLITS = 8  # parts that a slot's keys and values are read in at once, on a GPU with few slots
MAX_SPLIT_ROWS = 4


class Batch(Protocol):
    """``count`` tokens of a forward pass that attend in one way."""

    count: int
    positions: Tensor
    """int64 [count]"""

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        """Write the batch's keys and values to ``cache``, and attend.

        Args:
            cache: Of the layer.
            states: Queries, keys and values, [count, heads + 2 · kv_heads, head_dim].
            scale: Factor of the scores.

        Returns:
            [count, heads · head_dim].
        """


@dataclass(frozen=True)
class PrefillChunk:
    """Tokens of a prompt, to be read into ``slot`` from position ``start``."""

    slot: int
    ids: Tensor
    """int64 [tokens]"""
    start: int
    ends_prompt: bool = True
    """Whether logits after the last of them are needed."""


class PrefillBatch:
    """A chunk of a prompt; every token sees those before it in its slot."""

    def __init__(self, chunk: PrefillChunk, dtype: torch.dtype) -> None:
        self.count = len(chunk.ids)
        self._slot, self._start, self._end = chunk.slot, chunk.start, chunk.start + self.count
        device = chunk.ids.device
        self.positions = torch.arange(self._start, self._end, device=device)
        self._mask: Tensor | None = None
        if self._start and self.count > 1:
            self._mask = _causal_mask(self.positions, self._end, dtype)

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        assert cache.states is not None
        kv_heads = cache.states.shape[2]
        query, new = _split_states(states, kv_heads)
        cached = cache.states[:, self._slot]  # [2, kv_heads, length, head_dim]
        cached[:, :, self._start : self._end] = new.permute(1, 2, 0, 3)
        keys, values = cached[None, 0, :, : self._end], cached[None, 1, :, : self._end]
        if self._mask is None:
            attended = functional.scaled_dot_product_attention(
                query.transpose(0, 1)[None],
                keys,
                values,
                is_causal=self.count > 1,
                scale=scale,
                enable_gqa=True,
            )
            return attended[0].transpose(0, 1).reshape(self.count, -1)
        # Heads of a group as rows of one head: with a mask, a GPU would copy the keys for each.
        group = query.shape[1] // kv_heads
        query = query.view(self.count, kv_heads, group, -1).permute(1, 2, 0, 3)
        attended = functional.scaled_dot_product_attention(
            query.reshape(1, kv_heads, group * self.count, -1),
            keys,
            values,
            attn_mask=self._mask.repeat(group, 1),
            scale=scale,
        )
        attended = attended.view(kv_heads, group, self.count, -1)
        return attended.permute(2, 0, 1, 3).reshape(self.count, -1)


class PaddingBatch:
    """Tokens without meaning, added so that matrix products come in few sizes."""

    def __init__(self, count: int, like: Tensor) -> None:
        self.count = count
        self.positions = torch.zeros(count, dtype=torch.int64, device=like.device)

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        assert cache.states is not None
        heads = states.shape[1] - 2 * cache.states.shape[2]
        return states.new_zeros(self.count, heads * states.shape[2])


class DecodeBatch:
    """One token for each of the ascending ``slots``, which hold ``lengths`` tokens.

    Slots are read in place, in groups of neighbours, each up to the longest of its group.
    ``longest`` is how many tokens a slot can hold.
    """

    def __init__(
        self,
        slots: Sequence[int],
        lengths: Sequence[int],
        longest: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.count = len(slots)
        self.positions = torch.tensor(lengths, device=device)
        self._single = (slots[0], lengths[0]) if len(slots) == 1 else None
        self._row_ids = torch.tensor(slots, device=device)
        self._groups: list[tuple[slice, slice, int, Tensor]] = []
        if self._single:
            return
        for first, last in _neighbouring_ranges(slots):
            read_length = round_up(max(lengths[first:last]) + 1, longest)
            mask = _causal_mask(self.positions[first:last], read_length, dtype)[:, None, None]
            group = slice(slots[first], slots[first] + last - first)
            self._groups.append((slice(first, last), group, read_length, mask))

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        assert cache.states is not None
        cached = cache.states
        query, new = _split_states(states, cached.shape[2])
        if self._single:
            # With integers, no index tensors and no mask are needed.
            slot, position = self._single
            cached = cached[:, slot]
            cached[:, :, position] = new[0]
            return functional.scaled_dot_product_attention(
                query.view(1, cached.shape[1], -1, query.shape[-1]),
                cached[None, 0, :, : position + 1],
                cached[None, 1, :, : position + 1],
                scale=scale,
            ).view(1, -1)
        cached[:, self._row_ids, :, self.positions] = new
        query = query.reshape(self.count, cached.shape[2], -1, query.shape[-1])
        attended = [
            functional.scaled_dot_product_attention(
                query[part],
                cached[0, slots, :, :read_length],
                cached[1, slots, :, :read_length],
                mask,
                scale=scale,
            )
            for part, slots, read_length, mask in self._groups
        ]
        return torch.cat(attended).reshape(self.count, -1)


class StaticDecodeBatch:
    """One token for each of many slots, in operations that a CUDA graph can capture.

    Args:
        rows: Slots, int64 [1], or a slice of the first slots.
        row_ids: ``rows`` as a tensor, int64 [rows].
        positions: Where each slot writes, int64 [rows].
        read_length: How many positions attention reads.
        dtype: Of the mask.
    """

    def __init__(
        self,
        rows: Tensor | slice,
        row_ids: Tensor,
        positions: Tensor,
        read_length: int,
        dtype: torch.dtype,
    ) -> None:
        self.count, self.positions = len(row_ids), positions
        self._rows, self._row_ids, self._read_length = rows, row_ids, read_length
        self._mask = _causal_mask(positions, read_length, dtype)[:, None, None]

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        assert cache.states is not None
        query, new = _split_states(states, cache.states.shape[2])
        cache.states[:, self._row_ids, :, self.positions] = new
        keys, values = cache.states[:, self._rows, :, : self._read_length]
        query = query.reshape(self.count, keys.shape[1], -1, query.shape[-1])
        if self.count <= MAX_SPLIT_ROWS and self._read_length % SPLITS == 0 and keys.is_cuda:
            return _split_attention(query, keys, values, self._mask, scale)
        attended = functional.scaled_dot_product_attention(
            query, keys, values, self._mask, scale=scale
        )
        return attended.reshape(self.count, -1)


def _split_attention(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor, scale: float
) -> Tensor:
    """Attention that sums over ``SPLITS`` parts of the positions at once, so that few rows fill a
    GPU (the idea of Flash-Decoding, Dao et al. 2023).

    Args:
        query: [rows, kv_heads, queries per kv_head, head_dim].
        keys, values: [rows, kv_heads, read_length, head_dim].
        mask: Added to the scores, [rows, 1, 1, read_length].
        scale: Factor of the scores.

    Returns:
        [rows, heads · head_dim].
    """
    rows, heads, read_length, width = keys.shape
    query, keys = (
        query.reshape(rows * heads, -1, width),
        keys.reshape(rows * heads, read_length, width),
    )
    mask = mask.expand(rows, heads, 1, read_length).reshape(rows * heads, 1, read_length)
    scores = torch.baddbmm(mask, query, keys.transpose(1, 2), alpha=scale)
    weights = torch.softmax(scores, dim=-1).view(*query.shape[:2], SPLITS, -1).transpose(1, 2)
    parts = torch.matmul(weights, values.reshape(rows * heads, SPLITS, -1, width))
    return parts.sum(dim=1).reshape(rows, -1)


def _split_states(states: Tensor, kv_heads: int) -> tuple[Tensor, Tensor]:
    """Queries [tokens, heads, head_dim], and keys and values [tokens, 2, kv_heads, head_dim]."""
    heads = states.shape[1] - 2 * kv_heads
    return states[:, :heads], states[:, heads:].reshape(len(states), 2, kv_heads, -1)


def _causal_mask(positions: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """Added to scores: −∞ for keys after the query's position, else 0; [positions, length]."""
    is_hidden = torch.arange(length, device=positions.device) > positions[:, None]
    mask = torch.zeros(is_hidden.shape, dtype=dtype, device=positions.device)
    return mask.masked_fill_(is_hidden, -torch.inf)


def _neighbouring_ranges(slots: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending slots as ranges of the list, each without a gap and at most ``GROUP`` long."""
    ranges, first = [], 0
    for end in range(1, len(slots) + 1):
        if end == len(slots) or slots[end] != slots[end - 1] + 1 or end - first == GROUP:
            ranges.append((first, end))
            first = end
    return ranges


def round_up(length: int, longest: int) -> int:
    """``length`` rounded up to a multiple of ``LENGTH_STEP``, at most ``longest``."""
    return min(-(-length // LENGTH_STEP) * LENGTH_STEP, longest)
