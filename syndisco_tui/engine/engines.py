"""Several engines as one: models in this process and models on servers, side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..discussion import ChatMessage
from .base import (
    Engine,
    EngineError,
    EngineInfo,
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadProgress,
    ModelSpec,
    RenderedPrompt,
)

_NOT_LOADED = EngineError("The model is no longer loaded. Press r to load it again.")
Listener = Callable[[GenerationEvent], object]


class Engines:
    """An engine for each model that is asked for.

    ``load`` has the main model and those beside it (``ModelSpec.others``) loaded; a request says
    which of them it is for. A model that is no longer asked for is let go once none of its replies
    is in flight.

    Args:
        new_local: Makes an engine for models in this process.
        new_server: Makes an engine for models on servers.
    """

    def __init__(self, new_local: Callable[[], Engine], new_server: Callable[[], Engine]) -> None:
        self._new_local = new_local
        self._new_server = new_server
        self._lock = threading.RLock()  # guards all that follows
        self._main = new_local()
        self._main_spec: ModelSpec | None = None
        self._engines: dict[ModelSpec, Engine] = {}
        self._spare: Engine | None = self._main
        self._in_flight: dict[int, int] = {}

    @property
    def info(self) -> EngineInfo | None:
        """The main model, or None."""
        return self._main.info

    def info_of(self, spec: ModelSpec | None) -> EngineInfo | None:
        """What ``spec`` turned out to be, or None where it is not loaded. None: the main model."""
        with self._lock:
            engine = self._engines.get(replace(spec, others=())) if spec else self._main
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

        Loaded tells of the main model, after all of them are there.
        """
        specs = list(dict.fromkeys((replace(spec, others=()), *spec.others)))
        with self._lock:
            self._let_go_all_but(specs)
            for each in specs:
                if each not in self._engines:
                    self._engines[each] = self._new_engine(each)
            self._main, self._main_spec = self._engines[specs[0]], specs[0]
            engines = [self._engines[each] for each in specs]
        self._load_next(list(zip(specs, engines, strict=True)), listener)

    def _load_next(
        self,
        waiting: list[tuple[ModelSpec, Engine]],
        listener: Callable[[LoadEvent], object],
        main: Loaded | None = None,
    ) -> None:
        (spec, engine), *rest = waiting

        def hear(event: LoadEvent) -> None:
            match event:
                case Loaded() if rest:
                    self._load_next(rest, listener, main or event)
                case Loaded():
                    listener(main or event)
                case LoadProgress() if main is not None:
                    listener(replace(event, stage=f"{spec.model}: {event.stage}"))
                case _:
                    listener(event)

        engine.load(spec, hear)

    def _new_engine(self, spec: ModelSpec) -> Engine:
        if spec.server:
            return self._new_server()
        engine, self._spare = self._spare, None
        return engine or self._new_local()

    def _let_go_all_but(self, specs: Sequence[ModelSpec]) -> None:
        """Make room for ``specs``: models on servers take none."""
        if all(spec.server for spec in specs):
            return
        for spec, engine in list(self._engines.items()):
            if spec.server or spec in specs or self._in_flight.get(id(engine)):
                continue
            del self._engines[spec]
            if self._spare is None:
                self._spare = engine  # it replaces its model by the next one that is loaded
            else:
                engine.close()

    def cancel_load(self) -> None:
        """Give up loading; see ``Engine``."""
        for engine in self._distinct():
            engine.cancel_load()

    def submit(self, request: GenerationRequest, listener: Listener | None = None) -> Generation:
        """Queue a reply with the model that the request names; the main one where it names none."""
        engine = self._engines.get(request.model) if request.model else self._main
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
        chat: Sequence[ChatMessage],
        listener: Callable[[RenderedPrompt | EngineError], object],
        model: ModelSpec | None = None,
    ) -> None:
        """Show ``chat`` as ``model`` reads it; see ``Engine``."""
        self._engine_of(model).render(chat, listener)

    def close(self) -> None:
        """Close all engines."""
        for engine in self._distinct():
            engine.close()

    def _engine_of(self, spec: ModelSpec | None) -> Engine:
        with self._lock:
            return self._engines.get(spec, self._main) if spec else self._main

    def _distinct(self) -> list[Engine]:
        with self._lock:
            everyone = (*self._engines.values(), self._main, *filter(None, [self._spare]))
            return list({id(engine): engine for engine in everyone}.values())
