"""The transcript: a scroll view that draws lines of messages, not a widget a message.

Each message is wrapped once per width. Only lines that changed are drawn again.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message as Event
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from ...discussion import Message
from ...session import (
    NotSaved,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
)
from ...text import one_line, safe
from ..actions import bindings

WIDEST = 100
"""Cells of text at most: longer lines are hard to read."""
BAR = "▎"
CURRENT_BAR = "▋"
CURSOR = "▌"
INNER_STEP = 3
"""Lines that up and down scroll inside a message that is taller than the pane."""
MARGIN = 2  # the bar and a space


@dataclass
class Block:
    """A message as it is shown. ``text`` is safe already."""

    name: str
    text: str
    tag: str = ""
    note: str = ""
    growing: bool = False
    silent: bool = False
    lines: list[str] = field(default_factory=list)
    width: int = 0

    def wrapped(self, width: int) -> list[str]:
        """Header, text and a blank line, each at most ``width`` cells."""
        if self.width != width:
            self.width = width
            self.lines = [self.name]
            if not self.silent:
                self.lines += wrap(self.text.strip(), width)
                if self.growing and len(self.lines[-1]) < width - 1:
                    self.lines[-1] = f"{self.lines[-1]} {CURSOR}".lstrip()
            self.lines.append("")
        return self.lines

    def change(self, text: str, note: str = "") -> None:
        """Another text; it will be wrapped again."""
        self.text, self.note, self.width = text, note, 0


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells, broken at spaces where there are any."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if paragraph.isascii() and len(paragraph) <= width:
            lines.append(paragraph)
        else:
            lines += [line.plain.rstrip() for line in Content(paragraph).wrap(max(width, 2))]
    return lines


def block_of(message: Message) -> Block:
    """How a message of the record is shown."""
    tag = {"seed": "seed opinion", "human": "human", "moderator": "moderator"}.get(message.role, "")
    turn = f"{message.turn}" if message.role == "user" else ""
    if message.is_silence:
        return Block(one_line(message.name, 40), "", tag="stays silent", note=turn, silent=True)
    text = safe(message.text)
    if message.is_cut:
        text += " […]"
        tag = f"{tag} · cut at the token limit" if tag else "cut at the token limit"
    return Block(one_line(message.name, 40), text, tag=tag, note=turn)


class Transcript(ScrollView, can_focus=True):
    """What was said, oldest first. It follows the end until somebody scrolls away.

    One message is the current one. While the end is followed, that is the newest.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("transcript")
    COMPONENT_CLASSES = {"transcript--tag", "transcript--hint", "transcript--cursor"}

    class FollowChanged(Event):
        """The transcript follows its end, or no longer."""

        def __init__(self, follows: bool) -> None:
            super().__init__()
            self.follows = follows

    class CurrentChanged(Event):
        """Another message is the current one; ``index`` is an entry of the record, or None."""

        def __init__(self, index: int | None) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._blocks: list[Block] = []
        self._starts: list[int] = [0]
        """Virtual line at which each block starts; one more for the end."""
        self._growing: Block | None = None
        self._colours: dict[str, str] = {}
        self._hint: list[Content] = []
        self._styles: dict[str, RichStyle] = {}
        self._laying_out = False
        self._cursor = 0
        """The current message while the end is not followed."""
        self._told_current: int | None = None
        self.follows = True

    # What is shown -----------------------------------------------------------------------------

    def set_hint(self, lines: list[Content]) -> None:
        """What stands here while nobody has said anything."""
        self._hint = lines
        if not self._blocks:
            self.refresh()

    def set_colours(self, colours: dict[str, str]) -> None:
        """Every name's colour."""
        self._colours = {one_line(name, 40): colour for name, colour in colours.items()}
        self._styles.clear()
        self.refresh()

    def show(self, messages: tuple[Message, ...]) -> None:
        """Show these messages and nothing else."""
        self._blocks = [block_of(message) for message in messages]
        self._growing = None
        self.follows = True
        self._lay_out(0)
        self._show_current()
        self.refresh()

    def take(self, event: SessionEvent) -> None:
        """Show what an event says, if it is about what is said."""
        match event:
            case Opened():
                self.show(event.record.entries)
            case ReplyStarted():
                self.begin_reply(event.name, event.role)
            case ReplyGrew():
                self.grow_reply(event.text)
            case NotSaved():
                self.hold(event.message)
            case Posted():
                self.post(event.message)
            case ReplyDropped():
                self.drop_reply()

    def begin_reply(self, name: str, role: str) -> None:
        """``name`` is about to speak."""
        tag = "moderator" if role == "moderator" else ""
        self._growing = Block(one_line(name, 40), "", tag=tag, growing=True)
        self._blocks.append(self._growing)
        self._lay_out(len(self._blocks) - 1)

    def grow_reply(self, text: str) -> None:
        """The reply in the making, as it is by now."""
        if self._growing:
            before = self._growing.lines
            self._growing.change(safe(text))
            self._lay_out(len(self._blocks) - 1, before)

    def drop_reply(self) -> None:
        """The reply in the making will not come."""
        if self._growing:
            self._growing = None
            self._blocks.pop()
            self._lay_out(len(self._blocks))

    def hold(self, message: Message) -> None:
        """A message is final but not saved: it stands here as no entry yet."""
        if not self._growing:
            self.begin_reply(message.name, message.role)
        before, held = self._blocks[-1].lines, block_of(message)
        held.tag = f"{held.tag} · not saved yet" if held.tag else "not saved yet"
        self._blocks[-1] = self._growing = held
        self._lay_out(len(self._blocks) - 1, before)

    def post(self, message: Message) -> None:
        """A message is final; it takes the place of the reply in the making."""
        if self._growing:
            self._blocks[-1] = block_of(message)
            self._growing = None
            self._lay_out(len(self._blocks) - 1)
        else:
            self._blocks.append(block_of(message))
            self._lay_out(len(self._blocks) - 1)
        self._show_current()

    @property
    def is_empty(self) -> bool:
        return not self._blocks

    def plain_text(self) -> str:
        """All lines as they are wrapped now."""
        return "\n".join(line for block in self._blocks for line in block.lines)

    # The current message -----------------------------------------------------------------------

    @property
    def current(self) -> int | None:
        """Index of the current message in the record's entries; None while there are none.

        A reply in the making is not an entry yet.
        """
        newest = self._newest
        if newest is None or self.follows:
            return newest
        return min(self._cursor, newest)

    @property
    def _newest(self) -> int | None:
        entries = len(self._blocks) - (self._growing is not None)
        return entries - 1 if entries else None

    def _show_current(self) -> None:
        """Draw the mark where it is now, and tell of it."""
        before, now = self._told_current, self.current
        if before != now:
            self._told_current = now
            self._draw_block(before)
            self._draw_block(now)
            self.post_message(self.CurrentChanged(now))

    def _draw_block(self, index: int | None) -> None:
        if index is not None and index < len(self._blocks):
            self.refresh_lines(self._starts[index], self._height_of(index))

    def _height_of(self, index: int) -> int:
        return self._starts[index + 1] - self._starts[index]

    def _go_to(self, index: int) -> None:
        """Make a message the current one, and bring it into sight."""
        self._set_follows(False)
        self._cursor = index
        self._bring_into_sight(index)
        self._show_current()

    def _bring_into_sight(self, index: int) -> None:
        """Scroll as little as shows all of it; of one that is too tall, the nearer end."""
        top, view = self._starts[index], self.size.height
        last_text_line = top + self._height_of(index) - 1
        now = self.scroll_offset.y
        if self._height_of(index) - 1 > view:
            target = top if top >= now else last_text_line - view
        else:
            target = min(top, max(now, last_text_line - view))
        self._scroll_by_hand(target)

    def _scroll_by_hand(self, line: int) -> None:
        """Scroll to a line without the current message being pulled along."""
        self._laying_out = True
        self.scroll_to(y=line, animate=False, immediate=True)
        self._laying_out = False

    def _lines_in_sight(self, index: int) -> range:
        """The lines of a message, without the blank one, that are in the pane."""
        top = self.scroll_offset.y
        start, end = self._starts[index], self._starts[index + 1] - 1
        return range(max(start, top), min(end, top + self.size.height))

    def action_previous_message(self) -> None:
        """Up: first inside a message that is taller than the pane, then to the one before."""
        index = self.current
        if index is None:
            return
        if not self._lines_in_sight(index):
            self._go_to(index)
        elif (hidden := self.scroll_offset.y - self._starts[index]) > 0:
            self._set_follows(False)
            self._scroll_by_hand(self.scroll_offset.y - min(hidden, INNER_STEP))
        elif index > 0:
            self._go_to(index - 1)

    def action_next_message(self) -> None:
        """Down: the same the other way; after the newest, the end is followed."""
        index = self.current
        if index is None or self.follows:
            return
        end = self.scroll_offset.y + self.size.height
        if not self._lines_in_sight(index):
            self._go_to(index)
        elif (hidden := self._starts[index + 1] - 1 - end) > 0:
            self._scroll_by_hand(self.scroll_offset.y + min(hidden, INNER_STEP))
        elif index == self._newest or (index + 1 == self._newest and not self._growing):
            self._go_to_newest()
        else:
            self._go_to(index + 1)

    def _go_to_newest(self) -> None:
        newest = self._newest
        if newest is not None and self._height_of(newest) <= self.size.height:
            self.action_follow()
        elif newest is not None and self.current != newest:
            self._go_to(newest)  # its start first: it has more lines than the pane
        else:
            self.action_follow()

    def action_page_up(self) -> None:
        if self.scroll_offset.y > 0:
            self.scroll_page_up(animate=False)
        elif self._newest is not None:
            self._go_to(0)

    def action_page_down(self) -> None:
        if self.scroll_offset.y < self.max_scroll_y:
            self.scroll_page_down(animate=False)
        else:
            self.action_follow()

    def action_scroll_home(self) -> None:
        if self._newest is not None:
            self._go_to(0)

    def _keep_current_in_sight(self) -> None:
        """Whoever scrolls takes the current message along."""
        newest = self._newest
        if newest is None or self.follows:
            return
        index = min(self._cursor, newest)
        if not self._lines_in_sight(index):
            top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.size.height - 1
            line = top if self._starts[index] < top else bottom
            index = min(newest, max(0, bisect_right(self._starts, line) - 1))
            if index < newest and not self._lines_in_sight(index):
                index += 1  # the line at the edge is the blank one
            self._cursor = index
        self._show_current()

    def on_click(self, event: events.Click) -> None:
        """A click points at a message; one that ends a selection does not."""
        newest = self._newest
        if newest is None or self.text_selection:
            return
        index = bisect_right(self._starts, self.scroll_offset.y + event.y) - 1
        if index < newest or (index == newest and not self.follows):
            self._go_to(index)

    def on_focus(self) -> None:
        self._draw_block(self.current)

    def on_blur(self) -> None:
        self._draw_block(self.current)

    # Lines -------------------------------------------------------------------------------------

    @property
    def _text_width(self) -> int:
        return max(2, min(WIDEST, self.scrollable_content_region.width - MARGIN - 1))

    def _lay_out(self, first: int, before: list[str] | None = None) -> None:
        """Wrap the blocks from ``first`` on and draw what changed."""
        width = self._text_width
        del self._starts[first + 1 :]
        for block in self._blocks[first:]:
            self._starts.append(self._starts[-1] + len(block.wrapped(width)))
        self._laying_out = True
        self.virtual_size = Size(0, self._starts[-1])
        if self.follows:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        self._laying_out = False
        self._draw(first, before)

    def _draw(self, first: int, before: list[str] | None) -> None:
        start = self._starts[min(first, len(self._starts) - 1)]
        if before is not None:
            after = self._blocks[first].lines
            same = 0
            while same < min(len(before), len(after)) and before[same] == after[same]:
                same += 1
            self.refresh_lines(start + same, max(len(before), len(after)) - same + 1)
        else:
            self.refresh_lines(start, max(self.size.height, self._starts[-1] - start) + 1)

    def on_resize(self) -> None:
        self._lay_out(0)
        self.refresh()

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._laying_out:  # a text that got shorter is nobody scrolling away
            return
        at_end = round(new_value) >= self.max_scroll_y
        if new_value < old_value and not at_end:
            self._set_follows(False)
        elif at_end:
            self._set_follows(True)
        self._keep_current_in_sight()

    def _set_follows(self, follows: bool) -> None:
        if follows != self.follows:
            self._cursor = self.current or 0
            self.follows = follows
            self.post_message(self.FollowChanged(follows))

    def action_follow(self) -> None:
        self._set_follows(True)
        self.scroll_end(animate=False)
        self._show_current()

    def _colour_style(self, name: str, *, bold: bool = False) -> RichStyle:
        key = f"{name}|{bold}"
        if key not in self._styles:
            style = self.rich_style
            if colour := self._colours.get(name):
                style += RichStyle(color=colour)
            self._styles[key] = style + RichStyle(bold=bold)
        return self._styles[key]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        if not self._blocks:
            return self._hint_line(y, width)
        line = self.scroll_offset.y + y
        if line >= self._starts[-1]:
            return Strip.blank(width, base)
        index = bisect_right(self._starts, line) - 1
        block = self._blocks[index]
        inner = line - self._starts[index]
        text = block.lines[inner] if inner < len(block.lines) else ""
        if inner == len(block.lines) - 1:
            return Strip.blank(width, base)
        is_current = self.has_focus and index == self.current
        mark = CURRENT_BAR if is_current else BAR
        bar = Segment(f"{mark} ", self._colour_style(block.name, bold=is_current))
        if inner == 0:
            strip = self._header(block, base)
        else:
            strip = Strip(self._body(text, line, block.growing, base)).apply_offsets(0, line)
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

    def _body(self, text: str, line: int, growing: bool, base: RichStyle) -> list[Segment]:
        selection = self.text_selection
        span = selection.get_span(line) if selection else None
        if span is not None:
            start, end = span
            end = len(text) if end == -1 else end
            chosen = base + self.screen.get_component_rich_style("screen--selection")
            return [
                Segment(text[:start], base),
                Segment(text[start:end], chosen),
                Segment(text[end:], base),
            ]
        if growing and text.endswith(CURSOR):
            cursor = self.get_component_rich_style("transcript--cursor")
            return [Segment(text[:-1], base), Segment(CURSOR, cursor)]
        return [Segment(text, base)]

    def _hint_line(self, y: int, width: int) -> Strip:
        top = max(1, (self.size.height - len(self._hint)) // 3)
        if not top <= y < top + len(self._hint):
            return Strip.blank(width, self.rich_style)
        content = self._hint[y - top].truncate(max(1, width - 5), ellipsis=True)
        segments = content.render_segments(self.visual_style)
        return Strip([Segment("    ", self.rich_style), *segments]).adjust_cell_length(
            width, self.rich_style
        )

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract(self.plain_text()), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()
