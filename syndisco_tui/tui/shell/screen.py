"""What every screen here is made from: it can be left only while it is in front."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.screen import ModalScreen, Screen, ScreenResultType


class AppScreen(Screen[ScreenResultType]):
    """A screen of the app."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A widget's key that is an action of its screen applies where the screen has it."""
        has_action = hasattr(self, f"action_{action}") or hasattr(self, f"_action_{action}")
        return has_action and super().check_action(action, parameters)

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leave with ``result``; nothing happens where another screen is in front.

        Textual takes away whatever is in front: a key pressed twice took the screen below too.
        """
        if self in self.app.screen_stack[-1:]:
            return super().dismiss(result)
        return AwaitComplete()


class AppDialog(ModalScreen[ScreenResultType], AppScreen[ScreenResultType]):
    """A screen over another one, which still shows."""


class AppPalette(CommandPalette, AppScreen[None]):
    """Textual's list of commands."""
