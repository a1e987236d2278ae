"""What a session reacts to: commands of a front end, and reports of what happened outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..discussion import (
    BatchMembership,
    DiscussionRecord,
    DiscussionSetup,
    ExperimentMembership,
)
from ..engine.base import EngineError, GenerationResult, LoadEvent
from .intervention import Intervention
from .last_model import LastModel

Intent = Literal["wait", "step", "regenerate", "run"]
"""Wait; ask for one message; ask for one without applying a staged setup; run to the end."""

# Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """Close the open discussion and begin a new one as soon as the model is loaded.

    It is saved as ``path``, where that is given; what is there already is continued instead.
    """

    setup: DiscussionSetup
    intent: Intent = "run"
    batch: BatchMembership | None = None
    experiment: ExperimentMembership | None = None
    path: Path | None = None


@dataclass(frozen=True)
class Resume:
    """Open a saved discussion, and run it if ``run``."""

    path: Path
    run: bool = True


@dataclass(frozen=True)
class Continue:
    """Run the open discussion, for one message or to its end."""

    intent: Intent = "run"


@dataclass(frozen=True)
class Pause:
    """Pause after the reply in progress."""


@dataclass(frozen=True)
class Stop:
    """Pause now and drop the reply in progress; its turn stays open."""


@dataclass(frozen=True)
class ChangeSetup:
    """Stage ``setup``: it applies from the next turn on, once the discussion continues."""

    setup: DiscussionSetup


@dataclass(frozen=True)
class Intervene:
    """Apply an intervention, now or after the reply in progress."""

    intervention: Intervention


@dataclass(frozen=True)
class OfferCandidates:
    """Pause and generate ``count`` alternatives to the last message."""

    count: int


@dataclass(frozen=True)
class Choose:
    """Replace the last message by the candidate ``number`` (from 0); None keeps it."""

    number: int | None


@dataclass(frozen=True)
class Fork:
    """Open a paused copy of the first ``position`` entries of ``parent`` (None: of this one)."""

    position: int
    setup: DiscussionSetup
    parent: DiscussionRecord | None = None


@dataclass(frozen=True)
class CloseDiscussion:
    """Save and close the open discussion."""


@dataclass(frozen=True)
class Rename:
    """Change the title of the open discussion."""

    title: str


@dataclass(frozen=True)
class LoadModel:
    """Load the model of ``setup``."""

    setup: DiscussionSetup


@dataclass(frozen=True)
class Preload:
    """Load the model of ``setup``, known to be ``last_model``, before anybody needs it."""

    setup: DiscussionSetup
    last_model: LastModel


@dataclass(frozen=True)
class CancelPreload:
    """Cancel a preload unless it is of the model of ``unless``."""

    unless: DiscussionSetup


@dataclass(frozen=True)
class Quit:
    """Save, close and end the session."""


# Reports --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileOpened:
    """A discussion's file is open for writing; ``intent`` is that of the request to open it."""

    record: DiscussionRecord
    path: Path
    intent: Intent


@dataclass(frozen=True)
class OpenFailed:
    """A saved discussion cannot be continued; the sentence says why."""

    sentence: str


@dataclass(frozen=True)
class Saved:
    """The file holds ``record``."""

    record: DiscussionRecord


@dataclass(frozen=True)
class SaveFailed:
    """The disk refused a write in ``folder``; ``reason`` is its own few words."""

    reason: str
    folder: str = ""


@dataclass(frozen=True)
class RetryDue:
    """It is time to try once more to save what could not be saved."""


@dataclass(frozen=True)
class LoadReport:
    """What the engine says of load number ``load``."""

    load: int
    event: LoadEvent


@dataclass(frozen=True)
class ReplyFinished:
    """The engine finished ``submission``."""

    submission: int
    result: GenerationResult


@dataclass(frozen=True)
class ReplyFailed:
    """The engine cannot answer ``submission``."""

    submission: int
    error: EngineError


@dataclass(frozen=True)
class EngineSilent:
    """Nothing of the reply in progress arrived for ``seconds``."""

    seconds: float


@dataclass(frozen=True)
class EngineSpoke:
    """The engine continues after a pause that was reported."""


@dataclass(frozen=True)
class ServerWaits:
    """The reply in progress has to be requested again, ``seconds`` from now, for a ``reason``."""

    reason: str
    seconds: float


@dataclass(frozen=True)
class ServerAnswered:
    """The server answers after a wait that was reported."""


@dataclass(frozen=True)
class EngineDied:
    """The engine's thread has ended while it was needed."""


@dataclass(frozen=True)
class SpaceChecked:
    """How full the disk of ``folder`` is: a warning, or an empty sentence."""

    sentence: str
    folder: str


@dataclass(frozen=True)
class Crashed:
    """An unexpected exception was raised; the sentence is for a person."""

    sentence: str
    ends_session: bool = False


Input = (
    Start
    | Resume
    | Continue
    | Pause
    | Stop
    | ChangeSetup
    | Intervene
    | OfferCandidates
    | Choose
    | Fork
    | CloseDiscussion
    | Rename
    | LoadModel
    | Preload
    | CancelPreload
    | Quit
    | FileOpened
    | OpenFailed
    | Saved
    | SaveFailed
    | RetryDue
    | LoadReport
    | ReplyFinished
    | ReplyFailed
    | EngineSilent
    | EngineSpoke
    | ServerWaits
    | ServerAnswered
    | EngineDied
    | SpaceChecked
    | Crashed
)
