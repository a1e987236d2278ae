"""What the session has reported so far, in one place for all that draws or decides by it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from ...engine.base import LoadProgress
from ...engine.model import EngineInfo
from ...session import (
    DiscussionClosed,
    Intervention,
    InterventionsQueued,
    ModelReady,
    Opened,
    Phase,
    Posted,
    PreloadFailed,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    SetupApplied,
    SetupStaged,
    StateChanged,
)

MOST_SPEEDS = 200
NOTHING_STAGED = SetupStaged(None)


@dataclass
class SessionView:
    """The session and its open discussion. Speeds are tokens a second."""

    phase: Phase = "idle"
    is_pausing: bool = False
    """The discussion pauses after the current reply."""
    is_step: bool = False
    """It pauses because one message alone was asked for."""
    is_preloading: bool = False
    """A model is being loaded that is not needed yet."""
    preload_failed: bool = False
    path: Path | None = None
    """The open discussion's file."""
    turn: int = 0
    turns: int = 0
    end: str = ""
    """Why the discussion ended before its last turn."""
    speaking: ReplyStarted | None = None
    """The reply that is being generated."""
    thinking_tokens: int = 0
    """How many tokens of reasoning the reply in progress has, before it says anything."""
    dropped_name: str = ""
    """Whose unfinished reply was dropped when the discussion was stopped."""
    queued: tuple[Intervention, ...] = ()
    """What was done to the discussion and waits for the current reply."""
    staged: SetupStaged = NOTHING_STAGED
    """The setup that applies if the discussion goes on, if it is not the discussion's own."""
    speed: float = 0.0
    speeds: list[float] = field(default_factory=list)
    """Of the last replies, oldest first."""
    prompt_tokens: int = 0
    reply_tokens: int = 0
    loading: LoadProgress | None = None
    loading_since: float = 0.0
    """When loading began, as ``time.monotonic`` tells it."""
    info: EngineInfo | None = None
    """The model; of several, the one that was asked last."""
    running_since: tuple[float, int] | None = None
    """When the run began, and how many turns had been taken then."""

    @property
    def is_loading(self) -> bool:
        """Whether a model is being loaded, needed or not."""
        return self.phase == "loading" or self.is_preloading

    @property
    def is_halted(self) -> bool:
        """Whether a discussion is open in which nothing happens."""
        return self.phase in ("paused", "finished")

    @property
    def has_draft(self) -> bool:
        """Whether the open discussion is halted and the screen shows another setup than its own."""
        return self.staged.setup is not None and self.is_halted

    @property
    def seconds_left(self) -> float:
        """Seconds until the last turn, at the pace of this run; 0 while that is not known."""
        if self.running_since is None or self.phase != "running" or self.is_pausing:
            return 0.0
        since, first = self.running_since
        taken = self.turn - 1 - first  # the current turn is not over
        if taken < 2:
            return 0.0
        return (time.monotonic() - since) / taken * (self.turns - self.turn + 1)

    @property
    def context_share(self) -> float:
        """How much of the model's context the last prompt and its reply fill, 0 to 1."""
        length = self.info.context_length if self.info else 0
        return min(1.0, (self.prompt_tokens + self.reply_tokens) / length) if length else 0.0

    def handle(self, event: SessionEvent) -> None:
        """Note what an event reports."""
        match event:
            case StateChanged():
                self._change_state(event)
            case LoadProgress():
                self.loading = event
            case ModelReady():
                self.info = event.info
            case PreloadFailed():
                self.preload_failed = True
            case Opened():
                self.path = event.path
                self._forget_pending()
            case DiscussionClosed():
                self.path = None
                self.turn = self.turns = 0
                self._forget_pending()
                self._count(0.0, 0, 0)
            case ReplyStarted():
                self.speaking = event
                self.info = event.info or self.info
                self._count(0.0, 0, 0)
                self.thinking_tokens = 0
            case ReplyGrew():
                self.thinking_tokens = 0 if event.text else event.reasoning_tokens
                self._count(event.tokens_per_second, event.prompt_tokens, event.tokens)
            case Posted(message=message):
                self.speaking = None
                self.thinking_tokens = 0
                if event.tokens_per_second > 0:
                    self.speeds = [*self.speeds[1 - MOST_SPEEDS :], event.tokens_per_second]
                self._count(
                    event.tokens_per_second, message.prompt_tokens, message.completion_tokens
                )
            case ReplyDropped():
                self.thinking_tokens = 0
                self.speaking, self.dropped_name = None, event.name
                self._count(0.0, 0, 0)
            case InterventionsQueued():
                self.queued = event.interventions
            case SetupStaged():
                self.staged = event
            case SetupApplied():
                self.staged = NOTHING_STAGED
                self.turns = event.setup.conv_len

    def _forget_pending(self) -> None:
        self.staged, self.queued, self.speaking = NOTHING_STAGED, (), None

    def _change_state(self, event: StateChanged) -> None:
        if (event.preloading or event.state == "loading") and not self.is_loading:
            self.loading_since = time.monotonic()
        if event.state != "running":
            self.running_since = None
        elif self.running_since is None and event.turn:
            self.running_since = (time.monotonic(), event.turn - 1)
        self.phase, self.is_pausing, self.is_step = event.state, event.pausing, event.is_step
        self.is_preloading, self.end = event.preloading, event.end
        if event.state not in ("paused", "idle"):
            self.dropped_name = ""
        if event.preloading or event.state != "idle":
            self.preload_failed = False
        if event.turns:
            self.turn, self.turns = event.turn, event.turns
        if not self.is_loading:
            self.loading = None

    def _count(self, speed: float, prompt_tokens: int, reply_tokens: int) -> None:
        self.speed = speed
        self.prompt_tokens, self.reply_tokens = prompt_tokens, reply_tokens
