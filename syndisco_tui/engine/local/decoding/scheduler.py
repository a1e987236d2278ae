"""Who reads and who decodes in the next step: pure bookkeeping over slots and token counts.

A reply waits, is admitted to a slot, has its prompt read in chunks, and decodes until it ends.
Knows no tensors, models or time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..cache.slot_table import OutOfSlots, Slot, SlotTable, common_prefix
from .reply import Reply

MAX_SEQUENCES = 64
PREFILL_TOKENS = 512  # read at once where nobody waits for the next token
PREFILL_TOKENS_BETWEEN = 128  # read between two steps of slots that are decoding
WORTH_WAITING = 16  # tokens; from so many on a prefix that is being read is waited for
IDLE_SLOTS = 8  # kept for their prefixes: the actors of one live discussion


@dataclass(eq=False)
class Sequence:
    """A reply in its slot. ``read`` of its prompt's tokens are in the cache."""

    reply: Reply
    slot: Slot
    read: int

    @property
    def unread(self) -> int:
        """How many tokens of the prompt are still to be read."""
        return len(self.reply.prompt) - self.read

    def is_last(self, has_step_under_way: bool) -> bool:
        """Whether the token that is under way is the last one its request allows."""
        made = len(self.reply.token_ids) + has_step_under_way
        return made >= self.reply.generation.request.max_out_tokens


@dataclass(frozen=True)
class ChunkPlan:
    """Tokens ``start`` to before ``end`` of a sequence's prompt, to be read next."""

    sequence: Sequence
    start: int
    end: int

    @property
    def ends(self) -> bool:
        """Whether the prompt has been read with it."""
        return self.end == len(self.sequence.reply.prompt)


class Scheduler:
    """The sequences of one model.

    Args:
        slots: Where their tokens are kept.
        room_for: How many tokens a reply and its prompt can need.
        max_sequences: How many may be read and decoded at once.
        budget_factor: How many times the usual number of prompt tokens is read at once.
    """

    def __init__(
        self,
        slots: SlotTable,
        room_for: Callable[[Reply], int],
        *,
        max_sequences: int = MAX_SEQUENCES,
        budget_factor: int = 1,
    ) -> None:
        self.slots = slots
        self._room_for = room_for
        self._max_sequences = max_sequences
        self._budget_factor = budget_factor
        self.waiting: deque[Reply] = deque()
        self.reading: list[Sequence] = []
        self.decoding: list[Sequence] = []

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.waiting or self.reading or self.decoding)

    def remove_cancelled(self) -> list[Reply]:
        """Take out the replies that nobody wants any more."""
        cancelled = [reply for reply in self.waiting if reply.generation.is_cancelled]
        for reply in cancelled:
            self.waiting.remove(reply)
        for sequence in [*self.reading, *self.decoding]:
            if sequence.reply.generation.is_cancelled:
                self.release(sequence)
                cancelled.append(sequence.reply)
        return cancelled

    def admit(self) -> list[Reply]:
        """Give slots to those that wait, as far as there is room and a budget to read them.

        Returns:
            Replies for which there will never be room; they no longer wait.
        """
        too_large: list[Reply] = []
        for reply in list(self.waiting):
            is_full = len(self.decoding) + len(self.reading) >= self._max_sequences
            if is_full or sum(one.unread for one in self.reading) >= self.prefill_budget():
                break
            if self._is_worth_waiting(reply):
                continue  # those behind it may begin with something else
            try:
                slot, cached = self._acquire(reply)
            except OutOfSlots:
                if self.reading or self.decoding:
                    break  # a slot will become free
                self.waiting.remove(reply)
                too_large.append(reply)
                continue
            self.waiting.remove(reply)
            reply.cached_tokens = cached
            self.reading.append(Sequence(reply, slot, cached))
        return too_large

    def _acquire(self, reply: Reply) -> tuple[Slot, int]:
        running = len(self.decoding) + len(self.reading)
        expected = min(running + len(self.waiting), self._max_sequences)
        room = self._room_for(reply)
        try:
            return self.slots.acquire(reply.prompt, room, IDLE_SLOTS, expected)
        except OutOfSlots:
            if running:
                raise
            self.slots.forget()
            return self.slots.acquire(reply.prompt, room, IDLE_SLOTS)

    def prefill_budget(self) -> int:
        """How many tokens of prompts are read beside the next step."""
        if not self.decoding:
            return PREFILL_TOKENS * self._budget_factor
        # A few that are decoding must not wait long; where most are waiting, filling up is best.
        few_wait = len(self.waiting) + len(self.reading) < len(self.decoding)
        is_live = few_wait or (len(self.decoding) == 1 and not self.waiting)
        return (PREFILL_TOKENS_BETWEEN if is_live else PREFILL_TOKENS) * self._budget_factor

    def chunks(self) -> list[ChunkPlan]:
        """What is read next: of the prompts that came first, as much as the budget allows."""
        left, plans = self.prefill_budget(), []
        for sequence in self.reading:
            # A short rest is read along: a pass of its own would cost as much as many tokens.
            fits = sequence.unread <= left + left // 4
            end = sequence.read + (sequence.unread if fits else max(left, 0))
            if end > sequence.read:
                plans.append(ChunkPlan(sequence, sequence.read, end))
                left -= end - sequence.read
        return plans

    def note_read(self, chunk: ChunkPlan) -> None:
        """The chunk is in the cache; a prompt that has been read decodes from now on."""
        sequence = chunk.sequence
        sequence.read = chunk.end
        sequence.slot.tokens = sequence.reply.prompt[: chunk.end]
        if chunk.ends:
            self.reading.remove(sequence)
            self.decoding.append(sequence)
            self.decoding.sort(key=lambda one: one.slot.index)

    def release(self, sequence: Sequence) -> None:
        """The sequence has ended; its slot keeps what it holds for prompts to come."""
        for sequences in (self.reading, self.decoding):
            if sequence in sequences:
                sequences.remove(sequence)
        self.slots.release(sequence.slot)

    def release_all(self) -> list[Reply]:
        """End everything, and give back the replies, those that wait first."""
        sequences = [*self.reading, *self.decoding]
        replies = [*self.waiting, *(sequence.reply for sequence in sequences)]
        self.waiting.clear()
        for sequence in sequences:
            self.release(sequence)
        return replies

    def _is_worth_waiting(self, reply: Reply) -> bool:
        """Whether a prompt that is being read begins like this one: it is then copied, not read."""
        if not self.reading:
            return False
        prompt = np.asarray(reply.prompt)
        ahead = max(common_prefix(prompt, one.reply.prompt) for one in self.reading)
        return ahead > self.slots.longest_prefix(reply.prompt)[1] + WORTH_WAITING
