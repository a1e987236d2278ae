"""What was said, by whom and how: the values that a discussion's file is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .names import name_key
from .setup import DiscussionSetup

Role = Literal["user", "moderator", "seed", "human"]
Status = Literal["running", "paused", "finished", "failed"]
FinishReason = Literal["stop", "length", "cancelled"]
ChangeKind = Literal["injected", "edited", "regenerated", "chosen", "deleted"]

HARDCODED = "hardcoded"  # SynDisco's word for the "model" of what no model said
IMPORTED_FROM = "imported_from"
"""Key in ``engine`` of a discussion that was converted: which SynDisco wrote it."""


@dataclass(frozen=True)
class Reply:
    """What an engine gave back for one request. ``text`` is raw; ``seconds`` is generating time."""

    text: str
    finish_reason: FinishReason = "stop"
    model: str = HARDCODED
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Shortened:
    """What a reply was really asked with, where memory did not suffice for what the setup says."""

    history_context_len: int
    max_out_tokens: int

    def of(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with these limits in the place of its own."""
        return setup.model_copy(update=vars(self))


@dataclass(frozen=True)
class Message:
    """One turn taken. A silence is a message with no text: recorded, never prompted or logged.

    ``turn`` counts from 1; the moderator has the turn of the comment they follow; seed opinions
    and what a human put in have none (0). ``raw_text`` is what the model said, where it differs;
    ``original_text`` what stood here before somebody edited it. ``floor_given``: a person chose
    the speaker, the turn manager would have drawn another. ``attempt`` above 0: regenerated.
    ``shortened``: memory was full, and it was asked for with less. ``speaks_as``: another whose
    name the reply began with; ``went_on_as``: in whose name it went on, which was left out.
    """

    name: str
    text: str
    role: Role
    turn: int = 0
    model: str = HARDCODED
    prompt: str = ""
    raw_text: str | None = None
    finish_reason: FinishReason | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    seed: int | None = None
    attempt: int = 0
    created_at: str = ""
    original_text: str | None = None
    speaker_overridden: bool = False
    shortened: Shortened | None = None
    speaks_as: str = ""
    went_on_as: str = ""

    @property
    def model_text(self) -> str:
        """What the model said, to the letter, whatever was made of it since."""
        if self.raw_text is not None:
            return self.raw_text
        return self.text if self.original_text is None else self.original_text

    @property
    def guard_notes(self) -> tuple[str, ...]:
        """What the guard found that may be somebody else's words, in a few words each."""
        notes = [f"speaks as {self.speaks_as}"] if self.speaks_as else []
        if self.went_on_as:
            is_own = name_key(self.went_on_as) == name_key(self.name)
            further = "a further post" if is_own else f"what followed as {self.went_on_as}"
            notes.append(f"{further} was left out")
        return tuple(notes)

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


@dataclass(frozen=True)
class Parent:
    """Where a fork comes from: the discussion's id, and how many of its turns are shared."""

    id: str
    turn: int


@dataclass(frozen=True)
class BatchMembership:
    """Which of the ``count`` discussions of a batch one is; ``number`` counts from 1."""

    id: str
    number: int
    count: int


@dataclass(frozen=True)
class EarlierSetup:
    """A setup that was changed while the discussion ran; it applied up to ``last_turn``.

    ``length`` is how many entries there were then (0 where an older file does not say).
    """

    last_turn: int
    setup: DiscussionSetup
    length: int = 0


@dataclass(frozen=True)
class SpeakerOverride:
    """A person wants ``name`` to speak at turn ``turn``, whoever the turn manager draws."""

    turn: int
    name: str


@dataclass(frozen=True)
class Change:
    """What a person did to what was said, with what stood there ``before``: nothing is lost.

    It concerns the entries from ``position`` on; ``length`` is how many there were, ``at`` an ISO
    time. Of a choice among candidates ``before`` holds the message that stood there and those
    that were not chosen. ``is_undone``: it was taken back, and ``before`` holds what it had made.
    ``earlier_setups`` and ``setup`` are those in force then (None: the present one).
    """

    kind: ChangeKind
    position: int
    length: int
    before: tuple[Message, ...] = ()
    at: str = ""
    is_undone: bool = False
    earlier_setups: tuple[EarlierSetup, ...] = ()
    setup: DiscussionSetup | None = None


@dataclass(frozen=True)
class DiscussionRecord:
    """All there is to know of a discussion: enough to show, resume, fork and replay it."""

    id: str
    started_at: str
    """ISO 8601, UTC."""
    setup: DiscussionSetup
    entries: Sequence[Message] = ()
    """Messages and silences in the order they came: a tuple, or what equals one."""
    status: Status = "running"
    title: str = ""
    parent: Parent | None = None
    engine: dict[str, Any] = field(default_factory=dict)
    earlier_setups: tuple[EarlierSetup, ...] = ()
    changes: tuple[Change, ...] = ()
    """What people changed in the entries, oldest first."""
    speaker_override: SpeakerOverride | None = None
    batch: BatchMembership | None = None
    """The batch that it was run in; a fork is in none."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was said, without the silences."""
        return tuple(entry for entry in self.entries if not entry.is_silence)

    @property
    def heading(self) -> str:
        """What to call it: its title, or else who takes part."""
        return self.title or self.setup.heading

    @property
    def is_foreign(self) -> bool:
        """Whether SynDisco made it: it is read and copied, never gone on with.

        It does not say with which turn manager, sampling or seed. A fork of it is ours.
        """
        if self.status != "finished" or self.parent:
            return False
        return not self.engine or IMPORTED_FROM in self.engine

    @property
    def turns_taken(self) -> int:
        """How many of the setup's ``conv_len`` turns are over."""
        return max((entry.turn for entry in self.entries), default=0)
