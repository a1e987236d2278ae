"""A transcript's current message: which one it is, how it moves, how it stays in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .view import TranscriptView

INNER_STEP = 3
"""Lines that up and down scroll inside a message that is taller than the pane."""


class Cursor:
    """The current message of ``view``. While the end is followed, it is the newest one.

    The view's ``cursor_moved`` is called when another message is current, or the end is followed
    or no longer.
    """

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self._lines = view.lines
        self.follows = True
        self._entry = 0
        """The current entry while the end is not followed."""
        self._drawn_entry: int | None = None
        self._known_entries = 0
        """How many entries there were when the end was left."""

    @property
    def entry(self) -> int | None:
        """Index of the current message in the discussion's entries; None while there are none.

        A reply that is being generated is not an entry yet.
        """
        row = self.row
        return None if row is None else self._lines.blocks[row].entry

    @property
    def row(self) -> int | None:
        """The row of the current message."""
        newest = self._lines.newest_row
        if newest < 0:
            return None
        return newest if self.follows else min(self._lines.row_of(self._entry), newest)

    @property
    def is_in_sight(self) -> bool:
        """Whether a line of the current message is in the pane, or the end is followed."""
        row = self.row
        return self.follows or (row is not None and bool(self._visible_lines(row)))

    @property
    def unseen(self) -> int:
        """How many of the messages that are shown came since the end was left."""
        if self.follows:
            return 0
        return self._lines.newest_row + 1 - self._lines.row_of(self._known_entries)

    def entries_replaced(self) -> None:
        """Other entries are shown: there may be fewer."""
        self._known_entries = min(self._known_entries, len(self._lines.entries))

    def set_follows(self, follows: bool) -> None:
        """Follow the end, or stay where we are."""
        if follows != self.follows:
            self._entry = self.entry or 0
            self._known_entries = len(self._lines.entries)
            self.follows = follows
            self._view.cursor_moved()

    def draw(self) -> None:
        """Draw the mark at the current message, if it is another one than before."""
        previous, self._drawn_entry = self._drawn_entry, self.entry
        if previous != self._drawn_entry:
            self._view.draw_entry(previous)
            self._view.draw_entry(self._drawn_entry)
            self._view.cursor_moved()

    # Moving ------------------------------------------------------------------------------------

    def go_to(self, entry: int) -> None:
        """Make a message the current one, and bring it into sight."""
        if self._lines.newest_row < 0:
            return
        self.set_follows(False)
        self._entry = entry
        self._bring_into_sight(min(self._lines.row_of(entry), self._lines.newest_row))
        self.draw()

    def follow(self) -> None:
        """Go to the end, and stay at it."""
        self.set_follows(True)
        self._view.lay_out()
        self.draw()

    def home(self) -> None:
        """Go to the oldest message."""
        self._go_to_row(0)

    def _go_to_row(self, row: int) -> None:
        if 0 <= row <= self._lines.newest_row:
            self.go_to(self._lines.blocks[row].entry)

    def up(self) -> None:
        """Scroll inside a message that is taller than the pane, or go to the one before."""
        if (row := self.row) is None:
            return
        top = self._view.scroll_offset.y
        hidden = top - self._lines.start(row)
        if not self._visible_lines(row):
            self._go_to_row(row)
        elif hidden > 0:
            self.set_follows(False)
            self._view.lay_out(top - min(hidden, INNER_STEP))
        else:
            self._go_to_row(row - 1)

    def down(self) -> None:
        """Scroll inside a tall message, or go to the next one; after the newest, follow the end."""
        row, newest = self.row, self._lines.newest_row
        if row is None or self.follows:
            return
        top, page = self._view.scroll_offset.y, self._view.size.height
        hidden = self._lines.end(row) - top - page
        if not self._visible_lines(row):
            self._go_to_row(row)
        elif hidden > 0:
            self._view.lay_out(top + min(hidden, INNER_STEP))
        elif row == newest:
            self.follow()
        else:
            self._go_to_row(row + 1)
            fits = self._lines.end(newest) - self._lines.start(newest) < page
            if row + 1 == newest and fits and not self._lines.shows_growing:
                self.follow()

    def page_up(self) -> None:
        """Scroll a page up; from the first page, go to the oldest message."""
        view = self._view
        if view.scroll_offset.y > 0:
            view.scroll_to(y=view.scroll_offset.y - view.size.height + 1)
        else:
            self.home()

    def page_down(self) -> None:
        """Scroll a page down; from the last page, follow the end."""
        view = self._view
        if view.scroll_offset.y < view.max_scroll_y:
            view.scroll_to(y=view.scroll_offset.y + view.size.height - 1)
        else:
            self.follow()

    def point_at(self, line: int) -> None:
        """Go to the message that ``line`` belongs to."""
        row = self._lines.row_at(line)
        if not (self.follows and row == self._lines.newest_row):
            self._go_to_row(row)

    # Staying in sight --------------------------------------------------------------------------

    def _visible_lines(self, row: int) -> range:
        """The lines of a message, without the blank one, that are in the pane."""
        top = self._view.scroll_offset.y
        bottom = top + self._view.size.height
        return range(max(self._lines.start(row), top), min(self._lines.end(row), bottom))

    def _bring_into_sight(self, row: int) -> None:
        """Scroll as little as shows all of it; of one that is too tall, the nearer end."""
        start, end = self._lines.start(row), self._lines.end(row)
        top, page = self._view.scroll_offset.y, self._view.size.height
        if end - start > page:
            self._view.lay_out(start if start >= top else end - page)
        else:
            self._view.lay_out(min(start, max(top, end - page)))

    def scrolled(self) -> None:
        """Take the current message along when the user scrolls it out of sight."""
        row = self.row
        if row is not None and not self.follows and not self._visible_lines(row):
            top, page = self._view.scroll_offset.y, self._view.size.height
            newest = self._lines.newest_row
            row = self._lines.row_at(top if self._lines.start(row) < top else top + page - 1)
            row = min(row, newest)
            if row < newest and not self._visible_lines(row):
                row += 1  # the line at the edge is the blank one
            self._entry = self._lines.blocks[row].entry
        self.draw()

    def resized(self) -> None:
        """Keep in sight all of a current message that was partly in sight."""
        row = self.row
        if row is None or self.follows or not self._visible_lines(row):
            return
        if self._lines.end(row) - self._lines.start(row) < self._view.size.height:
            self._bring_into_sight(row)
