"""Decode steps captured as CUDA graphs and replayed.

All that changes from step to step is in tensors whose addresses are fixed, so a step of a given
size is captured once. Without capture, the same steps run on any device.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...base import Sampling
from ..sampling.sampler import plan_batch
from ..sampling.sampling_state import SamplingState
from .model_runner import ModelRunner

BATCH_BUCKETS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
LENGTH_BUCKETS = (
    256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768,
)  # fmt: skip
MAX_FAILURES = 3  # failed captures, after which no more are tried
SCRATCH = 2  # positions at the end of a slot: for idle rows, and for a step after the last token

_log = logging.getLogger(__name__)

Step = Callable[[], None]
Capture = Callable[[Step], Step]
"""Runs a step and returns what replays it."""


class CudaGraphCapture:
    """Captures a step as a CUDA graph; raises whatever torch raises if that is impossible."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._pool: Any = None
        self._graphs: weakref.WeakSet[torch.cuda.CUDAGraph] = weakref.WeakSet()

    def __call__(self, step: Step) -> Step:
        if not self._graphs:  # a pool whose graphs are all gone may not be used again
            self._pool = torch.cuda.graph_pool_handle()
        caller, graph = torch.cuda.current_stream(), torch.cuda.CUDAGraph()
        self._stream.wait_stream(caller)
        try:
            # Libraries must initialise on the capturing stream before the capture.
            with torch.cuda.stream(self._stream):
                for _ in range(3):
                    step()
            caller.wait_stream(self._stream)
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                step()
        except Exception:  # torch does not leave the stream of a capture that failed
            torch.cuda.set_stream(caller)
            torch.cuda.synchronize()
            raise
        self._graphs.add(graph)
        replay: Step = graph.replay
        return replay


@dataclass(frozen=True)
class InFlightStep:
    """Tokens on their way to the host."""

    tokens: Tensor
    rows: list[int]
    """The rows of ``tokens`` that were asked for."""
    ready: torch.cuda.Event | None = None

    def read(self) -> list[int]:
        """Wait for the tokens, and return those that were asked for."""
        if self.ready is not None:
            self.ready.synchronize()
        tokens = self.tokens.tolist()
        return [tokens[row] for row in self.rows]


@dataclass
class _StepBuffers:
    """The fixed tensors of steps of one size, each int64 [rows]."""

    row_ids: Tensor
    active: Tensor
    """1 for rows that make a token, 0 for others."""
    tokens: Tensor
    """The output."""
    slots: tuple[int, ...] = ()
    """What ``row_ids`` and ``active`` were written for."""


class StaticSteps:
    """Decode steps of ``runner``, captured with ``capture`` (None: never)."""

    def __init__(self, runner: ModelRunner, capture: Capture | None) -> None:
        self._runner, self._capture = runner, capture
        self._buffers: dict[int, _StepBuffers] = {}
        self._captured: dict[Hashable, Step] = {}
        self._failed: set[Hashable] = set()
        self._addresses: tuple[object, ...] = ()

    def launch(
        self,
        state: SamplingState,
        slots: Sequence[int],
        longest: int,
        samplings: Sequence[Sampling],
        vocabulary: int,
    ) -> InFlightStep:
        """Start making one token for each of ``slots``, without waiting for the device.

        Args:
            state: What sampling keeps for every slot.
            slots: Ascending.
            longest: How many tokens the longest of them holds.
            samplings: Of each slot.
            vocabulary: How many logits there are.
        """
        self._drop_captures_if_moved(state)
        cache = self._runner.kv_cache
        max_rows, length = min(state.slots, cache.slots), cache.length
        size = 1 if len(slots) == 1 else _bucket(slots[-1] + 1, BATCH_BUCKETS, max_rows)
        read_length = _bucket(longest + 1, LENGTH_BUCKETS, length)
        buffers = self._write_buffers(size, tuple(slots))
        # Not specific to rows, so that the same requests in other slots replay the same graph.
        batch = plan_batch(samplings, vocabulary).for_any_rows()

        def step() -> None:
            rows = buffers.row_ids if size == 1 else slice(0, size)
            # Inactive rows write to the slot's last position, which is never read.
            cached = state.cached_tokens[buffers.row_ids]
            positions = torch.where(buffers.active.bool(), cached, length - 1)
            newest = state.newest_token[buffers.row_ids]
            logits = self._runner.static_step(rows, buffers.row_ids, newest, positions, read_length)
            sampled = state.sample_static(
                logits, buffers.row_ids, buffers.active, read_length, batch
            )
            buffers.tokens.copy_(sampled)

        self._run((size, read_length, batch), step, state)
        return self._copy_to_host(buffers, [0] if size == 1 else list(slots))

    def _run(self, key: Hashable, step: Step, state: SamplingState) -> None:
        is_new = key not in self._captured and key not in self._failed
        if self._capture is not None and is_new:
            self._try_capture(self._capture, key, step, state)
        self._captured.get(key, step)()

    def _try_capture(
        self, capture: Capture, key: Hashable, step: Step, state: SamplingState
    ) -> None:
        before = [tensor.clone() for tensor in state.mutable_tensors()]
        try:
            self._captured[key] = capture(step)
        except Exception as error:  # such as offloaded weights
            self._failed.add(key)
            _log.warning("A decode step cannot be captured as a CUDA graph: %s", error)
            if len(self._failed) >= MAX_FAILURES:
                self._capture = None
        for tensor, content in zip(state.mutable_tensors(), before, strict=True):
            tensor.copy_(content)

    def _write_buffers(self, size: int, slots: tuple[int, ...]) -> _StepBuffers:
        device = self._runner.device
        if size not in self._buffers:
            row_ids = torch.arange(size, device=device)
            ones, zeros = torch.ones_like(row_ids), torch.zeros_like(row_ids)
            self._buffers[size] = _StepBuffers(row_ids, active=ones, tokens=zeros)
        buffers = self._buffers[size]
        if buffers.slots != slots:
            buffers.slots = slots
            if size == 1:
                buffers.row_ids.copy_(torch.tensor(slots))
            else:
                active = torch.zeros(size, dtype=torch.int64)
                active[list(slots)] = 1
                buffers.active.copy_(active)
        return buffers

    def _copy_to_host(self, buffers: _StepBuffers, rows: list[int]) -> InFlightStep:
        if not buffers.tokens.is_cuda:
            return InFlightStep(buffers.tokens.clone(), rows)
        tokens = torch.empty(buffers.tokens.shape, dtype=torch.int64, pin_memory=True)
        tokens.copy_(buffers.tokens, non_blocking=True)
        ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
        ready.record()
        return InFlightStep(tokens, rows, ready)

    def _drop_captures_if_moved(self, state: SamplingState) -> None:
        """Graphs are only valid for the memory addresses they were captured with."""
        addresses = state, [layer.address for layer in self._runner.kv_cache.layers]
        if addresses != self._addresses:
            self._addresses = addresses
            self._captured.clear()
            self._buffers.clear()


def _bucket(size: int, buckets: Sequence[int], largest: int) -> int:
    """The smallest bucket that holds ``size``, at most ``largest``."""
    return min(next((bucket for bucket in buckets if bucket >= size), largest), largest)
