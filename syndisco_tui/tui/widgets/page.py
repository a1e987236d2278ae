"""A page of lines that are laid out for its width."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

Lines = Sequence[Content]


class Page(Widget):
    """Shows what ``build`` makes for a width in cells, as high as it comes out.

    A wider line is cut.
    """

    DEFAULT_CSS = "Page { height: auto; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._build: Callable[[int], Lines] = lambda _width: ()
        self._lines: Lines = ()
        self._width = -1

    def show(self, build: Callable[[int], Lines]) -> None:
        """Show another page."""
        height = len(self._lines)
        self._build = build
        width, self._width = self._width, -1
        self.refresh(layout=width < 0 or len(self._laid_out(width)) != height)

    def _laid_out(self, width: int) -> Lines:
        if width != self._width:
            self._width = width
            lines = self._build(max(1, width))
            self._lines = [line.truncate(max(1, width), ellipsis=True) for line in lines]
        return self._lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._laid_out(width))

    def render(self) -> Content:
        return Content("\n").join(self._laid_out(self.content_size.width))
