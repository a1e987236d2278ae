"""The settings in force in the app."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from textual.app import App

from ...workspace.settings import Settings, UserSettings


@runtime_checkable
class HasSettings(Protocol):
    """An app with settings; None means the defaults."""

    user_settings: UserSettings | None


def settings_of(app: App[Any]) -> Settings:
    """The settings in force in ``app``.

    Raises:
        InputError: The settings file cannot be read.
    """
    settings = app.user_settings if isinstance(app, HasSettings) else None
    return settings.read() if settings else Settings()
