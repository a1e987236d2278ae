"""``model.generate`` with a sampler of the caller's."""

from __future__ import annotations

from collections.abc import Callable
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


def generate(
    model: Any,
    ids: Tensor,
    *,
    max_new_tokens: int,
    pad_token: int,
    choose_token: Callable[[Tensor, Tensor], Tensor],
    is_finished: Callable[[int], bool],
) -> None:
    """Run ``model.generate`` on a prompt.

    Args:
        model: Of transformers.
        ids: The prompt, int64 [1, tokens].
        max_new_tokens: Of the reply.
        pad_token: An id.
        choose_token: Gets all ids so far, [1, tokens], and logits, [1, vocabulary]; returns the
            next id, [1].
        is_finished: Gets each new id; true ends the reply.
    """

    class Chooser(LogitsProcessor):  # type: ignore[misc]
        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            chosen = choose_token(input_ids, scores)
            return torch.full_like(scores, -torch.inf).scatter(1, chosen[:, None], 0.0)

    class Stopper(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
            return torch.tensor([is_finished(int(input_ids[0, -1]))], device=input_ids.device)

    model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=GenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=pad_token,
            decoder_start_token_id=_decoder_start(model),
        ),
        logits_processor=LogitsProcessorList([Chooser()]),
        stopping_criteria=StoppingCriteriaList([Stopper()]),
    )


def _decoder_start(model: Any) -> int | None:
    for config in (model.generation_config, model.config):
        token: int | None = getattr(config, "decoder_start_token_id", None)
        if token is not None:
            return token
    return None
