"""The KV cache over slots: rows of one set of tensors, each with a length of its own.

Knows keys, values and which tokens they came from; nothing of requests, sampling or text.
"""

from __future__ import annotations

import contextlib
import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from .memory import is_out_of_memory

LENGTH_STEP = 64  # attention reads up to the longest active length, rounded up to this
_LAZY = (torch.float32, torch.float16, torch.bfloat16)


@dataclass
class Window:
    """Which part of the cache the running forward pass writes and reads. Shared by all layers."""

    rows: slice | Tensor = field(default_factory=lambda: slice(0, 1))
    """The slots of the batch, in order: a slice where they are neighbours (read in place)."""
    start: int = 0
    """Where a prefill writes (one slot, ``tokens`` long)."""
    positions: Tensor | None = None
    """int64 [rows]: where a decode step writes, one token a row. None: a prefill."""
    row_ids: Tensor | None = None
    """int64 [rows], the slots as a tensor, with ``positions``."""
    top: int = 0
    """Attention reads keys and values of positions 0 … top − 1."""


class SlotLayer(CacheLayerMixin):  # type: ignore[misc]
    """Keys and values of one layer, [slots, kv_heads, length, head_dim]."""

    is_sliding = False

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.keys: Tensor
        self.values: Tensor
        self.states: Tensor | None = None
        """Both, [2, slots, kv_heads, length, head_dim], where they have one shape."""
        self._window = window
        self.slots = self.length = self.bytes_per_token = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Make the tensors, shaped like these states. Zeros: what is masked must be finite."""

        def zeros(like: Tensor, *first: int) -> Tensor:
            return _zeros(like, (*first, self.slots, like.shape[1], self.length, like.shape[3]))

        if key_states.shape[1::2] == value_states.shape[1::2]:
            self._keep(zeros(key_states, 2))
        else:
            self.keys, self.values = zeros(key_states), zeros(value_states)
        self.is_initialized = True
        self.bytes_per_token = sum(
            like.shape[1] * like.shape[3] * like.element_size()
            for like in (key_states, value_states)
        )

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Write the new states [rows, kv_heads, tokens, head_dim]; give back what is read."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        keys, values, window = self.keys, self.values, self._window
        if window.positions is None:
            end = window.start + key_states.shape[2]
            keys[window.rows, :, window.start : end] = key_states
            values[window.rows, :, window.start : end] = value_states
        else:
            keys[window.row_ids, :, window.positions] = key_states[:, :, 0]
            values[window.row_ids, :, window.positions] = value_states[:, :, 0]
        return keys[window.rows, :, : window.top], values[window.rows, :, : window.top]

    def resize(self, slots: int, length: int) -> None:
        """Grow or shrink, keeping what fits; with no slots the memory is let go."""
        if self.is_initialized and not slots:
            self.keys = self.values = self.keys.new_zeros(0)
            self.states = None
            self.is_initialized = False
        if self.is_initialized and self.states is not None:
            self._keep(_resized(self.states, slots, length))
        elif self.is_initialized:
            self.keys = _resized(self.keys, slots, length)
            self.values = _resized(self.values, slots, length)
        self.slots, self.length = slots, length

    @property
    def address(self) -> tuple[object, ...]:
        """Where keys and values are: what was recorded for other places is of no use."""
        if not self.is_initialized:
            return ()
        return self.keys.data_ptr(), self.values.data_ptr(), self.keys.shape, self.keys.stride()

    def _keep(self, states: Tensor) -> None:
        self.states, self.keys, self.values = states, states[0], states[1]

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` positions of one slot to another."""
        for tensor in (self.keys, self.values) if self.is_initialized else ():
            tensor[target, :, :length] = tensor[source, :, :length]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._window.top, 0

    def get_seq_length(self) -> int:
        return self._window.start

    def get_max_length(self) -> int:
        return -1


def _zeros(like: Tensor, size: tuple[int, ...]) -> Tensor:
    """Zeros. On a CPU their memory is taken page by page, when it is first written to.

    torch writes all of them at once: seconds for gigabytes that may never be used. So do huge
    pages, each of which holds the unused ends of several slots (measured with 32 slots: prefixes
    copied in 5.6 s, in 0.2 s without).
    """
    if like.device.type != "cpu" or like.dtype not in _LAZY or not math.prod(size):
        return like.new_zeros(size)
    kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    pages = mmap.mmap(-1, math.prod(size) * like.element_size(), kind)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):  # Linux
        with contextlib.suppress(OSError):  # a kernel that knows no huge pages
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return torch.frombuffer(pages, dtype=like.dtype).view(size)


def _resized(tensor: Tensor, slots: int, length: int) -> Tensor:
    *first, before, heads, span, width = tensor.shape
    both, shared = min(slots, before), min(length, span)
    kept = tensor[..., :both, :, :shared, :]
    if (both, shared) == (slots, length):
        return kept
    grown = _zeros(tensor, (*first, slots, heads, length, width))
    grown[..., :both, :, :shared, :] = kept
    return grown


@dataclass
class Slot:
    """One row of the cache. Of ``tokens``, keys and values are there."""

    index: int
    tokens: list[int] = field(default_factory=list)
    busy: bool = False
    last_used: int = 0


class OutOfSlots(Exception):
    """There is no memory for another slot, or for one that long."""


class Slots:
    """Slots of a model with ``layers`` attention layers, made and lengthened as they are needed.

    ``budget`` bounds the bytes of all keys and values. ``cache`` is what a model takes as
    ``past_key_values``; set the window before a forward pass.
    """

    def __init__(self, layers: int, budget: int) -> None:
        self.window = Window()
        self.layers = [SlotLayer(self.window) for _ in range(layers)]
        self.cache = Cache(layers=list(self.layers))
        self.budget = budget
        self.slots: list[Slot] = []
        self.length = 0
        self._clock = 0

    @property
    def bytes_per_token(self) -> int:
        return sum(layer.bytes_per_token for layer in self.layers)

    @property
    def memory_bytes(self) -> int:
        return self.bytes_per_token * len(self.slots) * self.length

    def acquire(
        self, prompt: Sequence[int], length: int, spare: int, expected: int = 1
    ) -> tuple[Slot, int]:
        """A slot for ``prompt`` that can hold ``length`` tokens, and how many it already has.

        At least one token of the prompt is always left to be computed. ``spare`` is how many
        idle slots may be kept for their prefixes before the least recently used is taken;
        ``expected`` how many slots will be wanted soon, so that room is made once for all.

        Raises:
            OutOfSlots: the budget does not allow it now.
        """
        source, kept = self.longest_prefix(prompt)
        slot = self._choose(source, kept, length, spare, expected)
        if kept and source is not None and source is not slot:
            for layer in self.layers:
                layer.copy_prefix(source.index, slot.index, kept)
        slot.tokens = list(prompt[:kept])
        slot.busy = True
        return slot, kept

    def release(self, slot: Slot) -> None:
        """Give a slot back; what it holds stays for prompts that begin with the same tokens."""
        self._clock += 1
        slot.busy, slot.last_used = False, self._clock

    def forget(self) -> None:
        """Let go of all that idle slots hold, and of the memory if none is busy."""
        for slot in self.slots:
            if not slot.busy:
                slot.tokens = []
        if not any(slot.busy for slot in self.slots):
            self.slots.clear()
            self._resize(0, 0)

    def longest_prefix(self, prompt: Sequence[int]) -> tuple[Slot | None, int]:
        """The slot that has most of the beginning of ``prompt``, and how much (never all)."""
        wanted = np.asarray(prompt)
        best: Slot | None = None
        kept = 0
        for slot in self.slots:
            common = min(common_prefix(wanted, slot.tokens), len(prompt) - 1)
            if common > kept or (common == kept and best and best.busy and not slot.busy):
                best, kept = slot, common
        return best, kept

    def _choose(
        self, source: Slot | None, kept: int, length: int, spare: int, expected: int
    ) -> Slot:
        idle = [slot for slot in self.slots if not slot.busy]
        # A slot that the prompt goes on from is its own; one of which only the beginning is
        # shared (another actor of the same discussion) is worth keeping.
        if source and not source.busy and 2 * kept >= len(source.tokens):
            self._fit(len(self.slots), length)
            return source
        empty = next((slot for slot in idle if not slot.tokens), None)
        if empty is None and len(idle) < max(spare, 1):
            try:
                return self._new_slot(length, expected + spare)
            except OutOfSlots:
                if not idle:
                    raise
        self._fit(len(self.slots), length)
        return empty or min(idle, key=lambda slot: slot.last_used)

    def _new_slot(self, length: int, soon: int) -> Slot:
        self._fit(len(self.slots) + 1, length, soon)
        slot = Slot(len(self.slots))
        self.slots.append(slot)
        return slot

    def _fit(self, slots: int, length: int, soon: int = 0) -> None:
        """Make room for ``slots`` of ``length``; where the budget allows, for ``soon`` at once.

        Growing means copying, so both at least double.
        """
        room = self.layers[0].slots
        if slots <= room and length <= self.length:
            return
        needed = max(length, self.length)
        generous = max(self.length, 2 * length if length > self.length else 0)
        more = max(slots, soon, 2 * room) if slots > room else room
        for count, span in (
            (more, generous),
            (more, needed),
            (slots, generous),
            (slots, needed),
        ):
            span = -(-span // LENGTH_STEP) * LENGTH_STEP
            if self.bytes_per_token * count * span <= self.budget:
                self._resize(max(count, room), span)
                return
        raise OutOfSlots

    def _resize(self, slots: int, length: int) -> None:
        before = self.layers[0].slots, self.length
        full = False
        for layer in self.layers:
            try:
                layer.resize(slots, length)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                full = True
                break
        if full:  # all layers as they were
            slots, length = before
            for layer in self.layers:
                layer.resize(slots, length)
        self.length = length
        if full:
            raise OutOfSlots


def common_prefix(wanted: np.ndarray, tokens: Sequence[int]) -> int:
    """How many tokens both begin with."""
    length = min(len(wanted), len(tokens))
    if not length:
        return 0
    differs = np.flatnonzero(wanted[:length] != np.asarray(tokens[:length]))
    return int(differs[0]) if len(differs) else length
