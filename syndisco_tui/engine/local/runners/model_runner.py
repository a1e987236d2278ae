"""Forward passes over slots: one token for many slots, and chunks of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..cache.kv_cache import KVCache
from ..transformers_api.caches import attention_kinds
from ..transformers_api.forward import ForwardCall, attention_masks, device_of
from .attention import PrefillChunk, round_up


class ModelRunner:
    """Forward passes of any model that caches keys and values, through its own code.

    Raises:
        UnsupportedModel: It caches something else, or takes its arguments in an unknown way.
    """

    joins_chunks = False
    """Whether decoding slots and chunks of prompts share one pass."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.device = device_of(model)
        self._kinds = attention_kinds(model)
        self.kv_cache = KVCache(len(self._kinds))
        self._prepare()

    def _prepare(self) -> None:
        self._call = ForwardCall(self.model)

    def prefill(self, slot: int, ids: Tensor, start: int) -> Tensor:
        """Read ``ids`` int64 [tokens] into ``slot`` from position ``start``.

        Returns:
            Logits after the last of them, [vocabulary].
        """
        return self.step([], ids[:0], [], [PrefillChunk(slot, ids, start)])[0]

    def decode(self, slots: Sequence[int], tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """One token for each of ``slots``, arguments as in ``step``; logits [slots, vocabulary]."""
        return self.step(slots, tokens, lengths, [])

    def step(
        self,
        slots: Sequence[int],
        tokens: Tensor,
        lengths: Sequence[int],
        chunks: Sequence[PrefillChunk],
    ) -> Tensor:
        """One token for each of ``slots``, and ``chunks`` of prompts read into other slots.

        Args:
            slots: The slots that decode, ascending.
            tokens: The newest token of each, int64 [slots].
            lengths: How many tokens each holds.
            chunks: Chunks of prompts.

        Returns:
            Logits of the slots and then of the chunks that end their prompts,
            [slots + ends, vocabulary].
        """
        logits = [self._decode(slots, tokens, lengths)] if slots else []
        for chunk in chunks:
            chunk_logits = self._prefill(chunk)
            if chunk.ends_prompt:
                logits.append(chunk_logits)
        return torch.cat(logits) if logits else tokens.new_zeros(0, 0)

    def static_step(
        self,
        rows: Tensor | slice,
        row_ids: Tensor,
        tokens: Tensor,
        positions: Tensor,
        read_length: int,
    ) -> Tensor:
        """One token for each of the slots ``rows``, without waiting for the device.

        Args:
            rows: Slots, int64 [1], or a slice of the first slots.
            row_ids: ``rows`` as a tensor, int64 [rows].
            tokens: The newest token of each, int64 [rows].
            positions: Where each writes, int64 [rows].
            read_length: How many positions attention reads.

        Returns:
            Logits, [rows, vocabulary].
        """
        window = self.kv_cache.window
        window.rows, window.row_ids = rows, row_ids
        window.positions, window.read_length = positions, read_length
        return self._forward(tokens[:, None], positions[:, None], read_length)

    def _prefill(self, chunk: PrefillChunk) -> Tensor:
        end = chunk.start + len(chunk.ids)
        window = self.kv_cache.window
        window.rows, window.start = slice(chunk.slot, chunk.slot + 1), chunk.start
        window.positions, window.read_length = None, end
        positions = torch.arange(chunk.start, end, device=self.device)
        return self._forward(chunk.ids[None], positions[None], end)

    def _decode(self, slots: Sequence[int], tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        row_ids = torch.tensor(slots, device=self.device)
        positions = torch.tensor(lengths, device=self.device)
        read_length = round_up(max(lengths) + 1, self.kv_cache.length)
        rows = _as_slice(slots) or row_ids
        return self.static_step(rows, row_ids, tokens, positions, read_length)

    def _forward(self, ids: Tensor, positions: Tensor, read_length: int) -> Tensor:
        mask = attention_masks(self._kinds, positions, read_length, self.model.dtype)
        return self._call(ids, mask, positions, self.kv_cache.cache)


def _as_slice(slots: Sequence[int]) -> slice | None:
    """Ascending ``slots`` as a slice if there is no gap, so that they can be read in place."""
    first, last = slots[0], slots[-1]
    return slice(first, last + 1) if last - first == len(slots) - 1 else None
