"""Transformers' caches: layers with other storage, kinds of attention, batches of sequences."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import cache_utils

from . import UnsupportedModel


class KeyValueLayer(cache_utils.CacheLayerMixin):  # type: ignore[misc]
    """A layer of a cache whose subclasses decide where keys and values are stored."""

    is_sliding = False

    @abstractmethod
    def write(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store states [rows, kv_heads, tokens, head_dim]; return all that attention reads."""

    @property
    @abstractmethod
    def read_length(self) -> int:
        """How many positions attention reads."""

    @property
    @abstractmethod
    def written_length(self) -> int:
        """How many positions had been written before this forward pass."""

    @abstractmethod
    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate the tensors; the arguments give heads, head_dim, dtype and device."""

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        return self.write(key_states, value_states)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.read_length, 0

    def get_seq_length(self) -> int:
        return self.written_length

    def get_max_length(self) -> int:
        return -1


def cache_of(layers: Sequence[KeyValueLayer]) -> Any:
    """A cache of these layers, as forward passes take it."""
    return cache_utils.Cache(layers=list(layers))


def new_cache(model: Any) -> Any:
    """An empty cache of transformers' own for ``model``."""
    return cache_utils.DynamicCache(config=model.config)


@dataclass(frozen=True)
class AttentionKind:
    """Which earlier tokens a layer attends to: all, a sliding window, or those of its chunk."""

    name: str
    """Its name in the configuration."""
    window: int | None = None
    is_chunked: bool = False

    def hidden(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Which keys each query does not attend to, bool [rows, tokens, keys].

        Args:
            queries: Positions, int64 [rows, tokens].
            keys: Positions, int64 [keys].
        """
        is_later = keys > queries[..., None]
        if self.window is None:
            return is_later
        if self.is_chunked:
            return is_later | (keys // self.window != queries[..., None] // self.window)
        return is_later | (keys <= queries[..., None] - self.window)


def attention_kinds(model: Any) -> list[AttentionKind]:
    """The attention of each layer that caches keys and values, in the order of the cache.

    Raises:
        UnsupportedModel: A layer caches something else.
    """
    config = model.config.get_text_config()
    if getattr(config, "is_encoder_decoder", False):
        raise UnsupportedModel("it has an encoder")
    layers = new_cache(model).layers
    if not layers:
        raise UnsupportedModel("it has a cache of its own kind")
    names = getattr(config, "layer_types", None) or []
    kinds = []
    for number, layer in enumerate(layers):
        name = names[number] if number < len(names) else ""
        if type(layer) is cache_utils.DynamicLayer:
            kinds.append(AttentionKind(name or "full_attention"))
        elif type(layer) is cache_utils.DynamicSlidingWindowLayer:
            is_chunked = name == "chunked_attention"
            kinds.append(
                AttentionKind(name or "sliding_attention", layer.sliding_window, is_chunked)
            )
        # Empty: the layer has no attention, or reads the keys of another.
        elif type(layer).__name__ != "DummyLayer":
            raise UnsupportedModel("some of its layers keep a running state, not keys and values")
    return kinds


_PADDED = {"keys": -2, "values": -2, "indexer_keys": 1}
"""Tensors that have a dimension of positions, and which; dimension 0 is sequences in all."""
_PLAIN = ("conv_states", "recurrent_states")


def is_filled(cache: Any) -> bool:
    """Whether a forward pass has stored anything in ``cache``."""
    return any(tensor.numel() for layer in cache.layers for _, tensor, _ in _states(layer))


def has_positions(cache: Any) -> bool:
    """Whether some layer stores something for each position, so that padding must be masked."""
    return any(name in _PADDED for layer in cache.layers for name, _, _ in _states(layer))


def select_sequences(cache: Any, sequences: Tensor, length: int) -> None:
    """Reduce ``cache`` to ``sequences`` (int64) and their last ``length`` positions."""
    for layer in cache.layers:
        for name, tensor, store in _states(layer):
            selected = tensor.index_select(0, sequences)
            dimension = _PADDED.get(name)
            if dimension is not None and selected.shape[dimension] > length:
                selected = selected.narrow(dimension, selected.shape[dimension] - length, length)
            store(selected.contiguous())
        _set_length(layer, length)


def join_sequences(cache: Any, other: Any, length: int) -> None:
    """Append the sequences of ``other`` to those of ``cache``, padded on the left.

    Args:
        cache: Changed in place.
        other: A cache of the same model.
        length: How many tokens the longest of all sequences has.
    """
    for layer, new in zip(cache.layers, other.layers, strict=True):
        states, new_states = list(_states(layer)), list(_states(new))
        if type(layer) is not type(new) or len(states) != len(new_states):
            raise UnsupportedModel("its caches cannot be joined")
        for (name, tensor, store), (_, added, _) in zip(states, new_states, strict=True):
            dimension = _PADDED.get(name)
            if dimension is not None:
                longest = max(tensor.shape[dimension], added.shape[dimension])
                tensor, added = (_padded(t, dimension, longest) for t in (tensor, added))
            store(torch.cat([tensor, added]))
        _set_length(layer, length)


def _padded(tensor: Tensor, dimension: int, length: int) -> Tensor:
    size = list(tensor.shape)
    size[dimension] = length - size[dimension]
    return torch.cat([tensor.new_zeros(size), tensor], dim=dimension) if size[dimension] else tensor


def _states(layer: Any) -> Iterator[tuple[str, Tensor, Callable[[Tensor], None]]]:
    """Name, tensor and setter of each tensor of a layer that has a row for each sequence."""
    known = {*_PADDED, *_PLAIN}
    for name, value in vars(layer).items():
        if isinstance(value, Tensor) and name in known:
            yield name, value, partial(setattr, layer, name)
        elif isinstance(value, dict) and name in known:
            for key, tensor in value.items():
                if tensor is not None:
                    yield name, tensor, partial(value.__setitem__, key)
        elif isinstance(value, Tensor) and value.dim() > 1:
            raise UnsupportedModel(f"its layers keep a state of their own kind ({name})")


def _set_length(layer: Any, length: int) -> None:
    if hasattr(layer, "cumulative_length"):
        layer.cumulative_length = length
