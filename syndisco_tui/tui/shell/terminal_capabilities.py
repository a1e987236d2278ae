"""What a terminal cannot do: show colours enough to tell one shade from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App
    from textual.theme import Theme


FEW = (None, "standard", "windows")
"""Rich's names of colour systems of sixteen colours or fewer."""


def has_few_colours(app: App[Any]) -> bool:
    """Whether form must tell what shade tells elsewhere.

    With sixteen colours or fewer, with none (``NO_COLOR``), and with a theme of the terminal's own.
    """
    few = app.console.color_system in FEW
    return app.no_color or few or has_terminals_colours(app.current_theme)


def has_terminals_colours(theme: Theme) -> bool:
    """Whether the theme is drawn in the terminal's own sixteen colours."""
    return theme.primary.startswith("ansi_")
