"""Runs a user's Python class as a model, on a thread of its own, one reply at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Literal

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
    ModelUnavailable,
    RenderedPrompt,
)
from ..model import EngineInfo, ModelSpec
from .own_model import OwnModel, make_model, reason, system_and_user
from .reply import OwnReply

POLL_SECONDS = 0.03
"""How often it is looked whether replies have been cancelled."""
CLOSE_SECONDS = 2.0

_CLOSED = EngineError("The engine was closed before the reply was finished.")
_RESTARTED = EngineError("The model was restarted before the reply was finished.")
_NO_MODEL = EngineError("No model is loaded: load one, then try again.")


@dataclass(eq=False)
class _Load:
    spec: ModelSpec
    listener: Callable[[LoadEvent], object]


@dataclass(frozen=True)
class _Progress:
    """A report from the thread that runs the class: a piece of a reply, or how the task ended."""

    task: _Load | OwnReply
    outcome: str | OwnModel | EngineError | Literal[True]
    """A piece of the reply, the loaded model, an error, or True for a complete reply."""


@dataclass(frozen=True)
class _End:
    """Asks the desk to close: all its tasks are cancelled, or fail with ``error``."""

    error: EngineError | None


_Message = _Load | Generation | _Progress | _End | Literal["cancel load"]


class PythonEngine:
    """Runs a Python class as a model; implements ``Engine``.

    Two threads: one runs the user's code, which cannot be interrupted; the other one answers at
    once, and drops what was cancelled.

    Args:
        allowed: The models that the command line or the settings name. To load another one, as a
            file may name it, would run code that nobody asked for.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)
        self._info: EngineInfo | None = None
        self._spec: ModelSpec | None = None
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        inbox: SimpleQueue[_Message] = SimpleQueue()
        self._inbox = inbox
        model_thread = _ModelThread(inbox, lambda spec, model: self._loaded(inbox, spec, model))
        self._thread = threading.Thread(target=model_thread.serve, name="own class", daemon=True)
        self._thread.start()

    @property
    def info(self) -> EngineInfo | None:
        """The model that is loaded, or None."""
        return self._info

    def info_of(self, spec: ModelSpec | None) -> EngineInfo | None:
        """The loaded model's info, whatever ``spec`` is."""
        return self._info

    @property
    def is_alive(self) -> bool:
        """Whether the engine's thread runs."""
        return self._thread.is_alive()

    def restart(self) -> None:
        """Abandon the user's code, even if it hangs; the model has to be loaded again."""
        inbox = self._inbox
        self._info = self._spec = None
        self._begin()
        inbox.put(_End(_RESTARTED))

    def load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        """Import the module and make the object that ``spec`` names, unless it is loaded."""
        info = self._info
        if info is not None and self._spec == spec:
            listener(Loaded(info))
        elif spec.model not in self._allowed:
            listener(LoadFailed(_not_allowed(spec.model)))
        else:
            self._inbox.put(_Load(spec, listener))

    def cancel_load(self) -> None:
        """Cancel loading."""
        self._inbox.put("cancel load")

    def submit(
        self,
        request: GenerationRequest,
        listener: Callable[[GenerationEvent], object] | None = None,
    ) -> Generation:
        """Queue a reply."""
        generation = Generation(request, listener)
        if self._is_closed:
            generation.emit(Failed(generation, _CLOSED))
        else:
            self._inbox.put(generation)
        return generation

    def render(
        self,
        request: GenerationRequest,
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        """Render the two texts that the class gets."""
        system, user = system_and_user(request.chat)
        parts = (("[system]\n", True), (system, False), ("\n[user]\n", True), (user, False))
        listener(RenderedPrompt(parts, 0))

    def close(self) -> None:
        """Cancel everything, without waiting for user code that hangs."""
        self._is_closed = True
        self._inbox.put(_End(None))
        self._thread.join(CLOSE_SECONDS)

    def _loaded(self, inbox: SimpleQueue[_Message], spec: ModelSpec, model: OwnModel) -> Loaded:
        info = EngineInfo(
            model=spec.model,
            name=model.name,
            device="python",
            path="class",
            reasoning=(),
            versions=model.versions,
        )
        if inbox is self._inbox:  # else the engine was restarted meanwhile
            self._info, self._spec = info, spec
        return Loaded(info)


class _ModelThread:
    """Hands tasks to the thread of the class, one at a time, and reports the results.

    Args:
        inbox: Requests, and reports from the thread of the class.
        on_loaded: Called with a model when it is loaded.
    """

    def __init__(
        self,
        inbox: SimpleQueue[_Message],
        on_loaded: Callable[[ModelSpec, OwnModel], Loaded],
    ) -> None:
        self._inbox, self._on_loaded = inbox, on_loaded
        self._tasks: SimpleQueue[tuple[_Load | OwnReply, OwnModel | None] | None] = SimpleQueue()
        self._waiting: deque[_Load | Generation] = deque()
        self._current: _Load | OwnReply | None = None
        """What the class works at; it may have been cancelled."""
        self._model: OwnModel | None = None
        self._is_dropped = False
        """Whether nobody waits for ``_current`` any more."""

    def serve(self) -> None:
        """Handle messages until ``_End``."""
        threading.Thread(target=self._work, name="user's code", daemon=True).start()
        message: _Message | None = None
        while not isinstance(message, _End):
            is_busy = self._current is not None or bool(self._waiting)
            try:
                message = self._inbox.get(timeout=POLL_SECONDS if is_busy else None)
            except Empty:
                message = None
            self._take(message)
            self._drop_cancelled()
            self._begin_next()
        self._end(message.error)

    def _take(self, message: _Message | None) -> None:
        match message:
            case _Progress() if message.task is self._current:
                self._hear(message)
            case _Load() | Generation():
                self._waiting.append(message)
            case "cancel load":
                self._cancel_loads()
            case _:
                pass

    def _hear(self, heard: _Progress) -> None:
        task, outcome = heard.task, heard.outcome
        is_dropped, is_over = self._is_dropped, not isinstance(outcome, str)
        if is_over:
            self._current, self._is_dropped = None, False
        if is_dropped:
            return
        match task, outcome:
            case _Load(), OwnModel():
                self._model = outcome
                task.listener(self._on_loaded(task.spec, outcome))
            case _Load(), EngineError():
                task.listener(LoadFailed(outcome))
            case OwnReply(), str():
                self._is_dropped = task.take(outcome)
            case OwnReply(), EngineError():
                task.generation.emit(Failed(task.generation, outcome))
            case OwnReply(), True:
                task.finish("stop")

    def _drop_cancelled(self) -> None:
        match self._current:
            case OwnReply() as reply if reply.generation.is_cancelled and not self._is_dropped:
                reply.finish("cancelled")
                self._is_dropped = True
            case _:
                pass
        for each in list(self._waiting):
            if isinstance(each, Generation) and each.is_cancelled:
                self._waiting.remove(each)
                OwnReply(each).finish("cancelled")

    def _cancel_loads(self) -> None:
        loads = [each for each in self._waiting if isinstance(each, _Load)]
        for load in loads:
            self._waiting.remove(load)
        if isinstance(self._current, _Load) and not self._is_dropped:
            loads.append(self._current)
            self._is_dropped = True
        for load in loads:
            load.listener(LoadFailed(Cancelled("Loading was cancelled.")))

    def _begin_next(self) -> None:
        if self._current is not None or not self._waiting:
            return
        task = self._waiting.popleft()
        if isinstance(task, _Load):
            task.listener(LoadProgress("making the model"))
            self._current = task
        elif self._model is None:
            task.emit(Failed(task, _NO_MODEL))
            return
        else:
            self._current = OwnReply(task)
        self._tasks.put((self._current, self._model))

    def _end(self, error: EngineError | None) -> None:
        self._tasks.put(None)
        current = [] if self._is_dropped else [self._current]
        for each in [*current, *self._waiting]:
            match each:
                case _Load():
                    each.listener(LoadFailed(error or Cancelled("Loading was cancelled.")))
                case OwnReply() if error:
                    each.generation.emit(Failed(each.generation, error))
                case OwnReply():
                    each.finish("cancelled")
                case Generation() if error:
                    each.emit(Failed(each, error))
                case Generation():
                    OwnReply(each).finish("cancelled")
                case None:
                    pass

    def _work(self) -> None:
        """Run the user's code, on a thread of its own."""
        while order := self._tasks.get():
            task, model = order
            try:
                if isinstance(task, _Load):
                    self._inbox.put(_Progress(task, make_model(task.spec.model)))
                    continue
                assert model
                for piece in model.pieces(task.generation.request):
                    self._inbox.put(_Progress(task, piece))
                    if task.generation.is_cancelled or task.generation.is_done:
                        break
                self._inbox.put(_Progress(task, True))
            except EngineError as error:
                self._inbox.put(_Progress(task, error.with_traceback(None)))
            except BaseException as error:  # whatever it raises, SystemExit too: the app goes on
                name = f"{model.class_name}.prompt" if model else "The model"
                self._inbox.put(_Progress(task, EngineError(f"{name} failed ({reason(error)}).")))


def _not_allowed(model: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{model} would run code, so a file cannot ask for it: start with --model {model}."
    )
