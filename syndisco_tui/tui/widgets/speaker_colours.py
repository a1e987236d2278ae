"""A colour for each speaker of a discussion, for dark and for light themes.

Colours follow from the record alone, so a discussion has the same ones whenever it is opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...discussion import DiscussionRecord, name_key

_ON_DARK = (
    "#7fb4ca", "#c4a0d8", "#98bb6c", "#e58f8f", "#6fc3b2", "#a8b5e8", "#d9a0c0", "#c8c093",
    "#e0a060", "#f08fd0", "#c5e05a", "#4fd0e0",
)  # fmt: skip
_ON_LIGHT = (
    "#0f6a8b", "#7a3e9d", "#3c7a1f", "#b03a3a", "#0b7a68", "#3f51a8", "#a03574", "#6f6410",
    "#a5520f", "#c2187f", "#5a7a00", "#007c91",
)  # fmt: skip
DISTINCT = len(_ON_DARK)
"""So many speakers have a colour of their own; after them the colours come again."""


class SpeakerColours:
    """The colours of the discussion that is on the screen, and of the personas at hand."""

    def __init__(self) -> None:
        self._order: dict[str, int] = {}

    def give(self, participants: Iterable[str]) -> None:
        """Give the first colours to ``participants``; whoever is asked for later comes after."""
        self._order = _ordered(participants)

    def of(self, name: str, *, dark: bool) -> str:
        """The colour of ``name``, as ``#rrggbb``."""
        number = self._order.setdefault(name_key(name), len(self._order))
        return _colour(number, dark)

    def all_of(self, names: Iterable[str], *, dark: bool) -> dict[str, str]:
        """The colours of ``names`` on the screen."""
        return {name: self.of(name, dark=dark) for name in names}

    def by_name(self, participants: Iterable[str], *, dark: bool) -> dict[str, str]:
        """The colours in a discussion of ``participants``, whichever is on the screen."""
        names = list(participants)
        order = _ordered(names)
        return {name: _colour(order[name_key(name)], dark) for name in names}


def speakers_of(*records: DiscussionRecord | None) -> tuple[str, ...]:
    """Everybody in ``records``: who took part from the start, who came later, who was quoted.

    Their order does not change while a discussion runs. None is skipped.
    """
    present = [record for record in records if record]
    names: dict[str, None] = {}
    for record in present:
        for setup in (*(earlier.setup for earlier in record.earlier_setups), record.setup):
            names |= dict.fromkeys(setup.names)
    for record in present:
        names |= dict.fromkeys(entry.name for entry in record.entries)
    return tuple(names)


def _ordered(names: Iterable[str]) -> dict[str, int]:
    order: dict[str, int] = {}
    for name in names:
        order.setdefault(name_key(name), len(order))
    return order


def _colour(number: int, dark: bool) -> str:
    colours = _ON_DARK if dark else _ON_LIGHT
    return colours[number % len(colours)]
