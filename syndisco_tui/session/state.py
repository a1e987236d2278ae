"""The state of a session: one frozen value that every decision of ``transition`` depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..discussion import (
    Discussion,
    DiscussionRecord,
    DiscussionSetup,
    Message,
    Status,
    TurnRequest,
)
from ..discussion.ending import end_sentence
from ..discussion.participant_models import AUTO, ParticipantModel
from ..engine.model import EngineInfo, ModelSpec
from .events import Condition, Phase, SessionEvent, StateChanged
from .inputs import CloseDiscussion, FileOpened, Intent, Quit, Start
from .intervention import Intervention
from .last_model import LastModel
from .model_specs import model_spec, participant_spec


@dataclass(frozen=True)
class ModelState:
    """Which model is loaded for this session and which one is being loaded."""

    loading: ModelSpec | None = None
    load: int = 0
    """The number of the latest load; reports of earlier ones are ignored."""
    is_cancelled: bool = False
    preload: LastModel | None = None
    """What is being loaded before anybody needs it."""
    requested: ModelSpec | None = None
    """The spec for which the engine loaded the model."""
    ready: ModelSpec | None = None
    ready_info: EngineInfo | None = None
    is_stuck: bool = False
    """The engine stopped answering: it is restarted before the next load."""


@dataclass(frozen=True)
class PendingReply:
    """The reply in progress."""

    request: TurnRequest
    submission: int
    is_silent: bool = False
    empty_replies: int = 0
    """How often the model has returned nothing for it."""


@dataclass(frozen=True)
class Candidates:
    """Alternatives to the last message; submission ``first + n`` generates the candidate ``n``."""

    requests: tuple[TurnRequest, ...]
    first: int
    messages: tuple[Message | None, ...]
    failed: frozenset[int] = frozenset()

    @property
    def unfinished(self) -> tuple[int, ...]:
        """The numbers of those that are still being generated."""
        return tuple(
            number
            for number, message in enumerate(self.messages)
            if message is None and number not in self.failed
        )

    def can_choose(self, number: int | None) -> bool:
        """Whether this one is finished; keeping the last message is always possible."""
        return number is None or (
            0 <= number < len(self.messages) and self.messages[number] is not None
        )


@dataclass(frozen=True)
class Unsaved:
    """The discussion is ahead of its file."""

    events: tuple[SessionEvent, ...] = ()
    """Emitted once it is saved."""
    reported: int = 0
    """How many of ``events`` were reported as not saved."""
    intent: Intent = "wait"
    """What the session was about to do when saving failed."""
    has_failed: bool = False
    """The last attempt failed; the next one comes with RetryDue or when the user continues."""


@dataclass(frozen=True)
class SessionState:
    """Everything about a session, as a value.

    ``now`` (ISO 8601), ``engine_info`` and ``other_infos`` are observed by the runner before each
    transition. The discussion is never changed in place: a transition copies it first.
    """

    device: str = "auto"
    now: str = ""
    engine_info: EngineInfo | None = None
    """The main model, while it is loaded."""
    other_infos: Mapping[ModelSpec, EngineInfo] = field(default_factory=dict)
    """The models beside it that are loaded."""
    intent: Intent = "wait"
    starting: Start | None = None
    """The discussion that begins once its model is loaded."""
    discussion: Discussion | None = None
    record: DiscussionRecord | None = None
    """The open discussion as it was last saved."""
    path: Path | None = None
    staged: DiscussionSetup | None = None
    """The setup that the discussion continues with, if it does."""
    reply: PendingReply | None = None
    queued: tuple[Intervention, ...] = ()
    """Interventions that wait for the reply in progress."""
    candidates: Candidates | None = None
    candidates_wanted: int = 0
    """How many to generate as soon as the model is loaded."""
    model: ModelState = ModelState()
    submissions: int = 0
    unsaved: Unsaved | None = None
    is_saving: bool = False
    leaving: Start | FileOpened | CloseDiscussion | Quit | None = None
    """What follows as soon as the open discussion is saved and closed."""
    conditions: tuple[Condition, ...] = ()
    """The conditions that front ends know of."""
    is_status_due: bool = False
    """A StateChanged is due after the next save."""
    is_closed: bool = False

    @property
    def setup(self) -> DiscussionSetup | None:
        """The setup of the discussion that is about to begin, or else of the open one."""
        if self.starting:
            return self.starting.setup
        return self.discussion.setup if self.discussion else None

    @property
    def phase(self) -> Phase:
        """What front ends show."""
        if self.model.loading and not self.model.preload:
            return "loading"
        if self.reply:
            return "running"
        if self.discussion is None:
            return "idle"
        if self.discussion.is_finished:
            return "finished"
        return "paused" if self.intent == "wait" else "running"

    @property
    def needs_engine(self) -> bool:
        """Whether the engine is at work for this session."""
        is_generating = self.candidates is not None and bool(self.candidates.unfinished)
        return bool(self.reply or self.model.loading) or is_generating

    @property
    def file_status(self) -> Status:
        """What the file of the open discussion should say."""
        if self.discussion and self.discussion.is_finished:
            return "finished"
        return "running" if self.reply or self.intent != "wait" else "paused"

    def status_event(self) -> StateChanged:
        """The event that reports this state."""
        reply, discussion = self.reply, self.discussion
        taken = discussion.turns_taken if discussion else 0
        return StateChanged(
            self.phase,
            pausing=reply is not None and self.intent != "run",
            is_step=reply is not None and self.intent in ("step", "regenerate"),
            turn=reply.request.turn if reply else taken,
            turns=discussion.setup.conv_len if discussion else 0,
            path=self.path,
            end=end_sentence(discussion.end_reason, discussion.setup) if discussion else "",
            preloading=self.model.preload is not None,
        )

    def snapshot(self) -> DiscussionRecord:
        """The record of the open discussion as it is now. Needs one."""
        assert self.discussion
        assert self.record
        return replace(
            self.discussion.to_record(self.record),
            status=self.file_status,
            engine=self.engine_facts(self.discussion.setup) or self.record.engine,
        )

    def info_of(self, setup: DiscussionSetup, name: str) -> EngineInfo | None:
        """The loaded model of the participant ``name`` of ``setup``."""
        spec = participant_spec(setup, name, self.device)
        return self.other_infos.get(spec, self.engine_info)

    def engine_facts(self, setup: DiscussionSetup) -> dict[str, Any]:
        """The facts about the loaded models that a file records; empty while none is loaded."""
        if self.engine_info is None:
            return {}
        facts = self.engine_info.as_dict()
        infos = {name: self.info_of(setup, name) for name in setup.names}
        others = {
            name: info.as_dict()
            for name, info in infos.items()
            if info is not None and info is not self.engine_info
        }
        return {**facts, "participants": others} if others else facts

    def with_model_names(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with “auto” replaced by the names of the loaded models."""
        named: dict[str, ParticipantModel] = {}
        for name, entry in setup.models.items():
            info = self._loaded(participant_spec(setup, name, self.device))
            is_auto = entry.values.get("model") == AUTO
            update = {"model": info.model} if info and is_auto else {}
            named[name] = entry.model_copy(update=update)
        info = self._loaded(model_spec(setup.model_copy(update={"models": {}}), self.device))
        model = info.model if info and setup.model == AUTO else setup.model
        return setup.model_copy(update={"model": model, "models": named})

    def _loaded(self, spec: ModelSpec) -> EngineInfo | None:
        """The loaded model of ``spec``, by its requested or its resolved name."""
        known = (self.model.requested, self.model.ready)
        if any(each and replace(each, others=()) == spec for each in known):
            return self.engine_info
        return self.other_infos.get(spec)
