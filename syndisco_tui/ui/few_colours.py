"""What a terminal cannot do: show colours enough to tell one shade from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App


FEW = (None, "standard", "windows")
"""Rich's names of colour systems of sixteen colours or fewer."""


def has_few_colours(app: App[Any]) -> bool:
    """Whether form must tell what shade tells elsewhere.

    With sixteen colours or fewer, with none (``NO_COLOR``), and with a theme of the terminal's own.
    """
    return app.no_color or app.current_theme.ansi or app.console.color_system in FEW
