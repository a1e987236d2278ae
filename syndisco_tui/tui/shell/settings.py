"""The settings: a row for each field of the schema, changed in place, saved in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, get_args

from pydantic.fields import FieldInfo
from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ...text import one_line, safe
from ...workspace.folders import abbreviate_home
from ...workspace.inputs import InputError
from ...workspace.settings import Settings, UserSettings
from ..setup.value_descriptions import VALUE_DESCRIPTIONS
from ..widgets.editable_rows import EditableRows
from ..widgets.forms import bring_back, can_bring_back, forget_discarded
from ..widgets.key_line import KeyLine
from ..widgets.value_list_dialog import ValueListDialog
from .screen import AppDialog

Descriptions = Mapping[str, str]
"""Values, each with what it does."""
_OTHER_VALUE = ("another …", "type it")


class SettingsChanged(Message):
    """For the app: the setting ``key`` has another value now."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class SettingsList(EditableRows):
    """A row for each setting: its title, its value, where that comes from, and a note below."""

    HELP = """Settings
    Each row shows the value in force and where it comes from: a flag of the command line, an
    environment variable, the settings file or the default. Changes are saved in the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", "change", key_display="⏎"),
        Binding("right,space", "turn(1)", "next value", key_display="→"),
        Binding("left", "turn(-1)", "previous value", show=False),
        Binding("delete,backspace", "reset", "default", key_display="del"),
        Binding("u", "bring_back", "undo discard"),
        Binding("escape,q", "screen.dismiss(None)", "back", key_display="esc"),
    ]
    label_width = 17

    def __init__(self, user_settings: UserSettings, themes: Descriptions, theme_note: str) -> None:
        super().__init__()
        self._user_settings = user_settings
        self._themes = themes
        self._theme_note = theme_note
        self._settings = user_settings.read()
        self._origins = user_settings.origins()
        self._keys = list(Settings.model_fields)
        self._notes: dict[str, str] = {}
        """What is wrong with a setting, or keeps it from taking effect, by its key."""

    def on_mount(self) -> None:
        self.update_rows()
        self.post_message(self.Highlighted())

    @property
    def key(self) -> str:
        """The key of the highlighted setting."""
        return self._keys[self.highlighted_row]

    @property
    def field(self) -> FieldInfo:
        """The highlighted setting as the schema has it."""
        return Settings.model_fields[self.key]

    # Rows --------------------------------------------------------------------------------------

    @property
    def row_count(self) -> int:
        return len(self._keys)

    def row_height(self, index: int) -> int:
        return super().row_height(index) + len(self._note_lines(index))

    def _note_lines(self, index: int) -> list[Content]:
        note = self._notes.get(self._keys[index], "")
        if not note or self.is_edited(index):
            return []
        lines = Content(safe(note)).wrap(max(1, self.size.width - self.label_width))
        indent = " " * self.label_width
        return [Content.assemble(indent, line).stylize("$error") for line in lines]

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        key = self._keys[index]
        label = set_cell_size(one_line(self.row_label(index)), self.label_width)
        value = getattr(self._settings, key)
        text = _in_words(value)
        if isinstance(value, dict):
            text = f"{len(value)} changed" if value else "none changed"
        room = max(0, width - self.label_width - self.width_beside(index))
        shown = "" if self.is_edited(index) else one_line(text, max(1, room))
        line = Content.assemble(
            Content.styled(label, "$foreground" if is_highlighted else "$quiet"),
            set_cell_size(shown, room),
            Content.styled(f"  {self._origin(index)}", "$quiet"),
        )
        return [line, *self._note_lines(index)]

    def _origin(self, index: int) -> str:
        return one_line(self._origins[self._keys[index]], 30)

    def width_beside(self, index: int) -> int:
        return cell_len(self._origin(index)) + 2

    def row_label(self, index: int) -> str:
        key = self._keys[index]
        return Settings.model_fields[key].title or key

    def row_text(self, index: int) -> str:
        return str(getattr(self._settings, self._keys[index]))

    def error_of(self, index: int, text: str) -> str:
        return self._user_settings.error_of(self._keys[index], text) or ""

    def save_text(self, index: int, text: str) -> str:
        return self._save(self._keys[index], text)

    # Keys --------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "turn" and not self._only_values:
            return False
        if action == "bring_back":
            return can_bring_back(self.app)
        return super().check_action(action, parameters)

    @property
    def _values(self) -> Descriptions:
        """The values of the highlighted setting that can be listed, each with what it does."""
        if self.key == "theme":
            return self._themes
        descriptions = VALUE_DESCRIPTIONS.get(self.key, {})
        values: tuple[str, ...] = tuple(descriptions)
        if self.field.annotation is bool:
            values = (_in_words(False), _in_words(True))
        elif get_args(self.field.annotation):
            literals = get_args(self.field.annotation)
            values = tuple(value for value in literals if isinstance(value, str))
        return {value: descriptions.get(value, "") for value in values}

    @property
    def _takes_text(self) -> bool:
        """Whether other values than the listed ones can be typed."""
        return self.field.annotation in (str, int) and self.key != "theme"

    @property
    def _only_values(self) -> tuple[str, ...]:
        """The values of a setting that takes no others; none where others can be typed."""
        return () if self._takes_text else tuple(self._values)

    def action_turn(self, direction: int) -> None:
        values = self._only_values
        value = _in_words(getattr(self._settings, self.key))
        position = values.index(value) if value in values else -direction
        self._save_highlighted(values[(position + direction) % len(values)])

    async def action_edit(self) -> None:
        """List the values of the setting, or let one be typed."""
        if isinstance(getattr(self._settings, self.key), dict):
            self._note(
                self.key, f"edit these in {self._user_settings.file.name}, under [{self.key}]"
            )
        elif self._values:
            self._open_values()
        else:
            await self.edit(self.highlighted_row)

    def _open_values(self) -> None:
        values = list(self._values.items())
        if self._takes_text:
            values.append(_OTHER_VALUE)
        in_force = _in_words(getattr(self._settings, self.key))
        other = len(values) - 1 if self._takes_text else None
        current = next((n for n, (value, _) in enumerate(values) if value == in_force), other)

        async def chosen(index: int | None) -> None:
            if index is None:
                return
            if values[index] == _OTHER_VALUE:
                await self.edit(self.highlighted_row)
            else:
                self._save_highlighted(values[index][0])

        note = self._theme_note if self.key == "theme" else ""
        title = self.row_label(self.highlighted_row)
        self.app.push_screen(ValueListDialog(title, values, current, note=note), chosen)

    def action_bring_back(self) -> None:
        bring_back(self.app)

    def action_reset(self) -> None:
        """Take the setting out of the file: back to the default."""
        self._save_highlighted(None)

    def _save_highlighted(self, value: object) -> None:
        if error := self._save(self.key, value):
            self._note(self.key, error)

    def _note(self, key: str, note: str) -> None:
        self._notes = {key: note}
        self.update_rows()

    def _save(self, key: str, value: object) -> str:
        """Write a setting, show the value in force and let it take effect. Returns the error."""
        before = getattr(self._settings, key)
        try:
            lost_comments = self._user_settings.save(key, value)
            self._settings = self._user_settings.read()
        except (OSError, InputError) as error:
            return f"{getattr(error, 'strerror', None) or error}"
        self._origins = self._user_settings.origins()
        self._notes.clear()
        forget_discarded(self.app)
        origin = self._origins[key]
        if value is not None and origin != "file":
            self._notes[key] = f"saved in the file; {origin} overrides it for now"
        elif getattr(self._settings, key) != before:
            self.post_message(SettingsChanged(key))
        if lost_comments:
            self.notify("Comments in the settings file were lost.", timeout=6)
        self.update_rows()
        return ""


def _in_words(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


class SettingsScreen(AppDialog[None]):
    """Shows ``user_settings`` and changes them.

    ``themes`` are offered, each with what it is; ``theme_note`` is said below their list.
    """

    def __init__(
        self, user_settings: UserSettings, themes: Descriptions, theme_note: str = ""
    ) -> None:
        super().__init__()
        self._user_settings = user_settings
        self._themes = themes
        self._theme_note = theme_note

    def compose(self) -> ComposeResult:
        with Vertical(id="settings", classes="dialog"):
            with Horizontal(id="settings-title"):
                yield Static("Settings", classes="dialog-title", markup=False)
                file = one_line(abbreviate_home(self._user_settings.file), 120)
                yield Static(Content(file), id="settings-file")
            yield SettingsList(self._user_settings, self._themes, self._theme_note)
            yield Static("", id="setting-about")
            yield KeyLine()

    @on(SettingsList.Highlighted)
    def _describe(self) -> None:
        """Say what the highlighted setting does, and when a change of it applies."""
        field = self.query_one(SettingsList).field
        extra = field.json_schema_extra
        applies = extra.get("applies") if isinstance(extra, dict) else None
        text = Content.assemble(
            Content(safe(f"{field.description}.  ")),
            Content.styled(f"Applies {applies or 'at the next start'}.", "$quiet"),
        )
        self.query_one("#setting-about", Static).update(text)
        self.refresh_bindings()
