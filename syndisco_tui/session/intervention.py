"""What a person can do to an open discussion: values that are applied between two turns.

A reply in progress was requested earlier. An intervention that leaves its prompt valid waits for
it; one that takes entries back drops it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..discussion import Discussion, last_undoable

NextIntent = Literal["unchanged", "speak", "pause"]
"""What a session does after an intervention: continue as before, ask for a message, or pause."""


@dataclass(frozen=True)
class Intervention(ABC):
    """One change that a person makes."""

    next_intent: ClassVar[NextIntent] = "unchanged"

    def waits(self, discussion: Discussion) -> bool:
        """Whether a reply in progress is finished first; otherwise it is dropped."""
        return True

    @abstractmethod
    def apply(self, discussion: Discussion, changed_at: str) -> None:
        """Change ``discussion`` at the time ``changed_at`` (ISO 8601). Raises CannotChange."""


@dataclass(frozen=True)
class Inject(Intervention):
    """Post ``text`` in the name of ``name``."""

    name: str
    text: str

    def apply(self, discussion: Discussion, changed_at: str) -> None:
        discussion.inject(self.name, self.text, created_at=changed_at)


@dataclass(frozen=True)
class Edit(Intervention):
    """Replace the text of the entry at ``position``."""

    position: int
    text: str

    def apply(self, discussion: Discussion, changed_at: str) -> None:
        discussion.edit(self.position, self.text, changed_at=changed_at)


@dataclass(frozen=True)
class Silence(Intervention):
    """Turn the entry at ``position`` into a silence."""

    position: int

    def apply(self, discussion: Discussion, changed_at: str) -> None:
        discussion.silence(self.position, changed_at=changed_at)


@dataclass(frozen=True)
class Unmark(Intervention):
    """Remove the guard's marks from the entry at ``position``."""

    position: int

    def apply(self, discussion: Discussion, changed_at: str) -> None:
        discussion.unmark(self.position, changed_at=changed_at)


@dataclass(frozen=True)
class SetNextSpeaker(Intervention):
    """Let ``name`` speak at the next turn; None leaves it to the turn manager."""

    name: str | None

    def apply(self, discussion: Discussion, changed_at: str) -> None:
        discussion.override_next_speaker(self.name)


@dataclass(frozen=True)
class Regenerate(Intervention):
    """Replace the last message by another reply, sampled with a new seed."""

    next_intent = "speak"

    def waits(self, discussion: Discussion) -> bool:
        return False

    def apply(self, discussion: Discussion, changed_at: str) -> None:
        discussion.regenerate(changed_at=changed_at)


@dataclass(frozen=True)
class Delete(Intervention):
    """Delete the entries from ``position`` on, including any that were posted meanwhile."""

    position: int = -1
    next_intent = "pause"

    def waits(self, discussion: Discussion) -> bool:
        return False

    def apply(self, discussion: Discussion, changed_at: str) -> None:
        discussion.delete(len(discussion.entries[self.position :]), changed_at=changed_at)


@dataclass(frozen=True)
class Undo(Intervention):
    """Undo the last change."""

    def waits(self, discussion: Discussion) -> bool:
        change = last_undoable(discussion.changes)
        return change is None or change.kind == "edited"

    def apply(self, discussion: Discussion, changed_at: str) -> None:
        discussion.undo(changed_at=changed_at)
