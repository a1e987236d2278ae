"""The list of the app: rows that are drawn when they come into sight, one of them highlighted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.events import Click, Leave, MouseMove
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip


class RowList(ScrollView, can_focus=True):
    """Draws the rows that a subclass has, and moves the highlight over them.

    A subclass overrides ``row_count`` and ``draw_row``, and calls ``update_rows`` when its rows
    have changed. Thousands of rows cost what ten do: only those in sight are drawn.
    """

    DEFAULT_CSS = """
    RowList {
        overflow-x: hidden;
        overflow-y: auto;
        background: transparent;
        scrollbar-size-vertical: 1;
        & > .row-list--highlighted { background: $block-cursor-blurred-background; }
        & > .row-list--hovered { background: $block-hover-background; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--highlighted", "row-list--hovered"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "first", show=False),
        Binding("end", "last", show=False),
    ]

    class Highlighted(Message):
        """Another row is highlighted."""

    class Selected(Message):
        """The highlighted row was clicked twice."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.highlighted_row = 0
        """The index of the highlighted row; 0 where there is none."""
        self.keeps_highlight = False
        """Whether the highlight shows even while another widget has the focus."""
        self._hovered_row: int | None = None
        self._starts = [0]
        """The first line of each row, and at the end the number of lines."""

    # What a subclass says ----------------------------------------------------------------------

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        """The lines of a row, each at most ``width`` cells."""
        raise NotImplementedError

    def row_height(self, index: int) -> int:
        """The number of lines of a row."""
        return 1

    def lines_above(self, index: int) -> Sequence[Content]:
        """Lines before a row that are never highlighted: a gap, a heading."""
        return ()

    def draw_empty(self) -> Content:
        """What is shown where there are no rows."""
        return Content()

    # Rows and highlight ------------------------------------------------------------------------

    def update_rows(self, highlight: int | None = None) -> None:
        """Draw rows that have changed; the highlight goes to ``highlight``, or stays."""
        heights = (
            len(self.lines_above(index)) + self.row_height(index) for index in range(self.row_count)
        )
        self._starts = [0, *accumulate(heights)]
        new_row = self.highlighted_row if highlight is None else highlight
        self.highlighted_row = max(0, min(new_row, self.row_count - 1))
        size = Size(0, self._starts[-1])
        self.refresh(layout=size != self.virtual_size)
        self.virtual_size = size
        self.call_after_refresh(self.scroll_to_rows, self.highlighted_row)

    def on_focus(self) -> None:
        self.call_after_refresh(self.scroll_to_rows, self.highlighted_row)

    def highlight(self, index: int) -> None:
        """Highlight the row at ``index``, or the first or the last where that is beyond."""
        index = max(0, min(index, self.row_count - 1))
        if index != self.highlighted_row:
            self.highlighted_row = index
            self.refresh()
            self.post_message(self.Highlighted())
        self.scroll_to_rows(index)

    def scroll_to_rows(self, first: int, count: int = 1) -> None:
        """Scroll so that these rows are visible, or the first ones if not all fit.

        Where all rows are drawn in a container that scrolls, that is scrolled.
        """
        height = self.scrollable_content_region.height
        last = min(first + count, len(self._starts) - 1)
        if height > 0 and first < last:
            top, bottom = self._starts[first], self._starts[last]
            y = min(max(self.scroll_offset.y, bottom - height), top)
            if y != self.scroll_offset.y:
                self.scroll_to(y=y, animate=False, force=True)
            if self.has_focus_within and isinstance(self.parent, ScrollableContainer):
                rows = Region(0, self.virtual_region.y + top, 1, bottom - top)
                self.parent.scroll_to_region(rows, animate=False, force=True)

    def top_of(self, index: int) -> int:
        """The first line of a row, below the lines above it."""
        return self._starts[index] + len(self.lines_above(index))

    def row_at(self, line: int) -> int | None:
        """The row that a line of the whole list belongs to; None below the last."""
        index = bisect_right(self._starts, line) - 1
        return index if 0 <= index < len(self._starts) - 1 else None

    # Drawing -----------------------------------------------------------------------------------

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, self._starts[-1])

    @property
    def shows_highlight(self) -> bool:
        """Whether the highlight is drawn."""
        return self.keeps_highlight or self.has_focus

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if width < 1:
            return Strip.blank(0)
        line = self.scroll_offset.y + y
        index = self.row_at(line)
        if index is None:
            lines = () if self.row_count else self.draw_empty().wrap(width)
            return self._strip(lines[line] if line < len(lines) else Content(), width)
        top = self.top_of(index)
        if line < top:
            return self._strip(self.lines_above(index)[line - self._starts[index]], width)
        is_highlighted = index == self.highlighted_row and self.shows_highlight
        drawn = self.draw_row(index, width, is_highlighted=is_highlighted)
        content = drawn[line - top] if line - top < len(drawn) else Content()
        if is_highlighted:
            return self._strip(content, width, "row-list--highlighted")
        if index == self._hovered_row:
            return self._strip(content, width, "row-list--hovered")
        return self._strip(content, width)

    def _strip(self, content: Content, width: int, *classes: str) -> Strip:
        style = self.get_visual_style(*classes)
        strip = Strip(content.truncate(width, ellipsis=True).render_segments(style))
        return strip.adjust_cell_length(width, style.rich_style).simplify()

    # Keys and mouse ----------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        self.highlight(self.highlighted_row + rows)

    def action_first(self) -> None:
        self.highlight(0)

    def action_last(self) -> None:
        self.highlight(self.row_count - 1)

    def action_page(self, direction: int) -> None:
        """Go as many rows further as are in sight, less one."""
        if not self.row_count:
            return
        height = min(self.size.height, self.container_size.height)
        lines = height - self.row_height(self.highlighted_row)
        line = self._starts[self.highlighted_row] + direction * max(1, lines)
        page_end = 0 if line < 0 else self.row_at(line)
        index = self.row_count - 1 if page_end is None else page_end
        self.highlight(index if index != self.highlighted_row else index + direction)

    def on_click(self, event: Click) -> None:
        index = self.row_at(self.scroll_offset.y + event.y)
        if index is not None and event.widget is self:
            self.click_row(index, event)

    def click_row(self, index: int, event: Click) -> None:
        """Highlight a row that was clicked; a second click selects it."""
        is_selected = index == self.highlighted_row and event.chain > 1
        self.highlight(index)
        if is_selected:
            self.post_message(self.Selected())

    def on_mouse_move(self, event: MouseMove) -> None:
        self._hover(self.row_at(self.scroll_offset.y + event.y))

    def on_leave(self, _event: Leave) -> None:
        self._hover(None)

    def _hover(self, index: int | None) -> None:
        if index != self._hovered_row:
            self._hovered_row = index
            self.refresh()

    def on_resize(self) -> None:
        self.update_rows()  # heights may depend on the width
