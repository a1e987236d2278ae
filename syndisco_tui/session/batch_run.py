"""One discussion of a batch: where it comes from, which number it has, how far it is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..discussion import (
    BatchMembership,
    DiscussionRecord,
    DiscussionSetup,
    ExperimentMembership,
    Message,
)
from ..discussion.chance import SEED_BITS
from ..store.discussions import discussion_files, read_discussion
from ..store.inputs import InputError
from .events import (
    Condition,
    ErrorRaised,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    StateChanged,
)
from .model_specs import all_specs, local_specs

RunState = Literal["missing", "waiting", "speaking", "finished", "stopped", "failed", "elsewhere"]
"""``elsewhere``: another process is running it."""


def repeated(setup: DiscussionSetup, count: int) -> list[DiscussionSetup]:
    """``count`` setups with consecutive seeds from that of ``setup`` on; 0 follows the largest."""
    seeds = ((setup.seed + n) % (1 << SEED_BITS) for n in range(count))
    return [setup.model_copy(update={"seed": seed}) for seed in seeds]


def saved_runs(folder: Path, setups: Sequence[DiscussionSetup]) -> list[Path | None]:
    """The newest saved discussion of each setup, or None.

    A saved setup names the model where the requested one may say ``auto``.
    """
    saved: dict[int, list[tuple[Path, DiscussionSetup]]] = {}
    for path in discussion_files(folder):
        try:
            setup = read_discussion(path).setup
        except InputError:
            continue
        saved.setdefault(setup.seed, []).append((path, setup))

    def newest(setup: DiscussionSetup) -> Path | None:
        same_seed = saved.get(setup.seed, ())
        return next((path for path, each in same_seed if each.names_models_of(setup)), None)

    return list(map(newest, setups))


@dataclass(frozen=True)
class BatchIdentity:
    """What makes discussions one batch: ``count`` seeds from ``first_seed`` on."""

    id: str
    first_seed: int
    count: int

    @classmethod
    def of(
        cls, first_seed: int, count: int, records: Iterable[DiscussionRecord] = ()
    ) -> BatchIdentity:
        """The batch that ``records`` belong to, or a new one."""
        known = next((record.batch.id for record in records if record.batch), "")
        return cls(known or str(uuid.uuid4()), first_seed, count)

    @classmethod
    def of_sources(cls, sources: Sequence[DiscussionSetup | DiscussionRecord]) -> BatchIdentity:
        """The batch of the first saved discussion in one, or a new one."""
        for source in sources:
            if isinstance(source, DiscussionRecord) and source.batch:
                return cls.of_member(source.batch, source.setup.seed)
        first = next(iter(sources), None)
        setup = first.setup if isinstance(first, DiscussionRecord) else first
        return cls.of(setup.seed if setup else 0, len(sources))

    @classmethod
    def of_member(cls, membership: BatchMembership, seed: int) -> BatchIdentity:
        """The batch of a discussion that began with ``seed``."""
        first_seed = (seed - membership.number + 1) % (1 << SEED_BITS)
        return cls(membership.id, first_seed, membership.count)

    def membership(self, seed: int) -> BatchMembership:
        """The place of the discussion with this seed."""
        number = (seed - self.first_seed) % (1 << SEED_BITS) + 1
        return BatchMembership(self.id, number, max(number, self.count))


class BatchRun:
    """One discussion of a batch, updated from the events of its session."""

    def __init__(
        self,
        membership: BatchMembership,
        source: DiscussionSetup | DiscussionRecord,
        path: Path | None = None,
        *,
        experiment: ExperimentMembership | None = None,
        target: Path | None = None,
    ) -> None:
        self.membership = membership
        self.path = path
        self.experiment = experiment
        self.target = target
        """Where it is saved when it begins; None: in a new file."""
        self.record: DiscussionRecord | None = None
        """As it was last saved; None before it has begun."""
        self.turn = self.tokens = self.messages = 0
        self.entries: tuple[Message, ...] = ()
        self.state: RunState = "missing"
        self.partial_reply = self.speaker = self.role = ""
        """The reply in progress, and who gives it."""
        self.partial_tokens = 0
        self.error = ""
        self.waits_for_disk = False
        """It continues by itself as soon as it can be saved."""
        setup = source.setup if isinstance(source, DiscussionRecord) else source
        self.models = all_specs(setup)
        """The models that it needs, as its setup names them."""
        self.local_models = local_specs(setup)
        """The models of this process that it needs; none where servers have all of them."""
        self.setup = setup
        if isinstance(source, DiscussionRecord):
            self.record, self.turn, self.entries = source, source.turns_taken, tuple(source.entries)
            self.state = "finished" if source.status == "finished" else "stopped"
            self._count(source)

    def _count(self, record: DiscussionRecord) -> None:
        self.messages = sum(entry.is_prompted for entry in record.entries)
        self.tokens = sum(entry.completion_tokens for entry in record.entries)
        if record.error and self.state == "stopped":
            self.state, self.error = "failed", record.error

    @property
    def number(self) -> int:
        """Its number in the batch, from 1."""
        return self.membership.number

    @property
    def shown_number(self) -> int:
        """The repeat in an experiment's cell, or the number in the batch."""
        return self.experiment.repeat if self.experiment else self.number

    @property
    def seed(self) -> int:
        """The seed of its setup."""
        return self.setup.seed

    @property
    def turns(self) -> int:
        """How many turns it has when it is finished."""
        return self.setup.conv_len

    @property
    def turns_done(self) -> int:
        """Number of finished turns; all turns for a finished discussion, even if it ended early."""
        return self.turns if self.state == "finished" else min(self.turn, self.turns)

    @property
    def tokens_so_far(self) -> int:
        """Tokens of all its replies, with the one in progress."""
        return self.tokens + self.partial_tokens

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in it unless somebody continues it."""
        return self.state in ("finished", "stopped", "failed", "missing", "elsewhere")

    def follow(self, record: DiscussionRecord, path: Path, *, has_writer: bool) -> None:
        """Take over what another process saved; ``has_writer``: whether it still runs."""
        self.record, self.path, self.setup = record, path, record.setup
        self.entries, self.turn = tuple(record.entries), record.turns_taken
        self.partial_reply = self.speaker = self.role = self.error = ""
        self.partial_tokens = 0
        self.state = "elsewhere" if has_writer else "stopped"
        if record.status == "finished":
            self.state = "finished"
        self._count(record)

    def note(self, event: SessionEvent) -> None:
        """Update the run from an event of its session."""
        match event:
            case Opened():
                self.path, self.setup = event.path, event.record.setup
                self.entries = tuple(event.record.entries)
            case ReplyStarted():
                self.state, self.speaker, self.role = "speaking", event.name, event.role
                self.partial_reply, self.partial_tokens = "", 0
            case ReplyGrew():
                self.partial_reply, self.partial_tokens = event.text, event.tokens
            case Posted():
                self.entries = (*self.entries, event.message)
                self.messages += 1
                self.tokens += event.message.completion_tokens
                self.turn = max(self.turn, event.message.turn)
                self.partial_reply, self.role, self.partial_tokens = "", "", 0
            case ReplyDropped():
                self.partial_reply, self.role, self.partial_tokens = "", "", 0
            case Condition(cause="saving"):
                self.error, self.waits_for_disk = event.sentence, bool(event.sentence)
                if event.sentence and self.path is None:  # it could not even begin
                    self.state = "failed"
            case Condition(cause="engine") if event.sentence:
                self.state, self.error = "failed", event.sentence
            case ErrorRaised() if self.state != "stopped":  # cancelling a load is no error
                self.state, self.error = "failed", event.sentence
            case StateChanged(state="finished"):
                self.state = "finished"
            case StateChanged(state="paused"):
                if self.state == "speaking" and not self.waits_for_disk:
                    self.state = "stopped"
