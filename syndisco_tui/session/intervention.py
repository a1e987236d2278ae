"""What a person can do to a discussion that is open: commands as values, applied between turns.

A reply in the making was asked for before. What leaves its prompt as it is waits for it; what
takes entries back drops it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..discussion import Discussion, last_undoable

Afterwards = Literal["as before", "speak", "stand still"]
"""What a session does next: go on as it was, have at least one message said, or pause."""


@dataclass(frozen=True)
class Intervention(ABC):
    """One thing a person does."""

    afterwards: ClassVar[Afterwards] = "as before"

    def waits(self, discussion: Discussion) -> bool:
        """Whether a reply in the making is finished first; it is dropped if not."""
        return True

    @abstractmethod
    def apply(self, discussion: Discussion, now: str) -> None:
        """Do it, ``now`` (ISO 8601). Raises CannotChange."""


@dataclass(frozen=True)
class Inject(Intervention):
    """Say ``text`` as ``name``."""

    name: str
    text: str

    def apply(self, discussion: Discussion, now: str) -> None:
        discussion.inject(self.name, self.text, created_at=now)


@dataclass(frozen=True)
class Edit(Intervention):
    """Another text for the entry at ``position``."""

    position: int
    text: str

    def apply(self, discussion: Discussion, now: str) -> None:
        discussion.edit(self.position, self.text, changed_at=now)


@dataclass(frozen=True)
class Silence(Intervention):
    """Take the entry at ``position`` as a silence."""

    position: int

    def apply(self, discussion: Discussion, now: str) -> None:
        discussion.silence(self.position, changed_at=now)


@dataclass(frozen=True)
class SetNextSpeaker(Intervention):
    """``name`` speaks at the next turn; None leaves it to the turn manager."""

    name: str | None

    def apply(self, discussion: Discussion, now: str) -> None:
        discussion.override_next_speaker(self.name)


@dataclass(frozen=True)
class Regenerate(Intervention):
    """Have the last message said again, with another seed."""

    afterwards = "speak"

    def waits(self, discussion: Discussion) -> bool:
        return False

    def apply(self, discussion: Discussion, now: str) -> None:
        discussion.regenerate(changed_at=now)


@dataclass(frozen=True)
class Delete(Intervention):
    """Take the entries from ``position`` on back, those too that were posted meanwhile."""

    position: int = -1
    afterwards = "stand still"

    def waits(self, discussion: Discussion) -> bool:
        return False

    def apply(self, discussion: Discussion, now: str) -> None:
        discussion.delete(len(discussion.entries[self.position :]), changed_at=now)


@dataclass(frozen=True)
class Undo(Intervention):
    """Take the last change back."""

    def waits(self, discussion: Discussion) -> bool:
        change = last_undoable(discussion.changes)
        return change is None or change.kind == "edited"

    def apply(self, discussion: Discussion, now: str) -> None:
        discussion.undo(changed_at=now)
