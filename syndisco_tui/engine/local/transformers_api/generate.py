"""``generate``, with the choice of tokens left to the caller."""

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
    choose: Callable[[Tensor, Tensor], Tensor],
    is_over: Callable[[int], bool],
) -> None:
    """Run ``model.generate`` over ``ids`` [1, tokens].

    ``choose`` gets all ids so far and the scores of the next, [1, vocabulary], and gives the next
    [1]; ``is_over`` gets each new id and says whether it was the last.
    """

    class Choose(LogitsProcessor):  # type: ignore[misc]
        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            chosen = choose(input_ids, scores)
            return torch.full_like(scores, -torch.inf).scatter(1, chosen[:, None], 0.0)

    class Follow(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
            return torch.tensor([is_over(int(input_ids[0, -1]))], device=input_ids.device)

    model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=GenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=pad_token,
            decoder_start_token_id=_decoder_start(model),
        ),
        logits_processor=LogitsProcessorList([Choose()]),
        stopping_criteria=StoppingCriteriaList([Follow()]),
    )


def _decoder_start(model: Any) -> int | None:
    for config in (model.generation_config, model.config):
        token: int | None = getattr(config, "decoder_start_token_id", None)
        if token is not None:
            return token
    return None
