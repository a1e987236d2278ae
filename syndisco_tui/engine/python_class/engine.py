"""Runs a model that is a class of the user's own, on a thread of its own, a reply at a time."""

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
    ModelUnavailable,
    RenderedPrompt,
)
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
class _Heard:
    """What the thread of the class reports of its ``task``: a piece, or how it ended."""

    task: _Load | OwnReply
    what: str | OwnModel | EngineError | Literal[True]
    """True: the reply is complete."""


@dataclass(frozen=True)
class _End:
    """The desk is to close: what it has is cancelled, or fails with ``error``."""

    error: EngineError | None


_Message = _Load | Generation | _Heard | _End | Literal["cancel load"]


class PythonEngine:
    """See ``Engine`` for its methods.

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
        desk = _Desk(inbox, lambda spec, model: self._loaded(inbox, spec, model))
        self._thread = threading.Thread(target=desk.serve, name="own class", daemon=True)
        self._thread.start()

    @property
    def info(self) -> EngineInfo | None:
        """The model that is loaded, or None."""
        return self._info

    def info_of(self, spec: ModelSpec | None) -> EngineInfo | None:
        """What ``spec`` turned out to be; see ``Engine``."""
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
        """Import the module and make the object that ``spec`` names, unless it is there."""
        info = self._info
        if info is not None and self._spec == spec:
            listener(Loaded(info))
        elif spec.model not in self._allowed:
            listener(LoadFailed(_not_allowed(spec.model)))
        else:
            self._inbox.put(_Load(spec, listener))

    def cancel_load(self) -> None:
        """Give up loading; see ``Engine``."""
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
        """Show the two texts that the class gets."""
        system, user = system_and_user(request.chat)
        parts = (("[system]\n", True), (system, False), ("\n[user]\n", True), (user, False))
        listener(RenderedPrompt(parts, 0))

    def close(self) -> None:
        """Cancel everything; code of the user that hangs is left alone."""
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


class _Desk:
    """The thread that answers: hands tasks to the class, one at a time, and tells what comes.

    Args:
        inbox: What it is asked, and what the class reports.
        on_loaded: Gets a model that is there.
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
        """Answer until it is to end."""
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
            case _Heard() if message.task is self._current:
                self._hear(message)
            case _Load() | Generation():
                self._waiting.append(message)
            case "cancel load":
                self._cancel_loads()
            case _:
                pass

    def _hear(self, heard: _Heard) -> None:
        task, what = heard.task, heard.what
        is_dropped, is_over = self._is_dropped, not isinstance(what, str)
        if is_over:
            self._current, self._is_dropped = None, False
        if is_dropped:
            return
        match task, what:
            case _Load(), OwnModel():
                self._model = what
                task.listener(self._on_loaded(task.spec, what))
            case _Load(), EngineError():
                task.listener(LoadFailed(what))
            case OwnReply(), str():
                self._is_dropped = task.take(what)
            case OwnReply(), EngineError():
                task.generation.emit(Failed(task.generation, what))
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
        """Run the user's code; on a thread of its own."""
        while order := self._tasks.get():
            task, model = order
            try:
                if isinstance(task, _Load):
                    self._inbox.put(_Heard(task, make_model(task.spec.model)))
                    continue
                assert model
                for piece in model.pieces(task.generation.request):
                    self._inbox.put(_Heard(task, piece))
                    if task.generation.is_cancelled or task.generation.is_done:
                        break
                self._inbox.put(_Heard(task, True))
            except EngineError as error:
                self._inbox.put(_Heard(task, error.with_traceback(None)))
            except BaseException as error:  # whatever it raises, SystemExit too: the app goes on
                name = f"{model.class_name}.prompt" if model else "The model"
                self._inbox.put(_Heard(task, EngineError(f"{name} failed ({reason(error)}).")))


def _not_allowed(model: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{model} would run code, so a file cannot ask for it: start with --model {model}."
    )
