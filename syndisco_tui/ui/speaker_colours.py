"""A colour for every persona, told apart on dark and on light grounds."""

from __future__ import annotations

from collections.abc import Iterable

from ..discussion import name_key

_ON_DARK = (
    "#7fb4ca", "#c4a0d8", "#98bb6c", "#e58f8f", "#6fc3b2", "#a8b5e8", "#d9a0c0", "#c8c093",
)  # fmt: skip
_ON_LIGHT = (
    "#0f6a8b", "#7a3e9d", "#3c7a1f", "#b03a3a", "#0b7a68", "#3f51a8", "#a03574", "#6f6410",
)  # fmt: skip


class SpeakerColours:
    """Gives out colours in the order in which names are asked for, and keeps to it.

    After eight they come again.
    """

    def __init__(self) -> None:
        self._order: dict[str, int] = {}

    def of(self, name: str, *, dark: bool) -> str:
        """The colour of ``name``, as ``#rrggbb``."""
        number = self._order.setdefault(name_key(name), len(self._order))
        colours = _ON_DARK if dark else _ON_LIGHT
        return colours[number % len(colours)]

    def by_name(self, names: Iterable[str], *, dark: bool) -> dict[str, str]:
        """The colours of ``names``."""
        return {name: self.of(name, dark=dark) for name in names}
