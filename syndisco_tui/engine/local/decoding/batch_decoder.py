"""Many replies at once for models without a KV cache: sequences of one left-padded batch.

Knows models and sampling; nothing of threads, loading or discussions.
"""

from __future__ import annotations

from collections import deque

import torch

from ...base import EngineError, Generation, OutOfMemory
from ..memory import release_memory
from ..runners.batch_runner import BatchRunner
from ..sampling.sampler import plan
from ..sampling.sampling_state import SamplingState
from .decoder import Intake, as_engine_error
from .reply import Reply

MAX_SEQUENCES = 32


class BatchDecoder:
    """Makes replies with ``runner``: one prompt is read, then everybody gets a token."""

    path = "batch"

    def __init__(self, runner: BatchRunner, intake: Intake) -> None:
        self._runner, self._device = runner, runner.device
        self._intake = intake
        self._waiting: deque[Reply] = deque()
        self._decoding: list[Reply] = []
        self._rows: list[int] = []  # of ``_state``, one for each that is decoding
        self._state = SamplingState(0, 0, self._device)
        self._max_sequences = MAX_SEQUENCES

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._waiting or self._decoding)

    def submit(self, generation: Generation) -> None:
        """Queue a reply. Its events come from ``advance``; a bad prompt fails at once."""
        if reply := self._intake.reply_to(generation):
            self._waiting.append(reply)

    @torch.inference_mode()
    def advance(self) -> None:
        """Make one token for everybody, then read the prompt that came first."""
        for reply in [reply for reply in self._waiting if reply.generation.is_cancelled]:
            self._waiting.remove(reply)
            reply.finish("cancelled")
        for reply in self._decoding:
            if reply.generation.is_cancelled:
                reply.finish("cancelled")
        self._drop_ended()
        if self._decoding:
            self._step()
        if self._waiting and len(self._decoding) < self._max_sequences:
            self._read(self._waiting.popleft())

    def abandon(self, error: EngineError | None) -> None:
        """End everything that waits or runs: as failed with ``error``, or as cancelled."""
        replies = [*self._waiting, *self._decoding]
        self._waiting.clear()
        for reply in replies:
            reply.abandon(error)
        self._drop_ended()

    def _step(self) -> None:
        failure: EngineError | None = None
        try:
            newest = [reply.token_ids[-1] for reply in self._decoding]
            logits = self._runner.step(torch.tensor(newest, device=self._device))
            tokens = self._choose(logits, self._decoding, self._rows)
        except Exception as error:
            failure = as_engine_error(error)
        if failure is not None:
            release_memory()
            for reply in self._decoding:
                reply.fail(failure)
        else:
            for reply, token in zip(self._decoding, tokens, strict=True):
                self._intake.push(reply, token)
        self._drop_ended()

    def _read(self, reply: Reply) -> None:
        failure: EngineError | None = None
        before = len(self._runner.lengths)
        try:
            logits = self._runner.read(reply.prompt)
            row = next(n for n in range(len(self._rows) + 1) if n not in self._rows)
            self._state = self._state.grown(row + 1, self._intake.room_for(reply))
            request = reply.generation.request
            self._state.begin(row, reply.prompt, request.sampling, request.seed)
            (token,) = self._choose(logits[None], [reply], [row])
        except Exception as error:
            failure = as_engine_error(error)
        if failure is not None:
            if len(self._runner.lengths) > before:
                self._runner.keep(range(before))
            release_memory()
            if isinstance(failure, OutOfMemory) and self._decoding:
                self._waiting.appendleft(reply)  # until some of the others have ended
                self._max_sequences = len(self._decoding)
            else:
                reply.fail(failure)
            return
        self._decoding.append(reply)
        self._rows.append(row)
        reply.start()
        self._intake.push(reply, token)
        self._drop_ended()

    def _choose(self, logits: torch.Tensor, replies: list[Reply], rows: list[int]) -> list[int]:
        how = plan([reply.generation.request.sampling for reply in replies], logits.shape[-1])
        longest = max(len(reply.prompt) + len(reply.token_ids) for reply in replies)
        places = torch.tensor(rows, device=self._device)
        tokens: list[int] = self._state.choose(logits, places, longest, how).tolist()
        return tokens

    def _drop_ended(self) -> None:
        unfinished = [n for n, reply in enumerate(self._decoding) if not reply.generation.is_done]
        if len(unfinished) < len(self._decoding):
            self._runner.keep(unfinished)
            self._decoding = [self._decoding[n] for n in unfinished]
            self._rows = [self._rows[n] for n in unfinished]
