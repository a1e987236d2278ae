"""A scroll view that draws the lines of a transcript, not a widget a message.

Only lines that changed are drawn again. It follows its end until somebody scrolls away.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.content import Content
from textual.geometry import Offset, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from .blocks import Block, shown_name
from .cursor import Cursor
from .lines import Lines
from .wrapping import Span

WIDEST = 100
"""Cells of text at most: longer lines are hard to read."""
BAR = "▎"
CURRENT_BAR = "▋"
CURSOR = "▌"
MARGIN = 2  # the bar and a space
PAGES_AROUND = 2
"""Pages above and below the pane that are wrapped, so that paging moves by exact lines."""
_LINES_A_MESSAGE = 1 << 24
"""A selection counts lines as message * this + line: it stays where it is when heights change."""


class TranscriptView(ScrollView, can_focus=True):
    """Draws ``lines``, and where ``cursor`` is; what they are, its heir decides."""

    COMPONENT_CLASSES = {
        "transcript--tag",
        "transcript--hint",
        "transcript--cursor",
        "transcript--match",
    }
    virtual_size = Reactive(Size(0, 0), repaint=False)
    """Textual's lays the whole screen out, and draws the whole pane, when it changes."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines = Lines()
        self.cursor = Cursor(self)
        self.highlight_pattern: re.Pattern[str] | None = None
        """What is searched for: drawn with a mark."""
        self._colours: dict[str, str] = {}
        self._hint: list[Content] = []
        self._styles: dict[str, RichStyle] = {}
        self._is_moving = False
        """We scroll, not the user."""

    @property
    def marks_current(self) -> bool:
        """Whether the current message is told apart now."""
        return self.has_focus

    def cursor_moved(self) -> None:
        """Another message is the current one, or the end is followed or no longer."""

    def set_hint(self, lines: list[Content]) -> None:
        """What stands here while nobody has said anything."""
        self._hint = lines
        if not self.lines.row_count:
            self.refresh()

    def set_colours(self, colours: dict[str, str]) -> None:
        """Every name's colour."""
        self._colours = {shown_name(name): colour for name, colour in colours.items()}
        self._styles.clear()
        self.refresh()

    # Scrolling ---------------------------------------------------------------------------------

    @property
    def _text_width(self) -> int:
        return max(2, min(WIDEST, self.scrollable_content_region.width - MARGIN - 1))

    def lay_out(self) -> None:
        """Wrap what is in sight, and stay where we are: at the end, or at the same text."""
        if not self.size:
            return
        self._is_moving = True
        page = self.size.height
        around = PAGES_AROUND * page
        if self.cursor.follows:
            self.lines.settle_end(page + around)
            top = self.lines.total
        else:
            top = self.lines.settle(self.scroll_offset.y, page, around)
        size = Size(0, self.lines.total)
        if size != self.virtual_size:
            self.virtual_size = size
            self._scroll_update(size)
        self._put_top(top)
        self._is_moving = False

    def _put_top(self, line: int) -> None:
        line = max(0, min(line, self.max_scroll_y))
        self.scroll_y = self.scroll_target_y = line

    def scroll_by_hand(self, line: int) -> None:
        """Show what begins at ``line``. The user did not scroll."""
        self._is_moving = True
        self._put_top(line)
        self._is_moving = False
        self.lay_out()

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Scroll at once: while a scroll is animated, lines above may get more or fewer."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._is_moving:  # a text that got shorter is nobody scrolling away
            return
        if round(new_value) >= self.max_scroll_y:
            self.cursor.set_follows(True)
        elif new_value < old_value:
            self.cursor.set_follows(False)
        self.lay_out()
        self.cursor.scrolled()

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        self._is_moving = True
        try:
            return super()._size_updated(size, virtual_size, container_size, layout)
        finally:
            self._is_moving = False

    def on_resize(self) -> None:
        top = self.lines.row_at(self.scroll_offset.y) if self.lines.row_count else 0
        if self.lines.width != self._text_width:
            self.lines.set_width(self._text_width)
            if not self.cursor.follows:
                self.scroll_by_hand(self.lines.start(top))
        self.lay_out()
        self.cursor.resized()
        self.refresh()

    # Drawing -----------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def _draw_from(self, line: int) -> None:
        """Draw what is below a line."""
        self.refresh_lines(line, max(1, self.scroll_offset.y + self.size.height - line))

    def draw_entry(self, entry: int | None) -> None:
        """Draw a message, if there is such a one."""
        if entry is not None and (row := self.lines.row_of(entry)) < self.lines.row_count:
            self.refresh_lines(self.lines.start(row), self.lines.height(row))

    def _colour_style(self, name: str, *, bold: bool = False) -> RichStyle:
        key = f"{name}|{bold}"
        if key not in self._styles:
            style = self.rich_style
            if colour := self._colours.get(name):
                style += RichStyle(color=colour)
            self._styles[key] = style + RichStyle(bold=bold)
        return self._styles[key]

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        line = self.scroll_offset.y + y
        if not self.lines.row_count:
            return self._hint_line(y, width)
        if line >= self.lines.total:
            return Strip.blank(width, base)
        row = self.lines.row_at(line)
        block = self.lines.block(row)
        number = line - self.lines.start(row)
        if number >= block.height - 1:
            return Strip.blank(width, base)
        entry = self.lines.entry_of(row)
        is_current = self.marks_current and entry == self.cursor.entry
        mark = CURRENT_BAR if is_current else BAR
        bar = Segment(f"{mark} ", self._colour_style(block.name, bold=is_current))
        strip = self._header(block, base) if number == 0 else self._body(block, number, entry, base)
        return Strip([bar, *strip]).adjust_cell_length(width, base).simplify()

    def _header(self, block: Block, base: RichStyle) -> Strip:
        dim = self.get_component_rich_style("transcript--tag")
        segments = [Segment(block.name, self._colour_style(block.name, bold=True))]
        if block.tag:
            segments.append(Segment(f"  {block.tag}", dim))
        left = Strip(segments)
        room = self._text_width - left.cell_length - len(block.note)
        if block.note and room > 1:
            return Strip([*segments, Segment(" " * room, base), Segment(block.note, dim)])
        return left

    def _body(self, block: Block, number: int, entry: int, base: RichStyle) -> Strip:
        text = block.line(number)
        layers: list[tuple[list[Span], RichStyle]] = []
        if self.highlight_pattern and (found := block.matches(self.highlight_pattern)):
            start, end = block.spans[number - 1]
            inside = [(a - start, b - start) for a, b in found if a < end and b > start]
            layers.append((inside, self.get_component_rich_style("transcript--match")))
        place = entry * _LINES_A_MESSAGE + number
        selection = self.text_selection
        if selection and (chosen := selection.get_span(place)) is not None:
            span = (chosen[0], len(text) if chosen[1] == -1 else chosen[1])
            layers.append(([span], self.screen.get_component_rich_style("screen--selection")))
        strip = Strip(painted(text, base, layers))
        is_last = number == len(block.spans)
        if block.growing and is_last and strip.cell_length < self._text_width - 1:
            cursor = self.get_component_rich_style("transcript--cursor")
            strip = Strip([*strip, Segment(" " if text else "", base), Segment(CURSOR, cursor)])
        return strip.apply_offsets(0, place)

    def _hint_line(self, y: int, width: int) -> Strip:
        lines = self._hint_lines(max(1, width - 5))
        top = max(1, (self.size.height - len(lines)) // 3)
        if not top <= y < top + len(lines):
            return Strip.blank(width, self.rich_style)
        content = lines[y - top]
        segments = content.render_segments(self.visual_style)
        return Strip([Segment("    ", self.rich_style), *segments]).adjust_cell_length(
            width, self.rich_style
        )

    def _hint_lines(self, width: int) -> list[Content]:
        """The hint wrapped to ``width`` cells, what a key does under itself."""
        lines: list[Content] = []
        for line in self._hint:
            key = line.spans[0].end if line.spans else 0
            key = key if key < len(line) else 0
            first, *others = line[key:].wrap(max(1, width - key)) or [Content()]
            lines.append(line[:key] + first)
            lines += [Content(" " * key) + other for other in others]
        return lines

    # Selection ---------------------------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What the mouse has selected, with no breaks where lines were only wrapped."""
        last = max(0, self.lines.row_count - 1)
        first_row, first_line, start = self._place(selection.start, 0)
        last_row, last_line, end = self._place(selection.end, last)
        parts = []
        for row in range(first_row, min(last_row, last) + 1):
            block = self.lines.block(row)
            from_line, to_line = 0, len(block.spans)
            from_column, to_column = 0, len(block.text)
            if row == first_row:
                from_line, from_column = first_line, start
            if row == last_row and selection.end is not None:
                to_line, to_column = last_line, end
            parts.append(cut_out(block, from_line, from_column, to_line, to_column))
        return "\n\n".join(parts), "\n\n"

    def _place(self, offset: Offset | None, row: int) -> tuple[int, int, int]:
        """Row, line and column of a selection's end."""
        if offset is None:
            return row, 0, 0
        entry, line = divmod(offset.y, _LINES_A_MESSAGE)
        return self.lines.row_of(entry), line, offset.x

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()


def cut_out(block: Block, from_line: int, start: int, to_line: int, end: int) -> str:
    """A part of a message as it was written; line 0 is the name."""
    if not block.spans:
        return block.name
    if to_line == 0:
        return ""
    first = 0 if from_line == 0 else block.spans[min(from_line, len(block.spans)) - 1][0] + start
    last = min(block.spans[min(to_line, len(block.spans)) - 1][0] + end, len(block.text))
    text = block.text[first:last]
    return f"{block.name}\n{text}" if from_line == 0 else text


def painted(
    text: str, base: RichStyle, layers: list[tuple[list[Span], RichStyle]]
) -> list[Segment]:
    """``text`` in ``base``, and over it the spans of each layer in its style."""
    if not layers:
        return [Segment(text, base)]
    ends = {0, len(text), *(end for spans, _ in layers for span in spans for end in span)}
    cuts = sorted(end for end in ends if 0 <= end <= len(text))
    segments = []
    for start, end in pairwise(cuts):
        style = base
        for spans, over in layers:
            if any(first <= start and end <= last for first, last in spans):
                style += over
        segments.append(Segment(text[start:end], style))
    return segments
