"""Draws two discussions side by side: a scroll view over lines that a thread has laid out."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import work
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ...analysis.compare import align, setup_differences
from ...analysis.recorded_changes import recorded_changes
from ...discussion import DiscussionRecord
from ...text import one_line
from .comparison_lines import ComparisonLayout, lay_out

MIN_WIDTH_SIDE_BY_SIDE = 72
"""Cells below which one discussion stands below the other."""

Both = tuple[DiscussionRecord, DiscussionRecord]


class ComparisonView(ScrollView, can_focus=True):
    """Shows two discussions under what differs in their setups; both sides scroll together.

    At its end it follows the messages to come.
    """

    COMPONENT_CLASSES = {"side--quiet", "side--mark"}

    def __init__(self, colours: dict[str, str]) -> None:
        super().__init__()
        self._both: Both | None = None
        self._width = 0
        self._is_laying_out = False
        self._colours = {one_line(name, 40): colour for name, colour in colours.items()}
        self._layout_shown = ComparisonLayout((), 0)
        self._styles: dict[str, RichStyle] = {}

    def show(self, a: DiscussionRecord, b: DiscussionRecord) -> None:
        """Show two discussions, or their newer states."""
        self._both = (a, b)
        self._begin_layout()

    def on_resize(self) -> None:
        width = max(8, self.scrollable_content_region.width)
        if width != self._width:
            self._width = width
            self._begin_layout()

    def _begin_layout(self) -> None:
        if self._both and self._width and not self._is_laying_out:
            self._is_laying_out = True
            self._lay_out(self._both, self._width)

    @work(thread=True, exit_on_error=False)
    def _lay_out(self, both: Both, width: int) -> None:
        a, b = both
        differences = setup_differences(a.setup, b.setup)
        layout = lay_out(
            [each for each in differences if each.field != "title"],  # the titles are on top
            align(a.entries, b.entries),
            width,
            stacked=width < MIN_WIDTH_SIDE_BY_SIDE,
            changes=(recorded_changes(a), recorded_changes(b)),
        )
        self.app.call_from_thread(self._show_layout, layout, both, width)

    def _show_layout(self, layout: ComparisonLayout, both: Both, width: int) -> None:
        self._is_laying_out = False
        if width == self._width:
            follows = 0 < self.max_scroll_y <= self.scroll_offset.y
            self._layout_shown = layout
            self.virtual_size = Size(0, len(layout.lines))
            self.refresh()
            if follows:
                self.action_scroll_end()
        if width != self._width or both is not self._both:
            self._begin_layout()

    # Without animation: gliding over ten thousand messages takes a second.

    def action_page_up(self) -> None:
        self.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        self.scroll_page_down(animate=False)

    def action_scroll_home(self) -> None:
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        self.scroll_end(animate=False)

    def scroll_to_first_difference(self) -> None:
        """Scroll to the first message that differs."""
        self.scroll_to(y=max(0, self._layout_shown.first_difference - 1), animate=False)

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width, index = self.size.width, self.scroll_offset.y + y
        if index >= len(self._layout_shown.lines):
            return Strip.blank(width, self.rich_style)
        spans = self._layout_shown.lines[index]
        segments = [Segment(text, self._style(style)) for text, style in spans]
        return Strip(segments).adjust_cell_length(width, self.rich_style).simplify()

    def _style(self, name: str) -> RichStyle:
        if name in self._styles:
            return self._styles[name]
        style = self.rich_style
        if name in ("quiet", "mark"):
            style = self.get_component_rich_style(f"side--{name}")
        elif name == "strong":
            style += RichStyle(bold=True)
        elif name.startswith("@"):
            colour = self._colours.get(name[1:].removesuffix("!"))
            style += RichStyle(color=colour, bold=name.endswith("!"))
        self._styles[name] = style
        return style
