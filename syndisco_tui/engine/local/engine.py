"""The local engine: one daemon thread that owns the model.

Importing this module does not import torch; loading the first model does.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from ..base import (
    Cancelled,
    EngineError,
    Failed,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    RenderedPrompt,
)
from ..machine import usable_cores
from ..model import EngineInfo, ModelSpec
from .tokenization.chat_tokenizer import ChatTokenizer

if TYPE_CHECKING:
    from .decoding.decoder import Decoder
    from .loading.model_loader import LoadedModel

POLL_SECONDS = 0.05
CLOSE_SECONDS = 2.0

_CLOSED = EngineError("The engine was closed before the reply was finished.")
_RESTARTED = EngineError("The model was restarted before the reply was finished.")
_NO_MODEL = EngineError("No model is loaded: load one, then try again.")
_REPLACED = EngineError("The model was replaced before the reply was finished.")


def _is_exact(loaded: LoadedModel) -> bool:
    """Whether a request gives the same tokens in any batch: true of float32 on a CPU only."""
    info = loaded.info
    return info.device == "cpu" and info.dtype == "float32" and info.quantization == "none"


@dataclass(frozen=True)
class _Load:
    spec: ModelSpec
    listener: Callable[[LoadEvent], object]
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class _Render:
    request: GenerationRequest
    listener: Callable[[RenderedPrompt | EngineError], object]


_Command = _Load | _Render | Generation | None


class LocalEngine:
    """Runs a model of transformers; see ``Engine`` for its methods.

    Args:
        cache_folder: Where the starter model is kept.
        threads: How many threads torch computes with; by default all cores but one, which is left
            to the app.
    """

    def __init__(self, cache_folder: Path, *, threads: int | None = None) -> None:
        self._cache_folder = cache_folder
        self._threads = threads or max(1, usable_cores() - 1)
        self._commands: SimpleQueue[_Command] = SimpleQueue()
        self._closing = threading.Event()
        self._lock = threading.Lock()  # guards _pending, _info and _spec
        self._pending: list[_Load] = []
        self._info: EngineInfo | None = None
        self._spec: ModelSpec | None = None
        self._decoder: Decoder | None = None
        self._chat: ChatTokenizer | None = None
        self._thread = self._new_thread()
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the inference thread runs."""
        return self._thread.is_alive()

    def restart(self) -> None:
        """Abandon the inference thread, even if it hangs, and start another without a model.

        A thread that hangs in a kernel cannot be stopped, and keeps its memory.
        """
        with self._lock:
            decoder, pending = self._decoder, self._pending
            self._decoder = self._info = self._spec = self._chat = None
            self._pending = []
            waiting, self._commands = self._commands, SimpleQueue()
            self._thread = self._new_thread()
        for load in pending:
            load.cancelled.set()
            load.listener(LoadFailed(_RESTARTED))
        if decoder is not None:
            decoder.abort_all(_RESTARTED)
        _fail_all(waiting, _RESTARTED)
        waiting.put(None)  # wakes the old thread, if it only waits
        self._thread.start()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._serve, name="inference", daemon=True)

    @property
    def info(self) -> EngineInfo | None:
        """The model that is loaded, or None."""
        return self._info

    def info_of(self, spec: ModelSpec | None) -> EngineInfo | None:
        """What ``spec`` turned out to be; see ``Engine``."""
        return self._info

    def load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        """Start loading ``spec``, and cancel the loading of any other model."""
        if not (self.is_alive or self._closing.is_set()):
            self.restart()
        load = _Load(spec, listener)
        with self._lock:
            info = self._info if self._is_loaded(spec) and not self._pending else None
            if info is None:
                for earlier in self._pending:
                    if earlier.spec != spec:
                        earlier.cancelled.set()
                self._pending.append(load)
        if info is not None:
            listener(Loaded(info))
        else:
            self._commands.put(load)

    def cancel_load(self) -> None:
        """Cancel loading."""
        with self._lock:
            for load in self._pending:
                load.cancelled.set()

    def submit(
        self,
        request: GenerationRequest,
        listener: Callable[[GenerationEvent], object] | None = None,
    ) -> Generation:
        """Queue a reply. If a model is being loaded, the reply waits for it."""
        generation = Generation(request, listener)
        if self._closing.is_set():
            generation.emit(Failed(generation, _CLOSED))
        else:
            self._commands.put(generation)
        return generation

    def render(
        self,
        request: GenerationRequest,
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        """Render the prompt of ``request`` as the loaded model reads it."""
        if self._closing.is_set():
            listener(_CLOSED)
        else:
            self._commands.put(_Render(request, listener))

    def close(self) -> None:
        """Cancel everything and end the inference thread."""
        self._closing.set()
        self.cancel_load()
        self._commands.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _is_loaded(self, spec: ModelSpec) -> bool:
        if self._info is None or self._spec is None:
            return False
        # The model that "auto" resolved to may also be requested by its name.
        return spec in (self._spec, replace(self._spec, model=self._info.model))

    # Methods below run on the inference thread.

    def _serve(self) -> None:
        commands = self._commands
        while not (self._is_abandoned(commands) or self._closing.is_set()):
            try:
                self._serve_one(commands)
            except Exception as error:  # a bug, or an error of a library: the thread goes on
                if not self._is_abandoned(commands):
                    sentence = f"The model failed ({_reason(error)}): load it again."
                    self._drop_model(EngineError(sentence))
        if not self._is_abandoned(commands):
            self._drop_model(None)
            _fail_all(commands, _CLOSED)

    def _is_abandoned(self, commands: SimpleQueue[_Command]) -> bool:
        """Whether the thread that serves ``commands`` was abandoned by ``restart``."""
        return commands is not self._commands

    def _serve_one(self, commands: SimpleQueue[_Command]) -> None:
        decoder = self._decoder
        try:
            command = commands.get(block=decoder is None or not decoder.busy)
        except Empty:
            if decoder is not None:
                decoder.step()
            return
        del decoder  # a reference would keep the old model in memory while the next one loads
        if isinstance(command, _Load):
            self._load(command)
        elif isinstance(command, Generation):
            self._begin(command)
        elif isinstance(command, _Render):
            self._render(command)

    def _begin(self, generation: Generation) -> None:
        if self._decoder is not None:
            self._decoder.submit(generation)
        else:
            generation.emit(Failed(generation, _NO_MODEL))

    def _render(self, render: _Render) -> None:
        if self._chat is None:
            render.listener(_NO_MODEL)
            return
        try:
            render.listener(self._chat.rendered(render.request))
        except EngineError as error:
            render.listener(error.with_traceback(None))

    def _load(self, load: _Load) -> None:
        with self._lock:
            loaded_info = self._info if self._is_loaded(load.spec) else None
        if loaded_info is None:
            self._drop_model(_REPLACED)
        event = Loaded(loaded_info) if loaded_info else self._load_new(load)
        with self._lock:
            if load not in self._pending:  # its listener was notified by ``restart``
                return
            self._pending.remove(load)
        load.listener(event)

    def _load_new(self, load: _Load) -> Loaded | LoadFailed:
        try:
            return Loaded(self._install(self._wait_for_model(load), load))
        except EngineError as error:
            return LoadFailed(error.with_traceback(None))
        except Exception as error:  # a bug, or an error of a library
            failure = self._load_error(load, error)
        self._drop_model(_REPLACED)
        return LoadFailed(failure)

    def _load_error(self, load: _Load, error: Exception) -> EngineError:
        from .loading.placement import does_not_fit
        from .memory import is_out_of_memory

        if is_out_of_memory(error):
            return does_not_fit(load.spec.model, load.spec.device)
        return EngineError(
            f"The model could not be loaded ({_reason(error)}): try again, or choose another."
        )

    def _wait_for_model(self, load: _Load) -> LoadedModel:
        """Load on a side thread, which is abandoned if loading is cancelled."""
        results: SimpleQueue[LoadProgress | LoadedModel | Exception] = SimpleQueue()

        def work() -> None:
            try:
                from .loading.model_loader import load_model

                cancelled = load.cancelled.is_set
                results.put(load_model(load.spec, self._cache_folder, results.put, cancelled))
            except Exception as error:
                results.put(error.with_traceback(None))

        threading.Thread(target=work, name="loading", daemon=True).start()
        while not load.cancelled.is_set():
            try:
                result = results.get(timeout=POLL_SECONDS)
            except Empty:
                continue
            if isinstance(result, LoadProgress):
                load.listener(result)
            elif isinstance(result, Exception):
                raise result
            else:
                return result
        raise Cancelled("Loading was cancelled.")

    def _install(self, loaded: LoadedModel, load: _Load) -> EngineInfo:
        import torch

        from .decoding.factory import make_decoder
        from .memory import paused_collector

        load.listener(LoadProgress("warming up"))
        torch.set_num_threads(self._threads)
        with paused_collector():
            decoder, support = make_decoder(
                loaded, lambda: self._closing.is_set() or bool(self._pending)
            )
        if load.cancelled.is_set():
            raise Cancelled("Loading was cancelled.")
        # Garbage collection shall ignore the model's objects: visiting them delays the UI thread.
        gc.collect()
        gc.freeze()
        exact = _is_exact(loaded)
        chat = self._chat = ChatTokenizer(loaded.tokenizer)
        info = replace(
            loaded.info,
            path=support.path,
            path_reason=support.reason,
            exact=exact,
            reasoning=chat.switches.fields,
        )
        with self._lock:
            if load not in self._pending:
                raise Cancelled("Loading was cancelled.")
            self._decoder, self._info, self._spec = decoder, info, load.spec
        return info

    def _drop_model(self, reason: EngineError | None) -> None:
        decoder = self._decoder
        with self._lock:
            self._decoder = self._info = self._spec = self._chat = None
        if decoder is None:
            return
        decoder.abort_all(reason)
        del decoder
        gc.unfreeze()
        from .memory import release_memory

        release_memory()
        gc.freeze()  # so that the collection after the next load visits new objects only


def _reason(error: Exception) -> str:
    """The first line of an error's message."""
    return (str(error).strip().partition("\n")[0] or type(error).__name__).rstrip(".")


def _fail_all(commands: SimpleQueue[_Command], error: EngineError) -> None:
    while not commands.empty():
        command = commands.get()
        if isinstance(command, Generation):
            command.emit(Failed(command, error))
        elif isinstance(command, _Render):
            command.listener(error)
