"""Attention of one forward pass over slots: where each batch of it writes, and what it reads.

A pass is made of batches: rows that make one token each, and chunks of prompts. Knows the cache's
tensors; nothing of models or requests. States come as [tokens, heads + 2 · kv_heads, head_dim]:
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

GROUP = 8  # neighbouring rows that are read together, up to the longest of them
SPLITS = 8  # parts of a long row that a GPU reads at once where there are few rows
FEW_ROWS = 4


class Batch(Protocol):
    """Tokens of a pass that attend in one way; ``count`` of them."""

    count: int
    positions: Tensor
    """int64 [count]"""

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        """Write the new keys and values; give back [count, heads · head_dim]."""


@dataclass(frozen=True)
class PrefillChunk:
    """``ids`` int64 [tokens] of a prompt, read into ``slot`` from position ``start``.

    ``ends``: whether the logits after the last of them are wanted.
    """

    slot: int
    ids: Tensor
    start: int
    ends: bool = True


class PrefillBatch:
    """A chunk of a prompt: every token sees what is before it in its slot."""

    def __init__(self, chunk: PrefillChunk, dtype: torch.dtype) -> None:
        self.count = len(chunk.ids)
        self._slot, self._start, self._end = chunk.slot, chunk.start, chunk.start + self.count
        device = chunk.ids.device
        self.positions = torch.arange(self._start, self._end, device=device)
        self._mask: Tensor | None = None
        if self._start and self.count > 1:
            hidden = torch.arange(self._end, device=device) > self.positions[:, None]
            mask = torch.zeros(hidden.shape, dtype=dtype, device=device)
            self._mask = mask.masked_fill_(hidden, -torch.inf)

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
        # The heads of a group are rows of one: with a mask, a GPU would copy keys for each of them.
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
    """Tokens that nobody asked for, so that products come in few sizes."""

    def __init__(self, count: int, like: Tensor) -> None:
        self.count = count
        self.positions = torch.zeros(count, dtype=torch.int64, device=like.device)

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        assert cache.states is not None
        heads = states.shape[1] - 2 * cache.states.shape[2]
        return states.new_zeros(self.count, heads * states.shape[2])


class DecodeBatch:
    """One token for each of the slots ``rows``, which hold ``lengths`` tokens, known on the host.

    Rows are read in place, in groups of neighbours, so that a short one pays for its neighbours'
    length at most.
    """

    def __init__(
        self,
        rows: Sequence[int],
        lengths: Sequence[int],
        longest: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.count = len(rows)
        self.positions = torch.tensor(lengths, device=device)
        self._alone = (rows[0], lengths[0]) if len(rows) == 1 else None
        self._row_ids = torch.tensor(rows, device=device)
        self._groups: list[tuple[slice, slice, int, Tensor]] = []
        if self._alone:
            return
        for first, last in _neighbouring_ranges(rows):
            read_length = round_up(max(lengths[first:last]) + 1, longest)
            hidden = torch.arange(read_length, device=device) > self.positions[first:last, None]
            mask = torch.zeros(hidden.shape, dtype=dtype, device=device)
            mask = mask.masked_fill_(hidden, -torch.inf)[:, None, None]
            slots = slice(rows[first], rows[first] + last - first)
            self._groups.append((slice(first, last), slots, read_length, mask))

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        assert cache.states is not None
        cached = cache.states
        query, new = _split_states(states, cached.shape[2])
        if self._alone:
            # Plain integers: no index tensors, no mask, and not one position too many is read.
            slot, position = self._alone
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
    """One token for each of many slots; all that changes between steps is in tensors.

    ``rows``: int64 [1], or a slice of the first slots. ``positions`` [rows] is where each writes;
    attention reads up to ``read_length``. Nothing here waits for the device, so it can be captured.
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
        hidden = torch.arange(read_length, device=positions.device) > positions[:, None]
        mask = torch.zeros(hidden.shape, dtype=dtype, device=positions.device)
        self._mask = mask.masked_fill_(hidden, -torch.inf)[:, None, None]

    def attend(self, cache: SlotLayer, states: Tensor, scale: float) -> Tensor:
        assert cache.states is not None
        query, new = _split_states(states, cache.states.shape[2])
        cache.states[:, self._row_ids, :, self.positions] = new
        keys, values = cache.states[:, self._rows, :, : self._read_length]
        query = query.reshape(self.count, keys.shape[1], -1, query.shape[-1])
        if self.count <= FEW_ROWS and self._read_length % SPLITS == 0 and keys.is_cuda:
            return _attend_in_parts(query, keys, values, self._mask, scale)
        attended = functional.scaled_dot_product_attention(
            query, keys, values, self._mask, scale=scale
        )
        return attended.reshape(self.count, -1)


def _attend_in_parts(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor, scale: float
) -> Tensor:
    """Attention whose sums over positions are made in parts, so that few rows fill a GPU.

    In as few operations as can be: there, each takes as long as its numbers do.
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
    """States → queries [tokens, heads, head_dim], and [tokens, 2, kv_heads, head_dim]."""
    heads = states.shape[1] - 2 * kv_heads
    return states[:, :heads], states[:, heads:].reshape(len(states), 2, kv_heads, -1)


def _neighbouring_ranges(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending slots as ranges of the list, each without a gap and at most ``GROUP`` long."""
    ranges, first = [], 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at] != rows[at - 1] + 1 or at - first == GROUP:
            ranges.append((first, at))
            first = at
    return ranges


def round_up(length: int, longest: int) -> int:
    """How far attention reads: rounded up, but never beyond the slots."""
    return min(-(-length // LENGTH_STEP) * LENGTH_STEP, longest)
