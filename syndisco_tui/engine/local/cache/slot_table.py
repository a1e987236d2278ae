"""Which slot of the cache a sequence gets, and which prefixes idle slots are kept for.

Knows token ids and sizes; nothing of tensors or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

LENGTH_STEP = 64  # slots are as long as a multiple of this


class OutOfSlots(Exception):
    """There is no memory for another slot, or for one that long."""


class SlotStorage(Protocol):
    """The memory behind the slots: ``slots`` of them, each for ``length`` tokens."""

    slots: int
    length: int

    @property
    def bytes_per_token(self) -> int: ...

    def resize(self, slots: int, length: int) -> None:
        """Grow or shrink, keeping what fits. Raises OutOfSlots, and is then as it was."""

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of one slot to another."""


@dataclass
class Slot:
    """One row of the cache, which holds keys and values of ``tokens``."""

    index: int
    tokens: list[int] = field(default_factory=list)
    is_busy: bool = False
    last_used: int = 0


class SlotTable:
    """Slots in ``storage``, made and lengthened as they are needed, up to ``budget`` bytes."""

    def __init__(self, storage: SlotStorage, budget: int) -> None:
        self.storage = storage
        self.budget = budget
        self.slots: list[Slot] = []
        self._clock = 0

    def acquire(
        self, prompt: Sequence[int], length: int, spare: int, expected: int = 1
    ) -> tuple[Slot, int]:
        """A slot for ``prompt`` that can hold ``length`` tokens, and how many it already has.

        At least one token of the prompt is always left to be computed.

        Args:
            prompt: Token ids.
            length: Tokens of the prompt and its reply.
            spare: How many idle slots may be kept for their prefixes before the least recently
                used one is taken.
            expected: How many slots will be needed soon, so that room is made once for all.

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
        """Give a slot back; what it holds stays for prompts that begin with the same tokens."""
        self._clock += 1
        slot.is_busy, slot.last_used = False, self._clock

    def forget(self) -> None:
        """Let go of all that idle slots hold, and of the memory if none is busy."""
        for slot in self.slots:
            if not slot.is_busy:
                slot.tokens = []
        if not any(slot.is_busy for slot in self.slots):
            self.slots.clear()
            self.storage.resize(0, 0)

    def longest_prefix(self, prompt: Sequence[int]) -> tuple[Slot | None, int]:
        """The slot that has most of the beginning of ``prompt``, and how much (never all)."""
        ids = np.asarray(prompt)
        best: Slot | None = None
        longest = 0
        for slot in self.slots:
            common = min(common_prefix(ids, slot.tokens), len(prompt) - 1)
            is_better = common == longest and best and best.is_busy and not slot.is_busy
            if common > longest or is_better:
                best, longest = slot, common
        return best, longest

    def _choose(
        self, source: Slot | None, cached: int, length: int, spare: int, expected: int
    ) -> Slot:
        idle = [slot for slot in self.slots if not slot.is_busy]
        # A slot that the prompt goes on from is its own; one of which only the beginning is
        # shared (another actor of the same discussion) is worth keeping.
        if source and not source.is_busy and 2 * cached >= len(source.tokens):
            self._fit(len(self.slots), length)
            return source
        empty = next((slot for slot in idle if not slot.tokens), None)
        if empty is None and len(idle) < max(spare, 1):
            try:
                return self._new_slot(length, expected + spare)
            except OutOfSlots:
                if not idle:
                    raise
        self._fit(len(self.slots), length)
        return empty or min(idle, key=lambda slot: slot.last_used)

    def _new_slot(self, length: int, soon: int) -> Slot:
        self._fit(len(self.slots) + 1, length, soon)
        slot = Slot(len(self.slots))
        self.slots.append(slot)
        return slot

    def _fit(self, slots: int, length: int, soon: int = 0) -> None:
        """Make room for ``slots`` of ``length``; where the budget allows, for ``soon`` at once.

        Growing means copying, so both at least double.
        """
        room, longest = self.storage.slots, self.storage.length
        if slots <= room and length <= longest:
            return
        needed = max(length, longest)
        generous = max(longest, 2 * length if length > longest else 0)
        more = max(slots, soon, 2 * room) if slots > room else room
        sizes = ((more, generous), (more, needed), (slots, generous), (slots, needed))
        for count, exact_span in sizes:
            span = -(-exact_span // LENGTH_STEP) * LENGTH_STEP
            if self.storage.bytes_per_token * count * span <= self.budget:
                self.storage.resize(count, span)
                return
        raise OutOfSlots


def common_prefix(ids: np.ndarray, tokens: Sequence[int]) -> int:
    """How many tokens both begin with."""
    length = min(len(ids), len(tokens))
    if not length:
        return 0
    differs = np.flatnonzero(ids[:length] != np.asarray(tokens[:length]))
    return int(differs[0]) if len(differs) else length
