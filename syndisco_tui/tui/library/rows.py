"""The rows of the library: discussions, and batches with their discussions below them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...workspace.library import LibraryEntry


@dataclass(frozen=True)
class Group:
    """A batch: its discussions by number, as far as they are listed; ``is_open`` shows them."""

    id: str
    entries: tuple[LibraryEntry, ...]
    is_open: bool = False

    @property
    def newest(self) -> LibraryEntry:
        return max(self.entries, key=lambda entry: entry.summary.started_at)

    @property
    def count(self) -> int:
        """How many discussions the batch was started with."""
        return max(len(self.entries), *(entry.summary.count for entry in self.entries))

    @property
    def finished(self) -> int:
        return sum(entry.summary.status == "finished" for entry in self.entries)


@dataclass(frozen=True)
class Member:
    """A discussion below its batch."""

    entry: LibraryEntry


Row = LibraryEntry | Group | Member


def rows_of(
    entries: Sequence[LibraryEntry], open_groups: Collection[str], *, all_open: bool
) -> list[Row]:
    """``entries``, newest first, as rows. A batch stands where its newest discussion would."""
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
    """The discussions that a row stands for."""
    match row:
        case Group():
            return row.entries
        case Member():
            return (row.entry,)
    return (row,)


def identity(row: Row) -> str:
    """What stays the same of a row while its discussions change."""
    return row.id if isinstance(row, Group) else entries_of(row)[0].path.name
