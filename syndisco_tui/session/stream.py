"""A reply while it is generated: the request to the engine, and the growing text."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from ..discussion import DiscussionSetup, TurnRequest
from ..engine.base import (
    Chunk,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Retracted,
    Sampling,
    Started,
    Waiting,
)
from ..engine.model import ModelSpec
from .effects import Submit
from .events import CandidateGrew, ReplyGrew

GROWTH_INTERVAL = 0.04
"""Seconds between two events about a growing reply: no screen needs more."""


def generation_request(
    request: TurnRequest,
    setup: DiscussionSetup,
    conversation: str = "",
    model: ModelSpec | None = None,
) -> GenerationRequest:
    """The request to the engine for a turn under ``setup``.

    ``conversation`` distinguishes discussions: a server keeps the prompts of each in its cache.
    ``model`` is one of several that are loaded; None is the main one.
    """
    setup = setup.with_model_of(request.name)
    limits = request.shortened or setup
    return GenerationRequest(
        chat=request.chat,
        max_out_tokens=limits.max_out_tokens,
        sampling=Sampling(setup.temperature, setup.top_p, setup.top_k, setup.repetition_penalty),
        seed=request.seed,
        stop=request.stop,
        reasoning=setup.reasoning,
        reasoning_effort=setup.reasoning_effort,
        max_reasoning_tokens=setup.max_reasoning_tokens,
        conversation=conversation,
        model=replace(model, others=()) if model else None,
    )


@dataclass
class ReplyStream:
    """Collects the events of one generation. Counts are tokens, times are of ``monotonic``."""

    submission: Submit
    generation: Generation
    text: str = ""
    tokens: int = 0
    prompt_tokens: int = 0
    reasoning_tokens: int = 0
    is_silent: bool = False
    is_waiting: bool = False
    """Whether a server has to be asked once more, later."""
    heard_at: float = field(default_factory=time.monotonic)
    first_token_at: float = 0.0
    emitted_at: float = 0.0

    def take(self, event: GenerationEvent) -> ReplyGrew | CandidateGrew | None:
        """Note an event; returns an event for the front end if one is due."""
        now = self.heard_at = time.monotonic()
        if isinstance(event, Started):
            self.prompt_tokens = event.prompt_tokens
        if isinstance(event, Waiting):
            self.heard_at = now + event.seconds
        if isinstance(event, Retracted):
            self.text, self.tokens, self.reasoning_tokens = "", 0, 0
        elif isinstance(event, Chunk):
            self.text += event.text
            self.tokens, self.reasoning_tokens = event.tokens, event.reasoning_tokens
            self.first_token_at = self.first_token_at or now
            if now - self.emitted_at < GROWTH_INTERVAL:
                return None
        else:
            return None
        self.emitted_at = now
        text = self.submission.guard.words(self.text)
        if self.submission.candidate is not None:
            return CandidateGrew(self.submission.candidate, text, self.tokens)
        passed = now - self.first_token_at
        speed = (self.tokens - 1) / passed if self.tokens > 1 and passed > 0 else 0.0
        name = self.submission.request.name
        return ReplyGrew(name, text, self.tokens, self.prompt_tokens, speed, self.reasoning_tokens)
