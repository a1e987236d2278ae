"""What sampling keeps on the device for every slot."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...base import Sampling
from .sampler import SamplingBatch, SamplingTensors, sample


class SamplingState:
    """Parameters and token counts of ``slots`` sequences of up to ``length`` tokens."""

    def __init__(self, slots: int, length: int, device: torch.device) -> None:
        def zeros(*size: int) -> Tensor:
            return torch.zeros(size, dtype=torch.int64, device=device)

        self.slots, self.length = slots, length
        self.parameters = SamplingTensors.empty(slots, device)
        self.prompt_tokens = zeros(slots)
        self.reply_tokens = zeros(slots)
        self.cached_tokens = zeros(slots)
        """How many tokens the KV cache holds; kept up to date by static steps only."""
        self.newest_token = zeros(slots)
        """The last token chosen, which is not in the KV cache yet."""
        self.seen = zeros(slots, length + 1)
        """[slots, length + 1]: ids of prompt and reply, then copies of the first of them."""

    def grown(self, slots: int, length: int) -> SamplingState:
        """A state of at least this size: this one, or a larger copy of it."""
        if slots <= self.slots and length <= self.length:
            return self
        device = self.seen.device
        larger = SamplingState(max(slots, self.slots), max(length, self.length), device)
        for old, new in zip(self._per_slot(), larger._per_slot(), strict=True):
            new[: self.slots] = old
        if self.slots:
            larger.seen[: self.slots] = self.seen[:, :1]
            larger.seen[: self.slots, : self.length + 1] = self.seen
        return larger

    def start_reply(
        self, slot: int, ids: Sequence[int], sampling: Sampling, seed: int, reply_tokens: int = 0
    ) -> None:
        """Begin or continue a reply in ``slot``.

        Args:
            slot: The slot whose KV cache holds ``ids``.
            ids: Token ids of the prompt and of the beginning of the reply.
            sampling: The sampling parameters.
            seed: Seed of the sampling noise.
            reply_tokens: How many of ``ids`` are the reply's.
        """
        self.parameters.set_row(slot, sampling, seed)
        self.reply_tokens[slot] = reply_tokens
        self.prompt_tokens[slot] = len(ids) - reply_tokens
        self.cached_tokens[slot] = len(ids)
        self.seen[slot] = ids[0]
        self.seen[slot, : len(ids)] = torch.tensor(ids, device=self.seen.device)

    def sample(self, logits: Tensor, slots: Tensor, longest: int, batch: SamplingBatch) -> Tensor:
        """Choose and record the next tokens of ``slots``.

        Args:
            logits: [slots given, vocabulary].
            slots: int64 [slots given].
            longest: How many tokens the longest of their sequences has.
            batch: What ``plan_batch`` gave for them.
        """
        tokens = self._choose(logits, slots, longest, batch)
        self.seen[slots, self.prompt_tokens[slots] + self.reply_tokens[slots]] = tokens
        self.reply_tokens[slots] += 1
        self.newest_token[slots] = tokens
        return tokens

    def sample_static(
        self, logits: Tensor, slots: Tensor, active: Tensor, longest: int, batch: SamplingBatch
    ) -> Tensor:
        """Choose the next tokens of ``slots`` and record those of ``active`` ones (1, not 0)."""
        tokens = self._choose(logits, slots, longest, batch)
        is_active = active.bool()
        unused = self.seen.shape[1] - 1  # a column that nothing reads, for the inactive
        end = self.prompt_tokens[slots] + self.reply_tokens[slots]
        column = torch.where(is_active, end, unused)
        self.seen[slots, column] = torch.where(is_active, tokens, self.seen[slots, column])
        self.newest_token[slots] = torch.where(is_active, tokens, self.newest_token[slots])
        self.reply_tokens[slots] += active
        self.cached_tokens[slots] += active
        return tokens

    def mutable_tensors(self) -> list[Tensor]:
        """All tensors that a step changes."""
        return [self.reply_tokens, self.cached_tokens, self.newest_token, self.seen]

    def _choose(self, logits: Tensor, slots: Tensor, longest: int, batch: SamplingBatch) -> Tensor:
        seen = self.seen[slots, :longest] if batch.has_penalty else None
        parameters = self.parameters.select(slots)
        return sample(logits, parameters, seen, self.reply_tokens[slots], batch)

    def _per_slot(self) -> list[Tensor]:
        counts = [self.prompt_tokens, self.reply_tokens, self.cached_tokens, self.newest_token]
        return [*self.parameters, *counts]
