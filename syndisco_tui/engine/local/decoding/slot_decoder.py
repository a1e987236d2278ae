"""Runs the scheduler's steps: requests join and leave between them, each in a slot of the cache.

Knows models, slots and sampling; nothing of threads, loading or discussions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ...base import EngineError, Generation, OutOfMemory
from ..cache.slot_table import SlotTable
from ..memory import release_memory
from ..runners.attention import PrefillChunk
from ..runners.cuda_graphs import SCRATCH, InFlightStep, StaticSteps
from ..runners.model_runner import ModelRunner
from ..sampling.sampler import plan
from ..sampling.sampling_state import SamplingState
from .decoder import Intake, as_engine_error
from .reply import Reply
from .scheduler import ChunkPlan, Scheduler
from .scheduler import Sequence as Running

GPU_FACTOR = 4  # so many times as many prompt tokens at once, where a pass of few takes as long


class SlotDecoder:
    """Makes replies with ``runner`` over its slots, whose memory is bounded by ``budget`` bytes."""

    path = "slots"

    def __init__(
        self,
        runner: ModelRunner,
        intake: Intake,
        *,
        budget: int,
        static: StaticSteps | None = None,
        max_sequences: int | None = None,
    ) -> None:
        self._runner, self._device = runner, runner.device
        self._intake = intake
        self._slots = SlotTable(runner.kv_cache, budget)
        options: dict[str, Any] = {} if max_sequences is None else {"max_sequences": max_sequences}
        self._scheduler = Scheduler(
            self._slots, self._room_for, budget_factor=GPU_FACTOR if static else 1, **options
        )
        self._vocabulary = 0
        self._state = SamplingState(0, 0, self._device)
        self._static = static
        self._in_flight: tuple[InFlightStep, list[Running]] | None = None

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return not self._scheduler.is_idle

    def submit(self, generation: Generation) -> None:
        """Queue a reply. Its events come from ``advance``; a bad prompt fails at once."""
        if reply := self._intake.reply_to(generation):
            self._scheduler.waiting.append(reply)

    @torch.inference_mode()
    def advance(self) -> None:
        """Admit what fits, read chunks of prompts, make one token for every decoding slot."""
        scheduler = self._scheduler
        for reply in scheduler.remove_cancelled():
            reply.finish("cancelled")
        for reply in scheduler.admit():
            reply.fail(self._does_not_fit(reply))
        if self._static is None and self._runner.joins_chunks:
            self._guarded(self._read_and_step, scheduler.reading or scheduler.decoding)
            return
        if self._static is not None:  # a GPU makes its step while more is got ready for it
            self._guarded(self._launch, scheduler.decoding)
        elif scheduler.decoding:
            self._guarded(self._step, scheduler.decoding)
        if scheduler.reading:
            self._guarded(self._read, scheduler.reading)

    def abandon(self, error: EngineError | None) -> None:
        """End everything that waits or runs: as failed with ``error``, or as cancelled."""
        self._in_flight = None
        for reply in self._scheduler.release_all():
            reply.abandon(error)

    def _guarded(self, work: Callable[[], None], sequences: list[Running]) -> None:
        """Do ``work``; if it fails, ``sequences`` fail and the others go on.

        Out of memory: once more, after all that idle slots hold is let go.
        """
        for attempt in (1, 2):
            try:
                work()
                return
            except Exception as error:
                failure = as_engine_error(error)
            if not isinstance(failure, OutOfMemory) or attempt == 2:
                break
            self._slots.forget()
            release_memory()
        for sequence in list(sequences):
            sequence.reply.fail(failure)
            self._scheduler.release(sequence)

    def _room_for(self, reply: Reply) -> int:
        return self._intake.room_for(reply) + (SCRATCH if self._static else 0)

    def _does_not_fit(self, reply: Reply) -> OutOfMemory:
        room = self._room_for(reply)
        megabytes = room * self._runner.kv_cache.bytes_per_token / 1e6
        return OutOfMemory(
            f"The prompt and its reply need {room:,} tokens, {megabytes:,.0f} MB of memory, and "
            f"{self._slots.budget / 1e6:,.0f} MB are free: shorten the history or the reply."
        )

    def _read_and_step(self) -> None:
        """One pass: a token for every decoding slot, and chunks of prompts."""
        chunks = self._scheduler.chunks()
        if chunks or self._scheduler.decoding:
            self._forward_pass(list(self._scheduler.decoding), chunks)

    def _read(self) -> None:
        self._forward_pass([], self._scheduler.chunks())

    def _step(self) -> None:
        self._forward_pass(list(self._scheduler.decoding), [])

    def _forward_pass(self, decoding: list[Running], chunks: list[ChunkPlan]) -> None:
        lengths = [len(sequence.slot.tokens) for sequence in decoding]
        newest = [sequence.reply.token_ids[-1] for sequence in decoding]
        tokens = torch.tensor(newest, dtype=torch.int64, device=self._device)
        indices = [sequence.slot.index for sequence in decoding]
        logits = self._runner.step(indices, tokens, lengths, list(map(self._on_device, chunks)))
        begun = [chunk.sequence for chunk in chunks if chunk.ends]
        chosen: Tensor | None = None
        if decoding or begun:
            self._vocabulary = logits.shape[-1]
            for sequence in begun:
                self._begin(sequence)
            chosen = self._choose(logits, [*decoding, *begun])
        # From here on nothing fails: what was computed is written down.
        for sequence in decoding:
            sequence.slot.tokens.append(sequence.reply.token_ids[-1])
        for chunk in chunks:
            self._scheduler.note_read(chunk)
        for sequence in begun:
            sequence.reply.start()
        if chosen is not None:
            self._take(chosen.tolist(), [*decoding, *begun])

    def _on_device(self, chunk: ChunkPlan) -> PrefillChunk:
        """The chunk's ids on the device, without waiting for what it is doing."""
        ids = torch.tensor(chunk.sequence.reply.prompt[chunk.start : chunk.end])
        if self._device.type == "cuda":
            ids = ids.pin_memory().to(self._device, non_blocking=True)
        else:
            ids = ids.to(self._device)
        return PrefillChunk(chunk.sequence.slot.index, ids, chunk.start, ends=chunk.ends)

    def _begin(self, sequence: Running) -> None:
        cache = self._runner.kv_cache  # as many slots as there is room for: it seldom grows
        self._state = self._state.grown(cache.slots, cache.length)
        reply = sequence.reply
        request = reply.generation.request
        self._state.begin(sequence.slot.index, reply.prompt, request.sampling, request.seed)

    def _choose(self, logits: Tensor, sequences: list[Running]) -> Tensor:
        samplings = [sequence.reply.generation.request.sampling for sequence in sequences]
        rows = torch.tensor([s.slot.index for s in sequences], device=self._device)
        longest = max(len(s.reply.prompt) + len(s.reply.token_ids) for s in sequences)
        return self._state.choose(logits, rows, longest, plan(samplings, self._vocabulary))

    def _launch(self) -> None:
        """Start the next step before the tokens of the one before it are read."""
        assert self._static is not None
        earlier, launched = self._in_flight, None
        flying = earlier[1] if earlier else []
        sequences = [s for s in self._scheduler.decoding if not s.is_last(s in flying)]
        if sequences:
            step = self._static.launch(
                self._state,
                [s.slot.index for s in sequences],
                max(len(s.slot.tokens) + (s in flying) for s in sequences),
                [s.reply.generation.request.sampling for s in sequences],
                self._vocabulary,
            )
            launched = step, sequences
        self._in_flight = launched  # only now: a launch that fails is tried again
        if earlier is None:
            return
        # Who has ended or was cancelled meanwhile was computed for nothing.
        pairs = [
            (token, sequence)
            for token, sequence in zip(earlier[0].read(), earlier[1], strict=True)
            if sequence in self._scheduler.decoding
        ]
        for _, sequence in pairs:
            sequence.slot.tokens.append(sequence.reply.token_ids[-1])
        self._take([token for token, _ in pairs], [sequence for _, sequence in pairs])

    def _take(self, tokens: Sequence[int], sequences: Sequence[Running]) -> None:
        for token, sequence in zip(tokens, sequences, strict=True):
            if self._intake.push(sequence.reply, token):
                self._scheduler.release(sequence)
