"""The plain path: one request at a time through ``model.generate``, for any architecture.

The same sampler, events and ends as the slots; nothing of threads or loading.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from ..base import EngineError, Generation, OutOfMemory
from .chat import ChatTokenizer
from .memory import is_out_of_memory, release_memory
from .reply import Reply, sentence, too_long
from .sampling import Rows, choose, plan


class PlainDecoder:
    """Makes replies with ``model``, one after the other; call ``advance`` while it is ``busy``.

    ``is_interrupted`` is asked after every token: true ends the reply at hand.
    """

    path = "generate"

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        eos: Collection[int],
        context_length: int,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._chat = ChatTokenizer(tokenizer)
        self._eos = frozenset(eos) | self._chat.ends_of_turn()
        self._context_length = context_length
        self._is_interrupted = is_interrupted
        self._waiting: deque[Reply] = deque()

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._waiting)

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

    def advance(self) -> None:
        """Make the whole next reply."""
        reply = self._waiting.popleft()
        problem: EngineError | None = None
        try:
            self._generate(reply)
        except Exception as error:
            # Only the text is kept: a traceback holds the tensors of every frame.
            problem = EngineError(sentence(error))
            if is_out_of_memory(error):
                problem = OutOfMemory("The memory is full: shorten the history or the reply.")
        if problem:
            release_memory()
            reply.fail(problem)

    def abandon(self, error: EngineError | None) -> None:
        """End everything that waits: as failed with ``error``, or as cancelled."""
        while self._waiting:
            self._waiting.popleft().abandon(error)

    @torch.inference_mode()
    def _generate(self, reply: Reply) -> None:
        if reply.generation.is_cancelled:
            reply.finish("cancelled")
            return
        device = self._model.get_input_embeddings().weight.device
        ids = torch.tensor([reply.prompt], device=device)
        room = self._context_length - len(reply.prompt)
        follow = _Follow(reply, self._is_interrupted)
        self._model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=GenerationConfig(
                max_new_tokens=min(reply.generation.request.max_out_tokens, room),
                do_sample=False,
                pad_token_id=min(self._eos, default=0),
                decoder_start_token_id=self._start_token(),
            ),
            logits_processor=LogitsProcessorList([_Choose(reply, device)]),
            stopping_criteria=StoppingCriteriaList([follow]),
        )
        if not reply.generation.is_done:
            reply.finish("cancelled" if follow.interrupted else "length")

    def _start_token(self) -> int | None:
        for config in (self._model.generation_config, self._model.config):
            token: int | None = getattr(config, "decoder_start_token_id", None)
            if token is not None:
                return token
        return None


class _Choose(LogitsProcessor):  # type: ignore[misc]
    """Leaves ``generate`` (greedy) no choice but the sampler's."""

    def __init__(self, reply: Reply, device: torch.device) -> None:
        request = reply.generation.request
        self._sampling = request.sampling
        self._rows = Rows.empty(1, device)
        self._rows.set(0, request.sampling, request.seed)
        self._reply = reply

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if not self._reply.started:
            self._reply.start()
        made = torch.tensor([len(self._reply.token_ids)], device=scores.device)
        how = plan([self._sampling], scores.shape[-1])
        chosen = choose(scores.clone(), self._rows, input_ids, made, how)
        return torch.full_like(scores, -torch.inf).scatter(1, chosen[:, None], 0.0)


class _Follow(StoppingCriteria):  # type: ignore[misc]
    """Hands every new token to the reply, and stops when it has ended."""

    def __init__(self, reply: Reply, is_interrupted: Callable[[], bool]) -> None:
        self._reply, self._is_interrupted = reply, is_interrupted
        self.interrupted = False

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        ended = self._reply.push(int(input_ids[0, -1]))
        self.interrupted = self._reply.generation.is_cancelled or self._is_interrupted()
        done = ended or self.interrupted
        return torch.tensor([done], device=input_ids.device)
