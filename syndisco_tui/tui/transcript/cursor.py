"""A transcript's current message: which one it is, how it moves, how it stays in sight."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .view import TranscriptView

INNER_STEP = 3
"""Lines that up and down scroll inside a message that is taller than the pane."""


class Cursor:
    """Where we are in ``view``. While the end is followed, the newest message is the current one.

    The view's ``cursor_moved`` is called when another message is current, or the end is followed
    or no longer.
    """

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self._lines = view.lines
        self.follows = True
        self._entry = 0
        """The current entry while the end is not followed."""
        self._drawn: int | None = None
        self._seen = 0
        """How many entries there were when the end was left."""

    @property
    def entry(self) -> int | None:
        """Index of the current message in the record's entries; None while there are none.

        A reply in the making is not an entry yet.
        """
        row = self.row
        return None if row is None else self._lines.rows[row]

    @property
    def row(self) -> int | None:
        """The row of the current message."""
        newest = len(self._lines.rows) - 1
        if newest < 0:
            return None
        return newest if self.follows else min(self._lines.row_of(self._entry), newest)

    @property
    def is_in_sight(self) -> bool:
        """Whether anything of the current message can be seen. While the end is followed, it is."""
        row = self.row
        return self.follows or (row is not None and bool(self._lines_in_sight(row)))

    @property
    def unseen(self) -> int:
        """How many messages that are shown came since the end was left."""
        rows = self._lines.rows
        return 0 if self.follows else len(rows) - bisect_left(rows, self._seen)

    def rows_changed(self) -> None:
        """Other rows are shown: there may be fewer."""
        self._seen = min(self._seen, len(self._lines.entries))

    def set_follows(self, follows: bool) -> None:
        """Follow the end, or stay where we are."""
        if follows != self.follows:
            self._entry = self.entry or 0
            self._seen = len(self._lines.entries)
            self.follows = follows
            self._view.cursor_moved()

    def show(self) -> None:
        """Draw the mark where it is now."""
        before, self._drawn = self._drawn, self.entry
        if before != self._drawn:
            self._view.draw_entry(before)
            self._view.draw_entry(self._drawn)
            self._view.cursor_moved()

    # Moving ------------------------------------------------------------------------------------

    def go_to(self, entry: int) -> None:
        """Make a message the current one, and bring it into sight."""
        if not self._lines.rows:
            return
        self.set_follows(False)
        self._entry = entry
        row = self.row or 0
        self._lines.settle_row(row, 2 * self._view.size.height)
        self._view.lay_out()
        self._bring_into_sight(row)
        self.show()

    def follow(self) -> None:
        """To the end, and along with it."""
        self.set_follows(True)
        self._view.lay_out()
        self.show()

    def home(self) -> None:
        """To the oldest."""
        if self._lines.rows:
            self.go_to(self._lines.rows[0])

    def up(self) -> None:
        """First inside a message that is taller than the pane, then to the one before."""
        row, top = self.row, self._view.scroll_offset.y
        if row is None:
            return
        hidden = top - self._lines.start(row)
        if not self._lines_in_sight(row):
            self.go_to(self._lines.rows[row])
        elif hidden > 0:
            self.set_follows(False)
            self._view.scroll_by_hand(top - min(hidden, INNER_STEP))
        elif row > 0:
            self.go_to(self._lines.rows[row - 1])

    def down(self) -> None:
        """The same the other way; after the newest, the end is followed."""
        row, top, page = self.row, self._view.scroll_offset.y, self._view.size.height
        if row is None or self.follows:
            return
        newest = len(self._lines.rows) - 1
        hidden = self._end(row) - top - page
        if not self._lines_in_sight(row):
            self.go_to(self._lines.rows[row])
        elif hidden > 0:
            self._view.scroll_by_hand(top + min(hidden, INNER_STEP))
        elif row == newest:
            self.follow()
        else:
            self.go_to(self._lines.rows[row + 1])
            fits = self._lines.height(newest) <= page
            if row + 1 == newest and fits and not self._lines.shows_growing:
                self.follow()

    def page_up(self) -> None:
        view = self._view
        if view.scroll_offset.y > 0:
            view.scroll_to(y=view.scroll_offset.y - view.size.height + 1)
        else:
            self.home()

    def page_down(self) -> None:
        view = self._view
        if view.scroll_offset.y < view.max_scroll_y:
            view.scroll_to(y=view.scroll_offset.y + view.size.height - 1)
        else:
            self.follow()

    def point_at(self, line: int) -> None:
        """To the message that ``line`` belongs to."""
        row, newest = self._lines.row_at(line), len(self._lines.rows) - 1
        if newest >= 0 and (row < newest or (row == newest and not self.follows)):
            self.go_to(self._lines.rows[row])

    # Staying in sight --------------------------------------------------------------------------

    def _end(self, row: int) -> int:
        """The blank line of a row: the one after its text."""
        return self._lines.start(row) + self._lines.height(row) - 1

    def _lines_in_sight(self, row: int) -> range:
        """The lines of a message, without the blank one, that are in the pane."""
        top = self._view.scroll_offset.y
        bottom = top + self._view.size.height
        return range(max(self._lines.start(row), top), min(self._end(row), bottom))

    def _bring_into_sight(self, row: int) -> None:
        """Scroll as little as shows all of it; of one that is too tall, the nearer end."""
        top, end = self._lines.start(row), self._end(row)
        now, page = self._view.scroll_offset.y, self._view.size.height
        if end - top > page:
            self._view.scroll_by_hand(top if top >= now else end - page)
        else:
            self._view.scroll_by_hand(min(top, max(now, end - page)))

    def scrolled(self) -> None:
        """Whoever scrolls takes the current message along."""
        row = self.row
        if row is not None and not self.follows and not self._lines_in_sight(row):
            top, page = self._view.scroll_offset.y, self._view.size.height
            newest = len(self._lines.rows) - 1
            row = self._lines.row_at(top if self._lines.start(row) < top else top + page - 1)
            row = min(row, newest)
            if row < newest and not self._lines_in_sight(row):
                row += 1  # the line at the edge is the blank one
            self._entry = self._lines.rows[row]
        self.show()

    def resized(self) -> None:
        """What could be seen of the current message stays in sight."""
        row = self.row
        if row is None or self.follows or not self._lines_in_sight(row):
            return
        if self._lines.height(row) <= self._view.size.height:
            self._bring_into_sight(row)
