"""A reply in the making: what was asked, what has come so far, what the domain makes of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ..discussion import DiscussionSetup, Guard, Reply, TurnRequest
from ..engine.base import (
    Chunk,
    EngineInfo,
    Generation,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    Sampling,
    Started,
)

GROWTH_INTERVAL = 0.04
"""Seconds between two tellings of how it grows: no screen needs it more often."""


@dataclass
class ReplyInTheMaking:
    """``take`` every event of ``generation``; the rest follows. Counts are tokens."""

    request: TurnRequest
    generation: Generation
    guard: Guard
    text: str = ""
    tokens: int = 0
    prompt_tokens: int = 0
    heard_at: float = field(default_factory=time.monotonic)
    first_token_at: float = 0.0
    told_at: float = 0.0

    def take(self, event: GenerationEvent) -> bool:
        """Note an event. True if the reply grew and it is time to tell."""
        now = self.heard_at = time.monotonic()
        if isinstance(event, Started):
            self.prompt_tokens = event.prompt_tokens
        if not isinstance(event, Chunk):
            return False
        self.text += event.text
        self.tokens = event.tokens
        self.first_token_at = self.first_token_at or now
        if now - self.told_at < GROWTH_INTERVAL:
            return False
        self.told_at = now
        return True

    def cleaned(self) -> str:
        """The words so far, as the guard leaves them."""
        return self.guard.read(self.text).text

    @property
    def seconds_silent(self) -> float:
        """Since the engine said anything."""
        return time.monotonic() - self.heard_at

    @property
    def tokens_per_second(self) -> float:
        passed = time.monotonic() - self.first_token_at
        return (self.tokens - 1) / passed if self.tokens > 1 and passed > 0 else 0.0


def generation_request(request: TurnRequest, setup: DiscussionSetup) -> GenerationRequest:
    """What the engine is asked for, so that ``request`` is answered under ``setup``."""
    limits = request.shortened or setup
    return GenerationRequest(
        chat=request.chat,
        max_out_tokens=limits.max_out_tokens,
        sampling=Sampling(setup.temperature, setup.top_p, setup.top_k, setup.repetition_penalty),
        seed=request.seed,
        stop=request.stop,
    )


def finished_reply(result: GenerationResult, info: EngineInfo | None) -> Reply:
    """The engine's result as the discussion takes it."""
    return Reply(
        text=result.text,
        finish_reason=result.finish_reason,
        model=info.name if info else "",
        prompt_tokens=result.prompt_tokens,
        completion_tokens=result.completion_tokens,
        seconds=result.seconds,
    )


def decoding_speed(result: GenerationResult) -> float:
    """Tokens a second, after the first one."""
    decoding = result.seconds - result.time_to_first_token
    return (result.completion_tokens - 1) / decoding if decoding > 0 else 0.0
