"""The forward pass of any model: how it is called, and the masks it is given."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from . import UnsupportedModel
from .caches import AttentionKind, is_filled, new_cache

CACHE_ARGUMENTS = ("cache", "past_key_values", "cache_params")
"""What forward passes call their cache: since 5.24, before, and in models of state spaces."""


class ForwardCall:
    """How the forward pass of ``model`` is called, found by calling it.

    Raises UnsupportedModel where no way of calling it fills the cache it is given.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._cache_argument = ""
        self._options: dict[str, Any] = {}
        self._takes_positions = False
        self._find()

    def __call__(self, ids: Tensor, mask: Any, positions: Tensor, cache: Any) -> Tensor:
        """Logits after the last of ``ids`` [rows, tokens], as [rows, vocabulary].

        Args:
            mask: two-dimensional [rows, all tokens], or what ``masks`` gives.
            positions: int64 [rows, tokens].
            cache: is read and added to.
        """
        arguments = {self._cache_argument: cache, "attention_mask": mask, **self._options}
        if self._takes_positions:
            arguments["position_ids"] = positions
        output = self._model(input_ids=ids, use_cache=True, **arguments)
        logits: Tensor = output.logits[:, -1]
        return logits

    @torch.inference_mode()
    def _find(self) -> None:
        device = self._model.get_input_embeddings().weight.device
        ids = torch.zeros(1, 2, dtype=torch.int64, device=device)
        positions, refusal = torch.arange(2, device=device)[None], ""
        for self._cache_argument in CACHE_ARGUMENTS:
            for self._takes_positions in (True, False):
                for self._options in ({"logits_to_keep": 1}, {}):
                    cache = new_cache(self._model)
                    try:
                        self(ids, torch.ones_like(ids), positions, cache)
                    except TypeError as error:  # an argument that this model does not have
                        refusal = str(error).partition("\n")[0]
                        continue
                    if is_filled(cache):
                        return
        raise UnsupportedModel(f"its cache is passed in a way not known here {refusal}".rstrip())


def masks(
    kinds: Collection[AttentionKind], queries: Tensor, length: int, dtype: torch.dtype
) -> Tensor | dict[str, Tensor]:
    """What the tokens at positions ``queries`` [rows, tokens] see of ``length`` positions.

    Added to scores: 0 or the lowest number of ``dtype``, [rows, 1, tokens, length]. By the name of
    the kind where layers differ.
    """
    keys, lowest = torch.arange(length, device=queries.device), torch.finfo(dtype).min
    made = {}
    for kind in set(kinds):
        hidden = kind.hidden(queries, keys)
        mask = torch.zeros(hidden.shape, dtype=dtype, device=queries.device)
        made[kind.name] = mask.masked_fill_(hidden, lowest)[:, None]
    return made if len(made) > 1 else next(iter(made.values()))


def plain_logits(model: Any, ids: Tensor) -> Tensor:
    """Logits after each of ``ids`` [tokens], [tokens, vocabulary], in one pass without a cache."""
    logits: Tensor = model(input_ids=ids[None], use_cache=False).logits[0]
    return logits


def device_of(model: Any) -> torch.device:
    """Where ``model`` takes its tokens."""
    device: torch.device = model.get_input_embeddings().weight.device
    return device


def vocabulary_of(model: Any) -> int:
    """How many tokens ``model`` knows."""
    return int(model.get_input_embeddings().weight.shape[0])
