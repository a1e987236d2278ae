"""A scroll view that draws the lines of a transcript, with no widget for a message.

Only lines that changed are drawn again. It follows its end until somebody scrolls away.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.content import Content
from textual.geometry import Offset, Size
from textual.reactive import Reactive
from textual.selection import Selection
from textual.strip import Strip

from ..shell.textual_internals import MeasuredScrollView
from .blocks import Block, shown_name
from .cursor import Cursor
from .lines import Lines
from .searched_words import SearchedWords
from .wrapping import Span

MAX_TEXT_WIDTH = 100
"""Cells of text: longer lines are hard to read."""
BAR = "▎"
CURRENT_BAR = "▋"
TEXT_CURSOR = "▌"
MARGIN = 2
"""Cells of the bar and the space after it."""
_LINES_PER_MESSAGE = 1 << 24
"""A selection counts lines as entry * this + line: it stays when messages above change."""


class TranscriptView(MeasuredScrollView, can_focus=True):
    """Draws ``lines``, and the mark of ``cursor``; its subclass decides what they are."""

    COMPONENT_CLASSES = {
        "transcript--tag",
        "transcript--mark",
        "transcript--hint",
        "transcript--cursor",
        "transcript--match",
    }
    virtual_size = Reactive(Size(0, 0), repaint=False)
    """Textual's own lays the whole screen out, and draws the whole pane, when it changes."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines = Lines()
        self.cursor = Cursor(self)
        self.highlighted_words: SearchedWords | None = None
        """What is highlighted in the text."""
        self._colours: dict[str, str] = {}
        self._hint: list[Content] = []
        self._styles: dict[tuple[str, bool], RichStyle] = {}

    @property
    def marks_current(self) -> bool:
        """Whether the current message has another mark than the others."""
        return self.has_focus

    def cursor_moved(self) -> None:
        """Another message is the current one, or the end is followed or no longer."""

    def set_hint(self, lines: list[Content]) -> None:
        """Show ``lines`` while there are no messages."""
        if lines != self._hint:
            self._hint = lines
            if not self.lines.blocks:
                self.refresh()

    def set_colours(self, colours: dict[str, str]) -> None:
        """Set the colour of each name."""
        self._colours = {shown_name(name): colour for name, colour in colours.items()}
        self._styles.clear()
        self.refresh()

    # Scrolling ---------------------------------------------------------------------------------

    @property
    def _text_width(self) -> int:
        return max(2, min(MAX_TEXT_WIDTH, self.scrollable_content_region.width - MARGIN - 1))

    def lay_out(self, top: int | None = None) -> None:
        """Take over how many lines there are, and scroll to ``top`` if that is given.

        If the end is followed, stay at it. The user is not taken to have scrolled.
        """
        if not self.size:
            return
        with self.laying_out():
            self.set_virtual_size(Size(0, self.lines.total))
            top = self.scroll_offset.y if top is None else top
            top = self.max_scroll_y if self.cursor.follows else max(0, min(top, self.max_scroll_y))
            self.scroll_y = self.scroll_target_y = top

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Scroll at once: an animated scroll to a place that moves meanwhile misses it."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self.is_laying_out:
            return
        if round(new_value) >= self.max_scroll_y:
            self.cursor.set_follows(True)
        elif new_value < old_value:
            self.cursor.set_follows(False)
        self.cursor.scrolled()

    def on_resize(self) -> None:
        if self.lines.width != self._text_width:
            top_row = self.lines.row_at(self.scroll_offset.y)
            self.lines.set_width(self._text_width)
            self.lay_out(self.lines.start(top_row))
        self.lay_out()
        self.cursor.resized()
        self.refresh()

    # Drawing -----------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def draw_from(self, line: int) -> None:
        """Draw everything below a line."""
        self.refresh_lines(line, max(1, self.scroll_offset.y + self.size.height - line))

    def draw_entry(self, entry: int | None) -> None:
        """Draw a message, if it is shown."""
        if entry is not None and (row := self.lines.row_of(entry)) < len(self.lines.blocks):
            start = self.lines.start(row)
            self.refresh_lines(start, self.lines.end(row) - start)

    def _colour_style(self, name: str, *, bold: bool = False) -> RichStyle:
        if (name, bold) not in self._styles:
            colour = RichStyle(color=self._colours.get(name) or None, bold=bold)
            self._styles[name, bold] = self.rich_style + colour
        return self._styles[name, bold]

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        line = self.scroll_offset.y + y
        if not self.lines.blocks:
            return self._hint_line(y, width)
        row = self.lines.row_at(line)
        if line >= self.lines.end(row):  # a blank line, or below the last message
            return Strip.blank(width, base)
        block = self.lines.blocks[row]
        number = line - self.lines.start(row)
        is_current = self.marks_current and block.entry == self.cursor.entry
        mark = CURRENT_BAR if is_current else BAR
        bar = Segment(f"{mark} ", self._colour_style(block.name, bold=is_current))
        strip = self._header(block, base) if number == 0 else self._body(block, number, base)
        return Strip([bar, *strip]).adjust_cell_length(width, base).simplify()

    def _header(self, block: Block, base: RichStyle) -> Strip:
        dim = self.get_component_rich_style("transcript--tag")
        segments = [Segment(block.name, self._colour_style(block.name, bold=True))]
        if block.tag:
            segments.append(Segment(f"  {block.tag}", dim))
        if block.marks:
            mark = self.get_component_rich_style("transcript--mark")
            segments += [Segment(" · " if block.tag else "  ", dim), Segment(block.marks, mark)]
        room = self._text_width - Strip(segments).cell_length - len(block.note)
        if block.note and room > 1:
            segments += [Segment(" " * room, base), Segment(block.note, dim)]
        return Strip(segments)

    def _body(self, block: Block, number: int, base: RichStyle) -> Strip:
        text = block.line(number)
        start, end = block.spans[number - 1]
        layers: list[tuple[list[Span], RichStyle]] = []
        if self.highlighted_words:
            spans = self.highlighted_words.spans(block.text)
            on_line = [(a - start, b - start) for a, b in spans if a < end and b > start]
            layers.append((on_line, self.get_component_rich_style("transcript--match")))
        selection_line = block.entry * _LINES_PER_MESSAGE + number
        selection = self.text_selection
        if selection and (selected := selection.get_span(selection_line)) is not None:
            span = (selected[0], len(text) if selected[1] == -1 else selected[1])
            layers.append(([span], self.screen.get_component_rich_style("screen--selection")))
        strip = Strip(styled_segments(text, base, layers))
        is_last = number == len(block.spans)
        if block.is_growing and is_last and strip.cell_length < self._text_width - 1:
            cursor = self.get_component_rich_style("transcript--cursor")
            strip = Strip(
                [*strip, Segment(" " if text else "", base), Segment(TEXT_CURSOR, cursor)]
            )
        return strip.apply_offsets(0, selection_line)

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
        last = len(self.lines.blocks) - 1
        first_row, first_line, start = self._selection_end(selection.start, 0)
        last_row, last_line, end = self._selection_end(selection.end, last)
        parts = []
        for row in range(first_row, min(last_row, last) + 1):
            block = self.lines.blocks[row]
            from_line, from_column = (first_line, start) if row == first_row else (0, 0)
            to_line, to_column = len(block.spans), len(block.text)
            if row == last_row and selection.end is not None:
                to_line, to_column = last_line, end
            parts.append(selected_text(block, from_line, from_column, to_line, to_column))
        return "\n\n".join(parts), "\n\n"

    def _selection_end(self, offset: Offset | None, row: int) -> tuple[int, int, int]:
        """Row, line and column of a selection's end; ``row`` if the selection is open there."""
        if offset is None:
            return row, 0, 0
        entry, line = divmod(offset.y, _LINES_PER_MESSAGE)
        return self.lines.row_of(entry), line, offset.x

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()


def selected_text(block: Block, from_line: int, start: int, to_line: int, end: int) -> str:
    """A part of a message as it was written; line 0 is the name. Columns are characters."""
    if not block.spans:
        return block.name
    if to_line == 0:
        return ""
    first = 0 if from_line == 0 else block.spans[min(from_line, len(block.spans)) - 1][0] + start
    last = min(block.spans[min(to_line, len(block.spans)) - 1][0] + end, len(block.text))
    text = block.text[first:last]
    return f"{block.name}\n{text}" if from_line == 0 else text


def styled_segments(
    text: str, base: RichStyle, layers: list[tuple[list[Span], RichStyle]]
) -> list[Segment]:
    """``text`` in ``base``, and over it the spans of each layer in its style."""
    ends = {0, len(text), *(end for spans, _ in layers for span in spans for end in span)}
    segments = []
    for start, end in pairwise(sorted(end for end in ends if 0 <= end <= len(text))):
        style = base
        for spans, over in layers:
            if any(first <= start and end <= last for first, last in spans):
                style += over
        segments.append(Segment(text[start:end], style))
    return segments
