"""The Textual app: themes, palette and the way out. What it does lives in the screens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.screen import Screen
from textual.theme import Theme

from ..inputs import InputError
from ..text import safe
from .actions import ACTIONS
from .screens.laboratory import Laboratory

LOWEST_PALETTE = 10
"""Rows that the palette needs."""
DEFAULT_THEME = "lamplight"


class SyndiscoApp(App[int]):
    """Shows ``laboratory``; ``keep_theme`` is called with the name of a theme that was chosen."""

    CSS_PATH = "app.tcss"
    TITLE = "syndisco-tui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "suspend_process", show=False)]

    def __init__(
        self,
        laboratory: Callable[[], Laboratory],
        *,
        themes: Iterable[Theme] = (),
        theme: str = DEFAULT_THEME,
        keep_theme: Callable[[str], None] | None = None,
        notices: Iterable[str] = (),
        before_leaving: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        for available in themes:
            self.register_theme(available)
        self._laboratory = laboratory
        self._keep_theme = keep_theme
        self._notices = list(notices)
        self._before_leaving = before_leaving
        if theme in self.available_themes:
            self.theme = theme
        else:
            self._notices.append(f"There is no theme “{theme}”; the default one is used.")
            if DEFAULT_THEME in self.available_themes:
                self.theme = DEFAULT_THEME
        self.crash: BaseException | None = None

    def get_css_variables(self) -> dict[str, str]:
        """The theme's variables, and ``quiet``: text that steps back, as a colour of its own."""
        variables = super().get_css_variables()
        ground = Color.parse(variables["background"])
        quiet = ground.blend(Color.parse(variables["foreground"]), 0.6).hex
        return {"quiet": quiet, **variables}

    def on_mount(self) -> None:
        self.push_screen(self._laboratory())
        if self._notices:
            self.notify(
                safe("\n".join(self._notices)), severity="warning", markup=False, timeout=12
            )
        self.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, theme: Theme) -> None:
        if self._keep_theme:
            try:
                self._keep_theme(theme.name)
            except (OSError, InputError) as error:
                sentence = f"The theme is not kept for next time: {error}"
                self.notify(safe(sentence), severity="warning", markup=False, timeout=8)

    def exit(self, *arguments: Any, **options: Any) -> None:
        if self._before_leaving:
            self._before_leaving()
        super().exit(*arguments, **options)

    async def action_quit(self) -> None:
        laboratory = next((s for s in self.screen_stack if isinstance(s, Laboratory)), None)
        if laboratory is not None:
            laboratory.action_quit()
        else:
            self.exit()

    def action_command_palette(self) -> None:
        if self.size.height < LOWEST_PALETTE:  # Textual's list fails where it has no height
            self.notify("The window is too low for the palette; ? lists all keys.", timeout=4)
        else:
            super().action_command_palette()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for action in ACTIONS:
            if action.name == "palette" or not isinstance(screen, Laboratory):
                continue
            title = action.label.capitalize()
            if action.where != "everywhere":
                title = f"{action.where.capitalize()}: {action.label}"
            command = partial(screen.run_named, f"{action.where}.{action.name}")
            yield SystemCommand(title, action.help, command)
        yield SystemCommand("Theme", "Choose the colours", self.action_change_theme)

    def _fatal_error(self) -> None:
        """Textual's crash screen prints local variables, secrets among them: say less."""
        self.bell()
        self._close_messages_no_wait()

    def _handle_exception(self, error: Exception) -> None:
        self.crash = self.crash or error
        super()._handle_exception(error)
