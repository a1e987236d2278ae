"""The keys that apply now, on one line or, where there is no room, on two."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

GAP = 2
MOST_ROWS = 3


class KeyLine(Widget):
    """A footer drawn as text: every key stays in sight at any width, wrapped if need be."""

    DEFAULT_CSS = "KeyLine { height: auto; max-height: 3; padding: 0 2; }"

    _shown: list[list[tuple[str, str]]] | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self._keys_changed())

    def _keys_changed(self) -> None:
        """Draw the keys if they are others; lay the screen out only if they need more room."""
        rows = self._rows(self.content_size.width)
        if rows != self._shown:
            self.refresh(layout=self._shown is None or len(rows) != len(self._shown))

    def _keys(self, *first: str) -> list[tuple[str, str]]:
        """Every key that applies, those labelled ``first`` in front; help and quit come last."""
        keys: dict[str, tuple[str, str]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not (binding.show and active.enabled):
                continue
            if binding.action not in keys or binding.key_display:  # the key that is to be shown
                keys[binding.action] = (self.app.get_key_display(binding), binding.description)
        order = {"help": 1, "quit": 2}
        return sorted(keys.values(), key=lambda pair: (pair[1] not in first, order.get(pair[1], 0)))

    def _rows(self, width: int) -> list[list[tuple[str, str]]]:
        rows = self._wrapped(self._keys(), width)
        if len(rows) > MOST_ROWS:  # what is cut off must not be the way out
            rows = self._wrapped(self._keys("help", "quit"), width)[:MOST_ROWS]
        return rows

    def _wrapped(self, keys: list[tuple[str, str]], width: int) -> list[list[tuple[str, str]]]:
        rows: list[list[tuple[str, str]]] = [[]]
        used = 0
        for key, label in keys:
            needed = len(key) + 1 + len(label)
            if rows[-1] and used + GAP + needed > width:
                rows.append([])
                used = 0
            used += needed + (GAP if rows[-1] else 0)
            rows[-1].append((key, label))
        return rows

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows(width))

    def render(self) -> Content:
        lines = []
        self._shown = self._rows(self.content_size.width)
        for row in self._shown:
            parts = [
                Content.assemble(
                    Content.styled(key, "bold $footer-key-foreground"),
                    " ",
                    Content.styled(label, "$footer-description-foreground"),
                )
                for key, label in row
            ]
            lines.append(Content(" " * GAP).join(parts))
        return Content("\n").join(lines)
