"""Having the model that a setup asks for: which one is ready, which one is being loaded."""

from __future__ import annotations

from collections.abc import Callable

from ..discussion import DiscussionSetup
from ..engine.base import (
    Engine,
    EngineError,
    EngineInfo,
    Loaded,
    LoadEvent,
    LoadProgress,
    ModelSpec,
)
from .events import ModelReady, Tell


class ModelLoading:
    """Loads at most one model at a time. Driven from the session's thread alone.

    What the engine reports is handed to ``post``, which calls it on that thread; then ``tell``
    gets the progress and ``ended`` the end: None, or what went wrong.
    """

    def __init__(
        self,
        engine: Engine,
        device: str,
        *,
        post: Callable[[Callable[[], object]], object],
        tell: Tell,
        ended: Callable[[EngineError | None], object],
    ) -> None:
        self._engine = engine
        self._device = device
        self._post = post
        self._tell = tell
        self._ended = ended
        self._loading: ModelSpec | None = None
        self._ready: ModelSpec | None = None
        self._ready_info: EngineInfo | None = None
        self._engine_is_stuck = False

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

    def load(self, setup: DiscussionSetup) -> bool:
        """Begin to load the model of ``setup``. False if it is there or on its way already."""
        spec = self._spec(setup)
        if self._has(spec) or self._loading == spec:
            return False
        if self._engine_is_stuck:
            self._engine_is_stuck = False
            self._engine.restart()
        self.cancel()
        self._loading = spec
        self._ready = None
        self._engine.load(spec, lambda event: self._post(lambda: self._heard(spec, event)))
        return True

    def engine_is_stuck(self) -> None:
        """The engine no longer answers: before anything else is loaded, it begins anew."""
        self._engine_is_stuck, self._ready = True, None

    def engine_died(self) -> None:
        """Nothing is loaded, and nothing will be."""
        self._loading = self._ready = None

    def cancel(self) -> None:
        """Give up loading; that it ended is told as a failure."""
        if self._loading:
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

    def _heard(self, spec: ModelSpec, event: LoadEvent) -> None:
        if self._loading != spec:
            return
        if isinstance(event, LoadProgress):
            self._tell(event)
            return
        self._loading = None
        if isinstance(event, Loaded):
            self._ready, self._ready_info = spec, event.info
            self._tell(ModelReady(event.info))
            self._ended(None)
        else:
            self._ended(event.error)
