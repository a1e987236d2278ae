"""The transcript: a scroll view that draws lines of messages, not a widget a message.

Each message is wrapped once per width. Only lines that changed are drawn again.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message as Event
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from ...discussion import Message
from ...session import (
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
CURSOR = "▌"
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
    """What was said, oldest first. It follows the end until somebody scrolls away."""

    HELP = """Transcript
    What was said, oldest first, as it comes. It follows the end until you scroll away."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("transcript")
    COMPONENT_CLASSES = {"transcript--tag", "transcript--hint", "transcript--cursor"}

    class FollowChanged(Event):
        """The transcript follows its end, or no longer."""

        def __init__(self, follows: bool) -> None:
            super().__init__()
            self.follows = follows

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

    def post(self, message: Message) -> None:
        """A message is final; it takes the place of the reply in the making."""
        if self._growing:
            self._blocks[-1] = block_of(message)
            self._growing = None
            self._lay_out(len(self._blocks) - 1)
        else:
            self._blocks.append(block_of(message))
            self._lay_out(len(self._blocks) - 1)

    @property
    def is_empty(self) -> bool:
        return not self._blocks

    def plain_text(self) -> str:
        """All lines as they are wrapped now."""
        return "\n".join(line for block in self._blocks for line in block.lines)

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

    def _set_follows(self, follows: bool) -> None:
        if follows != self.follows:
            self.follows = follows
            self.post_message(self.FollowChanged(follows))

    def action_follow(self) -> None:
        self._set_follows(True)
        self.scroll_end(animate=False)

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
        bar = Segment(f"{BAR} ", self._colour_style(block.name))
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
