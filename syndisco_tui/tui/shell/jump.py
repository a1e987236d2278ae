"""Jump mode: a letter on every place that can take the focus; its key goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key, MouseDown, Resize
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from ...text import safe
from .screen import AppDialog

MARGIN = 2  # cells beside a place, in which its letter stands
LETTERS = "asdfghjklqwertyuiopzxcvbnm1234567890ASDFGHJKLQWERTYUIOPZXCVBNM"


@runtime_checkable
class HasJumpTargets(Protocol):
    """A widget with several places to jump to, such as a list whose rows each have a letter."""

    def jump_targets(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Where the places in sight are on the screen, and what goes to each."""


@dataclass(frozen=True)
class Place:
    """Where a letter stands, and what it does."""

    at: Offset
    go: Callable[[], object]


def places(screen: Screen[object]) -> Iterator[Place]:
    """Every place in sight on ``screen``, from the top to the bottom of each column."""
    for widget in screen.walk_children(Widget):
        shown = screen.find_widget(widget).visible_region if widget.is_on_screen else None
        if not shown:
            continue
        if isinstance(widget, HasJumpTargets):
            yield from (Place(offset, go) for offset, go in widget.jump_targets())
        elif widget.focusable:
            yield Place(shown.offset, widget.focus)


class JumpScreen(AppDialog[None]):
    """Puts letters over the screen ``subject``; esc leaves everything as it is."""

    HELP = """Jump mode
    Press the letter of the place to go to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+o", "dismiss(None)", "stay where you are", key_display="esc")
    ]

    def __init__(self, subject: Screen[object]) -> None:
        super().__init__()
        self._places = dict(zip(LETTERS, places(subject), strict=False))
        self._laid_out_for = subject.size

    def compose(self) -> ComposeResult:
        for letter, place in self._places.items():
            label = Static(Content(safe(letter)), classes="jump-letter")
            label.absolute_offset = Offset(max(0, place.at.x - MARGIN), place.at.y)
            yield label
        yield Static("press a letter      esc back", id="jump-hint", markup=False)

    def on_key(self, event: Key) -> None:
        place = self._places.get(event.character or "")
        if place is not None:
            event.stop()
            event.prevent_default()
            self.dismiss(None)
            self.app.call_later(place.go)

    def on_mouse_down(self, _event: MouseDown) -> None:
        self.dismiss(None)

    def on_resize(self, event: Resize) -> None:
        """On a screen of another size the letters would stand in the wrong places."""
        if event.size != self._laid_out_for and self.is_current:
            self.dismiss(None)
