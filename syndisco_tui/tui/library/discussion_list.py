"""The list of saved discussions: two lines each, drawn when in sight, so thousands are no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.message import Message as Event
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ...workspace.library import LibraryEntry
from .entry import Standing, group_row, row_of
from .rows import Group, Member, Row, entries_of, identity, rows_of

ROW = 2
"""Lines of a discussion."""
MARGIN = 1
MARK = "▌"
TRIANGLE = 3
"""Cells at the beginning of a batch's row in which a click opens or closes it."""


class DiscussionList(ScrollView, can_focus=True):
    """Shows entries, newest first, those that a filter lets through, batches in groups.

    One row is highlighted; discussions can be marked.
    """

    COMPONENT_CLASSES = {"discussion-list--highlighted", "discussion-list--mark"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "to(0)", show=False),
        Binding("end", "to(-1)", show=False),
        Binding("right,l", "unfold", "unfold", key_display="→"),
        Binding("left,h", "fold", "fold", key_display="←"),
        Binding("space", "mark", "mark", key_display="space"),
    ]

    class Highlighted(Event):
        """Another row is highlighted, or none, or other discussions are marked."""

    class Chosen(Event):
        """The highlighted row was clicked twice."""

    class AtTop(Event):
        """Somebody wants to go up from the first row."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[LibraryEntry] = []
        self._let_through: list[LibraryEntry] = []
        self._rows: list[Row] = []
        self._filter: frozenset[str] | None = None
        self._words = ""
        self._lines: Mapping[str, str] = {}
        self._unfolded: set[str] = set()
        self._marked: set[str] = set()
        self._index = 0
        self._hint = ""
        self.open_here: Path | None = None
        self.open_in_batch: Collection[Path] = ()

    # What is shown -----------------------------------------------------------------------------

    @property
    def row(self) -> Row | None:
        """The highlighted row."""
        return self._rows[self._index] if self._rows else None

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
    def marked(self) -> list[LibraryEntry]:
        """The marked discussions that are let through, newest first."""
        return [entry for entry in self._let_through if entry.path.name in self._marked]

    @property
    def chosen(self) -> list[LibraryEntry]:
        """What an action is about: what is marked, or else the highlighted row."""
        row = self.row
        return self.marked or (list(entries_of(row)) if row else [])

    @property
    def counts(self) -> tuple[int, int]:
        """How many discussions are let through, of how many."""
        return len(self._let_through), len(self._entries)

    def standing(self, entry: LibraryEntry) -> Standing:
        """The state of a discussion, as things are."""
        return Standing.of(entry, self.open_here, self.open_in_batch)

    def matching_line(self, entry: LibraryEntry) -> str:
        """The message in which the words of the filter are; empty where that is not known."""
        return self._lines.get(entry.path.name, "")

    def show(self, entries: Iterable[LibraryEntry]) -> None:
        """Show these; the highlight stays on its discussion if that is among them."""
        self._entries = sorted(entries, key=_newest_first, reverse=True)
        self._marked &= {entry.path.name for entry in self._entries}
        self._show_filtered()

    def add(self, entries: Iterable[LibraryEntry]) -> None:
        """Show these too."""
        self.show([*self._entries, *entries])

    def filter(
        self,
        names: Iterable[str] | None,
        *,
        words: str = "",
        lines: Mapping[str, str] | None = None,
        from_top: bool = False,
    ) -> None:
        """Show only the files with these names, the first highlighted; None shows all.

        ``lines`` are the messages in which ``words`` were found, by name.
        """
        if from_top and names is not None:
            self._index, self._rows = 0, []
        self._filter = None if names is None else frozenset(names)
        self._words, self._lines = words, lines or {}
        self._show_filtered(to_first_match=from_top)

    def say(self, hint: str) -> None:
        """What stands here where nothing is to be shown."""
        self._hint = hint
        self.refresh()

    def unmark(self) -> None:
        """Mark nothing any more."""
        self._marked.clear()
        self.refresh()
        self.post_message(self.Highlighted())

    def _show_filtered(self, *, to_first_match: bool = False) -> None:
        before = self.row
        self._let_through = [
            entry
            for entry in self._entries
            if self._filter is None or entry.path.name in self._filter
        ]
        self._rows = rows_of(self._let_through, self._unfolded, all_open=self._filter is not None)
        index = min(self._index, max(0, len(self._rows) - 1))
        if before is not None:
            index = self._index_of(before, index)
        elif to_first_match and len(self._rows) > 1 and isinstance(self._rows[0], Group):
            index = 1  # what matched is in the batch's first discussion
        self._index = index
        self.virtual_size = Size(0, ROW * len(self._rows))
        self._keep_in_sight()
        self.refresh()
        if self.row != before:
            self.post_message(self.Highlighted())

    def _index_of(self, row: Row, default: int) -> int:
        """Where ``row`` is now, or the batch that it is folded into."""
        names = [identity(each) for each in self._rows]
        for name in (identity(row), entries_of(row)[0].summary.batch):
            if name in names:
                return names.index(name)
        return default

    # Moving ------------------------------------------------------------------------------------

    def go_to(self, index: int) -> None:
        """Highlight the row at ``index``, or the nearest there is."""
        index = max(0, min(index, len(self._rows) - 1))
        if index != self._index and self._rows:
            self._index = index
            self._keep_in_sight()
            self.refresh()
            self.post_message(self.Highlighted())

    def action_move(self, by: int) -> None:
        if by < 0 and self._index == 0:
            self.post_message(self.AtTop())
        self.go_to(self._index + by)

    def action_page(self, by: int) -> None:
        self.go_to(self._index + by * max(1, self.size.height // ROW - 1))

    def action_to(self, index: int) -> None:
        self.go_to(len(self._rows) - 1 if index < 0 else index)

    def _keep_in_sight(self) -> None:
        top, height = ROW * self._index, self.scrollable_content_region.height
        if height <= 0:
            return
        scroll = min(self.scroll_offset.y, top)
        scroll = max(scroll, top + ROW - height)
        if scroll != self.scroll_offset.y:
            self.scroll_to(y=scroll, animate=False, immediate=True)

    def on_resize(self) -> None:
        self._keep_in_sight()

    def on_click(self, event: Click) -> None:
        index = (self.scroll_offset.y + event.y) // ROW
        if index < len(self._rows):
            again = index == self._index and event.chain > 1
            self.go_to(index)
            group = self.group
            if group and event.x < MARGIN + TRIANGLE:
                self._fold(group, is_open=not group.is_open)
            elif again:
                self.post_message(self.Chosen())

    # Batches and marks -------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        row, is_filtered = self.row, self._filter is not None
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
            group = next((each for each in self._rows if self._holds(each, row)), None)
            if isinstance(group, Group):
                self._fold(group, is_open=False)
        elif isinstance(row, Group):
            self._fold(row, is_open=False)

    @staticmethod
    def _holds(row: Row, member: Member) -> bool:
        return isinstance(row, Group) and member.entry in row.entries

    def _fold(self, group: Group, *, is_open: bool) -> None:
        (self._unfolded.add if is_open else self._unfolded.discard)(group.id)
        self._show_filtered()

    def action_mark(self) -> None:
        """Mark the row, all of a batch, or no longer; then go on to the next row."""
        if self.row is None:
            return
        names = {entry.path.name for entry in entries_of(self.row)}
        if names <= self._marked:
            self._marked -= names
        else:
            self._marked |= names
        self.refresh()
        self.go_to(self._index + 1)
        self.post_message(self.Highlighted())

    # Drawing -----------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index, part = divmod(self.scroll_offset.y + y, ROW)
        if index >= len(self._rows):
            room = max(1, width - MARGIN)
            hint = [] if self._rows else Content.styled(self._hint, "$quiet").wrap(room)
            at_hand = hint[y - 1] if 0 < y <= len(hint) else Content()
            return self._strip(at_hand, width)
        row, is_current = self._rows[index], index == self._index
        is_marked = {entry.path.name for entry in entries_of(row)} <= self._marked
        lines = self._lines_of(row, max(8, width - 2 * MARGIN), highlighted=is_current)
        return self._strip(lines[part], width, highlighted=is_current, marked=is_marked)

    def _lines_of(self, row: Row, room: int, *, highlighted: bool) -> tuple[Content, Content]:
        now = datetime.now().astimezone()
        if isinstance(row, Group):
            standings = [self.standing(entry) for entry in row.entries]
            return group_row(row, standings, room, now, highlighted=highlighted)
        entry = entries_of(row)[0]
        return row_of(
            entry,
            self.standing(entry),
            room,
            now,
            highlighted=highlighted,
            is_member=isinstance(row, Member),
            match=(self.matching_line(entry), self._words),
        )

    def _strip(
        self, content: Content, width: int, *, highlighted: bool = False, marked: bool = False
    ) -> Strip:
        classes = ("discussion-list--highlighted",) if highlighted else ()
        style = self.get_visual_style(*classes)
        mark = Segment(" " * MARGIN, style.rich_style)
        if marked:
            mark_style = self.get_visual_style(*classes, "discussion-list--mark")
            mark = Segment(MARK, mark_style.rich_style)
        segments = [mark, *content.render_segments(style)]
        return Strip(segments).adjust_cell_length(width, style.rich_style).simplify()


def _newest_first(entry: LibraryEntry) -> tuple[str, str]:
    return entry.summary.started_at, entry.path.name
