"""The list of saved discussions: two lines each, drawn when in sight, so thousands are no more."""

from __future__ import annotations

from collections.abc import Iterable
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

from ...store.library import Entry
from ..library_entry import Standing, row_of

ROW = 2
"""Lines of a discussion."""
MARGIN = 1


class DiscussionList(ScrollView, can_focus=True):
    """Shows entries, newest first, those that a filter lets through. One is highlighted."""

    COMPONENT_CLASSES = {"discussion-list--highlighted"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "to(0)", show=False),
        Binding("end", "to(-1)", show=False),
    ]

    class Highlighted(Event):
        """Another entry is highlighted, or none."""

        def __init__(self, entry: Entry | None) -> None:
            super().__init__()
            self.entry = entry

    class Chosen(Event):
        """The highlighted entry was clicked twice."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []
        self._shown: list[Entry] = []
        self._filter: frozenset[str] | None = None
        self._index = 0
        self._hint = ""
        self.open_here: Path | None = None

    # What is shown -----------------------------------------------------------------------------

    @property
    def highlighted(self) -> Entry | None:
        return self._shown[self._index] if self._shown else None

    @property
    def counts(self) -> tuple[int, int]:
        """How many are shown, of how many."""
        return len(self._shown), len(self._entries)

    def show(self, entries: Iterable[Entry]) -> None:
        """Show these; the highlight stays on its discussion if that is among them."""
        self._entries = sorted(entries, key=_newest_first, reverse=True)
        self._show_filtered()

    def add(self, entries: Iterable[Entry]) -> None:
        """Show these too."""
        self.show([*self._entries, *entries])

    def filter(self, names: Iterable[str] | None, *, from_top: bool = False) -> None:
        """Show only the files with these names, the first highlighted; None shows all."""
        if from_top and names is not None:
            self._index, self._shown = 0, []
        self._filter = None if names is None else frozenset(names)
        self._show_filtered()

    def say(self, hint: str) -> None:
        """What stands here where nothing is to be shown."""
        self._hint = hint
        self.refresh()

    def _show_filtered(self) -> None:
        before = self.highlighted
        self._shown = [
            entry
            for entry in self._entries
            if self._filter is None or entry.path.name in self._filter
        ]
        index = min(self._index, max(0, len(self._shown) - 1))
        if before is not None:
            paths = (number for number, e in enumerate(self._shown) if e.path == before.path)
            index = next(paths, index)
        self._index = index
        self.virtual_size = Size(0, ROW * len(self._shown))
        self._keep_in_sight()
        self.refresh()
        if self.highlighted != before:
            self.post_message(self.Highlighted(self.highlighted))

    # Moving ------------------------------------------------------------------------------------

    def go_to(self, index: int) -> None:
        """Highlight the entry at ``index``, or the nearest there is."""
        index = max(0, min(index, len(self._shown) - 1))
        if index != self._index and self._shown:
            self._index = index
            self._keep_in_sight()
            self.refresh()
            self.post_message(self.Highlighted(self.highlighted))

    def action_move(self, by: int) -> None:
        self.go_to(self._index + by)

    def action_page(self, by: int) -> None:
        self.go_to(self._index + by * max(1, self.size.height // ROW - 1))

    def action_to(self, index: int) -> None:
        self.go_to(len(self._shown) - 1 if index < 0 else index)

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
        if index < len(self._shown):
            again = index == self._index and event.chain > 1
            self.go_to(index)
            if again:
                self.post_message(self.Chosen())

    # Drawing -----------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        line = self.scroll_offset.y + y
        index, part = divmod(line, ROW)
        if index >= len(self._shown):
            room = max(1, width - MARGIN)
            hint = [] if self._shown else Content.styled(self._hint, "$quiet").wrap(room)
            at_hand = hint[y - 1] if 0 < y <= len(hint) else Content()
            return self._strip(at_hand, width, highlighted=False)
        entry = self._shown[index]
        standing = Standing.of(entry, self.open_here)
        is_current = index == self._index
        room, now = max(8, width - 2 * MARGIN), datetime.now().astimezone()
        rows = row_of(entry, standing, room, now, highlighted=is_current)
        return self._strip(rows[part], width, highlighted=is_current)

    def _strip(self, content: Content, width: int, *, highlighted: bool) -> Strip:
        classes = ("discussion-list--highlighted",) if highlighted else ()
        style = self.get_visual_style(*classes)
        segments = [Segment(" " * MARGIN, style.rich_style), *content.render_segments(style)]
        return Strip(segments).adjust_cell_length(width, style.rich_style).simplify()


def _newest_first(entry: Entry) -> tuple[str, str]:
    return entry.summary.started_at, entry.path.name
