"""The last resort: one request at a time through ``model.generate``, for any architecture.

The same sampler, events and ends as the faster paths; nothing of threads or loading.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ...base import EngineError, Generation
from ..memory import release_memory
from ..sampling.sampler import Rows, choose, plan
from ..transformers_api.forward import device_of
from ..transformers_api.generate import generate
from .decoder import Intake, as_engine_error
from .reply import Reply


class GenerateDecoder:
    """Makes replies with ``model``, one after the other; call ``advance`` while it is ``busy``.

    ``is_interrupted`` is asked after every token: true ends the reply at hand.
    """

    path = "generate"

    def __init__(
        self,
        model: Any,
        intake: Intake,
        *,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._model, self._intake = model, intake
        self._is_interrupted = is_interrupted
        self._waiting: deque[Reply] = deque()

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._waiting)

    def submit(self, generation: Generation) -> None:
        """Queue a reply. Its events come from ``advance``; a bad prompt fails at once."""
        if reply := self._intake.reply_to(generation):
            self._waiting.append(reply)

    def advance(self) -> None:
        """Make the whole next reply."""
        reply = self._waiting.popleft()
        failure: EngineError | None = None
        try:
            self._generate(reply)
        except Exception as error:
            failure = as_engine_error(error)
        if failure is not None:
            release_memory()
            reply.fail(failure)

    def abandon(self, error: EngineError | None) -> None:
        """End everything that waits: as failed with ``error``, or as cancelled."""
        while self._waiting:
            self._waiting.popleft().abandon(error)

    @torch.inference_mode()
    def _generate(self, reply: Reply) -> None:
        if reply.generation.is_cancelled:
            reply.finish("cancelled")
            return
        device, request = device_of(self._model), reply.generation.request
        rows = Rows.empty(1, device)
        rows.set(0, request.sampling, request.seed)
        interrupted = False

        def next_token(ids: Tensor, scores: Tensor) -> Tensor:
            if not reply.started:
                reply.start()
            position = torch.tensor([len(reply.token_ids)], device=scores.device)
            how = plan([request.sampling], scores.shape[-1])
            return choose(scores.clone(), rows, ids, position, how)

        def is_over(token: int) -> bool:
            nonlocal interrupted
            has_ended = reply.push(token)
            interrupted = reply.generation.is_cancelled or self._is_interrupted()
            return has_ended or interrupted

        generate(
            self._model,
            torch.tensor([reply.prompt], device=device),
            max_new_tokens=self._intake.room_for(reply) - len(reply.prompt),
            pad_token=min(self._intake.eos, default=0),
            choose=next_token,
            is_over=is_over,
        )
        if not reply.generation.is_done:
            reply.finish("cancelled" if interrupted else "length")
