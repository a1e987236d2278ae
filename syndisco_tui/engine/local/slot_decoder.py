"""The one decode loop: requests join and leave between steps, each in a slot of the KV cache.

Knows models, slots and sampling; nothing of threads, loading or discussions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..base import EngineError, Generation, OutOfMemory
from .attention import Piece
from .chat import ChatTokenizer
from .memory import is_out_of_memory, release_memory
from .model_runner import Forward
from .reply import Reply, sentence, too_long
from .sampling import plan
from .sampling_state import SlotState
from .slots import OutOfSlots, Slot, common_prefix
from .static_steps import SCRATCH, Flight, StaticSteps

MAX_ROWS = 64
PREFILL_TOKENS = 512  # read at once where nobody waits for the next token
PREFILL_TOKENS_BETWEEN = 128  # read between two steps of slots that are decoding
GPU_FACTOR = 4  # so many times as many on a GPU, where a pass of few takes as long
WORTH_WAITING = 16  # tokens; from so many on a prefix that is being read is waited for
IDLE_SLOTS = 8  # kept for their prefixes: the actors of one live discussion


@dataclass(eq=False)
class Row:
    """A reply in its slot. ``read`` of its prompt's tokens are in the cache."""

    reply: Reply
    slot: Slot
    read: int

    def is_last(self, under_way: bool) -> bool:
        """Whether the token that is ``under_way`` is the last one its request allows."""
        made = len(self.reply.token_ids) + under_way
        return made >= self.reply.generation.request.max_out_tokens


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
        static: StaticSteps | None = None,
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
        self._state = SlotState(0, 0, self._device)
        self._static = static
        self._flight: tuple[Flight, list[Row]] | None = None

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
        """Admit what fits, read pieces of prompts, make one token for every decoding slot."""
        self._drop_cancelled()
        self._admit()
        if self._static is None and self._forward.joins_pieces:
            self._guarded(self._read_and_step, self._reading or self._decoding)
            return
        if self._static is not None:  # a GPU makes its step while more is got ready for it
            self._guarded(self._launch, self._decoding)
        elif self._decoding:
            self._guarded(self._step, self._decoding)
        if self._reading:
            self._guarded(self._read, self._reading)

    def abandon(self, error: EngineError | None) -> None:
        """End everything that waits or runs: as failed with ``error``, or as cancelled."""
        rows = [*self._reading, *self._decoding]
        for reply in [*self._waiting, *(row.reply for row in rows)]:
            reply.abandon(error)
        self._waiting.clear()
        self._flight = None
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
            row.reply.fail(OutOfMemory(reason) if full else EngineError(reason))
            self._leave(row)

    def _room_for(self, reply: Reply) -> int:
        """How many positions the reply can need, prompt included."""
        wanted = len(reply.prompt) + reply.generation.request.max_out_tokens
        return min(wanted, self._context_length) + (SCRATCH if self._static else 0)

    def _drop_cancelled(self) -> None:
        for reply in [reply for reply in self._waiting if reply.generation.is_cancelled]:
            self._waiting.remove(reply)
            reply.finish("cancelled")
        for rows in (self._reading, self._decoding):
            for row in [row for row in rows if row.reply.generation.is_cancelled]:
                row.reply.finish("cancelled")
                self._leave(row)

    def _admit(self) -> None:
        for reply in list(self._waiting):
            is_full = len(self._decoding) + len(self._reading) >= self._max_rows
            if is_full or self._unread() >= self._budget():
                return
            if self._is_worth_waiting(reply):
                continue  # those behind it may begin with something else
            room = self._room_for(reply)
            wanted = len(self._decoding) + len(self._reading) + len(self._waiting)
            soon = min(wanted, self._max_rows)
            try:
                slot, kept = self._slots.acquire(reply.prompt, room, IDLE_SLOTS, soon)
            except OutOfSlots:
                if self._reading or self._decoding:
                    return  # a slot will become free
                self._slots.forget()
                try:
                    slot, kept = self._slots.acquire(reply.prompt, room, IDLE_SLOTS)
                except OutOfSlots:
                    self._waiting.remove(reply)
                    reply.fail(self._does_not_fit(room))
                    continue
            self._waiting.remove(reply)
            reply.cached_tokens = kept
            self._reading.append(Row(reply, slot, kept))

    def _unread(self) -> int:
        return sum(len(row.reply.prompt) - row.read for row in self._reading)

    def _is_worth_waiting(self, reply: Reply) -> bool:
        """Whether a prompt that is being read begins like this one: it is then copied, not read."""
        if not self._reading:
            return False
        prompt = np.asarray(reply.prompt)
        ahead = max(common_prefix(prompt, row.reply.prompt) for row in self._reading)
        return ahead > self._slots.longest_prefix(reply.prompt)[1] + WORTH_WAITING

    def _budget(self) -> int:
        """How many tokens of prompts are read beside the next step."""
        factor = 1 if self._static is None else GPU_FACTOR
        if not self._decoding:
            return PREFILL_TOKENS * factor
        # A few that are decoding must not wait long; where most are waiting, filling up is best.
        few_wait = len(self._waiting) + len(self._reading) < len(self._decoding)
        live = few_wait or (len(self._decoding) == 1 and not self._waiting)
        return (PREFILL_TOKENS_BETWEEN if live else PREFILL_TOKENS) * factor

    def _does_not_fit(self, room: int) -> OutOfMemory:
        megabytes = room * self._slots.bytes_per_token / 1e6
        return OutOfMemory(
            f"The prompt and its reply need {room:,} tokens, {megabytes:,.0f} MB of memory, and "
            f"{self._slots.budget / 1e6:,.0f} MB are free: shorten the history or the reply."
        )

    def _pieces(self) -> list[tuple[Row, Piece]]:
        """What is read next: of the prompts that came first, as much as the budget allows."""
        left, pieces = self._budget(), []
        for row in self._reading:
            prompt = row.reply.prompt
            unread = len(prompt) - row.read
            # A short rest is read along: a pass of its own would cost as much as many tokens.
            end = row.read + (unread if unread <= left + left // 4 else max(left, 0))
            if end > row.read:
                ids = self._sent(prompt[row.read : end])
                piece = Piece(row.slot.index, ids, row.read, ends=end == len(prompt))
                pieces.append((row, piece))
                left -= end - row.read
        return pieces

    def _sent(self, ids: Sequence[int]) -> Tensor:
        """``ids`` on the device, without waiting for what it is doing."""
        here = torch.tensor(ids)
        if self._device.type != "cuda":
            return here.to(self._device)
        return here.pin_memory().to(self._device, non_blocking=True)

    def _read_and_step(self) -> None:
        """One pass: a token for every decoding slot, and pieces of prompts."""
        pieces = self._pieces()
        if pieces or self._decoding:
            self._forward_pass(list(self._decoding), pieces)

    def _read(self) -> None:
        self._forward_pass([], self._pieces())

    def _step(self) -> None:
        self._forward_pass(list(self._decoding), [])

    def _forward_pass(self, rows: list[Row], pieces: list[tuple[Row, Piece]]) -> None:
        lengths = [len(row.slot.tokens) for row in rows]
        tokens = torch.tensor(
            [row.reply.token_ids[-1] for row in rows], dtype=torch.int64, device=self._device
        )
        indices = [row.slot.index for row in rows]
        logits = self._forward.step(indices, tokens, lengths, [piece for _, piece in pieces])
        begun = [row for row, piece in pieces if piece.ends]
        chosen: Tensor | None = None
        if rows or begun:
            self._vocabulary = logits.shape[-1]
            for row in begun:
                self._begin(row)
            chosen = self._choose(logits, [*rows, *begun])
        # From here on nothing fails: what was computed is written down.
        for row in rows:
            row.slot.tokens.append(row.reply.token_ids[-1])
        for row, piece in pieces:
            row.read = piece.start + len(piece.ids)
            row.slot.tokens = row.reply.prompt[: row.read]
        for row in begun:
            self._reading.remove(row)
            self._decoding.append(row)
            row.reply.start()
        if begun:
            self._decoding.sort(key=lambda row: row.slot.index)
        if chosen is not None:
            self._take(chosen.tolist(), [*rows, *begun])

    def _begin(self, row: Row) -> None:
        slots = self._slots.layers[0].slots  # as many as there is room for: it seldom grows
        self._state = self._state.grown(slots, self._slots.length)
        request = row.reply.generation.request
        self._state.begin(row.slot.index, row.reply.prompt, request.sampling, request.seed)

    def _choose(self, logits: Tensor, rows: list[Row]) -> Tensor:
        how = plan([row.reply.generation.request.sampling for row in rows], self._vocabulary)
        here = torch.tensor([row.slot.index for row in rows], device=self._device)
        longest = max(len(row.reply.prompt) + len(row.reply.token_ids) for row in rows)
        return self._state.choose(logits, here, longest, how)

    def _launch(self) -> None:
        """Start the next step before the tokens of the one before it are read."""
        assert self._static is not None
        flight, launched = self._flight, None
        flying = flight[1] if flight else []
        rows = [row for row in self._decoding if not row.is_last(row in flying)]
        if rows:
            step = self._static.launch(
                self._state,
                [row.slot.index for row in rows],
                max(len(row.slot.tokens) + (row in flying) for row in rows),
                [row.reply.generation.request.sampling for row in rows],
                self._vocabulary,
            )
            launched = step, rows
        self._flight = launched  # only now: a launch that fails is tried again
        if flight is None:
            return
        tokens, flown = flight[0].read(), flight[1]
        # Who has ended or was cancelled meanwhile was computed for nothing.
        pairs = [(t, row) for t, row in zip(tokens, flown, strict=True) if row in self._decoding]
        for _, row in pairs:
            row.slot.tokens.append(row.reply.token_ids[-1])
        self._take([token for token, _ in pairs], [row for _, row in pairs])

    def _take(self, tokens: Sequence[int], rows: Sequence[Row]) -> None:
        for token, row in zip(tokens, rows, strict=True):
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
