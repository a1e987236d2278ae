"""What was said, by whom and how: the values that a discussion's file consists of.

Field types and their limits are checked when a file is read, not when a value is made.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from .ending import EndReason
from .marks import Mark
from .setup import DiscussionSetup

Role = Literal["user", "moderator", "seed", "human"]
Status = Literal["running", "paused", "finished", "failed"]
FinishReason = Literal["stop", "length", "cancelled"]
ChangeKind = Literal["injected", "edited", "regenerated", "chosen", "deleted"]

HARDCODED = "hardcoded"
"""SynDisco's "model" of what no model said."""
IMPORTED_FROM = "imported_from"
"""Key in ``engine`` of a converted discussion: which SynDisco wrote it."""

Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]
Shared = Annotated[str, AfterValidator(sys.intern)]
"""A text that many messages have in common, so that it is held in memory once."""


@dataclass(frozen=True)
class Reply:
    """What an engine returned for one request: the raw text, and seconds spent generating it."""

    text: str
    finish_reason: FinishReason = "stop"
    model: str = HARDCODED
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    reasoning: str = ""
    reasoning_tokens: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shortened:
    """The limits of a reply for which memory did not suffice for those of the setup."""

    history_context_len: Count
    max_out_tokens: Number

    def of(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with these limits instead of its own."""
        return setup.model_copy(update=vars(self))


@dataclass(frozen=True)
class Message:
    """A message that was posted, or a silence: an entry without a text, which no prompt quotes."""

    name: Shared
    text: str
    role: Role = "user"
    turn: int = 0
    """From 1; the moderator has that of the message answered; 0 for seed opinions and humans."""
    model: Shared = HARDCODED
    prompt: Shared = ""
    """The system prompt as the model got it."""
    raw_text: str | None = None
    """What the model returned, where it differs from what was posted."""
    finish_reason: FinishReason | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """From request to finish; shared with others in a batch."""
    seed: int | None = None
    """The sampler's."""
    attempt: Count = 0
    """How many attempts at this message came before."""
    created_at: str = ""
    """ISO 8601, UTC."""
    original_text: str | None = None
    """The text before somebody edited it."""
    speaker_overridden: Annotated[bool, Field(alias="floor_given")] = False
    """A person chose the speaker; the turn manager would have chosen another."""
    shortened: Shortened | None = None
    """Lower limits than the setup's, because memory was full."""
    marks: tuple[Mark, ...] = ()
    """What the guard noted about the reply, and no person has removed."""
    reasoning: str = ""
    """What the model thought before it spoke; quoted in no prompt."""
    reasoning_tokens: Count = 0
    notes: tuple[str, ...] = ()
    """What the engine had to change about the request, in a sentence each."""

    @property
    def model_text(self) -> str:
        """The model's words, unchanged by guard and edits."""
        if self.raw_text is not None:
            return self.raw_text
        return self.text if self.original_text is None else self.original_text

    @property
    def mark_labels(self) -> tuple[str, ...]:
        """The labels of the marks."""
        return tuple(mark.label(self.name) for mark in self.marks)

    @property
    def is_guarded(self) -> bool:
        """Whether the guard changed or marked the message."""
        is_changed = self.raw_text is not None and self.raw_text.strip() != self.text
        return bool(self.marks) or is_changed

    @property
    def is_edited(self) -> bool:
        return self.original_text is not None

    @property
    def is_silence(self) -> bool:
        return not self.text

    @property
    def is_cut(self) -> bool:
        """Whether the token limit ended it (and the guard has not taken the cut end away)."""
        if self.finish_reason != "length" or self.is_silence or self.is_edited:
            return False
        return self.raw_text is None or self.raw_text.rstrip().endswith(self.text[-20:])

    @property
    def is_prompted(self) -> bool:
        """Whether a model was asked for it (a seed opinion or a human's words were not)."""
        return self.role in ("user", "moderator")


def seed_messages(setup: DiscussionSetup) -> tuple[Message, ...]:
    """The seed opinions of ``setup`` as the messages that a discussion begins with."""
    return tuple(Message(name=name, text=text, role="seed") for name, text in setup.seeded())


@dataclass(frozen=True)
class Parent:
    """Where a fork comes from: the discussion's id, and how many of its turns are shared."""

    id: str
    turn: int


@dataclass(frozen=True)
class BatchMembership:
    """Which of the ``count`` discussions of a batch this is; ``number`` counts from 1."""

    id: str
    number: Number
    count: Number


@dataclass(frozen=True)
class ExperimentMembership:
    """The cell and repeat of the experiment that a discussion belongs to.

    Repeats count from 1; imported discussions have 0 and are never paired.
    """

    cell: dict[str, str]
    repeat: Count


@dataclass(frozen=True)
class EarlierSetup:
    """A setup that was changed while the discussion ran."""

    last_turn: int
    """The last turn to which it applied."""
    setup: DiscussionSetup
    length: int = 0
    """How many entries there were by then."""


@dataclass(frozen=True)
class SpeakerOverride:
    """A person chose ``name`` to speak at turn ``turn``, whoever the turn manager would choose."""

    turn: int
    name: str


@dataclass(frozen=True)
class Change:
    """What a person did to the entries from ``position`` on. Nothing is lost."""

    kind: ChangeKind
    position: int
    length: int
    """How many entries there were."""
    before: tuple[Message, ...] = ()
    """The entries that it replaced or removed, then the candidates that were not chosen. Once it
    is undone: the entries that it had made."""
    changed_at: str = ""
    """ISO 8601, UTC."""
    is_undone: bool = False
    earlier_setups: tuple[EarlierSetup, ...] = ()
    """Those of that moment, if it removed entries."""
    setup: DiscussionSetup | None = None
    """The setup of that moment; None for the present one."""


@dataclass(frozen=True)
class DiscussionRecord:
    """All that is known of a discussion: enough to show, resume, fork and replay it."""

    id: str
    started_at: str
    """ISO 8601, UTC."""
    setup: DiscussionSetup
    entries: tuple[Message, ...] = ()
    """Messages and silences, oldest first."""
    status: Status = "running"
    title: str = ""
    parent: Parent | None = None
    engine: dict[str, Any] = field(default_factory=dict)
    earlier_setups: tuple[EarlierSetup, ...] = ()
    changes: tuple[Change, ...] = ()
    """What people changed in the entries, oldest first."""
    speaker_override: SpeakerOverride | None = None
    experiment: ExperimentMembership | None = None
    error: str = ""
    """Why it stopped before its end, where it did so by itself."""
    end_reason: EndReason = ""
    """Why it ended before its last turn, where its setup says when to."""
    batch: BatchMembership | None = None
    """The batch that it was run in; a fork belongs to none."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """The entries without the silences."""
        return tuple(entry for entry in self.entries if not entry.is_silence)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that replies were requested from, in order of appearance."""
        return tuple(dict.fromkeys(each.model for each in self.entries if each.is_prompted))

    @property
    def heading(self) -> str:
        """Its title, or else the names of the participants."""
        return self.title or self.setup.heading

    @property
    def is_foreign(self) -> bool:
        """Whether SynDisco made it, so that it can be read and forked but not continued.

        Its file does not say with which turn manager, sampling or seed. A fork of it is ours.
        """
        if self.status != "finished" or self.parent:
            return False
        return not self.engine or IMPORTED_FROM in self.engine

    @property
    def turns_taken(self) -> int:
        """How many of the setup's ``conv_len`` turns are over."""
        return max((entry.turn for entry in self.entries), default=0)
