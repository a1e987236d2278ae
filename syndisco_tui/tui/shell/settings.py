"""The settings: a row for each field of the schema, changed in place, saved in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, get_args

from pydantic.fields import FieldInfo
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from ...text import one_line, safe
from ...workspace.folders import abbreviate_home
from ...workspace.inputs import InputError
from ...workspace.settings import Settings, UserSettings
from ..setup.value_descriptions import VALUE_DESCRIPTIONS
from ..widgets.forms import discard_question
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput
from ..widgets.value_list_dialog import ValueListDialog
from .screen import AppDialog

Values = Mapping[str, str]
"""Values, each with what it does."""
_ANOTHER = ("another …", "type it")


class _ValueEditor(SafeInput):
    """The value being typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "cancel", key_display="esc"),
        Binding("enter,ctrl+s,tab", "leave(True)", "save", key_display="⏎"),
        Binding("up,down,shift+tab", "leave(True)", show=False),
    ]

    class Left(Message):
        """The editor is to be closed; ``saves`` says whether what it holds is to be saved.

        ``blurred``: another widget has the focus. What is faulty is then discarded.
        """

        def __init__(self, *, saves: bool, blurred: bool = False) -> None:
            super().__init__()
            self.saves = saves
            self.blurred = blurred

    def action_leave(self, saves: bool) -> None:
        self.post_message(self.Left(saves=saves))

    def on_blur(self) -> None:
        self.post_message(self.Left(saves=True, blurred=True))


class SettingRow(Widget):
    """One setting: its title, its value or its editor, where it comes from, what is wrong."""

    def __init__(self, key: str, field: FieldInfo, values: Values) -> None:
        super().__init__()
        self.key = key
        self.field = field
        self.values = values
        self.error = ""

    @property
    def takes_text(self) -> bool:
        """Whether other values than the listed ones can be typed."""
        return self.field.annotation in (str, int) and self.key != "theme"

    @property
    def choices(self) -> tuple[str, ...]:
        """The only values there are; none where others can be typed."""
        return () if self.takes_text else tuple(self.values)

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row-line"):
            yield Static(safe(self.field.title or self.key), classes="setting-label", markup=False)
            yield Static("", classes="setting-value")
            yield Static("", classes="setting-origin")
        yield Static("", classes="row-error")

    def show(self, value: object, origin: str) -> None:
        """Show the value in force and where it comes from."""
        if isinstance(value, dict):
            text = f"{len(value)} changed" if value else "none changed"
        else:
            text = _in_words(value)
        self.query_one(".setting-value", Static).update(Content(one_line(text, 60)))
        self.query_one(".setting-origin", Static).update(Content(one_line(origin, 30)))

    def say(self, error: str) -> None:
        """Show what is wrong with the value; nothing, if ``error`` is empty."""
        self.error = error
        self.query_one(".row-error", Static).update(Content(safe(error)))
        self.set_class(bool(error), "-faulty")

    def jump_here(self) -> None:
        self.screen.query_one(SettingsList).go_to(self)


class SettingsList(VerticalScroll, can_focus=True, can_focus_children=True):
    """The rows, with a cursor."""

    HELP = """Settings
    Each row shows the value in force and where it comes from: a flag of the command line, an
    environment variable, the settings file or the default. Changes are saved in the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("home", "move(-100)", show=False),
        Binding("end", "move(100)", show=False),
        Binding("enter", "open", "change", key_display="⏎"),
        Binding("right,space", "turn(1)", "next value", key_display="→"),
        Binding("left", "turn(-1)", "previous value", show=False),
        Binding("delete,backspace", "forget", "default", key_display="del"),
        Binding("u", "bring_back", "undo discard"),
        Binding("escape,q", "screen.dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(self, user_settings: UserSettings, themes: Values, note: str) -> None:
        super().__init__()
        self._user_settings = user_settings
        self._note = note
        self._settings = user_settings.read()
        self._cursor = 0
        self._discarded: tuple[SettingRow, str] | None = None
        self.rows = [
            SettingRow(key, field, themes if key == "theme" else _values(key, field))
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
        return self.rows[self._cursor]

    def go_to(self, row: SettingRow) -> None:
        """Put the cursor on ``row``."""
        self._cursor = self.rows.index(row)
        self._mark()
        self.focus()

    def _show(self) -> None:
        origins = self._user_settings.origins()
        for row in self.rows:
            row.show(getattr(self._settings, row.key), origins[row.key])
            row.say("")

    def _mark(self) -> None:
        for index, row in enumerate(self.rows):
            row.set_class(index == self._cursor, "-cursor")
        self.row.scroll_visible(animate=False)
        self.post_message(SettingsScreen.Moved(self.row))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "turn":
            return bool(self.row.choices)
        if action == "bring_back":
            return self._discarded is not None
        return True

    def action_move(self, steps: int) -> None:
        self._cursor = max(0, min(len(self.rows) - 1, self._cursor + steps))
        self._mark()

    def action_turn(self, direction: int) -> None:
        row = self.row
        if row.choices:
            value = _in_words(getattr(self._settings, row.key))
            place = row.choices.index(value) if value in row.choices else -direction
            self._save(row, row.choices[(place + direction) % len(row.choices)])

    async def action_open(self) -> None:
        """List the values of the row, or let one be typed."""
        row = self.row
        if isinstance(getattr(self._settings, row.key), dict):
            row.say(f"edit these in {self._user_settings.file.name}, under [{row.key}]")
        elif row.values:
            self._open_list(row)
        else:
            await self._edit(row)

    def _open_list(self, row: SettingRow) -> None:
        values = list(row.values.items())
        if row.takes_text:
            values.append(_ANOTHER)
        in_force = _in_words(getattr(self._settings, row.key))
        last = len(values) - 1 if row.takes_text else None
        current = next((n for n, (value, _) in enumerate(values) if value == in_force), last)

        async def chosen(index: int | None) -> None:
            if index is None:
                return
            if values[index] == _ANOTHER:
                await self._edit(row)
            else:
                self._save(row, values[index][0])

        note = self._note if row.key == "theme" else ""
        options = ValueListDialog(row.field.title or row.key, values, current, note=note)
        self.app.push_screen(options, chosen)

    async def _edit(self, row: SettingRow, typed: str | None = None) -> None:
        """Put an editor, with what was ``typed`` before if need be, where the value was."""
        if row.has_class("-editing"):
            return
        editor = _ValueEditor(str(getattr(self._settings, row.key)), compact=True)
        editor.add_class("row-input")
        row.add_class("-editing")
        await row.query_one(".row-line").mount(editor, after=0)
        editor.focus()
        if typed is not None:
            editor.value = typed

    async def action_bring_back(self) -> None:
        if self._discarded is not None:
            (row, typed), self._discarded = self._discarded, None
            self.go_to(row)
            await self._edit(row, typed)

    def action_forget(self) -> None:
        self._save(self.row, None)

    @on(Input.Changed)
    def _check(self, event: Input.Changed) -> None:
        if row := self._edited:
            row.say(self._user_settings.error_of(row.key, event.value) or "")

    @property
    def _edited(self) -> SettingRow | None:
        """The row with the editor, from which the cursor may have jumped away."""
        return next((row for row in self.rows if row.has_class("-editing")), None)

    @on(_ValueEditor.Left)
    async def _left(self, event: _ValueEditor.Left) -> None:
        row, editor = self._edited, next(iter(self.query(_ValueEditor)), None)
        if row is None or editor is None:
            return
        is_changed = editor.value != str(getattr(self._settings, row.key))
        if not is_changed or (event.saves and self._save(row, editor.value)):
            await self._close(row, editor, takes_focus=not event.blurred)
        elif event.blurred:
            row.say(f"{row.error}; discarded, u brings it back")
            await self._discard(row, editor, takes_focus=False)
        elif not event.saves:
            self._ask_to_discard(row, editor)

    def _ask_to_discard(self, row: SettingRow, editor: _ValueEditor) -> None:
        async def answered(discards: bool | None) -> None:
            if discards:
                row.say("")
                await self._discard(row, editor)

        self.app.push_screen(discard_question(self.app), answered)

    async def _discard(
        self, row: SettingRow, editor: _ValueEditor, *, takes_focus: bool = True
    ) -> None:
        self._discarded = row, editor.value
        await self._close(row, editor, takes_focus=takes_focus)

    async def _close(self, row: SettingRow, editor: _ValueEditor, *, takes_focus: bool) -> None:
        row.remove_class("-editing")
        await editor.remove()
        self.refresh_bindings()
        if takes_focus:
            self.focus()

    def _save(self, row: SettingRow, value: object) -> bool:
        """Write it, show the value in force, and let it take effect. False if it is refused."""
        before = getattr(self._settings, row.key)
        try:
            lost = self._user_settings.save(row.key, value)
            self._settings = self._user_settings.read()
        except (OSError, InputError) as error:
            row.say(f"{getattr(error, 'strerror', None) or error}")
            return False
        self._show()
        self._discarded = None
        origin = self._user_settings.origins()[row.key]
        if value is not None and origin != "file":
            row.say(f"saved in the file; {origin} overrides it for now")
        elif getattr(self._settings, row.key) != before:
            self.post_message(SettingsScreen.Saved(row))
        if lost:
            self.notify("Comments in the settings file were lost.", timeout=6)
        return True


def _in_words(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _values(key: str, field: FieldInfo) -> Values:
    """The values of a field that can be listed, each with what it does."""
    about = VALUE_DESCRIPTIONS.get(key, {})
    values: tuple[str, ...] = tuple(about)
    if field.annotation is bool:
        values = (_in_words(False), _in_words(True))
    elif get_args(field.annotation):
        values = tuple(value for value in get_args(field.annotation) if isinstance(value, str))
    return {value: about.get(value, "") for value in values}


class SettingsChanged(Message):
    """For the app: the setting ``key`` has another value now."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class SettingsScreen(AppDialog[None]):
    """Shows ``user_settings`` and changes them.

    ``themes`` are offered, each with what it is; ``note`` is said below their list.
    """

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, row: SettingRow) -> None:
            super().__init__()
            self.row = row

    class Saved(Message):
        """A setting has another value."""

        def __init__(self, row: SettingRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, user_settings: UserSettings, themes: Values, note: str = "") -> None:
        super().__init__()
        self._user_settings = user_settings
        self._themes = themes
        self._note = note

    def compose(self) -> ComposeResult:
        with Vertical(id="settings", classes="dialog"):
            with Horizontal(id="settings-title"):
                yield Static("Settings", classes="dialog-title", markup=False)
                file = one_line(abbreviate_home(self._user_settings.file), 120)
                yield Static(Content(file), id="settings-file")
            yield SettingsList(self._user_settings, self._themes, self._note)
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

    @on(Saved)
    def _saved(self, event: Saved) -> None:
        event.stop()
        self.post_message(SettingsChanged(event.row.key))
