"""The engine in this process: one persistent daemon thread that owns the model.

Torch is imported on that thread, when the first model is loaded; never by importing this.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from .base import (
    Cancelled,
    EngineError,
    EngineInfo,
    Failed,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    ModelSpec,
)

if TYPE_CHECKING:
    from .loading import LoadedModel
    from .decoder import SlotDecoder

POLL_SECONDS = 0.05
CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class _Load:
    spec: ModelSpec
    listener: Callable[[LoadEvent], object]
    cancelled: threading.Event


class LocalEngine:
    """Runs a model of transformers. ``cache_folder`` is where the starter model is kept.

    ``threads``: how many threads torch computes with; by default one less than there are cores,
    so that a screen beside it stays quick.
    """

    def __init__(self, cache_folder: Path, *, threads: int | None = None) -> None:
        self._cache_folder = cache_folder
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._commands: SimpleQueue[_Load | Generation | None] = SimpleQueue()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._loads: list[_Load] = []
        self._unfinished: set[Generation] = set()
        self._info: EngineInfo | None = None
        self._spec: ModelSpec | None = None
        self._decoder: SlotDecoder | None = None
        self._no_model = EngineError("No model is loaded.")
        self._thread = threading.Thread(target=self._serve, name="inference", daemon=True)
        self._thread.start()

    @property
    def info(self) -> EngineInfo | None:
        return self._info

    def load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        load = _Load(spec, listener, threading.Event())
        with self._lock:
            for earlier in self._loads:
                earlier.cancelled.set()
            self._loads.append(load)
        self._commands.put(load)

    def cancel_load(self) -> None:
        with self._lock:
            for load in self._loads:
                load.cancelled.set()

    def submit(
        self,
        request: GenerationRequest,
        listener: Callable[[GenerationEvent], object] | None = None,
    ) -> Generation:
        generation = Generation(request, listener)
        self._commands.put(generation)
        return generation

    def close(self) -> None:
        self._closing.set()
        self.cancel_load()
        self._commands.put(None)
        self._thread.join(CLOSE_SECONDS)

    # The inference thread, from here on.

    def _serve(self) -> None:
        while not self._closing.is_set():
            decoder = self._decoder
            busy = decoder is not None and decoder.busy
            try:
                command = self._commands.get(block=not busy)
            except Empty:
                assert decoder is not None
                decoder.advance()
                continue
            if isinstance(command, _Load):
                self._load(command)
            elif isinstance(command, Generation):
                if decoder is None:
                    command.emit(Failed(command, self._no_model))
                else:
                    decoder.submit(command)

    def _load(self, load: _Load) -> None:
        if self._info is not None and load.spec == self._spec:
            load.listener(Loaded(self._info))
            return
        results: SimpleQueue[LoadProgress | LoadedModel | EngineError] = SimpleQueue()

        def work() -> None:
            try:
                from .loading import load_model

                results.put(
                    load_model(
                        load.spec, self._cache_folder, results.put, load.cancelled.is_set
                    )
                )
            except EngineError as error:
                results.put(error)

        threading.Thread(target=work, name="loading", daemon=True).start()
        while True:
            if load.cancelled.is_set():
                load.listener(LoadFailed(Cancelled("Loading was cancelled.")))
                return
            try:
                result = results.get(timeout=POLL_SECONDS)
            except Empty:
                continue
            if isinstance(result, LoadProgress):
                load.listener(result)
            elif isinstance(result, EngineError):
                load.listener(LoadFailed(result))
                return
            else:
                break
        from .decoder import SlotDecoder
        from .probe import slots_for
        import torch

        torch.set_num_threads(self._threads)
        load.listener(LoadProgress("warming up"))
        slots = slots_for(result.model, 4 << 30)
        print("slots", slots)
        self._decoder = SlotDecoder(
            result.model, result.tokenizer, slots, eos=result.eos,
            context_length=result.info.context_length,
        )
        gc.collect()
        gc.freeze()
        self._info = replace(result.info, path=self._decoder.path)
        self._spec = load.spec
        load.listener(Loaded(self._info))
