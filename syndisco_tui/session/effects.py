"""What a transition asks of the outside world: values that the runner performs in their order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..discussion import DiscussionRecord, DiscussionSetup, Guard, TurnRequest
from ..engine.model import EngineInfo, ModelSpec
from .events import SessionEvent
from .inputs import Intent


@dataclass(frozen=True)
class Emit:
    """Pass an event to the front end."""

    event: SessionEvent


@dataclass(frozen=True)
class Load:
    """Load a model; a LoadReport with the number ``load`` follows for each step."""

    spec: ModelSpec
    load: int


@dataclass(frozen=True)
class CancelLoad:
    """Cancel the load in progress."""


@dataclass(frozen=True)
class RestartEngine:
    """Replace the engine's thread, which no longer answers."""


@dataclass(frozen=True)
class RememberModel:
    """Note that ``info`` was loaded for ``spec``."""

    spec: ModelSpec
    info: EngineInfo


@dataclass(frozen=True)
class Submit:
    """Have ``request`` answered; ReplyFinished or ReplyFailed of ``submission`` follows.

    ``candidate`` is its number (from 0) where it is an alternative to the last message.
    """

    submission: int
    request: TurnRequest
    setup: DiscussionSetup
    guard: Guard
    candidate: int | None = None


@dataclass(frozen=True)
class Cancel:
    """Drop a submission; nothing of it is reported any more."""

    submission: int


@dataclass(frozen=True)
class OpenFile:
    """Open a saved discussion for writing: FileOpened or OpenFailed follows."""

    path: Path
    intent: Intent


@dataclass(frozen=True)
class CreateFile:
    """Save a new discussion, with an id and its start: FileOpened or SaveFailed follows.

    Where ``path`` exists it is opened instead.
    """

    record: DiscussionRecord
    intent: Intent
    path: Path | None = None


@dataclass(frozen=True)
class Save:
    """Replace the content of an open file: Saved or SaveFailed follows."""

    path: Path
    record: DiscussionRecord


@dataclass(frozen=True)
class CloseFile:
    """Let others write the file."""

    path: Path


Effect = (
    Emit
    | Load
    | CancelLoad
    | RestartEngine
    | RememberModel
    | Submit
    | Cancel
    | OpenFile
    | CreateFile
    | Save
    | CloseFile
)
