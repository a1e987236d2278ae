"""The two forward passes over slots: reading a prompt, and one token for many slots.

Knows models and slots; nothing of requests, sampling or text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .slots import LENGTH_STEP, Slots


class Forward:
    """Forward passes of any model whose attention is plain, through its own code."""

    def __init__(self, model: Any, slots: Slots) -> None:
        self.model = model
        self.slots = slots
        self.device: torch.device = model.get_input_embeddings().weight.device

    def prefill(self, slot: int, ids: Tensor, start: int) -> Tensor:
        """Read ``ids`` int64 [tokens] into ``slot`` from position ``start``.

        Gives the logits after the last of them, [vocabulary].
        """
        end = start + len(ids)
        positions = torch.arange(start, end, device=ids.device)
        window = self.slots.window
        window.rows, window.start, window.positions = slice(slot, slot + 1), start, None
        window.top = end
        mask = torch.arange(end, device=ids.device) <= positions[:, None]
        return self._run(ids[None], mask[None, None], positions[None])[0]

    def decode(self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """One token for each of the slots ``rows`` (ascending), which hold ``lengths`` tokens.

        ``tokens``: int64 [rows]. Gives logits [rows, vocabulary].
        """
        row_ids = torch.tensor(rows, device=tokens.device)
        positions = torch.tensor(lengths, device=tokens.device)
        top = self.top(lengths)
        window = self.slots.window
        window.rows = neighbours(rows) or row_ids
        window.row_ids, window.positions, window.top = row_ids, positions, top
        mask = torch.arange(top, device=tokens.device) <= positions[:, None]
        return self._run(tokens[:, None], mask[:, None, None], positions[:, None])

    def top(self, lengths: Sequence[int]) -> int:
        """How far attention reads: the longest length with its new token, rounded up."""
        return min(-(-(max(lengths) + 1) // LENGTH_STEP) * LENGTH_STEP, self.slots.length)

    def _run(self, ids: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        output = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self.slots.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits


def neighbours(rows: Sequence[int]) -> slice | None:
    """Ascending ``rows`` as a slice, if there is no gap: then they can be read in place."""
    first, last = rows[0], rows[-1]
    return slice(first, last + 1) if last - first == len(rows) - 1 else None
