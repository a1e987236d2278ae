"""The one decode loop: requests join and leave between steps, each in a slot of the KV cache.

Knows models, slots and sampling; nothing of threads, loading or discussions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .base import EngineError, Generation
from .chat import ChatTokenizer
from .forward import decode, prefill
from .reply import Reply
from .sampling import Plan, Rows, choose, plan
from .slots import LENGTH_STEP, OutOfSlots, Slot, Slots

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

    @property
    def sampling_temperature(self) -> float:
        return self.reply.generation.request.sampling.temperature


class SlotDecoder:
    """Makes replies with ``model`` over ``slots``; call ``advance`` while it is ``busy``."""

    path = "slots"

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        slots: Slots,
        *,
        eos: Collection[int],
        context_length: int,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._model, self._tokenizer, self._slots = model, tokenizer, slots
        self._chat = ChatTokenizer(tokenizer)
        self._eos = frozenset(eos)
        self._context_length = context_length
        self._max_rows = max_rows
        self._device = model.get_input_embeddings().weight.device
        self._vocabulary = 0
        self._waiting: deque[Reply] = deque()
        self._reading: list[Row] = []
        self._decoding: list[Row] = []
        self._state = _State(0, 1, self._device)
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
            self._check_length(reply)
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
            self._read(self._reading[0])
        if self._decoding:
            self._step()

    def abandon(self, error: EngineError) -> None:
        """Fail everything that waits or runs."""
        for reply in self._waiting:
            reply.fail(error)
        for row in [*self._reading, *self._decoding]:
            row.reply.fail(error)
            self._slots.release(row.slot)
        self._waiting.clear()
        self._reading.clear()
        self._decoding.clear()

    def _check_length(self, reply: Reply) -> None:
        if len(reply.prompt) >= self._context_length:
            raise EngineError(
                f"The prompt has {len(reply.prompt):,} tokens and the model reads fewer than "
                f"{self._context_length:,}: shorten the history, the context or the persona."
            )

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
        while self._waiting and len(self._reading) + len(self._decoding) < self._max_rows:
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
                    reply.fail(self._too_long(room))
                    continue
            self._waiting.popleft()
            reply.cached_tokens = kept
            self._reading.append(Row(reply, slot, kept))

    def _too_long(self, room: int) -> EngineError:
        megabytes = room * self._slots.bytes_per_token / 1e6
        return EngineError(
            f"The prompt and its reply need {room:,} tokens, {megabytes:,.0f} MB of memory, and "
            f"{self._slots.budget / 1e6:,.0f} MB are free: shorten the history or the reply."
        )

    def _read(self, row: Row) -> None:
        """Prefill the next piece of a prompt; with the last one comes the first token."""
        prompt, slot = row.reply.prompt, row.slot
        piece = PREFILL_TOKENS_BETWEEN if self._decoding else PREFILL_TOKENS
        end = min(row.read + piece, len(prompt))
        ids = torch.tensor(prompt[row.read : end], device=self._device)
        logits = prefill(self._model, self._slots, slot.index, ids, row.read)
        slot.tokens = prompt[:end]
        row.read = end
        if end < len(prompt):
            return
        self._reading.remove(row)
        row.reply.start()
        self._join(row, logits)

    def _join(self, row: Row, logits: Tensor) -> None:
        request, index = row.reply.generation.request, row.slot.index
        state = self._room_in_state(logits.shape[-1])
        state.rows.set(index, request.sampling, request.seed)
        state.length[index] = len(row.reply.prompt)
        state.made[index] = 0
        state.seen[index] = False
        state.seen[index, torch.tensor(row.reply.prompt, device=self._device)] = True
        here = torch.tensor([index], device=self._device)
        how = plan([request.sampling], logits.shape[-1])
        self._decoding.append(row)
        self._decoding.sort(key=lambda row: row.slot.index)
        self._plan = None
        self._take(state.choose(logits[None], here, how), [row])

    def _step(self) -> None:
        rows, state = list(self._decoding), self._state
        if self._plan is None:
            samplings = [row.reply.generation.request.sampling for row in rows]
            self._plan = plan(samplings, self._vocabulary)
        indices = [row.slot.index for row in rows]
        here = torch.tensor(indices, device=self._device)
        longest = max(len(row.slot.tokens) for row in rows) + 1
        top = min(-(-longest // LENGTH_STEP) * LENGTH_STEP, self._slots.length)
        logits = decode(
            self._model, self._slots, indices, state.token[here], state.length[here], top
        )
        for row in rows:
            row.slot.tokens.append(row.reply.token_ids[-1])
        state.length[here] += 1
        self._take(state.choose(logits, here, self._plan), rows)

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

    def _room_in_state(self, vocabulary: int) -> _State:
        slots = len(self._slots.slots)
        if self._vocabulary != vocabulary or self._state.slots < slots:
            self._vocabulary = vocabulary
            self._state = self._state.grown(max(slots, 2 * self._state.slots), vocabulary)
        return self._state


class _State:
    """What decoding keeps on the device for every slot, [slots] each."""

    def __init__(self, slots: int, vocabulary: int, device: torch.device) -> None:
        self.slots = slots
        self.rows = Rows.empty(slots, device)
        self.token = torch.zeros(slots, dtype=torch.int64, device=device)
        self.length = torch.zeros(slots, dtype=torch.int64, device=device)
        """How many positions are in the cache: where the next token is written."""
        self.made = torch.zeros(slots, dtype=torch.int64, device=device)
        """How many tokens the reply has."""
        self.seen = torch.zeros(slots, vocabulary, dtype=torch.bool, device=device)

    def grown(self, slots: int, vocabulary: int) -> _State:
        grown = _State(slots, vocabulary, self.token.device)
        for old, new in zip(self._tensors(), grown._tensors(), strict=True):
            if old.shape[1:] == new.shape[1:]:
                new[: len(old)] = old
        return grown

    def choose(self, logits: Tensor, here: Tensor, how: Plan) -> Tensor:
        """The next tokens of the slots ``here``, noted."""
        seen = self.seen[here] if how.penalised else None
        tokens = choose(logits, self.rows[here], seen, self.made[here], how)
        self.token[here] = tokens
        self.made[here] += 1
        self.seen[here, tokens] = True
        return tokens

    def _tensors(self) -> list[Tensor]:
        rows = self.rows
        parameters = [rows.temperature, rows.top_p, rows.top_k, rows.penalty, rows.seed]
        return [*parameters, self.token, self.length, self.made, self.seen]
