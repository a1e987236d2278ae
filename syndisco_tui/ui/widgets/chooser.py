"""One of several values on one line, changed with left and right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message as Event
from textual.widget import Widget

from ...text import one_line


class Chooser(Widget, can_focus=True):
    """Shows one of ``choices``; ``index`` is which."""

    DEFAULT_CSS = """
    Chooser { height: 1; width: 1fr; padding: 0 1; background: $surface; }
    Chooser:focus { background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "choose", key_display="←→"),
        Binding("left", "turn(-1)", show=False),
    ]

    class Changed(Event):
        """Another one was chosen."""

        def __init__(self, chooser: Chooser) -> None:
            super().__init__()
            self.chooser = chooser

        @property
        def control(self) -> Chooser:
            return self.chooser

    def __init__(self, choices: Sequence[str], index: int = 0, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choices = choices
        self.index = index

    def action_turn(self, by: int) -> None:
        self.index = (self.index + by) % len(self.choices)
        self.refresh()
        self.post_message(self.Changed(self))

    def on_click(self) -> None:
        self.action_turn(1)

    def render(self) -> Content:
        arrow = "$accent" if self.has_focus else "$quiet"
        return Content.assemble(
            Content.styled("‹ ", arrow),
            one_line(self.choices[self.index], max(1, min(60, self.content_size.width - 4))),
            Content.styled(" ›", arrow),
        )
