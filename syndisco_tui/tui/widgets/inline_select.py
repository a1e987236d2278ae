"""One of several values on one line: left and right step, enter lists them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from ...text import one_line


class InlineSelect(Widget, can_focus=True):
    """Shows the one of ``choices`` that ``index`` names.

    ``title`` is that of the list, in which ``about`` says what each choice does.
    """

    DEFAULT_CSS = """
    InlineSelect { height: 1; width: 1fr; padding: 0 1; background: $surface; }
    InlineSelect:focus { background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "step", key_display="←→"),
        Binding("left", "turn(-1)", show=False),
        Binding("enter", "open", "choose", key_display="⏎"),
    ]

    class Changed(Message):
        """Another choice was made, by a step or in the list."""

        def __init__(self, select: InlineSelect, *, in_list: bool = False) -> None:
            super().__init__()
            self.select = select
            self.in_list = in_list

        @property
        def control(self) -> InlineSelect:
            return self.select

    def __init__(
        self,
        choices: Sequence[str],
        index: int = 0,
        *,
        title: str = "",
        about: Sequence[str] = (),
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.choices = choices
        self.index = index
        self._title = title
        self._about = about

    def choose(self, index: int, *, in_list: bool = False) -> None:
        """Show the choice at ``index``; ``in_list``: it was chosen in the list."""
        self.index = index % len(self.choices)
        self.refresh()
        self.post_message(self.Changed(self, in_list=in_list))

    def action_turn(self, by: int) -> None:
        self.choose(self.index + by)

    def action_open(self) -> None:
        """List all choices."""
        from .value_list_dialog import ValueListDialog  # screens import this module

        about = (*self._about, *[""] * (len(self.choices) - len(self._about)))
        values = list(zip(self.choices, about, strict=True))

        def chosen(index: int | None) -> None:
            if index is not None:
                self.choose(index, in_list=True)

        self.app.push_screen(ValueListDialog(self._title or "Choose", values, self.index), chosen)

    def on_click(self, event: Click) -> None:
        self.action_open()

    def render(self) -> Content:
        arrow = "$accent" if self.has_focus else "$quiet"
        return Content.assemble(
            Content.styled("‹ ", arrow),
            one_line(self.choices[self.index], max(1, min(60, self.content_size.width - 4))),
            Content.styled(" ›", arrow),
        )
