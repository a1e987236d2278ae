"""The transcript to read: the whole window, a comfortable width, Markdown rendered.

Widgets are dear, so only the messages around the current one have any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ...discussion import Message
from ...text import safe
from ..shell.screen import AppScreen
from ..widgets.key_line import KeyLine
from .blocks import Block, block_of
from .markdown import SafeMarkdown

MESSAGES_AROUND = 8
"""Messages before and after the current one that are there to scroll to."""
LONGEST = 12_000
"""Characters of a message that is rendered; a longer one is shown as it was written."""


class ReadMessage(Vertical):
    """One message: a header and its text."""

    def __init__(self, row: int, block: Block, colour: str) -> None:
        super().__init__()
        self.row = row
        self._block = block
        self._colour = colour

    def compose(self) -> ComposeResult:
        block = self._block
        header = [Content.styled(block.name, f"bold {self._colour}")]
        header += [
            Content.styled(f"  {note}", "$quiet") for note in (block.tag, block.note) if note
        ]
        yield Static(Content.assemble(*header), classes="read-header")
        if len(block.text) > LONGEST:
            yield Static(Content(safe(block.text)), classes="read-text")
        elif not block.silent:
            yield SafeMarkdown(block.text)

    def mark(self, is_current: bool) -> None:
        """The speaker's bar, or none."""
        self.styles.border_left = ("outer", self._colour) if is_current else None


class ReadingScreen(AppScreen[int]):
    """Shows ``rows`` of ``entries``, from the current one on; the result is the row one left at."""

    HELP = """Reading
    What was said, in the whole window and with its Markdown rendered. Page keys scroll; back in
    the transcript, the message read last is the current one."""

    CSS_PATH = "../laboratory/laboratory.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,z,q", "leave", "back", key_display="esc"),
        Binding("down,j", "go(1)", "next message", key_display="↓"),
        Binding("up,k", "go(-1)", "message before", key_display="↑"),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("pageup,b", "page(-1)", show=False),
        Binding("home", "go(-1000000000)", show=False),
        Binding("end", "go(1000000000)", show=False),
    ]

    def __init__(
        self, entries: Sequence[Message], rows: Sequence[int], row: int, colours: dict[str, str]
    ) -> None:
        super().__init__()
        self._entries = entries
        self._rows = rows
        self._row = row
        self._colours = colours

    def compose(self) -> ComposeResult:
        yield Static("", classes="batch-title", markup=False)
        yield VerticalScroll(id="read", can_focus=False)
        yield KeyLine()

    async def on_mount(self) -> None:
        await self._build()

    @property
    def _pane(self) -> VerticalScroll:
        return self.query_one("#read", VerticalScroll)

    async def _build(self) -> None:
        """Make the messages around the current one, and begin with that."""
        first = max(0, self._row - MESSAGES_AROUND)
        last = min(len(self._rows), self._row + MESSAGES_AROUND + 1)
        messages = []
        for row in range(first, last):
            block = block_of(self._entries[self._rows[row]])
            messages.append(
                ReadMessage(row, block, self._colours.get(block.name, self.styles.color.hex))
            )
        async with self.batch():
            await self._pane.remove_children()
            await self._pane.mount_all(messages)
        self.call_after_refresh(self._show_row)

    def _message(self, row: int) -> ReadMessage | None:
        return next((each for each in self.query(ReadMessage) if each.row == row), None)

    def _show_row(self) -> None:
        if (message := self._message(self._row)) is not None:
            self._pane.scroll_to_widget(message, top=True, animate=False, force=True)
        self._mark()

    def _mark(self) -> None:
        for message in self.query(ReadMessage):
            message.mark(message.row == self._row)
        place = Content.styled(f"   {self._row + 1} of {len(self._rows)}", "not bold $quiet")
        self.query_one(".batch-title", Static).update(Content.assemble("Reading", place))

    async def action_go(self, steps: int) -> None:
        """To another message; its beginning is at the top."""
        self._row = max(0, min(len(self._rows) - 1, self._row + steps))
        if self._message(self._row) is None:
            await self._build()
        else:
            self._show_row()

    async def action_page(self, direction: int) -> None:
        """A page on or back, over the edge of what is there if need be."""
        pane = self._pane
        there = [message.row for message in self.query(ReadMessage)]
        edge = pane.max_scroll_y if direction > 0 else 0
        if pane.scroll_y == edge and there:
            row = there[-1] + 1 if direction > 0 else there[0] - 1
            if 0 <= row < len(self._rows):
                self._row = row
                await self._build()
            else:
                await self.action_go(direction * len(self._rows))
            return
        pane.scroll_to(y=pane.scroll_y + direction * (pane.size.height - 1), animate=False)
        self.call_after_refresh(self._follow_scroll)

    def _follow_scroll(self) -> None:
        """The message at the top of the pane is the current one."""
        top = self._pane.scroll_offset.y
        for message in self.query(ReadMessage):
            if message.virtual_region.bottom - 1 > top:
                self._row = message.row
                break
        self._mark()

    def action_leave(self) -> None:
        self.dismiss(self._row)
