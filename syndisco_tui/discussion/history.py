"""The proceedings: what was said, under which setups, and what people changed in it. With undo.

Whose turn it is and with which prompt is the discussion's; here is only what has happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .changes import REMOVING_KINDS, fits, inherited, last_undoable
from .entries import Entries
from .guard import is_silence
from .record import Change, ChangeKind, EarlierSetup, Message
from .setup import DiscussionSetup
from .tally import Tally


class CannotChange(ValueError):
    """What was said cannot be changed like that; the message is a sentence for a person."""


class History:
    """Entries, oldest first, with the setups that applied earlier and the changes made."""

    def __init__(
        self,
        entries: Iterable[Message],
        earlier_setups: Iterable[EarlierSetup] = (),
        changes: Iterable[Change] = (),
    ) -> None:
        self.entries = Entries.of(entries)
        self.earlier_setups = [_with_length(each, self.entries) for each in earlier_setups]
        self.changes = list(changes)
        self._tally = Tally.of(self.entries)

    @property
    def tally(self) -> Tally:
        """What is counted over the entries."""
        if self._tally.entries is not self.entries:
            self._tally = Tally.of(self.entries)
        return self._tally

    def append(self, message: Message) -> None:
        """Somebody has spoken."""
        tally = self.tally
        self.entries = self.entries.plus(message)
        self._tally = tally.after(message, self.entries)

    def copy(self) -> History:
        """Proceedings of their own, the same so far."""
        return History(self.entries, self.earlier_setups, self.changes)

    def fork(self, position: int) -> History:
        """Proceedings of their own, with the first ``position`` entries."""
        fork = self.copy()
        fork.entries = fork.entries.first(position)
        fork._shorten_earlier()
        fork.changes = list(inherited(self.changes, position))
        return fork

    @property
    def message_to_regenerate(self) -> Message | None:
        """The message that the next one is to replace."""
        change = last_undoable(self.changes)
        if change and change.kind == "regenerated" and change.position == len(self.entries):
            return change.before[0] if change.before else None
        return None

    def change_setup(self, before: DiscussionSetup) -> None:
        """What comes is said under another setup; it was ``before``."""
        self.changes = [
            change if change.setup else replace(change, setup=before) for change in self.changes
        ]
        self._keep_earlier(before)

    # Changes ----------------------------------------------------------------------------------

    def inject(self, message: Message) -> None:
        """Put a human's message at the end."""
        self.note("injected", len(self.entries), at=message.created_at)
        self.append(message)

    def edit(
        self, position: int, text: str, at: str = "", *, may_be_silent: bool = False
    ) -> Message:
        """Another text for the entry at ``position``.

        Raises CannotChange for a silence, unless it ``may_be_silent``.
        """
        before, text = self.entries[position], text.strip()
        if is_silence(text) and not may_be_silent:
            raise CannotChange(
                "an edited message needs a text, more than quotation marks; "
                "to be rid of it, delete it"
            )
        if text == before.text:
            return before
        original = before.text if before.original_text is None else before.original_text
        message = replace(before, text=text, original_text=original if original != text else None)
        self.note("edited", position, (before,), at)
        self._put(position, message)
        return message

    def take_out(
        self, kind: ChangeKind, position: int, at: str = "", others: tuple[Message, ...] = ()
    ) -> tuple[Message, ...]:
        """Take the entries from ``position`` on out, and note them and ``others``."""
        removed = tuple(self.entries[position:])
        if removed:
            self.note(kind, position, (*removed, *others), at)
            self.entries = self.entries.first(position)
            self._shorten_earlier()
        return removed

    def note(
        self,
        kind: ChangeKind,
        position: int,
        before: tuple[Message, ...] = (),
        at: str = "",
        *,
        is_undone: bool = False,
    ) -> None:
        """Keep in mind that something is changed now."""
        earlier = tuple(self.earlier_setups) if kind in REMOVING_KINDS else ()
        length = len(self.entries)
        self.changes.append(Change(kind, position, length, before, at, is_undone, earlier))

    # Undo -------------------------------------------------------------------------------------

    def undo(self, setup: DiscussionSetup, at: str = "") -> Change | None:
        """Take the last change back, under the present ``setup``; None if there is none.

        Raises CannotChange where somebody has spoken since; only a text can be put back then.
        """
        change = last_undoable(self.changes)
        if change is None:
            return None
        if not fits(change, len(self.entries)):
            raise CannotChange("somebody has spoken since the last change: it stays")
        index = len(self.changes) - 1 - self.changes[::-1].index(change)
        if change.kind == "edited":
            self._put_text_back(index, at)
        elif change.kind == "injected":
            del self.changes[index]
            self.entries = self.entries.first(len(self.entries) - 1)
            self._shorten_earlier()
        else:
            self._put_back(index, setup)
        return change

    def _put_text_back(self, index: int, at: str) -> None:
        """Undo an edit. If somebody has spoken since, that too is part of the story."""
        change = self.changes[index]
        if len(self.entries) > change.length:
            self.changes[index] = replace(change, is_undone=True)
            now = (self.entries[change.position],)
            self.note("edited", change.position, now, at, is_undone=True)
        else:
            del self.changes[index]
        self._put(change.position, change.before[0])

    def _put(self, position: int, message: Message) -> None:
        self.entries = self.entries.changed(position, message)

    def _put_back(self, index: int, setup: DiscussionSetup) -> None:
        """Undo what took entries out; what came in their place is kept."""
        change = self.changes[index]
        instead = self.entries[change.position :]
        count = change.length - change.position
        removed, others = change.before[:count], change.before[count:]
        self.entries = self.entries.first(change.position).plus(*removed)
        if instead or others:
            before = (*instead, *others)
            self.changes[index] = replace(change, before=before, is_undone=True)
        else:
            del self.changes[index]
        self.earlier_setups = list(change.earlier_setups)
        if change.setup and change.setup != setup:
            self._keep_earlier(change.setup)

    # Setups -----------------------------------------------------------------------------------

    def _keep_earlier(self, setup: DiscussionSetup) -> None:
        """Note that ``setup`` applied so far, if anybody was asked for anything under it."""
        since = self.earlier_setups[-1].length if self.earlier_setups else 0
        if any(entry.is_prompted for entry in self.entries[since:]):
            self.earlier_setups.append(
                EarlierSetup(self.tally.turns_taken, setup, len(self.entries))
            )

    def _shorten_earlier(self) -> None:
        while self.earlier_setups and self.earlier_setups[-1].length > len(self.entries):
            self._keep_earlier(self.earlier_setups.pop().setup)


def _with_length(earlier: EarlierSetup, entries: Sequence[Message]) -> EarlierSetup:
    """``earlier`` with its length, which older files do not give."""
    if earlier.length or not entries:
        return earlier
    later = [entry.turn > earlier.last_turn for entry in entries]
    return replace(earlier, length=later.index(True) if True in later else len(later))
