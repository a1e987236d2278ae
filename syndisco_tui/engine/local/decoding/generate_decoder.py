"""The last resort: one reply at a time through ``model.generate``, for any architecture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ...base import EngineError
from ..memory import release_memory
from ..sampling.sampler import SamplingTensors, plan_batch, sample
from ..transformers_api.forward import device_of
from ..transformers_api.generate import generate
from .decoder import Decoder, InputProcessor, as_engine_error
from .reply import Reply


class GenerateDecoder(Decoder):
    """Makes replies with ``model``, one after the other, with the sampler of the faster paths.

    Args:
        model: Any model of transformers that has ``generate``.
        inputs: Turns requests into replies.
        is_interrupted: Asked after every token; if true, the reply ends as cancelled.
    """

    def __init__(
        self,
        model: Any,
        inputs: InputProcessor,
        *,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(inputs)
        self._model = model
        self._is_interrupted = is_interrupted

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def step(self) -> None:
        """Make the whole next reply."""
        reply = self._waiting.popleft()
        failure: EngineError | None = None
        try:
            self._generate(reply)
        except Exception as error:
            failure = as_engine_error(error)
        if failure is not None:  # outside of the except block, which holds on to tensors
            release_memory()
            reply.fail(failure)

    def abort_all(self, error: EngineError | None) -> None:
        while self._waiting:
            self._waiting.popleft().abort(error)

    @torch.inference_mode()
    def _generate(self, reply: Reply) -> None:
        if reply.generation.is_cancelled:
            reply.finish("cancelled")
            return
        device, request = device_of(self._model), reply.generation.request
        parameters = SamplingTensors.empty(1, device)
        parameters.set_row(0, request.sampling, request.seed)
        is_cancelled = False

        def choose_token(ids: Tensor, scores: Tensor) -> Tensor:
            if reply.needs_reading:
                reply.start()
            position = torch.tensor([len(reply.token_ids)], device=scores.device)
            batch = plan_batch([request.sampling], scores.shape[-1])
            return sample(scores.clone(), parameters, ids, position, batch)

        def is_finished(token: int) -> bool:
            nonlocal is_cancelled
            has_ended = reply.push(token)
            is_cancelled = reply.generation.is_cancelled or self._is_interrupted()
            return has_ended or is_cancelled or reply.needs_reading

        while reply.needs_reading and not is_cancelled:
            generate(
                self._model,
                torch.tensor([reply.context], device=device),
                max_new_tokens=reply.max_length - len(reply.context),
                pad_token=min(self._inputs.eos, default=0),
                choose_token=choose_token,
                is_finished=is_finished,
            )
        if not reply.generation.is_done:
            reply.finish("cancelled" if is_cancelled else "length")
