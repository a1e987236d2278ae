"""The forward pass over slots: one token for many slots, and pieces of prompts.

Knows models and slots; nothing of requests, sampling or text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .attention import Piece, round_up
from .slots import Slots


class Forward:
    """Forward passes of any model whose attention is plain, through its own code."""

    joins_pieces = False
    """Whether rows and pieces are computed together, so that many pieces at once gain."""

    def __init__(self, model: Any, slots: Slots) -> None:
        self.model = model
        self.slots = slots
        self.device: torch.device = model.get_input_embeddings().weight.device

    def prefill(self, slot: int, ids: Tensor, start: int) -> Tensor:
        """Read ``ids`` int64 [tokens] into ``slot`` from position ``start``.

        Gives the logits after the last of them, [vocabulary].
        """
        return self.step([], ids[:0], [], [Piece(slot, ids, start)])[0]

    def decode(self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """One token for each of the slots ``rows``; gives logits [rows, vocabulary]."""
        return self.step(rows, tokens, lengths, [])

    def step(
        self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int], pieces: Sequence[Piece]
    ) -> Tensor:
        """One token for each of the slots ``rows`` (ascending), which hold ``lengths`` tokens,
        and ``pieces`` of prompts read into other slots.

        ``tokens``: int64 [rows]. Gives logits of the rows and then of the pieces that end their
        prompts, [rows + ends, vocabulary].
        """
        logits = [self._decode(rows, tokens, lengths)] if rows else []
        for piece in pieces:
            after = self._prefill(piece)
            if piece.ends:
                logits.append(after)
        return torch.cat(logits) if logits else tokens.new_zeros(0, 0)

    def static_step(
        self, rows: Tensor | slice, row_ids: Tensor, tokens: Tensor, positions: Tensor, top: int
    ) -> Tensor:
        """One token for each of the slots ``rows``, with all that changes in tensors.

        ``rows``: int64 [1], or a slice of the first slots; ``row_ids``: the same as a tensor.
        Writes at ``positions`` and reads up to ``top``. Waits for nothing on the host.
        """
        window = self.slots.window
        window.rows, window.row_ids, window.positions, window.top = rows, row_ids, positions, top
        mask = torch.arange(top, device=tokens.device) <= positions[:, None]
        return self._run(tokens[:, None], mask[:, None, None], positions[:, None])

    def _prefill(self, piece: Piece) -> Tensor:
        end = piece.start + len(piece.ids)
        positions = torch.arange(piece.start, end, device=self.device)
        window = self.slots.window
        window.rows, window.start = slice(piece.slot, piece.slot + 1), piece.start
        window.positions, window.top = None, end
        mask = torch.arange(end, device=self.device) <= positions[:, None]
        return self._run(piece.ids[None], mask[None, None], positions[None])

    def _decode(self, rows: Sequence[int], tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        row_ids = torch.tensor(rows, device=self.device)
        positions = torch.tensor(lengths, device=self.device)
        top = round_up(max(lengths) + 1, self.slots.length)
        return self.static_step(neighbours(rows) or row_ids, row_ids, tokens, positions, top)

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
