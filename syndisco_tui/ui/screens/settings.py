"""The settings: a row a field of their schema, changed in place, kept in the user's file."""

from __future__ import annotations

from typing import ClassVar, get_args

from pydantic.fields import FieldInfo
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message as Event
from textual.widget import Widget
from textual.widgets import Input, Static

from ... import paths
from ...inputs import InputError
from ...settings import Settings
from ...text import one_line, safe
from ..own_screen import OwnDialog
from ..preferences import Preferences
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput


class _ValueEditor(SafeInput):
    """The value being typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "leave as it was", key_display="esc"),
        Binding("enter,ctrl+s,tab", "leave(True)", "keep", key_display="⏎"),
        Binding("up,down,shift+tab", "leave(True)", show=False),
    ]

    class Left(Event):
        """The editor is to be closed; ``keep``: with what it holds."""

        def __init__(self, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def action_leave(self, keep: bool) -> None:
        self.post_message(self.Left(keep))

    def on_blur(self) -> None:
        self.post_message(self.Left(False))


class SettingRow(Widget):
    """One setting: its title, its value or its editor, where it comes from, what is wrong."""

    def __init__(self, key: str, field: FieldInfo, choices: tuple[str, ...]) -> None:
        super().__init__()
        self.key = key
        self.field = field
        self.choices = choices

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row-line"):
            yield Static(safe(self.field.title or self.key), classes="setting-label", markup=False)
            yield Static("", classes="setting-value")
            yield Static("", classes="setting-origin")
        yield Static("", classes="row-error")

    def show(self, value: object, origin: str) -> None:
        """Show the value and where it comes from."""
        if isinstance(value, dict):
            text = f"{len(value)} changed" if value else "none changed"
        else:
            text = _in_words(value)
        self.query_one(".setting-value", Static).update(Content(one_line(text, 60)))
        self.query_one(".setting-origin", Static).update(Content(one_line(origin, 30)))

    def say(self, fault: str) -> None:
        """Show what is wrong with the value; nothing, if ``fault`` is empty."""
        self.query_one(".row-error", Static).update(Content(safe(fault)))
        self.set_class(bool(fault), "-faulty")

    def jump_here(self) -> None:
        self.screen.query_one(SettingsList).go_to(self)


class SettingsList(VerticalScroll, can_focus=True, can_focus_children=True):
    """The rows, with a cursor."""

    HELP = """Settings
    What you prefer, run after run. A row shows the value that holds and where it comes from: a
    flag of the command line, an environment variable, the settings file or the default. What is
    changed here goes into the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("home", "move(-100)", show=False),
        Binding("end", "move(100)", show=False),
        Binding("enter", "edit", "edit", key_display="⏎"),
        Binding("right,space,enter", "turn(1)", "next choice"),
        Binding("left", "turn(-1)", "choice before", show=False),
        Binding("delete,backspace", "forget", "back to the default", key_display="del"),
        Binding("escape,q", "screen.dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(self, preferences: Preferences, themes: list[str]) -> None:
        super().__init__()
        self._preferences = preferences
        self._themes = tuple(themes)
        self._settings = preferences.settings()
        self._at = 0
        self.rows = [
            SettingRow(key, field, self._themes if key == "theme" else _choices(field))
            for key, field in Settings.model_fields.items()
        ]

    def compose(self) -> ComposeResult:
        yield from self.rows

    def on_mount(self) -> None:
        self._show()
        self._mark()

    @property
    def row(self) -> SettingRow:
        """The row under the cursor."""
        return self.rows[self._at]

    def go_to(self, row: SettingRow) -> None:
        """Put the cursor on ``row``."""
        self._at = self.rows.index(row)
        self._mark()
        self.focus()

    def _show(self) -> None:
        origins = self._preferences.origins()
        for row in self.rows:
            row.show(getattr(self._settings, row.key), origins[row.key])
            row.say("")

    def _mark(self) -> None:
        for index, row in enumerate(self.rows):
            row.set_class(index == self._at, "-cursor")
        self.row.scroll_visible(animate=False)
        self.post_message(SettingsScreen.Moved(self.row))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "turn":
            return bool(self.row.choices)
        if action == "edit":
            return not self.row.choices
        return True

    def action_move(self, steps: int) -> None:
        self._at = max(0, min(len(self.rows) - 1, self._at + steps))
        self._mark()

    def action_turn(self, direction: int) -> None:
        row = self.row
        if row.choices:
            now = _in_words(getattr(self._settings, row.key))
            at = row.choices.index(now) if now in row.choices else -direction
            self._keep(row, row.choices[(at + direction) % len(row.choices)])

    async def action_edit(self) -> None:
        row = self.row
        if isinstance(getattr(self._settings, row.key), dict):
            row.say(f"these are edited in {self._preferences.file.name}, under [{row.key}]")
        elif not row.has_class("-editing"):
            editor = _ValueEditor(str(getattr(self._settings, row.key)), compact=True)
            editor.add_class("row-input")
            row.add_class("-editing")
            await row.query_one(".row-line").mount(editor, after=0)
            editor.focus()

    def action_forget(self) -> None:
        self._keep(self.row, None)

    @on(Input.Changed)
    def _check(self, event: Input.Changed) -> None:
        if row := self._edited:
            row.say(self._preferences.fault(row.key, event.value) or "")

    @property
    def _edited(self) -> SettingRow | None:
        """The row with the editor, from which the cursor may have jumped away."""
        return next((row for row in self.rows if row.has_class("-editing")), None)

    @on(_ValueEditor.Left)
    async def _left(self, event: _ValueEditor.Left) -> None:
        row, editor = self._edited, next(iter(self.query(_ValueEditor)), None)
        if row is None or editor is None:
            return
        if event.keep and not self._keep(row, editor.value):
            return  # it stays open, with the fault beside it
        row.remove_class("-editing")
        if not event.keep:
            row.say("")
        await editor.remove()
        self.focus()

    def _keep(self, row: SettingRow, value: object) -> bool:
        """Write it, show what holds now, and let it take effect. False if it is refused."""
        before = getattr(self._settings, row.key)
        try:
            lost = self._preferences.keep(row.key, value)
            self._settings = self._preferences.settings()
        except (OSError, InputError) as error:
            row.say(f"{getattr(error, 'strerror', None) or error}")
            return False
        self._show()
        now = getattr(self._settings, row.key)
        origin = self._preferences.origins()[row.key]
        if value is not None and origin != "file":
            row.say(f"kept in the file; {origin} counts more for now")
        elif now != before:
            self.post_message(SettingsScreen.Kept(row))
        if lost:
            self.notify("Comments in the settings file could not be kept.", timeout=6)
        return True


def _in_words(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _choices(field: FieldInfo) -> tuple[str, ...]:
    if field.annotation is bool:
        return (_in_words(False), _in_words(True))
    return tuple(value for value in get_args(field.annotation) if isinstance(value, str))


class SettingsChanged(Event):
    """For the app: the setting ``key`` has another value now."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class SettingsScreen(OwnDialog[None]):
    """Shows ``preferences``, and changes them."""

    class Moved(Event):
        """The cursor is on another row."""

        def __init__(self, row: SettingRow) -> None:
            super().__init__()
            self.row = row

    class Kept(Event):
        """A setting has another value."""

        def __init__(self, row: SettingRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, preferences: Preferences, themes: list[str]) -> None:
        super().__init__()
        self._preferences = preferences
        self._themes = themes

    def compose(self) -> ComposeResult:
        with Vertical(id="settings", classes="dialog"):
            with Horizontal(id="settings-title"):
                yield Static("Settings", classes="dialog-title", markup=False)
                file = one_line(paths.shortened(self._preferences.file), 120)
                yield Static(Content(file), id="settings-file")
            yield SettingsList(self._preferences, self._themes)
            yield Static("", id="setting-about")
            yield KeyLine()

    @on(Moved)
    def _moved(self, event: Moved) -> None:
        field = event.row.field
        applies = (field.json_schema_extra or {}).get("applies", "at the next start")  # type: ignore[union-attr]
        text = Content.assemble(
            Content(safe(f"{field.description}.  ")),
            Content.styled(f"Applies {applies}.", "$quiet"),
        )
        self.query_one("#setting-about", Static).update(text)
        self.refresh_bindings()

    @on(Kept)
    def _kept(self, event: Kept) -> None:
        event.stop()
        self.post_message(SettingsChanged(event.row.key))
