"""Short notices over the screen, each with one tone."""

from __future__ import annotations

from typing import Any

from textual.app import App

from ...text import safe


def tell(app: App[Any], sentence: str, *, seconds: float = 4) -> None:
    """Say what was done, in place of earlier notices."""
    app.clear_notifications()
    app.notify(safe(sentence), markup=False, timeout=seconds)


def warn(app: App[Any], sentence: str, *, seconds: float = 8) -> None:
    """Say what could not be done, and why."""
    app.notify(safe(sentence), severity="warning", markup=False, timeout=seconds)


def show_error(app: App[Any], sentence: str, *, seconds: float = 12) -> None:
    """Say what went wrong."""
    app.notify(safe(sentence), severity="error", markup=False, timeout=seconds)
