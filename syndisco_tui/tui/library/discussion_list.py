"""The library's list: two lines for each saved discussion, batches in groups, some marked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message

from ...workspace.library import LibraryEntry
from ..widgets.row_list import RowList
from ..widgets.safe_input import SafeInput
from .row_drawing import draw_discussion, draw_group
from .rows import DiscussionStatus, Group, Member, Row, entries_of, identity, rows_of

ROW_HEIGHT = 2
MARK = "▌"
TRIANGLE_WIDTH = 4
"""Cells at the beginning of a batch's row in which a click opens or closes it."""


class FilterLine(SafeInput):
    """What is looked for, as it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.into_list(0)", "results", key_display="↓"),
        Binding("pagedown", "screen.into_list(1)", show=False),
    ]


class DiscussionList(RowList):
    """Shows entries, newest first, those that a filter leaves, batches in groups."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "unfold", "unfold", key_display="→"),
        Binding("left,h", "fold", "fold", key_display="←"),
        Binding("space", "mark", "mark", key_display="space"),
    ]

    class AtTop(Message):
        """The user wants to go up from the first row."""

    def __init__(self) -> None:
        super().__init__()
        self.keeps_highlight = True
        self._entries: list[LibraryEntry] = []
        self._listed: list[LibraryEntry] = []
        """The entries that the filter leaves."""
        self._rows: list[Row] = []
        self._matching_names: frozenset[str] | None = None
        self._words = ""
        self._matching_lines: Mapping[str, str] = {}
        self._unfolded: set[str] = set()
        self._marked: set[str] = set()
        self._hint = ""
        self._open_path: Path | None = None
        self._batch_paths: frozenset[Path] = frozenset()

    # What is shown -----------------------------------------------------------------------------

    @property
    def row(self) -> Row | None:
        """The highlighted row."""
        return self._rows[self.highlighted_row] if self._rows else None

    @property
    def highlighted(self) -> LibraryEntry | None:
        """The highlighted discussion; None where a batch is highlighted, or nothing."""
        row = self.row
        return None if row is None or isinstance(row, Group) else entries_of(row)[0]

    @property
    def group(self) -> Group | None:
        """The highlighted batch."""
        return self.row if isinstance(self.row, Group) else None

    @property
    def listed(self) -> Sequence[LibraryEntry]:
        """The discussions that the filter leaves, newest first."""
        return self._listed

    @property
    def marked(self) -> list[LibraryEntry]:
        """The marked discussions that are listed, newest first."""
        return [entry for entry in self._listed if entry.path.name in self._marked]

    @property
    def chosen(self) -> list[LibraryEntry]:
        """What an action acts on: the marked discussions, or else the highlighted row."""
        row = self.row
        return self.marked or (list(entries_of(row)) if row else [])

    @property
    def counts(self) -> tuple[int, int]:
        """How many discussions are listed, of how many."""
        return len(self._listed), len(self._entries)

    def status(self, entry: LibraryEntry) -> DiscussionStatus:
        """The state of a discussion, and what can be done with it."""
        return DiscussionStatus.of(entry, self._open_path, self._batch_paths)

    def note_open_files(self, path: Path | None, batch_paths: Collection[Path]) -> bool:
        """Note what the laboratory and the running batch have open; whether the batch changed."""
        is_same = self._batch_paths == frozenset(batch_paths)
        self._open_path, self._batch_paths = path, frozenset(batch_paths)
        self.refresh()
        return not is_same

    def matching_line(self, entry: LibraryEntry) -> str:
        """The message that has the filter's words; empty where it was not looked up."""
        return self._matching_lines.get(entry.path.name, "")

    def show(self, entries: Iterable[LibraryEntry]) -> None:
        """Show these entries; the highlight stays on its discussion if that is among them."""
        self._entries = sorted(entries, key=_age_key, reverse=True)
        self._marked &= {entry.path.name for entry in self._entries}
        self._list_entries()

    def add(self, entries: Iterable[LibraryEntry]) -> None:
        """Show these entries too."""
        self.show([*self._entries, *entries])

    def filter(
        self,
        names: Iterable[str] | None,
        *,
        words: str = "",
        lines: Mapping[str, str] | None = None,
        from_top: bool = False,
    ) -> None:
        """List only the files with these names; None lists all.

        ``lines`` are the messages with the ``words``, by file name. ``from_top`` highlights the
        first discussion.
        """
        if from_top and names is not None:
            self.highlighted_row, self._rows = 0, []
        self._matching_names = None if names is None else frozenset(names)
        self._words, self._matching_lines = words, lines or {}
        self._list_entries(to_first_match=from_top)

    def set_hint(self, hint: str) -> None:
        """Show ``hint`` where nothing is listed."""
        self._hint = hint
        self.refresh()

    def unmark(self) -> None:
        """Remove all marks."""
        self._marked.clear()
        self.refresh()
        self.post_message(self.Highlighted())

    def _list_entries(self, *, to_first_match: bool = False) -> None:
        before = self.row
        names = self._matching_names
        self._listed = [each for each in self._entries if names is None or each.path.name in names]
        self._rows = rows_of(self._listed, self._unfolded, all_open=names is not None)
        highlight = self.highlighted_row
        if before is not None:
            highlight = self._index_of(before, highlight)
        elif to_first_match and len(self._rows) > 1 and isinstance(self._rows[0], Group):
            highlight = 1  # what matched is in the batch's first discussion
        self.update_rows(highlight)
        if self.row != before:
            self.post_message(self.Highlighted())

    def _index_of(self, row: Row, default: int) -> int:
        """The index of ``row``, or of the batch that it is folded into."""
        names = [identity(each) for each in self._rows]
        for name in (identity(row), entries_of(row)[0].summary.batch):
            if name in names:
                return names.index(name)
        return default

    # Keys --------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        if rows < 0 and self.highlighted_row == 0:
            self.post_message(self.AtTop())
        super().action_move(rows)

    def click_row(self, index: int, event: Click) -> None:
        super().click_row(index, event)
        group = self.group
        if group and event.x < TRIANGLE_WIDTH:
            self._fold(group, is_open=not group.is_open)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        row, is_filtered = self.row, self._matching_names is not None
        match action:
            case "unfold":
                return isinstance(row, Group) and not row.is_open
            case "fold":
                can_fold = isinstance(row, Member) or (isinstance(row, Group) and row.is_open)
                return can_fold and not is_filtered
            case "mark":
                return row is not None
        return True

    def action_unfold(self) -> None:
        if group := self.group:
            self._fold(group, is_open=True)

    def action_fold(self) -> None:
        row = self.row
        if isinstance(row, Member):
            groups = (each for each in self._rows if isinstance(each, Group))
            row = next((group for group in groups if row.entry in group.entries), None)
        if isinstance(row, Group):
            self._fold(row, is_open=False)

    def _fold(self, group: Group, *, is_open: bool) -> None:
        (self._unfolded.add if is_open else self._unfolded.discard)(group.id)
        self._list_entries()

    def action_mark(self) -> None:
        """Mark or unmark the row, all of a batch; then go on to the next row."""
        if self.row is None:
            return
        names = {entry.path.name for entry in entries_of(self.row)}
        if names <= self._marked:
            self._marked -= names
        else:
            self._marked |= names
        self.refresh()
        self.highlight(self.highlighted_row + 1)
        self.post_message(self.Highlighted())

    # Drawing -----------------------------------------------------------------------------------

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def row_height(self, index: int) -> int:
        return ROW_HEIGHT

    def draw_empty(self) -> Content:
        return Content.assemble("\n", Content.styled(self._hint, "$quiet"))

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        row, room, today = self._rows[index], max(8, width - 2), datetime.now().astimezone()
        if isinstance(row, Group):
            statuses = [self.status(entry) for entry in row.entries]
            lines = draw_group(row, statuses, room, today, is_highlighted=is_highlighted)
        else:
            entry = entries_of(row)[0]
            lines = draw_discussion(
                entry,
                self.status(entry),
                room,
                today,
                is_highlighted=is_highlighted,
                is_member=isinstance(row, Member),
                match=(self.matching_line(entry), self._words),
            )
        is_marked = {entry.path.name for entry in entries_of(row)} <= self._marked
        mark = Content.styled(MARK, "$accent") if is_marked else Content(" ")
        return [Content.assemble(mark, line) for line in lines]


def _age_key(entry: LibraryEntry) -> tuple[str, str]:
    return entry.summary.started_at, entry.path.name
