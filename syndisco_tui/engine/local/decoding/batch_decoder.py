"""Many replies at once for models without a plain KV cache, in one left-padded batch."""

from __future__ import annotations

from collections import deque

import torch

from ...base import EngineError, OutOfMemory
from ..memory import release_memory
from ..runners.batch_runner import BatchRunner
from ..sampling.sampler import plan_batch
from ..sampling.sampling_state import SamplingState
from .decoder import Decoder, InputProcessor, as_engine_error
from .reply import Reply

MAX_SEQUENCES = 32


class BatchDecoder(Decoder):
    """Makes replies with ``runner``; each step is a token for every sequence and one prefill."""

    def __init__(self, runner: BatchRunner, inputs: InputProcessor) -> None:
        super().__init__(inputs)
        self._runner, self._device = runner, runner.device
        self._decoding: list[Reply] = []
        self._state = SamplingState(0, 0, self._device)
        self._state_rows: list[int] = []
        """The row of ``_state`` that each of ``_decoding`` has."""
        self._max_sequences = MAX_SEQUENCES

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._decoding)

    @torch.inference_mode()
    def step(self) -> None:
        """Make one token for every sequence, then read the prompt that has waited longest."""
        for reply in [*self._waiting, *self._decoding]:
            if reply.generation.is_cancelled:
                reply.finish("cancelled")
        self._waiting = deque(reply for reply in self._waiting if not reply.generation.is_done)
        self._drop_finished()
        if self._decoding:
            self._decode()
        if self._waiting and len(self._decoding) < self._max_sequences:
            self._prefill(self._waiting.popleft())

    def abort_all(self, error: EngineError | None) -> None:
        for reply in [*self._waiting, *self._decoding]:
            reply.abort(error)
        self._waiting.clear()
        self._drop_finished()

    def _decode(self) -> None:
        failure: EngineError | None = None
        try:
            newest = [reply.token_ids[-1] for reply in self._decoding]
            logits = self._runner.decode(torch.tensor(newest, device=self._device))
            tokens = self._sample(logits, self._decoding, self._state_rows)
        except Exception as error:
            failure = as_engine_error(error)
        if failure is not None:  # outside of the except block, which holds on to tensors
            release_memory()
            for reply in self._decoding:
                reply.fail(failure)
        else:
            for reply, token in zip(self._decoding, tokens, strict=True):
                reply.push(token)
        self._drop_finished()

    def _prefill(self, reply: Reply) -> None:
        failure: EngineError | None = None
        sequences = len(self._runner.lengths)
        try:
            logits = self._runner.prefill(reply.context)
            rows = range(len(self._state_rows) + 1)
            row = next(row for row in rows if row not in self._state_rows)
            self._state = self._state.grown(row + 1, reply.max_length)
            request = reply.generation.request
            self._state.start_reply(
                row, reply.context, request.sampling, request.seed, len(reply.token_ids)
            )
            (token,) = self._sample(logits[None], [reply], [row])
        except Exception as error:
            failure = as_engine_error(error)
        if failure is not None:
            if len(self._runner.lengths) > sequences:
                self._runner.select(range(sequences))
            release_memory()
            if isinstance(failure, OutOfMemory) and self._decoding:
                self._waiting.appendleft(reply)  # until some of the others have ended
                self._max_sequences = len(self._decoding)
            else:
                reply.fail(failure)
            return
        self._decoding.append(reply)
        self._state_rows.append(row)
        reply.start()
        reply.push(token)
        self._drop_finished()

    def _sample(self, logits: torch.Tensor, replies: list[Reply], rows: list[int]) -> list[int]:
        samplings = [reply.generation.request.sampling for reply in replies]
        longest = max(len(reply.prompt) + len(reply.token_ids) for reply in replies)
        state_rows = torch.tensor(rows, device=self._device)
        batch = plan_batch(samplings, logits.shape[-1])
        tokens: list[int] = self._state.sample(logits, state_rows, longest, batch).tolist()
        return tokens

    def _drop_finished(self) -> None:
        ended = [reply.generation.is_done or reply.needs_reading for reply in self._decoding]
        if any(ended):
            running = [n for n, has_ended in enumerate(ended) if not has_ended]
            reading_on = [
                reply
                for reply in self._decoding
                if reply.needs_reading and not reply.generation.is_done
            ]
            self._waiting.extendleft(reversed(reading_on))
            self._runner.select(running)
            self._decoding = [self._decoding[n] for n in running]
            self._state_rows = [self._state_rows[n] for n in running]
