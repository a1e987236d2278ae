"""A fake engine, for speed and for faults: it says what a script says, on a thread of its own."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    Cancelled,
    Chunk,
    EngineError,
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    ModelUnavailable,
    RenderedPrompt,
    Started,
)
from syndisco_tui.engine.model import EngineInfo, ModelSpec, ReasoningField


class ScriptedEngine:
    """Says ``replies`` in turn, over and over, a word every ``delay`` seconds.

    A reply that is an EngineError is raised; a function makes the reply to a request. It may
    hang, and raise SystemExit to end the engine's thread. The model
    ``nowhere`` cannot be had. ``load_steps`` load steps of ``delay`` each come first. It holds
    its breath before the next word while ``may_speak`` is not set, and before it loads while
    ``may_load`` is not. ``loads`` are the models that were asked for.
    """

    def __init__(
        self,
        replies: Iterable[str | EngineError] | Callable[[GenerationRequest], str] | None = None,
        *,
        delay: float = 0.0,
        load_steps: int = 2,
    ) -> None:
        self._answer = replies if callable(replies) else None
        said = list(replies) if replies is not None and not callable(replies) else None
        self._replies = itertools.cycle(said) if said else None
        self._count = itertools.count(1)
        self.delay = delay
        self.may_speak = threading.Event()
        self.may_speak.set()
        self.may_load = threading.Event()
        self.may_load.set()
        self.loads: list[ModelSpec] = []
        self.path, self.path_reason = "script", ""
        self.reasoning: tuple[ReasoningField, ...] | None = None
        self.load_steps = load_steps
        self.tokens_per_word = 1
        self.requests: list[GenerationRequest] = []
        self.info: EngineInfo | None = None
        self._inbox: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._cancel_load = threading.Event()
        self._closing = threading.Event()
        self._begin_work()

    def _begin_work(self) -> None:
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self._thread.start()

    def info_of(self, spec: ModelSpec | None) -> EngineInfo | None:
        return self.info

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def restart(self) -> None:
        self.info = None
        self._inbox = SimpleQueue()
        self._begin_work()

    def load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        if not self.is_alive:
            self.restart()
        self._cancel_load.clear()
        self.loads.append(spec)
        self._inbox.put(lambda: self._load(spec, listener))

    def cancel_load(self) -> None:
        self._cancel_load.set()

    def submit(
        self,
        request: GenerationRequest,
        listener: Callable[[GenerationEvent], object] | None = None,
    ) -> Generation:
        generation = Generation(request, listener)
        self.requests.append(request)
        self._inbox.put(lambda: self._generate(generation))
        return generation

    def render(
        self,
        request: GenerationRequest,
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        self._inbox.put(lambda: listener(self._rendered(request.chat)))

    def _rendered(self, chat: Sequence[ChatMessage]) -> RenderedPrompt | EngineError:
        if self.info is None:
            return EngineError("No model is loaded: load one, then try again.")
        parts: list[tuple[str, bool]] = []
        for turn in chat:
            parts += [("<|start|>", True), (f"{turn.role}\n{turn.content}", False)]
            parts += [("<|end|>", True), ("\n", False)]
        parts += [("<|start|>", True), ("assistant\n", False)]
        words = sum(len(turn.content.split()) for turn in chat)
        return RenderedPrompt(tuple(parts), words * self.tokens_per_word)

    def close(self) -> None:
        self._closing.set()
        self._inbox.put(None)
        self._thread.join(2)

    def _work(self) -> None:
        inbox = self._inbox
        while (job := inbox.get()) is not None:
            try:
                job()
            except SystemExit:  # the script wants the thread to die
                return

    def _load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        if self.info and spec.model in ("auto", self.info.model):
            listener(Loaded(self.info))
            return
        self.info = None
        for step in range(self.load_steps):
            if self._cancel_load.is_set():
                listener(LoadFailed(Cancelled("Loading was cancelled.")))
                return
            listener(LoadProgress("reading weights", step, self.load_steps))
            time.sleep(self.delay)
            while not (self._cancel_load.is_set() or self.may_load.wait(0.01)):
                pass
        if spec.model == "nowhere":
            sentence = "There is no model “nowhere”; try --model starter."
            listener(LoadFailed(ModelUnavailable(sentence)))
            return
        model = "scripted" if spec.model == "auto" else spec.model
        self.info = EngineInfo(
            model,
            name=model,
            device="cpu",
            dtype="float32",
            path=self.path,
            path_reason=self.path_reason,
            reasoning=self.reasoning,
            context_length=2048,
        )
        listener(Loaded(self.info))

    def _generate(self, generation: Generation) -> None:
        request = generation.request
        number = next(self._count)
        reply = next(self._replies) if self._replies else f"This is comment number {number}."
        if self._answer:
            reply = self._answer(request)
        if isinstance(reply, EngineError):
            generation.emit(Failed(generation, reply))
            return
        prompt_tokens = sum(len(turn.content.split()) for turn in request.chat)
        prompt_tokens *= self.tokens_per_word
        generation.emit(Started(generation, prompt_tokens))
        words = reply.split(" ")
        said, tokens, reason = "", 0, "stop"
        for tokens, word in enumerate(words, start=1):
            while not self._is_over(generation) and not self.may_speak.wait(0.01):
                pass
            if self._is_over(generation):
                reason = "cancelled"
                break
            if tokens > request.max_out_tokens:
                reason = "length"
                break
            if self.delay:
                time.sleep(self.delay)
            text = word if tokens == 1 else f" {word}"
            said += text
            generation.emit(Chunk(generation, text, tokens))
        seconds = tokens * (self.delay or 0.02)  # the same in every run
        result = GenerationResult(said, reason, prompt_tokens, tokens, 0, seconds, 0.0)
        generation.emit(Finished(generation, result))

    def _is_over(self, generation: Generation) -> bool:
        return generation.is_cancelled or self._closing.is_set()
