"""The tensors of the KV cache: for each layer, keys and values of all slots."""

from __future__ import annotations

import contextlib
import math
import mmap
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..memory import is_out_of_memory
from ..transformers_api.caches import KeyValueLayer, cache_of
from .slot_table import OutOfSlots

_FROM_PAGES = (torch.float32, torch.float16, torch.bfloat16)


@dataclass
class Window:
    """Which part of the cache the current forward pass writes and reads, in all layers."""

    rows: slice | Tensor = field(default_factory=lambda: slice(0, 1))
    """The slots of the batch, ascending: a slice if they are neighbours, to read in place."""
    start: int = 0
    """The position that a prefill writes from, in one slot."""
    positions: Tensor | None = None
    """int64 [rows], the position that a decode step writes in each row; None for a prefill."""
    row_ids: Tensor | None = None
    """int64 [rows], ``rows`` as a tensor; for decode steps only."""
    read_length: int = 0
    """Attention reads keys and values of positions 0 … read_length − 1."""


class SlotLayer(KeyValueLayer):
    """Keys and values of one layer, [slots, kv_heads, length, head_dim] each."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.keys: Tensor
        self.values: Tensor
        self.states: Tensor | None = None
        """Both, [2, slots, kv_heads, length, head_dim], if keys and values have equal shapes."""
        self._window = window
        self.slots = self.length = self.bytes_per_token = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate the tensors; the arguments give heads, head_dim, dtype and device."""

        # Zeros, because values that are masked must still be finite.
        def zeros(like: Tensor, *first: int) -> Tensor:
            return _zeros(like, (*first, self.slots, like.shape[1], self.length, like.shape[3]))

        if key_states.shape[1::2] == value_states.shape[1::2]:
            self._set_states(zeros(key_states, 2))
        else:
            self.keys, self.values = zeros(key_states), zeros(value_states)
        self.is_initialized = True
        self.bytes_per_token = sum(
            like.shape[1] * like.shape[3] * like.element_size()
            for like in (key_states, value_states)
        )

    def write(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write new states [rows, kv_heads, tokens, head_dim]; return what attention reads."""
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
        window = self._window
        if window.positions is None:
            end = window.start + keys.shape[2]
            self.keys[window.rows, :, window.start : end] = keys
            self.values[window.rows, :, window.start : end] = values
        else:
            self.keys[window.row_ids, :, window.positions] = keys[:, :, 0]
            self.values[window.row_ids, :, window.positions] = values[:, :, 0]
        length = window.read_length
        return self.keys[window.rows, :, :length], self.values[window.rows, :, :length]

    @property
    def read_length(self) -> int:
        """How many positions attention reads."""
        return self._window.read_length

    @property
    def written_length(self) -> int:
        """The position that a prefill writes from (in a decode step each row has its own)."""
        return self._window.start

    def resize(self, slots: int, length: int) -> None:
        """Grow or shrink, keeping what fits; without slots the memory is freed."""
        if self.is_initialized and not slots:
            self.keys = self.values = self.keys.new_zeros(0)
            self.states = None
            self.is_initialized = False
        if self.is_initialized and self.states is not None:
            self._set_states(_resized(self.states, slots, length))
        elif self.is_initialized:
            self.keys = _resized(self.keys, slots, length)
            self.values = _resized(self.values, slots, length)
        self.slots, self.length = slots, length

    @property
    def address(self) -> tuple[object, ...]:
        """Where keys and values are in memory; a CUDA graph is only valid for one address."""
        if not self.is_initialized:
            return ()
        return self.keys.data_ptr(), self.values.data_ptr(), self.keys.shape, self.keys.stride()

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` positions of one slot to another."""
        for tensor in (self.keys, self.values) if self.is_initialized else ():
            tensor[target, :, :length] = tensor[source, :, :length]

    def _set_states(self, states: Tensor) -> None:
        self.states, self.keys, self.values = states, states[0], states[1]


class KVCache:
    """The cache of a model with ``layers`` attention layers.

    ``cache`` is what transformers' forward passes take; set ``window`` before each.
    """

    def __init__(self, layers: int) -> None:
        self.window = Window()
        self.layers = [SlotLayer(self.window) for _ in range(layers)]
        self.cache = cache_of(self.layers)
        self.slots = self.length = 0

    @property
    def bytes_per_token(self) -> int:
        """Of all layers; 0 before the first forward pass."""
        return sum(layer.bytes_per_token for layer in self.layers)

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` positions of one slot to another, in all layers."""
        for layer in self.layers:
            layer.copy_prefix(source, target, length)

    def resize(self, slots: int, length: int) -> None:
        """Grow or shrink all layers, or none.

        Raises:
            OutOfSlots: There is no memory for it.
        """
        is_full = False
        for layer in self.layers:
            try:
                layer.resize(slots, length)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                is_full = True
                break
        if is_full:
            for layer in self.layers:
                layer.resize(self.slots, self.length)
            raise OutOfSlots
        self.slots, self.length = slots, length


def _zeros(like: Tensor, size: tuple[int, ...]) -> Tensor:
    """Zeros with the dtype and device of ``like``; on a CPU, memory is used when written to.

    torch writes all of it at once: seconds for gigabytes that may never be used. Huge pages would
    do so too, as each spans the unused ends of several slots (copying prefixes between 32 slots
    takes 5.6 s with them, 0.2 s without).
    """
    if like.device.type != "cpu" or like.dtype not in _FROM_PAGES or not math.prod(size):
        return like.new_zeros(size)
    kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    pages = mmap.mmap(-1, math.prod(size) * like.element_size(), kind)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):  # Linux
        with contextlib.suppress(OSError):  # a kernel without huge pages
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return torch.frombuffer(pages, dtype=like.dtype).view(size)


def _resized(tensor: Tensor, slots: int, length: int) -> Tensor:
    *first, old_slots, heads, old_length, width = tensor.shape
    kept_slots, kept_length = min(slots, old_slots), min(length, old_length)
    kept_part = tensor[..., :kept_slots, :, :kept_length, :]
    if (kept_slots, kept_length) == (slots, length):
        return kept_part
    larger = _zeros(tensor, (*first, slots, heads, length, width))
    larger[..., :kept_slots, :, :kept_length, :] = kept_part
    return larger
