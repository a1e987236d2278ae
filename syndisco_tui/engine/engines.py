"""Several engines as one: models in this process and models on servers, side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..discussion.participant_models import PYTHON
from .base import (
    Cancelled,
    Engine,
    EngineError,
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    RenderedPrompt,
)
from .model import EngineInfo, ModelSpec

_NOT_LOADED = EngineError("The model is no longer loaded. Press r to load it again.")
_LOADING_CANCELLED = "Loading was cancelled."
Listener = Callable[[GenerationEvent], object]


@dataclass(eq=False)
class _Loading:
    """The progress of loading several models one after the other."""

    specs: tuple[ModelSpec, ...]
    listener: Callable[[LoadEvent], object]
    infos: list[EngineInfo] = field(default_factory=list)
    """Of those that are there, in the order of ``specs``."""
    is_cancelled: bool = False


class Engines:
    """Holds an engine for each requested model.

    ``load`` loads the main model and those beside it (``ModelSpec.others``); a request says which
    of them it is for. A model may also be requested by the name that “auto” resolved to. A model
    that is no longer requested is unloaded to make room for the next, once none of its replies is
    in flight.

    Args:
        new_local: Makes an engine for local models.
        new_server: Makes an engine for models on servers.
        new_python: Makes an engine for the user's Python classes.
    """

    def __init__(
        self,
        new_local: Callable[[], Engine],
        new_server: Callable[[], Engine],
        new_python: Callable[[], Engine] | None = None,
    ) -> None:
        self._new_local = new_local
        self._new_server = new_server
        self._new_python = new_python or new_local
        self._lock = threading.RLock()  # guards all that follows
        self._main = new_local()
        self._engines: dict[ModelSpec, Engine] = {}
        self._spare: Engine | None = self._main
        self._in_flight: dict[int, int] = {}
        self._loadings: list[_Loading] = []

    @property
    def info(self) -> EngineInfo | None:
        """The main model, or None."""
        return self._main.info

    def info_of(self, spec: ModelSpec | None) -> EngineInfo | None:
        """What ``spec`` turned out to be, or None where it is not loaded. None: the main model."""
        with self._lock:
            engine = self._engine_with(spec) if spec else self._main
        return engine.info_of(spec) if engine else None

    @property
    def is_alive(self) -> bool:
        """Whether the main model's engine is there."""
        return self._main.is_alive

    def restart(self) -> None:
        """Restart the engines of all models of the last ``load``."""
        for engine in self._distinct():
            engine.restart()

    def load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        """Load ``spec`` and its others, one after the other; see ``Engine.load``.

        Loaded follows when all are loaded. With several models, progress names the model.
        """
        specs = tuple(dict.fromkeys((replace(spec, others=()), *spec.others)))
        loading = _Loading(specs, listener)
        with self._lock:
            self._loadings.append(loading)
            self._make_room_for(specs)
            self._main = self._engine_for(specs[0])[1]
        self._load_next(loading)

    def _load_next(self, loading: _Loading) -> None:
        spec = loading.specs[len(loading.infos)]
        with self._lock:
            key, engine = self._engine_for(spec)

        def hear(event: LoadEvent) -> None:
            match event:
                case LoadProgress() if len(loading.specs) > 1:
                    loading.listener(replace(event, stage=f"{spec.short_name}: {event.stage}"))
                case LoadProgress():
                    loading.listener(event)
                case Loaded():
                    loading.infos.append(event.info)
                    self._go_on_loading(loading)
                case LoadFailed():
                    self._end_loading(loading, event)

        engine.load(key, hear)

    def _go_on_loading(self, loading: _Loading) -> None:
        if len(loading.infos) == len(loading.specs):
            main, *others = loading.infos
            self._end_loading(loading, Loaded(main, tuple(others)))
        elif loading.is_cancelled:
            self._end_loading(loading, LoadFailed(Cancelled(_LOADING_CANCELLED)))
        else:
            self._load_next(loading)

    def _end_loading(self, loading: _Loading, event: Loaded | LoadFailed) -> None:
        with self._lock:
            self._loadings.remove(loading)
        loading.listener(event)

    def _engine_with(self, spec: ModelSpec) -> Engine | None:
        """The engine that has ``spec``, by any of its names."""
        key = self._key_of(spec)
        return self._engines[key] if key else None

    def _key_of(self, spec: ModelSpec) -> ModelSpec | None:
        spec = replace(spec, others=())
        if spec in self._engines:
            return spec
        for key, engine in self._engines.items():
            info = engine.info_of(key)
            if info is not None and replace(key, model=info.model) == spec:
                return key
        return None

    def _engine_for(self, spec: ModelSpec) -> tuple[ModelSpec, Engine]:
        """The engine that has or will load ``spec``, and the spec by which it knows the model."""
        key = self._key_of(spec)
        if key is None:
            key = spec
            self._engines[key] = self._new_engine(spec)
        return key, self._engines[key]

    def _new_engine(self, spec: ModelSpec) -> Engine:
        if spec.server:
            return self._new_server()
        if _is_python(spec):
            return self._new_python()
        engine, self._spare = self._spare, None
        return engine or self._new_local()

    def _make_room_for(self, specs: Sequence[ModelSpec]) -> None:
        """Unload other local models before loading a further one."""
        if all(spec.server or self._key_of(spec) for spec in specs):
            return
        needed = {self._key_of(spec) for spec in specs}
        for spec, engine in list(self._engines.items()):
            if spec.server or spec in needed or self._in_flight.get(id(engine)):
                continue
            del self._engines[spec]
            if self._spare is None and not any(map(_is_python, (spec, *specs))):
                self._spare = engine  # it replaces its model by the next one that is loaded
            else:
                engine.close()

    def cancel_load(self) -> None:
        """Give up loading; see ``Engine``."""
        with self._lock:
            for loading in self._loadings:
                loading.is_cancelled = True
        for engine in self._distinct():
            engine.cancel_load()

    def submit(self, request: GenerationRequest, listener: Listener | None = None) -> Generation:
        """Queue a reply with the model that the request names; the main one where it names none."""
        with self._lock:
            engine = self._engine_with(request.model) if request.model else self._main
        if engine is None:
            generation = Generation(request, listener)
            generation.emit(Failed(generation, _NOT_LOADED))
            return generation
        return engine.submit(request, listener and self._counting(engine, listener))

    def _counting(self, engine: Engine, listener: Listener) -> Listener:
        """``listener``, with the reply counted as in flight until it has ended."""
        with self._lock:
            self._in_flight[id(engine)] = self._in_flight.get(id(engine), 0) + 1

        def hear(event: GenerationEvent) -> None:
            if isinstance(event, Finished | Failed):
                with self._lock:
                    self._in_flight[id(engine)] -= 1
            listener(event)

        return hear

    def render(
        self,
        request: GenerationRequest,
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        """Show the prompt of ``request`` as its model reads it; see ``Engine``."""
        self._engine_of(request.model).render(request, listener)

    def close(self) -> None:
        """Close all engines."""
        for engine in self._distinct():
            engine.close()

    def _engine_of(self, spec: ModelSpec | None) -> Engine:
        with self._lock:
            return (self._engine_with(spec) if spec else None) or self._main

    def _distinct(self) -> list[Engine]:
        with self._lock:
            everyone = (*self._engines.values(), self._main, *filter(None, [self._spare]))
            return list({id(engine): engine for engine in everyone}.values())


def _is_python(spec: ModelSpec) -> bool:
    return not spec.server and spec.model.startswith(PYTHON)
