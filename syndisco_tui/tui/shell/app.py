"""The Textual app: themes, palette and the way out. What it does lives in the screens."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.notifications import Notify
from textual.theme import Theme

from ...text import one_line, safe
from ...workspace.folders import Folders
from ...workspace.inputs import InputError
from ...workspace.model_files import Precision
from ...workspace.models import ModelSources, model_sources
from ...workspace.settings import Settings, UserSettings
from ..experiments.batches import Batches
from ..laboratory.screen import Laboratory
from ..transcript.transcript import Transcript
from ..widgets.forms import Form, RemembersDiscarded
from . import clipboard
from .actions import ACTIONS, bindings
from .jump import JumpScreen
from .keymap import Keymap, key_of, read_keymap
from .palette import Commands
from .screen import AppPalette
from .terminal_capabilities import has_few_colours
from .textual_internals import (
    QuietCrashApp,
    make_room_for_toast,
    set_clipboard,
    terminal_writer,
)
from .theme_choice import DEFAULT_THEME, offered_themes, quiet_of
from .theme_watch import ThemesRead, ThemeWatch

if TYPE_CHECKING:
    from ...discussion import DiscussionSetup
    from .settings import SettingsChanged

MOST_FAULTS = 6
LONGEST_FAULT = 400
"""Faults and characters of each that one notice tells."""
LOWEST_PALETTE = 10
"""Rows that the palette needs."""


class SyndiscoApp(RemembersDiscarded, QuietCrashApp[int]):
    """Shows ``laboratory``.

    Texts are copied into a file of ``folders`` where there is no clipboard; ``user_settings`` has
    the keymap and saves what is chosen; ``theme_folders`` are watched.
    """

    CSS_PATH = [
        "app.tcss",
        "../laboratory/laboratory.tcss",
    ]  # read with the first, it is parsed once
    TITLE = "syndisco-tui"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("app"),
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(
        self,
        laboratory: Callable[[], Laboratory],
        *,
        folders: Folders,
        themes: Iterable[Theme] = (),
        theme: str = DEFAULT_THEME,
        user_settings: UserSettings | None = None,
        theme_folders: tuple[Path, ...] = (),
        notices: Iterable[str] = (),
        before_leaving: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._is_leaving = False
        for available in themes:
            self.register_theme(available)
        self._laboratory = laboratory
        self.folders = folders
        self.user_settings = user_settings
        self.batches = Batches(self)
        self.keymap = Keymap()
        self._theme_watch = ThemeWatch(theme_folders, self.post_message) if theme_folders else None
        self._notices = list(notices)
        self._before_leaving = before_leaving
        if theme in self.available_themes:
            self.theme = theme
        else:
            self._notices.append(f"No theme is called “{theme}”; using the default.")
            if DEFAULT_THEME in self.available_themes:
                self.theme = DEFAULT_THEME

    def get_css_variables(self) -> dict[str, str]:
        """The theme's variables, and ``quiet``: text that steps back, as a colour of its own."""
        variables = super().get_css_variables()
        return {"quiet": quiet_of(variables), **variables}

    def on_mount(self) -> None:
        self.set_class(has_few_colours(self), "-few-colours")
        self._notices += self.read_keymap()
        self.push_screen(self._laboratory())
        self.say(self._notices)
        self._chosen_theme = self.theme
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        if self._theme_watch:
            self._theme_watch.start()
        self.call_after_refresh(_collect_garbage_again)

    def on_unmount(self) -> None:
        self.batches.close()
        if self._theme_watch:
            self._theme_watch.stop()

    # Keys --------------------------------------------------------------------------------------

    def read_keymap(self) -> list[str]:
        """Take over the keys that the settings want; a sentence for each that cannot be had."""
        if self.user_settings is None:
            return []
        try:
            settings = self.user_settings.read()
            self.keymap, errors = read_keymap(settings.keymap, settings.keys)
        except InputError as error:
            return [f"{error}. Keys were not changed."]
        self.set_keymap(dict(self.keymap.changed))
        return [f"{self.user_settings.file}: keys: {error}" for error in errors]

    def on_key(self, event: Key) -> None:
        """A key that nothing wanted may stand for another, or be one for every screen.

        Textual asks the app's own bindings last, and on a modal screen not at all.
        """
        if event.key in self.screen.active_bindings:
            return
        if stood_for := self.keymap.stand_ins.get(event.key):
            event.prevent_default()
            self.simulate_key(stood_for)
        elif self.screen.is_modal:
            for action in ACTIONS:
                if action.where == "app" and event.key in self.keymap.keys(action):
                    self.call_later(self.run_action, action.name, self)
        elif isinstance(self.screen, Laboratory):
            self._say_what_does_not_apply(event.key, self.screen.panes.current)

    def _say_what_does_not_apply(self, key: str, pane: str) -> None:
        """A key of an action that cannot be done now is no key without a meaning."""
        for action in ACTIONS:
            is_meant = action.where in ("everywhere", pane) and key in self.keymap.keys(action)
            if is_meant and action.name != "follow":  # the end is followed already
                sentence = safe(f"“{action.label}” does not apply now.")
                self.notify(sentence, markup=False, timeout=2)
                return

    # Themes ------------------------------------------------------------------------------------

    def _theme_changed(self, theme: Theme) -> None:
        self.set_class(has_few_colours(self), "-few-colours")
        if self.user_settings and theme.name != self._chosen_theme:
            try:
                self.user_settings.choose("theme", theme.name)
            except (OSError, InputError) as error:
                self.say([f"The theme cannot be saved: {error}"])
        self._chosen_theme = theme.name

    def exit(self, *arguments: Any, **options: Any) -> None:
        self._is_leaving = True
        if self._before_leaving:
            self._before_leaving()
        super().exit(*arguments, **options)

    async def run_action(self, *arguments: Any, **options: Any) -> bool:
        # Keys typed ahead come after the one that quits: what they open finds no screen any more.
        return not self._is_leaving and await super().run_action(*arguments, **options)

    def on_themes_read(self, event: ThemesRead) -> None:
        """A theme's file was written: show it as it is now, or say what is wrong with it."""
        before = self.current_theme
        for theme in event.themes:
            self.register_theme(theme)
        if self.current_theme != before:
            self.mutate_reactive(App.theme)
        self.say(event.faults)

    def on_settings_changed(self, event: SettingsChanged) -> None:
        """Let a changed setting take effect, if it can while the screen is up."""
        if self.user_settings is None:
            return
        if event.key == "keymap":
            self.say(self.read_keymap())
        elif event.key == "theme":
            theme = self.user_settings.read().theme
            if theme in self.available_themes:
                self._chosen_theme = theme
                self.theme = theme

    def say(self, faults: Iterable[str]) -> None:
        """What is wrong with a file, in one notice that names it once."""
        sentences = list(faults)
        lines, file = [], ""
        for sentence in sentences[:MOST_FAULTS]:
            told, (file, _, rest) = file, sentence.partition(": ")
            lines.append(one_line(rest if file == told and rest else sentence, LONGEST_FAULT))
        if more := len(sentences) - len(lines):
            lines.append(f"… and {more} more")
        if lines:
            notice = "\n".join(lines)
            self.notify(notice, severity="warning", markup=False, timeout=12)

    def on_notify(self, event: Notify) -> None:
        """Textual shows it, once there is room."""
        make_room_for_toast(self, event.notification)

    def model_sources(self, setup: DiscussionSetup) -> ModelSources:
        settings = self.user_settings.read() if self.user_settings else Settings()
        precision = Precision(setup.dtype, setup.quantization)
        return model_sources(self.folders, settings, precision, setup.server)

    # Actions -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "settings":
            return self.user_settings is not None and not self.screen.is_modal
        if action == "jump":
            return not isinstance(self.screen, JumpScreen)
        return super().check_action(action, parameters)

    def action_help(self) -> None:
        from .help import HelpScreen  # not before the first picture, as others below

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss(None)
        else:
            self.push_screen(HelpScreen(self.screen, self.keymap))

    def action_jump(self) -> None:
        self.push_screen(JumpScreen(self.screen))

    def action_settings(self) -> None:
        from .settings import SettingsScreen

        if self.user_settings is None:
            return
        try:
            self.user_settings.read()
        except InputError as error:
            self.say([f"{error}. Fix the file first."])
        else:
            self.push_screen(SettingsScreen(self.user_settings, *self._offered_themes()))

    async def action_quit(self) -> None:
        if isinstance(self.screen, Form) and self.screen.is_changed:
            self.screen.action_cancel()  # it asks
            return
        laboratory = next((s for s in self.screen_stack if isinstance(s, Laboratory)), None)
        if laboratory is not None:
            laboratory.action_quit()
        else:
            self.exit()

    def action_command_palette(self) -> None:
        if self.size.height < LOWEST_PALETTE:  # Textual's list fails where it has no height
            key = key_of(self, "app.help")
            sentence = f"The window is too small for the palette; {key} lists all keys."
            self.notify(safe(sentence), markup=False, timeout=4)
        elif not isinstance(self.screen, AppPalette):
            self.push_screen(AppPalette())  # no id: there may be one below already

    def search_themes(self) -> None:
        """List the themes that the terminal can show."""
        from ..widgets.value_list_dialog import ValueListDialog

        themes, note = self._offered_themes()
        names = list(themes)

        def chosen(index: int | None) -> None:
            if index is not None:
                self.theme = names[index]

        current = names.index(self.theme)
        self.push_screen(ValueListDialog("Theme", list(themes.items()), current, note=note), chosen)

    def _offered_themes(self) -> tuple[dict[str, str], str]:
        themes = self.available_themes.values()
        return offered_themes(themes, self.theme, self.console.color_system)

    def copy_to_clipboard(self, text: str) -> None:
        """What is selected, in a text or in an input."""
        self._copy(text, "Selection")

    @on(Transcript.Copied)
    def _copied(self, event: Transcript.Copied) -> None:
        self._copy(event.text, event.description)

    def _copy(self, text: str, what: str) -> None:
        set_clipboard(self, text)
        self._copy_outside(text, what)

    @work(thread=True, exit_on_error=False)
    def _copy_outside(self, text: str, what: str) -> None:
        write = terminal_writer(self)
        try:
            file = self.folders.copied_file
            sentence = clipboard.copy(text, what, write=write, environment=os.environ, file=file)
        except (OSError, InputError) as error:
            self.call_from_thread(
                self.notify, safe(f"Nothing was copied: {error}"), severity="error", markup=False
            )
        else:
            self.call_from_thread(self.notify, safe(sentence), timeout=4, markup=False)


def _collect_garbage_again() -> None:
    """What was made by the first picture stays: looking through it again only stalls keys.

    Neither are old objects looked through often: with 256 discussions in flight at 5,000 tokens a
    second, that held keys up for 140 ms at the 99th percentile, and for 50 to 65 ms like this.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    gc.enable()
