"""The one decode loop: requests join and leave between steps, each in a slot of the KV cache.

Knows models, slots and sampling; nothing of threads, loading or discussions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .base import EngineError, Generation
from .chat import ChatTokenizer
from .forward import Forward
from .memory import is_out_of_memory, release_memory
from .reply import Reply, sentence, too_long
from .sampling import Plan, Rows, choose, plan
from .slots import OutOfSlots, Slot

MAX_ROWS = 64
PREFILL_TOKENS = 512  # read at once where nobody waits for the next token
PREFILL_TOKENS_BETWEEN = 128  # read between two steps of slots that are decoding
IDLE_SLOTS = 8  # kept for their prefixes: the actors of one live discussion


@dataclass
class Row:
    """A reply in its slot. ``read`` of its prompt's tokens are in the cache."""

    reply: Reply
    slot: Slot
    read: int


class SlotDecoder:
    """Makes replies with ``forward`` over its slots; call ``advance`` while it is ``busy``."""

    path = "slots"

    def __init__(
        self,
        forward: Forward,
        tokenizer: Any,
        *,
        eos: Collection[int],
        context_length: int,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._forward, self._tokenizer = forward, tokenizer
        self._slots, self._device = forward.slots, forward.device
        self._chat = ChatTokenizer(tokenizer)
        self._eos = frozenset(eos) | self._chat.ends_of_turn()
        self._context_length = context_length
        self._max_rows = max_rows
        self._vocabulary = 0
        self._waiting: deque[Reply] = deque()
        self._reading: list[Row] = []
        self._decoding: list[Row] = []
        self._state = _State(0, 0, self._device)
        self._plan: Plan | None = None

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._waiting or self._reading or self._decoding)

    def submit(self, generation: Generation) -> None:
        """Queue a reply. Its events come from ``advance``; a bad prompt fails at once."""
        reply = Reply(generation, [], self._tokenizer, self._eos)
        try:
            reply.prompt = self._chat.ids(generation.request.chat)
            if len(reply.prompt) >= self._context_length:
                raise too_long(len(reply.prompt), self._context_length)
        except EngineError as error:
            reply.fail(error)
        else:
            self._waiting.append(reply)

    @torch.inference_mode()
    def advance(self) -> None:
        """Admit what fits, read a piece of one prompt, make one token for every decoding slot."""
        self._drop_cancelled()
        self._admit()
        if self._reading:
            row = self._reading[0]
            self._guarded(lambda: self._read(row), [row])
        if self._decoding:
            self._guarded(self._step, self._decoding)

    def abandon(self, error: EngineError | None) -> None:
        """End everything that waits or runs: as failed with ``error``, or as cancelled."""
        rows = [*self._reading, *self._decoding]
        for reply in [*self._waiting, *(row.reply for row in rows)]:
            reply.abandon(error)
        self._waiting.clear()
        for row in rows:
            self._leave(row)

    def _guarded(self, work: Callable[[], None], rows: list[Row]) -> None:
        """Do ``work``; if it fails, ``rows`` fail and the others go on.

        Out of memory: once more, after all that idle slots hold is let go.
        """
        for attempt in (1, 2):
            try:
                work()
                return
            except Exception as error:
                # Only the text is kept: a traceback holds the tensors of every frame.
                full, reason = is_out_of_memory(error), sentence(error)
            if not full or attempt == 2:
                break
            self._slots.forget()
            release_memory()
        if full:
            reason = (
                "The memory is full: shorten the history or the reply, or repeat fewer at once."
            )
        for row in list(rows):
            row.reply.fail(EngineError(reason))
            self._leave(row)

    def _room_for(self, reply: Reply) -> int:
        """How many positions the reply can need, prompt included."""
        wanted = len(reply.prompt) + reply.generation.request.max_out_tokens
        return min(wanted, self._context_length)

    def _drop_cancelled(self) -> None:
        for reply in [reply for reply in self._waiting if reply.generation.is_cancelled]:
            self._waiting.remove(reply)
            reply.finish("cancelled")
        for rows in (self._reading, self._decoding):
            for row in [row for row in rows if row.reply.generation.is_cancelled]:
                row.reply.finish("cancelled")
                self._leave(row)

    def _admit(self) -> None:
        # One at a time: what the one before has read is then there for the next to begin with.
        while self._waiting and not self._reading and len(self._decoding) < self._max_rows:
            reply = self._waiting[0]
            room = self._room_for(reply)
            try:
                slot, kept = self._slots.acquire(reply.prompt, room, IDLE_SLOTS)
            except OutOfSlots:
                if self._reading or self._decoding:
                    return  # a slot will become free
                self._slots.forget()
                try:
                    slot, kept = self._slots.acquire(reply.prompt, room, IDLE_SLOTS)
                except OutOfSlots:
                    self._waiting.popleft()
                    reply.fail(self._does_not_fit(room))
                    continue
            self._waiting.popleft()
            reply.cached_tokens = kept
            self._reading.append(Row(reply, slot, kept))

    def _does_not_fit(self, room: int) -> EngineError:
        megabytes = room * self._slots.bytes_per_token / 1e6
        return EngineError(
            f"The prompt and its reply need {room:,} tokens, {megabytes:,.0f} MB of memory, and "
            f"{self._slots.budget / 1e6:,.0f} MB are free: shorten the history or the reply."
        )

    def _read(self, row: Row) -> None:
        """Prefill the next piece of a prompt; with the last one comes the first token."""
        prompt, slot = row.reply.prompt, row.slot
        # A few that are decoding must not wait long; where most are waiting, filling up is best.
        few_wait = len(self._waiting) + len(self._reading) < len(self._decoding)
        live = few_wait or (len(self._decoding) == 1 and not self._waiting)
        piece = PREFILL_TOKENS_BETWEEN if live else PREFILL_TOKENS
        end = min(row.read + piece, len(prompt))
        ids = torch.tensor(prompt[row.read : end], device=self._device)
        logits = self._forward.prefill(slot.index, ids, row.read)
        slot.tokens = prompt[:end]
        row.read = end
        if end < len(prompt):
            return
        self._reading.remove(row)
        row.reply.start()
        self._join(row, logits)

    def _join(self, row: Row, logits: Tensor) -> None:
        request, index, prompt = row.reply.generation.request, row.slot.index, row.reply.prompt
        self._vocabulary = logits.shape[-1]
        state = self._room_in_state()
        state.rows.set(index, request.sampling, request.seed)
        state.made[index] = 0
        state.prompt[index] = len(prompt)
        state.seen[index] = prompt[0]  # what is not written yet repeats what has been seen
        state.seen[index, : len(prompt)] = torch.tensor(prompt, device=self._device)
        self._decoding.append(row)
        self._decoding.sort(key=lambda row: row.slot.index)
        self._plan = None
        how = plan([request.sampling], self._vocabulary)
        self._take(self._choose(logits[None], [row], how), [row])

    def _step(self) -> None:
        rows = list(self._decoding)
        if self._plan is None:
            samplings = [row.reply.generation.request.sampling for row in rows]
            self._plan = plan(samplings, self._vocabulary)
        indices = [row.slot.index for row in rows]
        lengths = [len(row.slot.tokens) for row in rows]
        tokens = torch.tensor([row.reply.token_ids[-1] for row in rows], device=self._device)
        logits = self._forward.decode(indices, tokens, lengths)
        for row in rows:
            row.slot.tokens.append(row.reply.token_ids[-1])
        self._take(self._choose(logits, rows, self._plan), rows)

    def _choose(self, logits: Tensor, rows: list[Row], how: Plan) -> Tensor:
        here = torch.tensor([row.slot.index for row in rows], device=self._device)
        longest = max(len(row.reply.prompt) + len(row.reply.token_ids) for row in rows)
        return self._state.choose(logits, here, longest, how)

    def _take(self, tokens: Tensor, rows: list[Row]) -> None:
        for token, row in zip(tokens.tolist(), rows, strict=True):
            full = len(row.reply.prompt) + len(row.reply.token_ids) + 1 >= self._context_length
            ended = row.reply.push(token)
            if not ended and full:
                row.reply.finish("length")
            if ended or full:
                self._leave(row)

    def _leave(self, row: Row) -> None:
        for rows in (self._reading, self._decoding):
            if row in rows:
                rows.remove(row)
        self._slots.release(row.slot)
        self._plan = None

    def _room_in_state(self) -> _State:
        slots, length = len(self._slots.slots), self._slots.length
        if self._state.slots < slots or self._state.length < length:
            slots, length = max(slots, self._state.slots), max(length, self._state.length)
            self._state = self._state.grown(slots, length)
        return self._state


class _State:
    """What sampling keeps on the device for every slot, [slots] each."""

    def __init__(self, slots: int, length: int, device: torch.device) -> None:
        self.slots, self.length = slots, length
        self.rows = Rows.empty(slots, device)
        self.prompt = torch.zeros(slots, dtype=torch.int64, device=device)
        """How many tokens the prompt has."""
        self.made = torch.zeros(slots, dtype=torch.int64, device=device)
        """How many tokens the reply has."""
        self.seen = torch.zeros(slots, length + 1, dtype=torch.int64, device=device)
        """[slots, length + 1]: the tokens of prompt and reply, then any one of them repeated."""

    def grown(self, slots: int, length: int) -> _State:
        """The same with more slots, or longer ones."""
        grown = _State(slots, length, self.made.device)
        for old, new in zip(self._tensors(), grown._tensors(), strict=True):
            new[: self.slots] = old
        if self.slots:
            grown.seen[: self.slots] = self.seen[:, :1]
            grown.seen[: self.slots, : self.length + 1] = self.seen
        return grown

    def choose(self, logits: Tensor, here: Tensor, longest: int, how: Plan) -> Tensor:
        """The next tokens of the slots ``here``, noted. ``longest``: tokens seen by any of them."""
        seen = self.seen[here, :longest] if how.penalised else None
        tokens = choose(logits, self.rows[here], seen, self.made[here], how)
        self.seen[here, self.prompt[here] + self.made[here]] = tokens
        self.made[here] += 1
        return tokens

    def _tensors(self) -> list[Tensor]:
        rows = self.rows
        parameters = [rows.temperature, rows.top_p, rows.top_k, rows.penalty, rows.seed]
        return [*parameters, self.prompt, self.made]
