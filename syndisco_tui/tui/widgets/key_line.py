"""The keys that apply now, on one line or, where there is no room, on two. A click presses one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from ..shell.actions import ACTIONS

GAP = 2
MOST_ROWS = 3
_PRIORITY = {action.id: position for position, action in enumerate(ACTIONS)}
_LAST = {"app.help": 1, "everywhere.quit": 2}
"""Actions at the end of a row, which are never cut off."""


@dataclass(frozen=True)
class ShownKey:
    """A key as users read it, what it does, and Textual's name of it."""

    shown: str
    label: str
    key: str
    identity: str = ""
    """The action's id; empty for one that is not in the registry."""
    is_near: bool = False
    """Whether it belongs to the focused widget, and not to the whole screen."""

    @property
    def width(self) -> int:
        """Width of key and label, in cells."""
        return len(self.shown) + 1 + len(self.label)


Row = list[ShownKey]


class KeyLine(Widget):
    """A footer that shows every key at any width, wrapped onto up to three lines."""

    DEFAULT_CSS = "KeyLine { height: auto; max-height: 3; padding: 0 2; }"

    LEFT_OUT: ClassVar[frozenset[str]] = frozenset({"app.settings", "app.command_palette"})
    """Actions of every screen that take no room here."""

    _shown_rows: list[Row] | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self._keys_changed())

    def _keys_changed(self) -> None:
        """Redraw if the keys changed; lay the screen out only if they need another height."""
        rows = self.rows(self.content_size.width)
        if rows != self._shown_rows:
            self.refresh(layout=self._shown_rows is None or len(rows) != len(self._shown_rows))

    def _keys(self) -> list[ShownKey]:
        """Every key that applies; help and quit come last."""
        keys: dict[str, ShownKey] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not (binding.show and active.enabled) or binding.id in self.LEFT_OUT:
                continue
            if binding.action not in keys or binding.key_display:  # the key that is to be shown
                keys[binding.action] = ShownKey(
                    self.app.get_key_display(binding),
                    binding.description,
                    binding.key,
                    binding.id or "",
                    not isinstance(active.node, Screen) and active.node is not self.app,
                )
        return sorted(keys.values(), key=lambda key: _LAST.get(key.identity, 0))

    def rows(self, width: int) -> list[Row]:
        """The keys as they are drawn at ``width`` cells."""
        keys = self._keys()
        rows = _wrapped(keys, width)
        if len(rows) > MOST_ROWS:  # what is cut off must not be the way out
            first = sorted(keys, key=lambda key: key.identity not in _LAST)
            rows = _wrapped(first, width)[:MOST_ROWS]
        return rows

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.rows(width))

    def render(self) -> Content:
        lines = []
        self._shown_rows = self.rows(self.content_size.width)
        for row in self._shown_rows:
            parts = [
                Content.assemble(
                    Content.styled(key.shown, "bold $footer-key-foreground"),
                    " ",
                    Content.styled(key.label, "$footer-description-foreground"),
                )
                for key in row
            ]
            lines.append(Content(" " * GAP).join(parts))
        return Content("\n").join(lines)

    def on_click(self, event: events.Click) -> None:
        """A click on a key presses it."""
        offset = event.get_content_offset(self)
        if offset is None or not self._shown_rows or offset.y >= len(self._shown_rows):
            return
        start = 0
        for key in self._shown_rows[offset.y]:
            if start <= offset.x < start + key.width:
                event.stop()
                self.app.simulate_key(key.key)
                return
            start += key.width + GAP


class TwoKeyLines(KeyLine):
    """One row of keys for the focused widget, one for the screen, the most important ones first.

    Keys without room are in the help and in the palette.
    """

    LEFT_OUT = frozenset()

    def rows(self, width: int) -> list[Row]:
        keys = sorted(self._keys(), key=lambda key: _PRIORITY.get(key.identity, -1))
        near = [key for key in keys if key.is_near and key.identity not in _LAST]
        last = sorted(
            (key for key in keys if key.identity in _LAST), key=lambda key: _LAST[key.identity]
        )
        others = [key for key in keys if not key.is_near and key.identity not in _LAST]
        room = width - sum(key.width + GAP for key in last)
        return [_fitting(near, width), [*_fitting(others, room), *last]]


def _fitting(keys: list[ShownKey], width: int) -> Row:
    """The first of ``keys`` that fit into ``width`` cells."""
    row: Row = []
    used = 0
    for key in keys:
        needed = key.width + (GAP if row else 0)
        if used + needed > width:
            break
        used += needed
        row.append(key)
    return row


def _wrapped(keys: list[ShownKey], width: int) -> list[Row]:
    rows: list[Row] = [[]]
    used = 0
    for key in keys:
        if rows[-1] and used + GAP + key.width > width:
            rows.append([])
            used = 0
        used += key.width + (GAP if rows[-1] else 0)
        rows[-1].append(key)
    return rows
