"""Whether the terminal has so few colours that form must tell what shade tells elsewhere."""

from __future__ import annotations

from typing import Any

from textual.app import App


def has_few_colours(app: App[Any]) -> bool:
    """Sixteen colours or fewer, or none wanted (``NO_COLOR``)."""
    return app.no_color or app.console.color_system in (None, "standard")
