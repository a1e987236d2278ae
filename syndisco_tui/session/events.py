"""What a session tells: the events that every front drains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..discussion import DiscussionRecord, DiscussionSetup, Message
from ..engine.base import EngineInfo, LoadProgress
from .intervention import Intervention

Phase = Literal["idle", "loading", "running", "paused", "finished"]


@dataclass(frozen=True)
class StateChanged:
    """Where the session stands. ``pausing``: it will pause after the reply in the making.

    ``is_step``: because one message alone was asked for.

    ``turn`` of ``turns`` is the one in the making, or else the last one taken. ``preloading``: a
    model is being loaded that is not needed yet.
    """

    state: Phase
    pausing: bool = False
    is_step: bool = False
    turn: int = 0
    turns: int = 0
    path: Path | None = None
    preloading: bool = False


@dataclass(frozen=True)
class ModelReady:
    """The model is loaded."""

    info: EngineInfo


@dataclass(frozen=True)
class PreloadFailed:
    """A model that is not needed yet could not be loaded; once it is, that is tried again."""

    sentence: str


@dataclass(frozen=True)
class Opened:
    """A discussion begins or goes on; what it holds so far."""

    record: DiscussionRecord
    path: Path


@dataclass(frozen=True)
class DiscussionClosed:
    """The discussion that was open is saved and closed; none is open."""


@dataclass(frozen=True)
class Renamed:
    """The open discussion has another title; it is saved."""

    old_title: str
    title: str


@dataclass(frozen=True)
class ReplyStarted:
    """``name`` has been asked for turn ``turn``; the engine reads the prompt."""

    name: str
    role: str
    turn: int


@dataclass(frozen=True)
class ReplyGrew:
    """The reply so far, as the guard leaves it. ``prompt_tokens`` and ``tokens`` are counts."""

    name: str
    text: str
    tokens: int
    prompt_tokens: int
    tokens_per_second: float
    reasoning_tokens: int = 0
    """How many of ``tokens`` were reasoning, which is not shown."""


@dataclass(frozen=True)
class Posted:
    """A message (or silence) has been posted and saved."""

    message: Message
    tokens_per_second: float


@dataclass(frozen=True)
class ReplyDropped:
    """The reply in the making was stopped. It is not part of the discussion; its turn is open."""

    name: str


@dataclass(frozen=True)
class SetupApplied:
    """From now on the discussion runs with this setup."""

    setup: DiscussionSetup
    from_turn: int


@dataclass(frozen=True)
class SetupStaged:
    """``setup`` applies from ``from_turn`` on if the discussion goes on; None: nothing waits."""

    setup: DiscussionSetup | None
    from_turn: int = 0


@dataclass(frozen=True)
class DiscussionChanged:
    """A person changed what was said, or who speaks next; it is saved. All there is now."""

    record: DiscussionRecord


@dataclass(frozen=True)
class InterventionsQueued:
    """What a person did that waits for the reply in the making, in that order."""

    interventions: tuple[Intervention, ...]


@dataclass(frozen=True)
class CandidatesBegun:
    """``count`` further replies are being made for ``present``, the last message."""

    present: Message
    count: int


@dataclass(frozen=True)
class CandidateGrew:
    """A candidate so far, numbered from 0."""

    number: int
    text: str
    tokens: int


@dataclass(frozen=True)
class CandidateMade:
    """A candidate is finished and can be chosen."""

    number: int
    message: Message


@dataclass(frozen=True)
class CandidateLost:
    """A candidate cannot be had; the sentence says why."""

    number: int
    sentence: str


@dataclass(frozen=True)
class ErrorRaised:
    """Something a person should know: one sentence. ``fatal``: the model cannot be had."""

    sentence: str
    fatal: bool = False


Cause = Literal["engine", "memory", "saving", "server", "silence", "space", "speed"]


@dataclass(frozen=True)
class Condition:
    """Something that stays wrong until it is said to be over, with an empty ``sentence``.

    ``engine``: the model's thread has ended. ``memory``: it was full, and the reply in progress
    is requested with less. ``saving``: the disk refuses; the discussion pauses and continues by
    itself. ``server``: it is busy or broke off, and is asked again. ``silence``: no token for
    long. ``space``: the disk is nearly full. ``speed``: the model that is loaded is slower than
    it could be.
    """

    cause: Cause
    sentence: str
    where: str = ""
    """The folder that it is about, if it is about one."""


@dataclass(frozen=True)
class NotSaved:
    """A message is final, but the disk has refused it: ``Posted`` follows once it is saved."""

    message: Message


@dataclass(frozen=True)
class Closed:
    """The session has ended; nothing follows."""


SessionEvent = (
    StateChanged
    | LoadProgress
    | ModelReady
    | PreloadFailed
    | Opened
    | DiscussionClosed
    | Renamed
    | ReplyStarted
    | ReplyGrew
    | Posted
    | ReplyDropped
    | SetupApplied
    | SetupStaged
    | DiscussionChanged
    | InterventionsQueued
    | CandidatesBegun
    | CandidateGrew
    | CandidateMade
    | CandidateLost
    | ErrorRaised
    | Condition
    | NotSaved
    | Closed
)

Tell = Callable[[SessionEvent], object]
"""Takes an event to whoever drains them."""
