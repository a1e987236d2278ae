"""How the forward pass of any model is called, and its attention masks."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from . import UnsupportedModel
from .caches import AttentionKind, is_filled, new_cache

CACHE_ARGUMENTS = ("cache", "past_key_values", "cache_params")
"""The argument that takes the cache: since 5.24, before, and in state space models."""


def is_encoder_decoder(model: Any) -> bool:
    """Whether the model reads the prompt with a separate encoder."""
    return bool(getattr(model.config, "is_encoder_decoder", False))


class ForwardCall:
    """Calls the forward pass of ``model``, with the arguments that turn out to work.

    Raises:
        UnsupportedModel: The cache stays empty, whatever the arguments.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._cache_argument = ""
        self._options: dict[str, Any] = {}
        self._takes_positions = False
        self._find()

    def __call__(self, ids: Tensor, mask: Any, positions: Tensor, cache: Any) -> Tensor:
        """One forward pass.

        Args:
            ids: int64 [rows, tokens].
            mask: [rows, all tokens], 1 or 0, or what ``attention_masks`` returns.
            positions: int64 [rows, tokens].
            cache: Of transformers; the pass adds to it.

        Returns:
            Logits after the last token of each row, [rows, vocabulary].
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


def attention_masks(
    kinds: Collection[AttentionKind], queries: Tensor, length: int, dtype: torch.dtype
) -> Tensor | dict[str, Tensor]:
    """Masks to be added to scores, [rows, 1, tokens, length]: 0, or the lowest ``dtype`` number.

    Args:
        kinds: Of all layers.
        queries: Positions, int64 [rows, tokens].
        length: How many keys there are.
        dtype: Of the mask.

    Returns:
        One mask, or a mask for the name of each kind if layers differ.
    """
    keys, lowest = torch.arange(length, device=queries.device), torch.finfo(dtype).min
    masks = {}
    for kind in set(kinds):
        hidden = kind.hidden(queries, keys)
        mask = torch.zeros(hidden.shape, dtype=dtype, device=queries.device)
        masks[kind.name] = mask.masked_fill_(hidden, lowest)[:, None]
    return masks if len(masks) > 1 else next(iter(masks.values()))


def plain_logits(model: Any, ids: Tensor) -> Tensor:
    """Logits after each of ``ids`` [tokens], in one pass without a cache; [tokens, vocabulary]."""
    logits: Tensor = model(input_ids=ids[None], use_cache=False).logits[0]
    return logits


def device_of(model: Any) -> torch.device:
    """The device of ``model``'s input."""
    device: torch.device = model.get_input_embeddings().weight.device
    return device


def vocabulary_of(model: Any) -> int:
    """How many token ids ``model`` has."""
    return int(model.get_input_embeddings().weight.shape[0])
