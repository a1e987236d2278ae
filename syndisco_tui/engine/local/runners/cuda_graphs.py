"""Decode steps over static buffers: captured as CUDA graphs, or run as they are.

All that changes from step to step is in tensors that stay where they are, so a step of given size
can be recorded once and replayed. Knows the forward pass and the sampler's state; nothing of
requests or text. Its numerics do not need a GPU: the same steps run uncaptured anywhere.
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
from ..sampling.sampler import plan
from ..sampling.sampling_state import SamplingState
from .model_runner import ModelRunner

BATCH_BUCKETS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
LENGTH_BUCKETS = (
    256,
    512,
    768,
    1024,
    1536,
    2048,
    3072,
    4096,
    6144,
    8192,
    12288,
    16384,
    24576,
    32768,
)
GIVE_UP = 3  # failed captures, after which no more are tried
SCRATCH = 2  # positions at the end of a slot: one for idle rows, one for a step that came too late

_log = logging.getLogger(__name__)

Step = Callable[[], None]
Capture = Callable[[Step], Step]
"""Runs a step and gives back what replays it."""


class CudaCapture:
    """Records a step as a CUDA graph. Raises whatever torch raises where that cannot be done."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._pool: Any = None
        self._graphs: weakref.WeakSet[torch.cuda.CUDAGraph] = weakref.WeakSet()

    def __call__(self, step: Step) -> Step:
        if not self._graphs:  # a pool that all graphs have left may not be taken again
            self._pool = torch.cuda.graph_pool_handle()
        caller, graph = torch.cuda.current_stream(), torch.cuda.CUDAGraph()
        self._stream.wait_stream(caller)
        try:
            # Libraries set themselves up before the recording, for the stream that it is made on.
            with torch.cuda.stream(self._stream):
                for _ in range(3):
                    step()
            caller.wait_stream(self._stream)
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                step()
        except Exception:  # torch stays on the stream of a recording that failed
            torch.cuda.set_stream(caller)
            torch.cuda.synchronize()
            raise
        self._graphs.add(graph)
        replay: Step = graph.replay
        return replay


@dataclass(frozen=True)
class InFlightStep:
    """Tokens under way to the host, in the order of the slots asked for."""

    tokens: Tensor
    places: list[int]
    ready: torch.cuda.Event | None = None

    def read(self) -> list[int]:
        """The tokens; waits for them."""
        if self.ready is not None:
            self.ready.synchronize()
        everyone = self.tokens.tolist()
        return [everyone[place] for place in self.places]


@dataclass
class _Inputs:
    """What the host writes before a step of ``size`` rows, and where the tokens come out."""

    row_ids: Tensor
    active: Tensor
    tokens: Tensor
    members: tuple[int, ...] = ()


class StaticSteps:
    """Decode steps of ``runner``, recorded with ``capture`` (None: never)."""

    def __init__(self, runner: ModelRunner, capture: Capture | None) -> None:
        self._runner, self._capture = runner, capture
        self._inputs: dict[int, _Inputs] = {}
        self._recorded: dict[Hashable, Step] = {}
        self._failed: set[Hashable] = set()
        self._built_for: tuple[object, ...] = ()

    @property
    def is_capturing(self) -> bool:
        """Whether steps are still being recorded."""
        return self._capture is not None

    def launch(
        self,
        state: SamplingState,
        slots: Sequence[int],
        longest: int,
        samplings: Sequence[Sampling],
        vocabulary: int,
    ) -> InFlightStep:
        """One more token for each of ``slots`` (ascending), none of which waits for the host.

        ``longest``: how many tokens any of them holds.
        """
        self._forget_if_moved(state)
        cache = self._runner.kv_cache
        room, length = min(state.slots, cache.slots), cache.length
        size = 1 if len(slots) == 1 else _at_least(slots[-1] + 1, BATCH_BUCKETS, room)
        read_length = _at_least(longest + 1, LENGTH_BUCKETS, length)
        inputs = self._set(size, tuple(slots))
        # Asked of the parameters only, so that the same people in other seats are the same step.
        how = plan(list(samplings), vocabulary).for_all_rows()

        def step() -> None:
            rows = inputs.row_ids if size == 1 else slice(0, size)
            held = torch.where(inputs.active.bool(), state.held[inputs.row_ids], length - 1)
            tokens = state.last[inputs.row_ids]
            logits = self._runner.static_step(rows, inputs.row_ids, tokens, held, read_length)
            chosen = state.choose_static(logits, inputs.row_ids, inputs.active, read_length, how)
            inputs.tokens.copy_(chosen)

        self._run((size, read_length, how), step, state)
        return self._take_off(inputs, [0] if size == 1 else list(slots))

    def _run(self, key: Hashable, step: Step, state: SamplingState) -> None:
        if self._capture is None or key in self._failed:
            step()
            return
        if key not in self._recorded:
            self._record(key, step, state)
        self._recorded.get(key, step)()

    def _record(self, key: Hashable, step: Step, state: SamplingState) -> None:
        assert self._capture is not None
        before = [tensor.clone() for tensor in state.changing()]
        try:
            self._recorded[key] = self._capture(step)
        except Exception as error:  # offloaded weights, whatever else cannot be recorded
            self._failed.add(key)
            _log.warning("A decode step cannot be recorded as a CUDA graph: %s", error)
            if len(self._failed) >= GIVE_UP:
                self._capture = None
        for tensor, content in zip(state.changing(), before, strict=True):
            tensor.copy_(content)

    def _set(self, size: int, slots: tuple[int, ...]) -> _Inputs:
        device = self._runner.device
        if size not in self._inputs:
            everyone = torch.arange(size, device=device)
            self._inputs[size] = _Inputs(
                everyone, torch.ones_like(everyone), torch.zeros_like(everyone)
            )
        inputs = self._inputs[size]
        if inputs.members != slots:
            inputs.members = slots
            if size == 1:
                inputs.row_ids.copy_(torch.tensor(slots))
            else:
                active = torch.zeros(size, dtype=torch.int64)
                active[list(slots)] = 1
                inputs.active.copy_(active)
        return inputs

    def _take_off(self, inputs: _Inputs, places: list[int]) -> InFlightStep:
        if not inputs.tokens.is_cuda:
            return InFlightStep(inputs.tokens.clone(), places)
        host = torch.empty(inputs.tokens.shape, dtype=torch.int64, pin_memory=True)
        host.copy_(inputs.tokens, non_blocking=True)
        ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
        ready.record()
        return InFlightStep(host, places, ready)

    def _forget_if_moved(self, state: SamplingState) -> None:
        """Recorded steps know addresses: where a tensor has moved they are of no use."""
        addresses = state, [layer.address for layer in self._runner.kv_cache.layers]
        if addresses != self._built_for:
            self._built_for = addresses
            self._recorded.clear()
            self._inputs.clear()


def _at_least(wanted: int, sizes: Sequence[int], most: int) -> int:
    return min(next((size for size in sizes if size >= wanted), most), most)
