"""What sampling keeps on the device for every slot.

Knows tensors and the sampler; nothing of models, requests or text.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...base import Sampling
from .sampler import Rows, SamplingBatch, choose


class SamplingState:
    """Parameters and counts of every slot, [slots] each, and the tokens that its reply has seen."""

    def __init__(self, slots: int, length: int, device: torch.device) -> None:
        self.slots, self.length = slots, length
        self.rows = Rows.empty(slots, device)
        self.prompt = torch.zeros(slots, dtype=torch.int64, device=device)
        """How many tokens the prompt has."""
        self.made = torch.zeros(slots, dtype=torch.int64, device=device)
        """How many tokens the reply has."""
        self.held = torch.zeros(slots, dtype=torch.int64, device=device)
        """How many tokens the cache holds (kept up to date by static steps only)."""
        self.last = torch.zeros(slots, dtype=torch.int64, device=device)
        """The newest token, not in the cache yet."""
        self.seen = torch.zeros(slots, length + 1, dtype=torch.int64, device=device)
        """[slots, length + 1]: the tokens of prompt and reply, then any one of them repeated."""

    def grown(self, slots: int, length: int) -> SamplingState:
        """This one, or the same with more slots, or longer ones."""
        if slots <= self.slots and length <= self.length:
            return self
        grown = SamplingState(max(slots, self.slots), max(length, self.length), self.made.device)
        for old, new in zip(self._counts(), grown._counts(), strict=True):
            new[: self.slots] = old
        if self.slots:
            grown.seen[: self.slots] = self.seen[:, :1]
            grown.seen[: self.slots, : self.length + 1] = self.seen
        return grown

    def begin(self, slot: int, prompt: Sequence[int], sampling: Sampling, seed: int) -> None:
        """A new reply in ``slot``, whose prompt has been read."""
        self.rows.set(slot, sampling, seed)
        self.made[slot] = 0
        self.prompt[slot] = self.held[slot] = len(prompt)
        self.seen[slot] = prompt[0]  # what is not written yet repeats what has been seen
        self.seen[slot, : len(prompt)] = torch.tensor(prompt, device=self.seen.device)

    def choose(self, logits: Tensor, slots: Tensor, longest: int, how: SamplingBatch) -> Tensor:
        """Choose and note the next tokens of ``slots``. ``longest``: most tokens seen by one."""
        seen = self.seen[slots, :longest] if how.penalised else None
        tokens = choose(logits, self.rows[slots], seen, self.made[slots], how)
        self.seen[slots, self.prompt[slots] + self.made[slots]] = tokens
        self.made[slots] += 1
        self.last[slots] = tokens
        return tokens

    def choose_static(
        self, logits: Tensor, slots: Tensor, active: Tensor, read_length: int, how: SamplingBatch
    ) -> Tensor:
        """Choose the next tokens of ``slots``; note only the ``active`` (int64 [slots], 1 or 0)."""
        seen = self.seen[slots, :read_length] if how.penalised else None
        tokens = choose(logits, self.rows[slots], seen, self.made[slots], how)
        last = self.seen.shape[1] - 1  # where nothing is, and nothing is missed
        counts = active.bool()
        where = torch.where(counts, self.prompt[slots] + self.made[slots], last)
        self.seen[slots, where] = torch.where(counts, tokens, self.seen[slots, where])
        self.last[slots] = torch.where(counts, tokens, self.last[slots])
        self.made[slots] += active
        self.held[slots] += active
        return tokens

    def changing(self) -> list[Tensor]:
        """All that a step changes."""
        return [self.made, self.held, self.last, self.seen]

    def _counts(self) -> list[Tensor]:
        rows = self.rows
        parameters = [rows.temperature, rows.top_p, rows.top_k, rows.penalty, rows.seed]
        return [*parameters, self.prompt, self.made, self.held, self.last]
