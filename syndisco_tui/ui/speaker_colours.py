"""A colour for every persona, told apart on dark and on light grounds."""

from __future__ import annotations

_ON_DARK = (
    "#7fb4ca", "#c4a0d8", "#98bb6c", "#e58f8f", "#6fc3b2", "#a8b5e8", "#d9a0c0", "#c8c093",
)  # fmt: skip
_ON_LIGHT = (
    "#0f6a8b", "#7a3e9d", "#3c7a1f", "#b03a3a", "#0b7a68", "#3f51a8", "#a03574", "#6f6410",
)  # fmt: skip


def speaker_colour(index: int, dark: bool) -> str:
    """The colour of the persona at ``index`` in the list; after eight they come again."""
    colours = _ON_DARK if dark else _ON_LIGHT
    return colours[index % len(colours)]
