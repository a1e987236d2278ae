"""What a terminal cannot do: show colours enough to tell one shade from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App


def has_few_colours(app: App[Any]) -> bool:
    """Sixteen colours or fewer, or none wanted (``NO_COLOR``): form tells what shade tells else."""
    return app.no_color or app.console.color_system in (None, "standard")
