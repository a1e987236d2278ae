"""What a session reports to front ends: events as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..discussion import DiscussionRecord, DiscussionSetup, Message
from ..engine.base import LoadProgress
from ..engine.model import EngineInfo
from .intervention import Intervention

Phase = Literal["idle", "loading", "running", "paused", "finished"]


@dataclass(frozen=True)
class StateChanged:
    """The phase of the session, and how far its discussion is."""

    state: Phase
    pausing: bool = False
    """It pauses after the reply in progress."""
    is_step: bool = False
    """It pauses after this message because ``step`` was requested."""
    turn: int = 0
    """The turn of the reply in progress, or else the last one taken."""
    turns: int = 0
    path: Path | None = None
    end: str = ""
    """Why it ended before its last turn, in words."""
    preloading: bool = False
    """A model is being loaded that nobody needs yet."""


@dataclass(frozen=True)
class ModelReady:
    """The model is loaded, and so are the ``others`` of single participants."""

    info: EngineInfo
    others: tuple[EngineInfo, ...] = ()


@dataclass(frozen=True)
class PreloadFailed:
    """A model that nobody needs yet could not be loaded; it is tried again when needed."""

    sentence: str


@dataclass(frozen=True)
class Opened:
    """A discussion is open; ``record`` is what it holds so far."""

    record: DiscussionRecord
    path: Path


@dataclass(frozen=True)
class DiscussionClosed:
    """The open discussion was saved and closed."""


@dataclass(frozen=True)
class Renamed:
    """The open discussion has another title, and is saved."""

    old_title: str
    title: str


@dataclass(frozen=True)
class ReplyStarted:
    """A reply of ``name`` in turn ``turn`` was requested; the engine reads the prompt.

    ``info`` is the requested model, if there are several.
    """

    name: str
    role: str
    turn: int
    info: EngineInfo | None = None


@dataclass(frozen=True)
class ReplyGrew:
    """The reply so far, as the guard cleans it. ``prompt_tokens`` and ``tokens`` are counts."""

    name: str
    text: str
    tokens: int
    prompt_tokens: int
    tokens_per_second: float
    reasoning_tokens: int = 0
    """How many of ``tokens`` were reasoning, which is not shown."""


@dataclass(frozen=True)
class Posted:
    """A message or silence was posted and saved."""

    message: Message
    tokens_per_second: float


@dataclass(frozen=True)
class ReplyDropped:
    """The reply in progress was dropped. It is no part of the discussion; its turn stays open."""

    name: str


@dataclass(frozen=True)
class SetupApplied:
    """The discussion continues with this setup, from turn ``from_turn`` on."""

    setup: DiscussionSetup
    from_turn: int


@dataclass(frozen=True)
class SetupStaged:
    """``setup`` applies from ``from_turn`` on if the discussion continues; None: none is staged."""

    setup: DiscussionSetup | None
    from_turn: int = 0


@dataclass(frozen=True)
class DiscussionChanged:
    """A person changed the entries or the next speaker; ``record`` is saved."""

    record: DiscussionRecord


@dataclass(frozen=True)
class InterventionsQueued:
    """The interventions that wait for the reply in progress, in their order."""

    interventions: tuple[Intervention, ...]


@dataclass(frozen=True)
class CandidatesBegun:
    """``count`` alternatives to ``present``, the last message, are being generated."""

    present: Message
    count: int


@dataclass(frozen=True)
class CandidateGrew:
    """The text so far of the candidate ``number`` (from 0)."""

    number: int
    text: str
    tokens: int


@dataclass(frozen=True)
class CandidateMade:
    """The candidate ``number`` is finished and can be chosen."""

    number: int
    message: Message


@dataclass(frozen=True)
class CandidateLost:
    """The candidate ``number`` could not be generated; the sentence says why."""

    number: int
    sentence: str


@dataclass(frozen=True)
class ErrorRaised:
    """An error, as one sentence for a person. ``fatal``: the model cannot be used."""

    sentence: str
    fatal: bool = False


Cause = Literal["engine", "memory", "reasoning", "saving", "server", "silence", "space", "speed"]


@dataclass(frozen=True)
class Condition:
    """Something that is wrong until an empty ``sentence`` with the same cause ends it.

    ``engine``: the model's thread has ended. ``memory``: it was full, and the reply in progress
    is requested with less. ``reasoning``: a model lacks a switch for it that the setup uses.
    ``saving``: the disk refuses; the discussion pauses and continues by itself. ``server``: it is
    busy or broke off; the request is repeated. ``silence``: no token for long. ``space``: the disk
    is nearly full. ``speed``: the model that is loaded is slower than it could be.
    """

    cause: Cause
    sentence: str
    where: str = ""
    """The folder concerned, if any."""


@dataclass(frozen=True)
class NotSaved:
    """The disk refused a message: ``Posted`` follows once it is saved."""

    message: Message


@dataclass(frozen=True)
class Closed:
    """The session has ended; no event follows."""


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
