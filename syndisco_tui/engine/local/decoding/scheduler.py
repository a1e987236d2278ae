"""Which prompts are prefilled and which sequences decode in the next step.

A reply waits, is admitted to a slot, has its prompt read in chunks, and decodes until it ends.
Pure bookkeeping over slots and token counts, without tensors.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from ..cache.slot_table import OutOfSlots, Slot, SlotTable, common_prefix
from .reply import Reply

MAX_SEQUENCES = 64
PREFILL_TOKENS = 512  # tokens of prompts per step, if no sequence decodes
PREFILL_TOKENS_WHILE_DECODING = 128  # so that the next token of the others is not delayed
MIN_SHARED_PREFIX = 16  # a prompt waits for the prefill of another that shares so many tokens more
IDLE_SLOTS = 8  # kept for their prefixes: the actors of one discussion


@dataclass(eq=False)
class Sequence:
    """A reply in its slot, whose KV cache holds the first ``prefilled`` tokens of the prompt."""

    reply: Reply
    slot: Slot
    prefilled: int

    @property
    def unread_tokens(self) -> int:
        """Number of tokens of the prompt, or of an inserted text, that are not prefilled yet."""
        return len(self.reply.context) - self.prefilled

    def is_last_token(self, in_flight: bool) -> bool:
        """Whether the reply is full, counting one token ``in_flight``."""
        return len(self.reply.token_ids) + in_flight >= self.reply.max_tokens


@dataclass(frozen=True)
class ScheduledChunk:
    """Prompt tokens ``start`` … ``end`` − 1 of a sequence, to be prefilled in the next step."""

    sequence: Sequence
    start: int
    end: int

    @property
    def ends_prompt(self) -> bool:
        """Whether the whole prompt has been read after this chunk."""
        return self.end == len(self.sequence.reply.context)


class Scheduler:
    """The sequences of one model.

    Args:
        slots: The slots of the KV cache.
        scratch: How many tokens a slot needs beyond those of prompt and reply.
        max_sequences: How many may be prefilled and decoded at once.
        budget_factor: Multiplies the number of prompt tokens that a step reads.
    """

    def __init__(
        self,
        slots: SlotTable,
        *,
        scratch: int = 0,
        max_sequences: int = MAX_SEQUENCES,
        budget_factor: int = 1,
    ) -> None:
        self.slots = slots
        self._scratch = scratch
        self._max_sequences = max_sequences
        self._budget_factor = budget_factor
        self.waiting: deque[Reply] = deque()
        self.prefilling: list[Sequence] = []
        self.decoding: list[Sequence] = []

    @property
    def running(self) -> list[Sequence]:
        """All sequences that have a slot."""
        return [*self.prefilling, *self.decoding]

    @property
    def is_idle(self) -> bool:
        """Whether no reply waits or runs."""
        return not (self.waiting or self.prefilling or self.decoding)

    def slot_length(self, reply: Reply) -> int:
        """How many tokens the slot of ``reply`` must hold."""
        return reply.max_length + self._scratch

    def remove_cancelled(self) -> list[Reply]:
        """Take out the replies that were cancelled, and free their slots."""
        cancelled = [reply for reply in self.waiting if reply.generation.is_cancelled]
        for reply in cancelled:
            self.waiting.remove(reply)
        for sequence in self.running:
            if sequence.reply.generation.is_cancelled:
                self.release(sequence)
                cancelled.append(sequence.reply)
        return cancelled

    def admit(self) -> list[Reply]:
        """Give slots to waiting replies, while there is memory and a budget to read their prompts.

        Returns:
            Replies that need more memory than there will ever be; they no longer wait.
        """
        too_large: list[Reply] = []
        for reply in list(self.waiting):
            is_full = len(self.running) >= self._max_sequences
            if is_full or sum(s.unread_tokens for s in self.prefilling) >= self.prefill_budget():
                break
            if self._shares_prefix_being_read(reply):
                continue  # replies behind it may begin with something else
            try:
                slot, cached = self._acquire(reply)
            except OutOfSlots:
                if self.running:
                    break  # a slot will become free
                self.waiting.remove(reply)
                too_large.append(reply)
                continue
            self.waiting.remove(reply)
            reply.cached_tokens = cached
            self.prefilling.append(Sequence(reply, slot, cached))
        return too_large

    def prefill_budget(self) -> int:
        """How many prompt tokens the next step reads."""
        if not self.decoding:
            return PREFILL_TOKENS * self._budget_factor
        # A few that decode must not be delayed; where most wait, filling the batch is faster.
        few_wait = len(self.waiting) + len(self.prefilling) < len(self.decoding)
        is_live = few_wait or (len(self.decoding) == 1 and not self.waiting)
        tokens = PREFILL_TOKENS_WHILE_DECODING if is_live else PREFILL_TOKENS
        return tokens * self._budget_factor

    def schedule_chunks(self) -> list[ScheduledChunk]:
        """The chunks that the next step reads, oldest prompts first, within the budget."""
        budget, chunks = self.prefill_budget(), []
        for sequence in self.prefilling:
            # A short rest is read as well: a pass of its own would cost as much as many tokens.
            fits = sequence.unread_tokens <= budget + budget // 4
            end = sequence.prefilled + (sequence.unread_tokens if fits else max(budget, 0))
            if end > sequence.prefilled:
                chunks.append(ScheduledChunk(sequence, sequence.prefilled, end))
                budget -= end - sequence.prefilled
        return chunks

    def mark_prefilled(self, chunk: ScheduledChunk) -> None:
        """Record that ``chunk`` is in the KV cache; after its last one a sequence decodes."""
        sequence = chunk.sequence
        sequence.prefilled = chunk.end
        sequence.slot.tokens = sequence.reply.context[: chunk.end]
        if chunk.ends_prompt:
            self.prefilling.remove(sequence)
            self.decoding.append(sequence)
            self.decoding.sort(key=lambda one: one.slot.index)

    def read_on(self, sequence: Sequence) -> None:
        """Prefill the tokens inserted into the reply of a decoding sequence, in its slot."""
        self.decoding.remove(sequence)
        # Another sequence: a token that is in flight for this one is not for it.
        again = Sequence(sequence.reply, sequence.slot, len(sequence.slot.tokens))
        self.prefilling.insert(0, again)

    def release(self, sequence: Sequence) -> None:
        """End a sequence. Its slot keeps its tokens for later prompts with the same prefix."""
        for sequences in (self.prefilling, self.decoding):
            if sequence in sequences:
                sequences.remove(sequence)
        self.slots.release(sequence.slot)

    def release_all(self) -> list[Reply]:
        """End everything; returns the replies, waiting ones first."""
        replies = [*self.waiting, *(sequence.reply for sequence in self.running)]
        self.waiting.clear()
        for sequence in self.running:
            self.release(sequence)
        return replies

    def _acquire(self, reply: Reply) -> tuple[Slot, int]:
        is_alone = not self.running
        expected = min(len(self.running) + len(self.waiting), self._max_sequences)
        length = self.slot_length(reply)
        try:
            return self.slots.acquire(reply.prompt, length, IDLE_SLOTS, expected)
        except OutOfSlots:
            if not is_alone:
                raise
            self.slots.forget_idle()
            return self.slots.acquire(reply.prompt, length, IDLE_SLOTS)

    def _shares_prefix_being_read(self, reply: Reply) -> bool:
        """Whether waiting for a prompt that is being read saves reading much of this one."""
        if not self.prefilling:
            return False
        prompt = np.asarray(reply.prompt)
        shared = max(common_prefix(prompt, one.reply.prompt) for one in self.prefilling)
        return shared > self.slots.longest_prefix(reply.prompt)[1] + MIN_SHARED_PREFIX
