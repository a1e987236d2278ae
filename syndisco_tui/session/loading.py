"""Having the model that a setup asks for: which one is ready, which one is being loaded."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..discussion import DiscussionSetup
from ..engine.base import (
    Cancelled,
    Engine,
    EngineError,
    EngineInfo,
    Loaded,
    LoadEvent,
    LoadProgress,
    ModelSpec,
)
from .conditions import Conditions
from .events import ModelReady, PreloadFailed, Tell
from .last_model import LastModelFile
from .model_path import slower_path

_log = logging.getLogger(__name__)


class ModelLoading:
    """Loads at most one model at a time. Driven from the session's thread alone.

    What the engine reports is handed to ``post``, which calls it on that thread; then ``tell``
    gets the progress. ``changed`` is called when loading begins or ends, with None or with what
    went wrong with a model that was needed.
    """

    def __init__(
        self,
        engine: Engine,
        device: str,
        conditions: Conditions,
        last_model: LastModelFile | None,
        *,
        post: Callable[[Callable[[], object]], object],
        tell: Tell,
        changed: Callable[[EngineError | None], object],
    ) -> None:
        self._engine = engine
        self._device = device
        self._post = post
        self._tell = tell
        self._conditions = conditions
        self._changed = changed
        self._last_model = last_model
        self._loading: ModelSpec | None = None
        self._loads = 0
        self._is_cancelled = False
        self._ready: ModelSpec | None = None
        self._ready_info: EngineInfo | None = None
        self._engine_is_stuck = False
        self.is_preloading = False
        """Whether what is being loaded is not needed yet."""

    @property
    def is_loading(self) -> bool:
        return self._loading is not None

    def has(self, setup: DiscussionSetup) -> bool:
        """Whether the model of ``setup`` is the one that is loaded."""
        return self._has(self._spec(setup))

    def _has(self, spec: ModelSpec) -> bool:
        # Another session of this engine may have had another model loaded since.
        info = self._engine.info
        return info is not None and info is self._ready_info and self._ready == spec

    def load(self, setup: DiscussionSetup) -> None:
        """Have the model of ``setup``, unless it is there or on its way already."""
        self._load(self._spec(setup), is_needed=True)

    def preload(self, setup: DiscussionSetup) -> None:
        """Have the model of ``setup`` before it is needed, if it is the one that was loaded last.

        That it cannot be had is told quietly.
        """
        spec = self._spec(setup)
        last = self._last_model.read() if self._last_model else None
        if last and last.is_asked_for_by(spec) and not self.is_loading:
            self._load(spec, is_needed=False)

    def cancel_preload(self, unless: DiscussionSetup) -> None:
        """Give up what is loaded before it is needed, if it is not the model of ``unless``."""
        if self.is_preloading and self._spec(unless) != self._loading:
            self.cancel()

    def _load(self, spec: ModelSpec, *, is_needed: bool) -> None:
        is_on_its_way = self._loading == spec and not self._is_cancelled
        is_joined = is_on_its_way and self.is_preloading and is_needed
        if self._has(spec) or (is_on_its_way and not is_joined):
            return
        self.is_preloading = not is_needed
        if not is_joined:
            self._begin(spec)
        self._changed(None)

    def _begin(self, spec: ModelSpec) -> None:
        if self._engine_is_stuck:
            self._engine_is_stuck = False
            self._engine.restart()
        self.cancel()
        self._loading, self._is_cancelled = spec, False
        self._loads += 1
        load = self._loads
        self._ready = None
        self._conditions.over("speed")
        self._engine.load(spec, lambda event: self._post(lambda: self._heard(load, spec, event)))

    def engine_is_stuck(self) -> None:
        """The engine no longer answers: before anything else is loaded, it begins anew."""
        self._engine_is_stuck, self._ready = True, None

    def engine_died(self) -> None:
        """Nothing is loaded, and nothing will be."""
        self._loading = self._ready = None
        self.is_preloading = False

    def cancel(self) -> None:
        """Give up loading; that it ended is told as a failure."""
        if self._loading:
            self._is_cancelled = True
            self._engine.cancel_load()

    def named(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with the model's name instead of ``auto``: the record keeps no wishes."""
        info = self._engine.info
        if info and setup.model == "auto":
            setup = setup.model_copy(update={"model": info.model})
        return setup

    def is_now(self, setup: DiscussionSetup) -> None:
        """The loaded model is the one that ``setup`` names."""
        self._ready = self._spec(setup)

    def _spec(self, setup: DiscussionSetup) -> ModelSpec:
        return ModelSpec(setup.model, setup.quantization, setup.dtype, self._device)

    def _heard(self, load: int, spec: ModelSpec, event: LoadEvent) -> None:
        if self._loading is None or load != self._loads:  # of a load that was given up
            return
        if isinstance(event, LoadProgress):
            self._tell(event)
            return
        was_preloading, self.is_preloading = self.is_preloading, False
        self._loading = None
        if isinstance(event, Loaded):
            self._is_ready(spec, event.info)
        elif was_preloading:
            if not isinstance(event.error, Cancelled):
                _log.info("The last model could not be loaded: %s", event.error)
                self._tell(PreloadFailed(str(event.error)))
            self._changed(None)
        else:
            self._changed(event.error)

    def _is_ready(self, spec: ModelSpec, info: EngineInfo) -> None:
        self._ready, self._ready_info = spec, info
        self._tell(ModelReady(info))
        self._conditions.over("engine")
        sentence = slower_path(info.name or info.model, info.path, info.path_reason)
        self._conditions.say("speed", sentence)
        self._changed(None)
        if self._last_model:
            self._last_model.remember(spec, info)
