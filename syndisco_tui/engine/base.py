"""The protocol of engines, which generate replies: requests, results and events.

Independent of torch: an engine may run a model in this process, be scripted, or ask a server.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Literal, Protocol

from ..discussion import ChatMessage
from .model import EngineInfo, ModelSpec

FinishReason = Literal["stop", "length", "cancelled"]
Reasoning = Literal["auto", "off", "on"]


class EngineError(Exception):
    """An error the user can act on; the message is one sentence that says what is wrong and what to
    do."""


class ModelUnavailable(EngineError):
    """The model does not exist, cannot be reached, is not allowed, or is damaged."""


class OutOfMemory(EngineError):
    """There is not enough memory for the reply; a shorter history or reply may fit."""


class Cancelled(EngineError):
    """Loading was cancelled."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen.

    Applied in this order: repetition penalty (over prompt and reply, with transformers' formula),
    temperature, top-k, top-p, one random draw.
    """

    temperature: float = 0.8
    """0 is greedy."""
    top_p: float = 0.95
    """1 is off."""
    top_k: int = 50
    """0 is off."""
    repetition_penalty: float = 1.1
    """1 is off."""


@dataclass(frozen=True)
class GenerationRequest:
    """A reply to be generated. In float32 on a CPU, equal requests give equal tokens."""

    chat: Sequence[ChatMessage]
    max_out_tokens: int
    sampling: Sampling = Sampling()
    seed: int = 0
    stop: tuple[str, ...] = ()
    """Texts that end the reply and are not part of it."""
    reasoning: Reasoning = "auto"
    """Whether the model reasons first: as its template says (``auto``), never, or always."""
    reasoning_effort: str = ""
    """How much it reasons, if the model has levels: ``low``, ``medium`` or ``high``."""
    max_reasoning_tokens: int = 0
    """Tokens for reasoning, in addition to ``max_out_tokens``."""
    answers: tuple[str, ...] = ()
    """The only replies allowed, where the engine can restrict them: greedy sampling then gives the
    likeliest. An engine that cannot makes an ordinary reply."""
    model: ModelSpec | None = None
    """Which of several loaded models to ask; None: the main one."""
    conversation: str = field(default="", compare=False)
    """Any text; requests with equal ones share the beginning of their prompts."""


@dataclass(frozen=True)
class GenerationResult:
    """A finished reply. ``text`` is the text of all chunks."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    """How many of the prompt's tokens were in the KV cache already."""
    seconds: float
    """From the request to the end."""
    time_to_first_token: float
    """Seconds from the request."""
    token_ids: tuple[int, ...] = ()
    reasoning: str = ""
    """The model's reasoning, which is not part of ``text``."""
    reasoning_tokens: int = 0
    answer_probabilities: dict[str, float] = field(default_factory=dict)
    """Of the allowed replies, which sum to 1; empty where the engine does not tell."""
    notes: tuple[str, ...] = ()
    """Deviations from the request: a parameter left out, a prompt that was cut."""


@dataclass(frozen=True)
class LoadProgress:
    """How far loading is."""

    stage: str
    """A few words to show: ``reading weights``, ``warming up``, …"""
    done: float = 0
    total: float = 0
    """0 if unknown."""
    unit: Literal["bytes", "steps"] = "steps"


@dataclass(frozen=True)
class Loaded:
    """The model was loaded, and so were the ``others`` of its spec, in their order."""

    info: EngineInfo
    others: tuple[EngineInfo, ...] = ()


@dataclass(frozen=True)
class LoadFailed:
    """The model was not loaded; ``error`` is Cancelled, or says why."""

    error: EngineError


LoadEvent = LoadProgress | Loaded | LoadFailed


@dataclass(frozen=True)
class Chunk:
    """More text of a reply."""

    generation: Generation
    text: str
    tokens: int
    """How many the reply has so far."""
    reasoning_tokens: int = 0
    """How many of these are reasoning."""


@dataclass(frozen=True)
class Retracted:
    """Discard the text so far: it was reasoning, or the reply is generated again."""

    generation: Generation


@dataclass(frozen=True)
class Waiting:
    """The reply waits ``seconds`` for a server; ``reason`` says why in a few words.

    Without a reason, it waits for its turn.
    """

    generation: Generation
    seconds: float
    reason: str


@dataclass(frozen=True)
class Started:
    """The prompt was read; the first token comes next."""

    generation: Generation
    prompt_tokens: int


@dataclass(frozen=True)
class Finished:
    """The reply has ended; ``result.finish_reason`` says how."""

    generation: Generation
    result: GenerationResult


@dataclass(frozen=True)
class Failed:
    """The reply could not be generated; other replies go on."""

    generation: Generation
    error: EngineError


GenerationEvent = Started | Chunk | Retracted | Waiting | Finished | Failed


@dataclass(frozen=True)
class RenderedPrompt:
    """A chat exactly as the model reads it."""

    parts: tuple[tuple[str, bool], ...]
    """Texts, and whether each is a control token."""
    tokens: int
    """How many tokens it has."""

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.parts)


class Generation:
    """Handle of a reply that is being generated, for use on any thread; see ``Engine.submit``.

    Events go to ``listener`` on the engine's thread, so it must not block. Without a listener,
    iterate over the chunks of text, or call ``result``.
    """

    _ids = itertools.count(1)

    def __init__(
        self,
        request: GenerationRequest,
        listener: Callable[[GenerationEvent], object] | None = None,
    ) -> None:
        self.id = next(self._ids)
        self.request = request
        self._queue: SimpleQueue[GenerationEvent] = SimpleQueue()
        self._listener = listener or self._queue.put
        self._cancelled = threading.Event()
        self._done = threading.Event()
        self._outcome: GenerationResult | EngineError | None = None

    def cancel(self) -> None:
        """End the reply within one token, with finish reason ``cancelled``."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def result(self, timeout: float | None = None) -> GenerationResult:
        """Wait for the finished reply.

        Raises:
            EngineError: The reply failed.
            TimeoutError: It has not ended after ``timeout`` seconds.
        """
        if not self._done.wait(timeout):
            raise TimeoutError(f"no reply within {timeout} s")
        if isinstance(self._outcome, GenerationResult):
            return self._outcome
        raise self._outcome or EngineError("the engine ended without a reply")

    def __iter__(self) -> Iterator[str]:
        while True:
            event = self._queue.get()
            if isinstance(event, Chunk):
                yield event.text
            elif isinstance(event, Failed):
                raise event.error
            elif isinstance(event, Finished):
                return

    def emit(self, event: GenerationEvent) -> None:
        """Pass an event to the listener; called by engines."""
        if isinstance(event, Finished):
            self._outcome = event.result
        elif isinstance(event, Failed):
            self._outcome = event.error
        self._listener(event)
        if self._outcome is not None:
            self._done.set()


class Engine(Protocol):
    """Generates replies on a thread of its own, with one model at a time."""

    @property
    def info(self) -> EngineInfo | None:
        """The model that is loaded, or None."""

    def info_of(self, spec: ModelSpec | None) -> EngineInfo | None:
        """What ``spec`` (as given to ``load``; None: the latest) turned out to be, while loaded."""

    @property
    def is_alive(self) -> bool:
        """Whether the inference thread runs; if it died, ``load`` starts another."""

    def restart(self) -> None:
        """Abandon the inference thread, even if it hangs, and start another without a model."""

    def load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        """Start loading a model in place of the current one.

        Args:
            spec: Which model; if it is loaded already, Loaded follows at once.
            listener: Gets LoadProgress events and finally Loaded or LoadFailed.
        """

    def cancel_load(self) -> None:
        """Cancel loading; LoadFailed(Cancelled) follows within a second."""

    def submit(
        self,
        request: GenerationRequest,
        listener: Callable[[GenerationEvent], object] | None = None,
    ) -> Generation:
        """Queue a reply, without waiting.

        Args:
            request: What to generate.
            listener: Gets the events of the reply on the engine's thread; must not block.
        """

    def render(
        self,
        request: GenerationRequest,
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        """Render the prompt of ``request`` as its model reads it, between two decode steps.

        Args:
            request: Whose prompt to render.
            listener: Gets the prompt, or the error, on the engine's thread.
        """

    def close(self) -> None:
        """Cancel everything and end the inference thread; waits at most two seconds."""
