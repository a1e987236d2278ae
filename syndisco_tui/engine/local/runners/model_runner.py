"""Forward passes over slots: one token for many slots, and chunks of prompts.

Knows models and their cache; nothing of requests, sampling or text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..cache.kv_cache import KVCache
from ..transformers_api.caches import attention_kinds
from ..transformers_api.forward import ForwardCall, device_of, masks
from .attention import PrefillChunk, round_up


class ModelRunner:
    """Forward passes of any model that keeps keys and values, through its own code.

    Raises:
        UnsupportedModel: It keeps something else, or is called in a way not known.
    """

    joins_chunks = False
    """Whether rows and chunks are computed together, so that many chunks at once gain."""

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

        Gives the logits after the last of them, [vocabulary].
        """
        return self.step([], ids[:0], [], [PrefillChunk(slot, ids, start)])[0]

    def decode(self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """One token for each of the slots ``rows``; gives logits [rows, vocabulary]."""
        return self.step(rows, tokens, lengths, [])

    def step(
        self,
        rows: Sequence[int],
        tokens: Tensor,
        lengths: Sequence[int],
        chunks: Sequence[PrefillChunk],
    ) -> Tensor:
        """One token for each of the slots ``rows``, and ``chunks`` read into other slots.

        Args:
            rows: Slots, ascending.
            tokens: The newest token of each, int64 [rows].
            lengths: How many tokens each holds.
            chunks: Parts of prompts.

        Returns:
            Logits of the rows and then of the chunks that end their prompts,
            [rows + ends, vocabulary].
        """
        logits = [self._decode(rows, tokens, lengths)] if rows else []
        for chunk in chunks:
            after = self._prefill(chunk)
            if chunk.ends:
                logits.append(after)
        return torch.cat(logits) if logits else tokens.new_zeros(0, 0)

    def static_step(
        self,
        rows: Tensor | slice,
        row_ids: Tensor,
        tokens: Tensor,
        positions: Tensor,
        read_length: int,
    ) -> Tensor:
        """One token for each of the slots ``rows``, with all that changes in tensors.

        ``rows``: int64 [1], or a slice of the first slots; ``row_ids``: the same as a tensor.
        Writes at ``positions`` [rows] and reads up to ``read_length``. Waits for nothing on the
        host.
        """
        window = self.kv_cache.window
        window.rows, window.row_ids = rows, row_ids
        window.positions, window.read_length = positions, read_length
        return self._run(tokens[:, None], positions[:, None], read_length)

    def _prefill(self, chunk: PrefillChunk) -> Tensor:
        end = chunk.start + len(chunk.ids)
        window = self.kv_cache.window
        window.rows, window.start = slice(chunk.slot, chunk.slot + 1), chunk.start
        window.positions, window.read_length = None, end
        positions = torch.arange(chunk.start, end, device=self.device)
        return self._run(chunk.ids[None], positions[None], end)

    def _decode(self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        row_ids = torch.tensor(rows, device=self.device)
        positions = torch.tensor(lengths, device=self.device)
        read_length = round_up(max(lengths) + 1, self.kv_cache.length)
        return self.static_step(
            neighbours(rows) or row_ids, row_ids, tokens, positions, read_length
        )

    def _run(self, ids: Tensor, positions: Tensor, read_length: int) -> Tensor:
        mask = masks(self._kinds, positions, read_length, self.model.dtype)
        return self._call(ids, mask, positions, self.kv_cache.cache)


def neighbours(rows: Sequence[int]) -> slice | None:
    """Ascending ``rows`` as a slice, if there is no gap: then they can be read in place."""
    first, last = rows[0], rows[-1]
    return slice(first, last + 1) if last - first == len(rows) - 1 else None
