"""The transcript to read: the whole window, a comfortable width, Markdown rendered.

Mounting widgets is slow, so only the messages around the current one have any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static

from ...text import safe
from ..shell.screen import AppScreen
from ..widgets.key_line import KeyLine
from .blocks import Block

MESSAGES_AROUND = 8
"""Messages before and after the current one that are mounted."""
MAX_RENDERED_LENGTH = 12_000
"""Characters of a message that is rendered; a longer one is shown as it was written."""

_DISABLED_RULES = [
    *("link", "image", "autolink", "linkify", "reference", "html_inline", "html_block"),
    "entity",  # &#27; would become an escape character after text.py has replaced those
]


def inert_parser() -> MarkdownIt:
    """A parser that shows links as their text, and line breaks as such."""
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": False})
    parser.disable(_DISABLED_RULES, ignoreInvalid=True)
    parser.core.ruler.push("keep_line_breaks", _keep_line_breaks)
    return parser


def _keep_line_breaks(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"


class SafeMarkdown(Markdown):
    """Foreign text as Markdown: nothing in it can be followed, opened or decoded."""

    def __init__(self, text: str) -> None:
        super().__init__(safe(text), parser_factory=inert_parser, open_links=False)


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
        if len(block.text) > MAX_RENDERED_LENGTH:
            yield Static(Content(safe(block.text)), classes="read-text")
        elif block.text:
            yield SafeMarkdown(block.text)

    def mark(self, is_current: bool) -> None:
        """The speaker's bar, or none."""
        self.styles.border_left = ("outer", self._colour) if is_current else None


class ReadingScreen(AppScreen[int]):
    """Shows ``blocks`` from the one in ``row`` on; the result is the row one left at."""

    HELP = """Reading
    The messages in the whole window, their Markdown rendered. Page keys scroll; back in
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

    def __init__(self, blocks: Sequence[Block], row: int, colours: dict[str, str]) -> None:
        super().__init__()
        self._blocks = blocks
        self._row = row
        self._colours = colours

    def compose(self) -> ComposeResult:
        yield Static("", classes="batch-title", markup=False)
        yield VerticalScroll(id="read", can_focus=False)
        yield KeyLine()

    async def on_mount(self) -> None:
        await self._mount_messages()

    @property
    def _pane(self) -> VerticalScroll:
        return self.query_one("#read", VerticalScroll)

    async def _mount_messages(self) -> None:
        """Mount the messages around the current one, and show that at the top."""
        first = max(0, self._row - MESSAGES_AROUND)
        last = min(len(self._blocks), self._row + MESSAGES_AROUND + 1)
        colour = self.styles.color.hex
        async with self.batch():
            await self._pane.remove_children()
            await self._pane.mount_all(
                ReadMessage(row, block, self._colours.get(block.name, colour))
                for row, block in enumerate(self._blocks[first:last], start=first)
            )
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
        position = Content.styled(f"   {self._row + 1} of {len(self._blocks)}", "not bold $quiet")
        self.query_one(".batch-title", Static).update(Content.assemble("Reading", position))

    async def action_go(self, steps: int) -> None:
        """Go to another message; its beginning is at the top."""
        self._row = max(0, min(len(self._blocks) - 1, self._row + steps))
        if self._message(self._row) is None:
            await self._mount_messages()
        else:
            self._show_row()

    async def action_page(self, direction: int) -> None:
        """Scroll by a page; at the edge of what is mounted, mount the messages beyond it."""
        pane = self._pane
        if pane.scroll_y == (pane.max_scroll_y if direction > 0 else 0):
            mounted = [message.row for message in self.query(ReadMessage)]
            row = mounted[-1] + 1 if direction > 0 else mounted[0] - 1
            if 0 <= row < len(self._blocks):
                self._row = row
                await self._mount_messages()
            else:
                await self.action_go(direction * len(self._blocks))
            return
        pane.scroll_to(y=pane.scroll_y + direction * (pane.size.height - 1), animate=False)
        self.call_after_refresh(self._follow_scroll)

    def _follow_scroll(self) -> None:
        """Make the message at the top of the pane the current one."""
        top = self._pane.scroll_offset.y
        for message in self.query(ReadMessage):
            if message.virtual_region.bottom - 1 > top:
                self._row = message.row
                break
        self._mark()

    def action_leave(self) -> None:
        self.dismiss(self._row)
