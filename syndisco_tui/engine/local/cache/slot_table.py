"""Which slot of the KV cache a sequence gets, and which prefixes idle slots are kept for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

LENGTH_STEP = 64  # the length of slots is a multiple of this


class OutOfSlots(Exception):
    """There is no memory for another slot, or for one of this length."""


class SlotStorage(Protocol):
    """The memory behind the slots: ``slots`` of them, each for ``length`` tokens."""

    slots: int
    length: int

    @property
    def bytes_per_token(self) -> int: ...

    def resize(self, slots: int, length: int) -> None:
        """Grow or shrink, keeping what fits. Raises OutOfSlots, and has then changed nothing."""

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of one slot to another."""


@dataclass
class Slot:
    """A row of the KV cache, which holds keys and values of ``tokens`` (token ids)."""

    index: int
    tokens: list[int] = field(default_factory=list)
    is_busy: bool = False
    last_used: int = 0


class SlotTable:
    """The slots of ``storage``, added and lengthened on demand, up to ``budget`` bytes."""

    def __init__(self, storage: SlotStorage, budget: int) -> None:
        self.storage = storage
        self.budget = budget
        self.slots: list[Slot] = []
        self._clock = 0

    def acquire(
        self, prompt: Sequence[int], length: int, spare: int, expected: int = 1
    ) -> tuple[Slot, int]:
        """Take a slot for ``prompt``, with the longest prefix of it that any slot holds.

        Args:
            prompt: Token ids.
            length: Tokens of the prompt and its reply.
            spare: How many idle slots may be kept for their prefixes before the least recently
                used one is taken.
            expected: How many slots will be needed soon, so that memory is allocated once.

        Returns:
            The slot and how many tokens of the prompt it holds; at least one is left to compute.

        Raises:
            OutOfSlots: The budget does not allow it now.
        """
        source, cached = self.longest_prefix(prompt)
        slot = self._choose(source, cached, length, spare, expected)
        if cached and source is not None and source is not slot:
            self.storage.copy_prefix(source.index, slot.index, cached)
        slot.tokens = list(prompt[:cached])
        slot.is_busy = True
        return slot, cached

    def release(self, slot: Slot) -> None:
        """Make a slot idle; it keeps its tokens for prompts with the same prefix."""
        self._clock += 1
        slot.is_busy, slot.last_used = False, self._clock

    def forget_idle(self) -> None:
        """Drop the tokens of idle slots, and all memory if no slot is busy."""
        for slot in self.slots:
            if not slot.is_busy:
                slot.tokens = []
        if not any(slot.is_busy for slot in self.slots):
            self.slots.clear()
            self.storage.resize(0, 0)

    def longest_prefix(self, prompt: Sequence[int]) -> tuple[Slot | None, int]:
        """The slot that shares the longest prefix with ``prompt``, and its length in tokens.

        The last token of the prompt does not count; of equal slots, an idle one is returned.
        """
        ids = np.asarray(prompt)
        best: Slot | None = None
        longest = 0
        for slot in self.slots:
            shared = min(common_prefix(ids, slot.tokens), len(prompt) - 1)
            is_idler = shared == longest and best and best.is_busy and not slot.is_busy
            if shared > longest or is_idler:
                best, longest = slot, shared
        return best, longest

    def _choose(
        self, source: Slot | None, cached: int, length: int, spare: int, expected: int
    ) -> Slot:
        # A slot is continued if the prompt contains most of it. If only the beginning is shared
        # (by another actor of the same discussion) the slot is worth keeping.
        if source and not source.is_busy and 2 * cached >= len(source.tokens):
            self._reserve(len(self.slots), length)
            return source
        idle = [slot for slot in self.slots if not slot.is_busy]
        empty = next((slot for slot in idle if not slot.tokens), None)
        if empty is None and len(idle) < max(spare, 1):
            try:
                return self._add_slot(length, expected + spare)
            except OutOfSlots:
                if not idle:
                    raise
        self._reserve(len(self.slots), length)
        return empty or min(idle, key=lambda slot: slot.last_used)

    def _add_slot(self, length: int, expected: int) -> Slot:
        self._reserve(len(self.slots) + 1, length, expected)
        slot = Slot(len(self.slots))
        self.slots.append(slot)
        return slot

    def _reserve(self, slots: int, length: int, expected: int = 0) -> None:
        """Make room for ``slots`` of ``length``, and for ``expected`` ones if there is memory.

        Growing means copying, so slots and length at least double where the budget allows.
        """
        has_slots, has_length = self.storage.slots, self.storage.length
        if slots <= has_slots and length <= has_length:
            return
        min_length = max(length, has_length)
        wide_length = 2 * length if length > has_length else has_length
        more_slots = max(slots, expected, 2 * has_slots) if slots > has_slots else has_slots
        sizes = (
            (more_slots, wide_length),
            (more_slots, min_length),
            (slots, wide_length),
            (slots, min_length),
        )
        for count, tokens in sizes:
            rounded = -(-tokens // LENGTH_STEP) * LENGTH_STEP
            if self.storage.bytes_per_token * count * rounded <= self.budget:
                self.storage.resize(count, rounded)
                return
        raise OutOfSlots


def common_prefix(ids: np.ndarray, tokens: Sequence[int]) -> int:
    """How many tokens ``ids`` and ``tokens`` both begin with."""
    length = min(len(ids), len(tokens))
    if not length:
        return 0
    differs = np.flatnonzero(ids[:length] != np.asarray(tokens[:length]))
    return int(differs[0]) if len(differs) else length
