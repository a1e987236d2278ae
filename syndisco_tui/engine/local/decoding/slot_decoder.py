"""Continuous batching: replies join and leave between steps, each in a slot of the KV cache."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ...base import EngineError, OutOfMemory
from ..cache.slot_table import SlotTable
from ..memory import release_memory
from ..runners.attention import PrefillChunk
from ..runners.cuda_graphs import SCRATCH, InFlightStep, StaticSteps
from ..runners.model_runner import ModelRunner
from ..sampling.sampler import plan_batch
from ..sampling.sampling_state import SamplingState
from .decoder import Decoder, InputProcessor, as_engine_error
from .reply import Reply
from .scheduler import MAX_SEQUENCES, ScheduledChunk, Scheduler, Sequence

GPU_BUDGET_FACTOR = 4  # a GPU takes as long for a few prompt tokens as for many


class SlotDecoder(Decoder):
    """Makes replies with ``runner`` over the slots of its KV cache.

    Args:
        runner: Forward passes.
        inputs: Turns requests into replies.
        budget: Bytes that the KV cache may take.
        static: Decode steps that can be captured as CUDA graphs; None on a CPU.
        max_sequences: How many replies are made at once.
    """

    def __init__(
        self,
        runner: ModelRunner,
        inputs: InputProcessor,
        *,
        budget: int,
        static: StaticSteps | None = None,
        max_sequences: int = MAX_SEQUENCES,
    ) -> None:
        super().__init__(inputs)
        self._runner, self._device = runner, runner.device
        self._slots = SlotTable(runner.kv_cache, budget)
        self._scheduler = Scheduler(
            self._slots,
            scratch=SCRATCH if static else 0,
            max_sequences=max_sequences,
            budget_factor=GPU_BUDGET_FACTOR if static else 1,
        )
        self._waiting = self._scheduler.waiting
        self._vocabulary = 0
        self._state = SamplingState(0, 0, self._device)
        self._static = static
        self._in_flight: tuple[InFlightStep, list[Sequence]] | None = None

    @property
    def busy(self) -> bool:
        return not self._scheduler.is_idle

    @torch.inference_mode()
    def step(self) -> None:
        """Admit replies, read chunks of prompts, make one token for every decoding sequence."""
        scheduler = self._scheduler
        for reply in scheduler.remove_cancelled():
            reply.finish("cancelled")
        for reply in scheduler.admit():
            reply.fail(self._too_large(reply))
        if self._static is None and self._runner.joins_chunks:
            # What is new is more likely to be the cause of a failure than what ran before.
            self._guarded(self._prefill_and_decode, scheduler.prefilling or scheduler.decoding)
            return
        if self._static is not None:  # the GPU computes this step while the next is prepared
            self._guarded(self._launch, scheduler.decoding)
        elif scheduler.decoding:
            self._guarded(self._decode, scheduler.decoding)
        if scheduler.prefilling:
            self._guarded(self._prefill, scheduler.prefilling)

    def abort_all(self, error: EngineError | None) -> None:
        self._in_flight = None
        for reply in self._scheduler.release_all():
            reply.abort(error)

    def _guarded(self, work: Callable[[], None], sequences: list[Sequence]) -> None:
        """Do ``work``. If it fails, ``sequences`` fail and the other replies go on.

        If memory is full it is tried once more, without the tokens of idle slots.
        """
        for attempt in (1, 2):
            try:
                work()
                return
            except Exception as error:
                failure = as_engine_error(error)
            if not isinstance(failure, OutOfMemory) or attempt == 2:
                break
            self._slots.forget_idle()
            release_memory()
        for sequence in list(sequences):
            sequence.reply.fail(failure)
            self._scheduler.release(sequence)

    def _too_large(self, reply: Reply) -> OutOfMemory:
        length = self._scheduler.slot_length(reply)
        megabytes = length * self._runner.kv_cache.bytes_per_token / 1e6
        return OutOfMemory(
            f"The prompt and its reply need {length:,} tokens, {megabytes:,.0f} MB of memory, and "
            f"{self._slots.budget / 1e6:,.0f} MB are free: shorten the history or the reply."
        )

    def _prefill_and_decode(self) -> None:
        chunks = self._scheduler.schedule_chunks()
        if chunks or self._scheduler.decoding:
            self._forward(list(self._scheduler.decoding), chunks)

    def _prefill(self) -> None:
        self._forward([], self._scheduler.schedule_chunks())

    def _decode(self) -> None:
        self._forward(list(self._scheduler.decoding), [])

    def _forward(self, decoding: list[Sequence], chunks: list[ScheduledChunk]) -> None:
        """One forward pass: a token for each of ``decoding``, and ``chunks`` of prompts."""
        newest = [sequence.reply.token_ids[-1] for sequence in decoding]
        logits = self._runner.step(
            [sequence.slot.index for sequence in decoding],
            torch.tensor(newest, dtype=torch.int64, device=self._device),
            [len(sequence.slot.tokens) for sequence in decoding],
            [self._to_device(chunk) for chunk in chunks],
        )
        starting = [chunk.sequence for chunk in chunks if chunk.ends_prompt]
        sampled = [*decoding, *starting]
        tokens: list[int] = []
        if sampled:
            self._vocabulary = logits.shape[-1]
            for sequence in starting:
                self._start_reply(sequence)
            tokens = self._sample(logits, sampled)
        # Nothing below can fail, so a step that is tried again leaves no trace.
        for sequence, token in zip(decoding, newest, strict=True):
            sequence.slot.tokens.append(token)
        for chunk in chunks:
            self._scheduler.mark_prefilled(chunk)
        for sequence in starting:
            sequence.reply.start()
        self._push(tokens, sampled)

    def _to_device(self, chunk: ScheduledChunk) -> PrefillChunk:
        """``chunk`` with its ids on the device, without waiting for the device."""
        ids = torch.tensor(chunk.sequence.reply.context[chunk.start : chunk.end])
        if self._device.type == "cuda":
            ids = ids.pin_memory().to(self._device, non_blocking=True)
        else:
            ids = ids.to(self._device)
        return PrefillChunk(chunk.sequence.slot.index, ids, chunk.start, chunk.ends_prompt)

    def _start_reply(self, sequence: Sequence) -> None:
        cache, reply = self._runner.kv_cache, sequence.reply
        request = reply.generation.request
        self._state = self._state.grown(cache.slots, cache.length)
        self._state.start_reply(
            sequence.slot.index, reply.context, request.sampling, request.seed, len(reply.token_ids)
        )

    def _sample(self, logits: torch.Tensor, sequences: list[Sequence]) -> list[int]:
        samplings = [sequence.reply.generation.request.sampling for sequence in sequences]
        slots = torch.tensor([s.slot.index for s in sequences], device=self._device)
        longest = max(len(s.reply.prompt) + len(s.reply.token_ids) for s in sequences)
        batch = plan_batch(samplings, self._vocabulary)
        tokens: list[int] = self._state.sample(logits, slots, longest, batch).tolist()
        return tokens

    def _launch(self) -> None:
        """Start the next step on the GPU, then read the tokens of the one before it."""
        assert self._static is not None
        earlier, launched = self._in_flight, None
        in_flight = earlier[1] if earlier else []
        sequences = [s for s in self._scheduler.decoding if not s.is_last_token(s in in_flight)]
        if sequences:
            step = self._static.launch(
                self._state,
                [s.slot.index for s in sequences],
                max(len(s.slot.tokens) + (s in in_flight) for s in sequences),
                [s.reply.generation.request.sampling for s in sequences],
                self._vocabulary,
            )
            launched = step, sequences
        self._in_flight = launched  # not before: a launch that fails is tried again
        if earlier is None:
            return
        # Tokens of sequences that have ended or were cancelled meanwhile are dropped.
        pairs = [
            (token, sequence)
            for token, sequence in zip(earlier[0].read(), earlier[1], strict=True)
            if sequence in self._scheduler.decoding
        ]
        for _, sequence in pairs:
            sequence.slot.tokens.append(sequence.reply.token_ids[-1])
        self._push([token for token, _ in pairs], [sequence for _, sequence in pairs])

    def _push(self, tokens: list[int], sequences: list[Sequence]) -> None:
        for token, sequence in zip(tokens, sequences, strict=True):
            if sequence.reply.push(token):
                self._scheduler.release(sequence)
            elif sequence.reply.needs_reading:
                self._scheduler.read_on(sequence)
