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

NARROWEST_BESIDE = 72
"""Cells below which one discussion stands below the other."""

Both = tuple[DiscussionRecord, DiscussionRecord]


class ComparisonView(ScrollView, can_focus=True):
    """Shows two discussions under what differs in their setups; both sides scroll together.

    At its end it follows what is said further.
    """

    COMPONENT_CLASSES = {"side--quiet", "side--mark"}

    def __init__(self, colours: dict[str, str]) -> None:
        super().__init__()
        self._both: Both | None = None
        self._width = -1
        self._is_laying_out = False
        self._colours = {one_line(name, 40): colour for name, colour in colours.items()}
        self._laid = ComparisonLayout((), 0)
        self._styles: dict[str, RichStyle] = {}

    def show(self, a: DiscussionRecord, b: DiscussionRecord) -> None:
        """Show these two, or what has become of them."""
        self._both = (a, b)
        self._begin_to_lay_out()

    def on_resize(self) -> None:
        width = max(8, self.scrollable_content_region.width)
        if width != self._width:
            self._width = width
            self._begin_to_lay_out()

    def _begin_to_lay_out(self) -> None:
        if self._both and self._width > 0 and not self._is_laying_out:
            self._is_laying_out = True
            self._lay_out(self._both, self._width)

    @work(thread=True, exit_on_error=False)
    def _lay_out(self, both: Both, width: int) -> None:
        a, b = both
        differences = setup_differences(a.setup, b.setup)
        laid = lay_out(
            [each for each in differences if each.field != "title"],  # it stands above
            align(a.entries, b.entries),
            width,
            stacked=width < NARROWEST_BESIDE,
            on_the_way=(recorded_changes(a), recorded_changes(b)),
        )
        self.app.call_from_thread(self._laid_out, laid, both, width)

    def _laid_out(self, laid: ComparisonLayout, both: Both, width: int) -> None:
        self._is_laying_out = False
        if width == self._width:
            follows = 0 < self.max_scroll_y <= self.scroll_offset.y
            self._laid = laid
            self.virtual_size = Size(0, len(laid.lines))
            self.refresh()
            if follows:
                self.action_scroll_end()
        if width != self._width or both is not self._both:
            self._begin_to_lay_out()

    # Pages are turned at once: gliding over ten thousand messages takes a second.

    def action_page_up(self) -> None:
        self.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        self.scroll_page_down(animate=False)

    def action_scroll_home(self) -> None:
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        self.scroll_end(animate=False)

    def to_parting(self) -> None:
        """Scroll to where the discussions part."""
        self.scroll_to(y=max(0, self._laid.first_difference - 1), animate=False)

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        index = self.scroll_offset.y + y
        if index >= len(self._laid.lines):
            return Strip.blank(width, base)
        segments = [Segment(text, self._style(style)) for text, style in self._laid.lines[index]]
        return Strip(segments).adjust_cell_length(width, base).simplify()

    def _style(self, name: str) -> RichStyle:
        if name not in self._styles:
            self._styles[name] = self._made(name)
        return self._styles[name]

    def _made(self, name: str) -> RichStyle:
        base = self.rich_style
        if name in ("quiet", "mark"):
            return self.get_component_rich_style(f"side--{name}")
        if name == "strong":
            return base + RichStyle(bold=True)
        if name.startswith("@"):
            colour = self._colours.get(name[1:].removesuffix("!"))
            return base + RichStyle(color=colour, bold=name.endswith("!"))
        return base
