"""Forward passes of models with a recurrent state: a batch in transformers' own cache.

A prompt is read by itself and then joins the batch, padded on the left, so that a recurrent state
never sees padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..transformers_api.caches import has_positions, join_sequences, new_cache, select_sequences
from ..transformers_api.forward import ForwardCall, device_of


class BatchRunner:
    """A batch of sequences of ``model``; ``lengths`` says how many tokens each has.

    Raises:
        UnsupportedModel: The model takes its arguments or keeps its state in an unknown way.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.device = device_of(model)
        self._call = ForwardCall(model)
        self._cache: Any = None
        self.lengths: list[int] = []

    def prefill(self, ids: Sequence[int]) -> Tensor:
        """Read a whole prompt and append it to the batch; logits after it, [vocabulary]."""
        cache, length = new_cache(self.model), len(ids)
        tokens = torch.tensor([ids], device=self.device)
        positions = torch.arange(length, device=self.device)[None]
        logits = self._call(tokens, torch.ones_like(tokens), positions, cache)
        if self._cache is None:
            self._cache = cache
        else:
            join_sequences(self._cache, cache, max(length, *self.lengths))
        self.lengths.append(length)
        return logits[0]

    def decode(self, tokens: Tensor) -> Tensor:
        """One token for each sequence, int64 [sequences]; logits [sequences, vocabulary]."""
        lengths = torch.tensor(self.lengths, device=self.device)
        mask: Tensor | None = None  # a recurrent state has seen no padding
        if has_positions(self._cache):
            longest = max(self.lengths)
            columns = torch.arange(longest + 1, device=self.device)
            mask = (columns >= longest - lengths[:, None]).long()
        logits = self._call(tokens[:, None], mask, lengths[:, None], self._cache)
        self.lengths = [length + 1 for length in self.lengths]
        return logits

    def select(self, sequences: Sequence[int]) -> None:
        """Drop all but these sequences (ascending numbers)."""
        self.lengths = [self.lengths[number] for number in sequences]
        if not sequences:
            self._cache = None
            return
        indices = torch.tensor(sequences, device=self.device)
        select_sequences(self._cache, indices, max(self.lengths))
