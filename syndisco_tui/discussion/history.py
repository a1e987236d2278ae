"""What has happened in a discussion: entries, earlier setups and people's changes. With undo.

A message may be edited after others were generated from its old text. The changes alone tell which
text a reply was generated from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from .guard import is_silence
from .record import Change, ChangeKind, EarlierSetup, Message
from .setup import DiscussionSetup

REMOVING_KINDS = ("regenerated", "chosen", "deleted")
"""Changes that removed all entries from their position on."""


class CannotChange(ValueError):
    """The discussion cannot be changed that way; the message is a sentence for the user."""


@dataclass(frozen=True)
class History:
    """Entries, earlier setups and changes, each oldest first.

    Every method that changes something returns a new history.
    """

    entries: tuple[Message, ...]
    earlier_setups: tuple[EarlierSetup, ...] = ()
    changes: tuple[Change, ...] = ()

    @cached_property
    def turns_taken(self) -> int:
        """The number of the last turn that was taken."""
        return max((entry.turn for entry in self.entries), default=0)

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """Who took turns 1, 2, 3, …: the participant who was prompted first in each."""
        by_turn: dict[int, str] = {}
        for entry in self.entries:
            if entry.is_prompted:
                by_turn.setdefault(entry.turn, entry.name)
        return tuple(by_turn[turn] for turn in sorted(by_turn))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everybody who spoke or was silent, in order of their first entry."""
        return tuple(dict.fromkeys(entry.name for entry in self.entries))

    def append(self, message: Message) -> History:
        """Add ``message`` at the end."""
        return replace(self, entries=(*self.entries, message))

    def fork(self, length: int) -> History:
        """The first ``length`` entries and the edits of them, which nobody can undo any more."""
        inherited = tuple(
            replace(edit, length=min(edit.length, length), is_undone=True)
            for edit in _edits(self.changes)
            if edit.position < length
        )
        return replace(self._truncated(length), changes=inherited)

    def change_setup(self, previous: DiscussionSetup) -> History:
        """Record that ``previous`` applied until now."""
        changes = tuple(
            change if change.setup else replace(change, setup=previous) for change in self.changes
        )
        return replace(self, changes=changes)._with_earlier_setup(previous)

    # Regenerating -----------------------------------------------------------------------------

    @property
    def message_to_regenerate(self) -> Message | None:
        """The message that the next one replaces."""
        change = last_undoable(self.changes)
        if change and change.kind == "regenerated" and change.position == len(self.entries):
            return change.before[0] if change.before else None
        return None

    def next_attempt(self) -> int:
        """The first unused attempt at the message to regenerate; 0 if there is none."""
        message = self.message_to_regenerate
        if message is None:
            return 0
        earlier = [
            other
            for change in self.changes
            if change.position == len(self.entries) and change.kind in REMOVING_KINDS
            for other in change.before
            if (other.role, other.turn) == (message.role, message.turn)
        ]
        return 1 + max(each.attempt for each in (message, *earlier))

    # Changes ----------------------------------------------------------------------------------

    def inject(self, message: Message) -> History:
        """Add a human's message at the end."""
        changed_at = message.created_at
        return self.with_change("injected", len(self.entries), changed_at=changed_at).append(
            message
        )

    def edit(
        self, position: int, text: str, changed_at: str = "", *, may_be_silent: bool = False
    ) -> History:
        """Replace the text of the entry at ``position``.

        Raises CannotChange for a silence, unless it ``may_be_silent``.
        """
        previous, text = self._entry(position), text.strip()
        if is_silence(text) and not may_be_silent:
            raise CannotChange(
                "an edited message needs a text, more than quotation marks; "
                "to be rid of it, delete it"
            )
        if text == previous.text:
            return self
        original = previous.text if previous.original_text is None else previous.original_text
        message = replace(previous, text=text, original_text=original if original != text else None)
        history = self.with_change("edited", position, (previous,), changed_at)
        return history._with_entry(position, message)

    def unmark(self, position: int, changed_at: str = "") -> History:
        """Remove the guard's marks from the entry at ``position``."""
        previous = self._entry(position)
        if not previous.marks:
            return self
        history = self.with_change("edited", position, (previous,), changed_at)
        return history._with_entry(position, replace(previous, marks=()))

    def remove(
        self,
        kind: ChangeKind,
        position: int,
        changed_at: str = "",
        alternatives: tuple[Message, ...] = (),
    ) -> History:
        """Remove the entries from ``position`` on; the change holds them and ``alternatives``."""
        removed = self.entries[position:]
        if not removed:
            return self
        history = self.with_change(kind, position, (*removed, *alternatives), changed_at)
        return history._truncated(position)

    def with_change(
        self,
        kind: ChangeKind,
        position: int,
        before: tuple[Message, ...] = (),
        changed_at: str = "",
        *,
        is_undone: bool = False,
    ) -> History:
        """Record a change; the entries stay as they are."""
        earlier = self.earlier_setups if kind in REMOVING_KINDS else ()
        length = len(self.entries)
        change = Change(kind, position, length, before, changed_at, is_undone, earlier)
        return replace(self, changes=(*self.changes, change))

    # Undo -------------------------------------------------------------------------------------

    def undo(self, setup: DiscussionSetup, changed_at: str = "") -> History:
        """Undo the last change, under the present ``setup``.

        Raises CannotChange if somebody has spoken since, unless the change is an edit.
        """
        change = last_undoable(self.changes)
        if change is None:
            return self
        if not _can_undo(change, len(self.entries)):
            raise CannotChange("somebody has spoken since the last change: it stays")
        index = len(self.changes) - 1 - self.changes[::-1].index(change)
        match change.kind:
            case "edited":
                return self._undo_edit(index, changed_at)
            case "injected":
                return self._with_changes(index)._truncated(len(self.entries) - 1)
            case _:
                return self._undo_removal(index, setup)

    def _undo_edit(self, index: int, changed_at: str) -> History:
        change = self.changes[index]
        if len(self.entries) > change.length:  # later replies were generated from the edited text
            edited = (self.entries[change.position],)
            history = self._with_changes(index, replace(change, is_undone=True)).with_change(
                "edited", change.position, edited, changed_at, is_undone=True
            )
        else:
            history = self._with_changes(index)
        return history._with_entry(change.position, change.before[0])

    def _undo_removal(self, index: int, setup: DiscussionSetup) -> History:
        """Put removed entries back; the change keeps what had replaced them."""
        change = self.changes[index]
        count = change.length - change.position
        replaced = (*self.entries[change.position :], *change.before[count:])
        undone = (replace(change, before=replaced, is_undone=True),) if replaced else ()
        history = replace(
            self._with_changes(index, *undone),
            entries=(*self.entries[: change.position], *change.before[:count]),
            earlier_setups=change.earlier_setups,
        )
        if change.setup and change.setup != setup:
            return history._with_earlier_setup(change.setup)
        return history

    # Copies -----------------------------------------------------------------------------------

    def _with_changes(self, index: int, *instead: Change) -> History:
        """With ``instead`` in place of the change at ``index``."""
        return replace(self, changes=(*self.changes[:index], *instead, *self.changes[index + 1 :]))

    def _entry(self, position: int) -> Message:
        if not 0 <= position < len(self.entries):
            raise IndexError(f"message {position} of {len(self.entries)}")
        return self.entries[position]

    def _with_entry(self, position: int, message: Message) -> History:
        before, after = self.entries[:position], self.entries[position + 1 :]
        return replace(self, entries=(*before, message, *after))

    def _with_earlier_setup(self, setup: DiscussionSetup) -> History:
        """Record that ``setup`` applied until now, if any model was prompted under it."""
        start = self.earlier_setups[-1].length if self.earlier_setups else 0
        if not any(entry.is_prompted for entry in self.entries[start:]):
            return self
        earlier = EarlierSetup(self.turns_taken, setup, len(self.entries))
        return replace(self, earlier_setups=(*self.earlier_setups, earlier))

    def _truncated(self, length: int) -> History:
        """Only the first ``length`` entries, and the setups that applied to them."""
        history = replace(self, entries=self.entries[:length])
        while history.earlier_setups and history.earlier_setups[-1].length > length:
            *remaining, last = history.earlier_setups
            history = replace(history, earlier_setups=tuple(remaining))
            history = history._with_earlier_setup(last.setup)
        return history


def last_undoable(changes: Sequence[Change]) -> Change | None:
    """The change that an undo would take back."""
    return next((change for change in reversed(changes) if not change.is_undone), None)


def entries_as_prompted(
    entries: Sequence[Message], changes: Iterable[Change], position: int
) -> tuple[Message, ...]:
    """The entries before ``position``, with the texts they had when that entry was generated."""
    prompted = list(entries[:position])
    for edit in reversed(_edits(changes)):
        if edit.length > position > edit.position and edit.before:
            prompted[edit.position] = edit.before[0]
    return tuple(prompted)


def _edits(changes: Iterable[Change]) -> list[Change]:
    """The edits; ``length`` is the position of the first message generated from the new text."""
    edits: list[Change] = []
    for change in changes:
        if change.kind == "edited":
            edits.append(change)
        elif change.kind in REMOVING_KINDS and not change.is_undone:  # regenerated from there on
            edits = [replace(edit, length=min(edit.length, change.position)) for edit in edits]
    return edits


def _can_undo(change: Change, length: int) -> bool:
    """Whether nobody has spoken since, given ``length`` entries; an edit can always be undone."""
    match change.kind:
        case "edited":
            return change.position < length and bool(change.before)
        case "injected" | "chosen":
            return length == change.position + 1
        case "regenerated":
            return length - change.position in (0, 1) and bool(change.before)
        case "deleted":
            return length == change.position
