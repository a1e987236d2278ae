"""What an engine is: the seam between discussions and whatever makes text.

Knows no torch. An engine may be this process's model, a fake, or one day a server.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Literal, Protocol

from ..discussion import ChatMessage

FinishReason = Literal["stop", "length", "cancelled"]
Reasoning = Literal["auto", "off", "on"]


class EngineError(Exception):
    """Something a person can mend: one sentence that says what is wrong and what to do."""


class ModelUnavailable(EngineError):
    """The model cannot be had: not there, not reachable, not allowed, or broken."""


class OutOfMemory(EngineError):
    """There is no memory for the reply: with a shorter history or reply there may be."""


class Cancelled(EngineError):
    """Loading was cancelled."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. ``temperature`` 0 is greedy, ``top_k`` 0 and ``top_p`` 1 off.

    Order of application: repetition penalty (over prompt and reply, as transformers does it),
    temperature, top-k, top-p, then one draw.
    """

    temperature: float = 0.8
    top_p: float = 0.95
    top_k: int = 50
    repetition_penalty: float = 1.1


@dataclass(frozen=True)
class GenerationRequest:
    """A reply to be made. The same request gives the same tokens in fp32 on CPU, always."""

    chat: Sequence[ChatMessage]
    max_out_tokens: int
    sampling: Sampling = Sampling()
    seed: int = 0
    stop: tuple[str, ...] = ()
    """Text that ends the reply; it is not part of it."""
    reasoning: Reasoning = "auto"
    """Whether a reasoning model thinks first: as its template has it (``auto``), never, always."""
    reasoning_effort: str = ""
    """How much it thinks, where a model has levels: ``low``, ``medium``, ``high``."""
    max_reasoning_tokens: int = 0
    """Tokens for reasoning, beside ``max_out_tokens`` for what is said. 0: none beside them."""
    model: ModelSpec | None = None
    """Which of several models is asked; None: the one that was loaded as the main one."""
    conversation: str = ""
    """Requests of one conversation have the same prompt at the start; any text that names it."""


@dataclass(frozen=True)
class GenerationResult:
    """A finished reply: ``text`` is the chunks joined. Times are in seconds.

    ``cached_tokens`` of the ``prompt_tokens`` were already in the KV cache.
    """

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    seconds: float
    time_to_first_token: float
    token_ids: tuple[int, ...] = ()
    reasoning: str = ""
    """What the model thought before it spoke; no part of ``text``."""
    reasoning_tokens: int = 0
    notes: tuple[str, ...] = ()
    """What was not as asked for: a parameter left out, a prompt that was not read whole."""


@dataclass(frozen=True)
class ModelSpec:
    """Which model to have, and how. ``model``: ``auto``, ``starter``, a hub id or a folder."""

    model: str = "auto"
    quantization: str = "auto"
    dtype: str = "auto"
    device: str = "auto"
    server: tuple[str, ...] = ()
    """URLs of OpenAI-compatible servers that have the model; none: it runs in this process."""
    others: tuple[ModelSpec, ...] = ()
    """Further models that are to be loaded beside it."""


@dataclass(frozen=True)
class EngineInfo:
    """The model that is loaded, for the status line and the record.

    ``model`` is what to ask for to have it again; ``name`` is what to call it in a publication.
    """

    model: str
    name: str = ""
    revision: str = ""
    device: str = ""
    processor: str = ""
    """Where the device is the CPU: products of float32 are rounded differently by others."""
    dtype: str = ""
    quantization: str = "none"
    path: str = ""
    """How tokens are made, the fastest first: ``slots``, ``batch`` or ``generate``.

    ``slots``: many discussions at once with kept prefixes. ``batch``: many at once, in batches
    padded on the left, without kept prefixes. ``generate``: one discussion at a time.
    """
    path_reason: str = ""
    """Why the model is not on a faster path, in a few words; empty on the fastest."""
    exact: bool = False
    """Whether the same request gives the same tokens alone, in any batch and after a resume."""
    context_length: int = 0
    memory_bytes: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    server: str = ""
    """The URL of the server that has the model, without credentials."""
    fingerprint: str = ""
    """What the server calls its configuration."""
    left_out: tuple[str, ...] = ()
    """Parameters that the server refused and that are no longer sent."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "name": self.name,
            "revision": self.revision,
            "device": self.device,
            "processor": self.processor,
            "dtype": self.dtype,
            "quantization": self.quantization,
            "path": self.path,
            "path_reason": self.path_reason,
            "exact": self.exact,
            "versions": dict(self.versions),
        } | (
            {
                "server": self.server,
                "fingerprint": self.fingerprint,
                "left_out": list(self.left_out),
            }
            if self.server
            else {}
        )


@dataclass(frozen=True)
class LoadProgress:
    """Where loading is. ``total`` 0 means that the end is not known."""

    stage: str
    """A few words for people: ``downloading``, ``reading weights``, ``warming up``, …"""
    done: float = 0
    total: float = 0
    unit: Literal["bytes", "steps"] = "steps"


@dataclass(frozen=True)
class Loaded:
    """Loading ended well."""

    info: EngineInfo


@dataclass(frozen=True)
class LoadFailed:
    """Loading ended otherwise. ``error`` is one sentence for a person, or Cancelled."""

    error: EngineError


LoadEvent = LoadProgress | Loaded | LoadFailed


@dataclass(frozen=True)
class Chunk:
    """Some more text of a reply. ``tokens``: how many the reply has by now."""

    generation: Generation
    text: str
    tokens: int
    reasoning_tokens: int = 0
    """How many of them were reasoning."""


@dataclass(frozen=True)
class Retracted:
    """The text so far is void: it was reasoning, or the reply is made once more."""

    generation: Generation


@dataclass(frozen=True)
class Waiting:
    """The reply waits ``seconds`` for a server, for a ``reason`` in a few words."""

    generation: Generation
    seconds: float
    reason: str


@dataclass(frozen=True)
class Started:
    """The prompt has been read (``tokens`` long); the first token comes next."""

    generation: Generation
    prompt_tokens: int


@dataclass(frozen=True)
class Finished:
    """The reply is complete, cut or cancelled."""

    generation: Generation
    result: GenerationResult


@dataclass(frozen=True)
class Failed:
    """The reply cannot be had; the engine goes on with others."""

    generation: Generation
    error: EngineError


GenerationEvent = Started | Chunk | Retracted | Waiting | Finished | Failed


@dataclass(frozen=True)
class RenderedPrompt:
    """A chat exactly as the model reads it: ``parts`` of text, each a control token or not."""

    parts: tuple[tuple[str, bool], ...]
    tokens: int

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.parts)


class Generation:
    """A reply in the making. Made by ``Engine.submit``; safe to use from any thread.

    Events go to ``listener`` on the engine's thread (it must be quick: put them in a queue).
    Without one, iterate over the chunks of text, or ask for ``result()``.
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
        """Stop within one token. The result then has finish reason ``cancelled``."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def result(self, timeout: float | None = None) -> GenerationResult:
        """The finished reply. Raises EngineError if it failed, TimeoutError after ``timeout`` s."""
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
        """For engines: hand an event to whoever listens."""
        if isinstance(event, Finished):
            self._outcome = event.result
        elif isinstance(event, Failed):
            self._outcome = event.error
        self._listener(event)
        if self._outcome is not None:
            self._done.set()


class Engine(Protocol):
    """One persistent inference thread that owns one model at a time."""

    @property
    def info(self) -> EngineInfo | None:
        """The model that is loaded, or None."""

    @property
    def is_alive(self) -> bool:
        """Whether the inference thread is there; ``load`` starts another where it is not."""

    def restart(self) -> None:
        """Give up the inference thread, whatever holds it, and start another without a model."""

    def load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        """Start loading (the model before it is let go); events end in Loaded or LoadFailed.

        Asking for what is already loaded is answered with Loaded at once.
        """

    def cancel_load(self) -> None:
        """Give up loading; LoadFailed(Cancelled) follows within a second."""

    def submit(
        self,
        request: GenerationRequest,
        listener: Callable[[GenerationEvent], object] | None = None,
    ) -> Generation:
        """Queue a reply. Returns at once."""

    def render(
        self,
        chat: Sequence[ChatMessage],
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        """Show ``chat`` as the loaded model would read it, between two steps of decoding.

        ``listener`` is called on the engine's thread; with an EngineError where it cannot be done.
        """

    def close(self) -> None:
        """End the inference thread: cancels all, waits at most two seconds."""
