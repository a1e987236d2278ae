"""Draws two discussions side by side: a scroll view over lines that a thread has laid out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import work
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ...analysis.compare import Row, SetupDifference
from ...text import one_line
from ..side_by_side import Laid, lay_out

NARROWEST_BESIDE = 72
"""Cells below which one discussion stands below the other."""


class SideBySideView(ScrollView, can_focus=True):
    """Shows ``rows`` under ``differences``; both sides scroll together."""

    COMPONENT_CLASSES = {"side--quiet", "side--mark"}

    def __init__(
        self,
        differences: Sequence[SetupDifference],
        rows: Sequence[Row],
        colours: dict[str, str],
    ) -> None:
        super().__init__()
        self._differences = differences
        self._rows = rows
        self._colours = {one_line(name, 40): colour for name, colour in colours.items()}
        self._laid = Laid((), 0)
        self._laid_width = -1
        self._styles: dict[str, RichStyle] = {}

    def on_resize(self) -> None:
        width = max(8, self.scrollable_content_region.width)
        if width != self._laid_width:
            self._laid_width = width
            self._lay_out(width)

    @work(thread=True, exit_on_error=False)
    def _lay_out(self, width: int) -> None:
        stacked = width < NARROWEST_BESIDE
        laid = lay_out(self._differences, self._rows, width, stacked=stacked)
        self.app.call_from_thread(self._show, laid, width)

    def _show(self, laid: Laid, width: int) -> None:
        if width == self._laid_width:
            self._laid = laid
            self.virtual_size = Size(0, len(laid.lines))
            self.refresh()

    def to_parting(self) -> None:
        """Scroll to where the discussions part."""
        self.scroll_to(y=max(0, self._laid.parting - 1), animate=False)

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
