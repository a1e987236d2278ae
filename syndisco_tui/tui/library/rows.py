"""The rows of the library: discussions and batches, their state, and which actions apply."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...workspace.library import LibraryEntry


@dataclass(frozen=True)
class Group:
    """A batch: its discussions by number, as far as they are listed; ``is_open`` shows them."""

    id: str
    entries: tuple[LibraryEntry, ...]
    is_open: bool = False

    @property
    def newest(self) -> LibraryEntry:
        """The discussion that was started last."""
        return max(self.entries, key=lambda entry: entry.summary.started_at)

    @property
    def count(self) -> int:
        """How many discussions the batch was started with."""
        return max(len(self.entries), *(entry.summary.count for entry in self.entries))

    @property
    def finished(self) -> int:
        """How many discussions are finished."""
        return sum(entry.summary.status == "finished" for entry in self.entries)


@dataclass(frozen=True)
class Member:
    """A discussion below its batch."""

    entry: LibraryEntry


Row = LibraryEntry | Group | Member


def rows_of(
    entries: Sequence[LibraryEntry], open_groups: Collection[str], *, all_open: bool
) -> list[Row]:
    """``entries``, newest first, as rows. A batch is where its newest discussion would be."""
    batches: dict[str, list[LibraryEntry]] = {}
    for entry in entries:
        if entry.summary.batch:
            batches.setdefault(entry.summary.batch, []).append(entry)
    rows: list[Row] = []
    for entry in entries:
        batch = entry.summary.batch
        if not batch:
            rows.append(entry)
        elif members := batches.pop(batch, None):
            members.sort(key=lambda each: (each.summary.number, each.path.name))
            is_open = all_open or batch in open_groups
            rows.append(Group(batch, tuple(members), is_open))
            rows += map(Member, members) if is_open else ()
    return rows


def entries_of(row: Row) -> tuple[LibraryEntry, ...]:
    """The discussions of a row."""
    match row:
        case Group():
            return row.entries
        case Member():
            return (row.entry,)
    return (row,)


def identity(row: Row) -> str:
    """A name for a row that does not change when its discussions do."""
    return row.id if isinstance(row, Group) else entries_of(row)[0].path.name


@dataclass(frozen=True)
class DiscussionStatus:
    """The state of a discussion as a sign and a word, and what can be done with it."""

    sign: str
    word: str
    style: str = "$quiet"
    is_open: bool = False
    """The laboratory has it open."""
    is_elsewhere: bool = False
    """Another syndisco-tui writes it, or the batch that is running."""
    is_in_batch: bool = False
    can_continue: bool = False
    can_be_read: bool = True

    @classmethod
    def of(
        cls, entry: LibraryEntry, open_path: Path | None, batch_paths: Collection[Path] = ()
    ) -> DiscussionStatus:
        """``open_path`` is open in the laboratory, ``batch_paths`` in the running batch."""
        status = entry.summary.status
        if status == "unreadable":
            return cls("!", "cannot be read", "$error", can_be_read=False)
        if entry.path == open_path:
            return cls("●", f"open here, {status}", "$accent", is_open=True)
        if entry.path in batch_paths:
            return cls("●", "running in the batch", "$accent", is_elsewhere=True, is_in_batch=True)
        if entry.has_writer:
            word = "running elsewhere" if status == "running" else "open elsewhere"
            return cls("●", word, "$accent", is_elsewhere=True)
        if status == "syndisco":
            return cls("·", "imported")
        if status == "finished":
            return cls("✓", "finished")
        word = "interrupted" if status == "running" else status
        return cls("○", word, "$foreground", can_continue=True)


def applies(
    action: str,
    chosen: Sequence[LibraryEntry],
    statuses: Sequence[DiscussionStatus],
    group: Group | None,
) -> bool:
    """Whether an action applies to what is ``chosen``; ``group``: it is a whole batch."""
    readable = all(status.can_be_read for status in statuses)
    is_own = len(chosen) == 1 and not group and readable and chosen[0].summary.own_format
    match action:
        case "continue" if group:
            running = any(status.is_in_batch for status in statuses)
            return group.finished < group.count and not running
        case "continue":
            return len(chosen) == 1 and statuses[0].can_continue
        case "export" | "turn_lab":
            return readable
        case "compare":
            return readable and len(chosen) <= 2
        case "fork":
            return is_own
        case "rename":
            return is_own and not statuses[0].is_elsewhere
        case "discard":
            return not any(each.is_open or each.is_elsewhere for each in statuses)
    return True
