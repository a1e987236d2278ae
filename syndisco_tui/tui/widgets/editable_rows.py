"""Rows whose values are edited in place: the setup's and the settings'."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus
from textual.geometry import Offset, Spacing
from textual.message import Message
from textual.widgets import Input, Static, TextArea

from ...text import safe
from ..shell.keymap import key_of
from .forms import discard_question, remember_discarded
from .row_list import RowList
from .safe_input import SafeInput, SafeTextArea


class _LineEditor(SafeInput):
    """One line of text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "cancel", key_display="esc"),
        Binding("enter,ctrl+s", "leave(True)", "save", key_display="⏎"),
        Binding("up,down,tab,shift+tab", "leave(True)", show=False),
    ]

    def action_leave(self, saves: bool) -> None:
        self.post_message(RowEditor.Left(self, saves=saves))

    def on_blur(self) -> None:
        self.post_message(RowEditor.Left(self, saves=True, is_blurred=True))


class _TextEditor(SafeTextArea):
    """Several lines of text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "cancel", key_display="esc", priority=True),
        Binding("ctrl+s", "leave(True)", "save", priority=True),
        Binding("tab,shift+tab", "leave(True)", show=False, priority=True),
    ]

    def action_leave(self, saves: bool) -> None:
        self.post_message(RowEditor.Left(self, saves=saves))

    def on_blur(self) -> None:
        self.post_message(RowEditor.Left(self, saves=True, is_blurred=True))


class RowEditor(Vertical):
    """An editor in place of a row's value; what is wrong with the text is shown below it.

    ``error_of`` gives the error of a text, or an empty string.
    """

    DEFAULT_CSS = """
    RowEditor {
        height: auto;
        & Input, & Input:focus { width: 1fr; height: 1; border: none; padding: 0; background: $panel; background-tint: transparent; }
        & TextArea, & TextArea:focus { width: 1fr; height: auto; min-height: 3; max-height: 9; border: none; padding: 0; background: $panel; background-tint: transparent; }
        & Static { display: none; color: $error; }
    }
    """  # noqa: E501

    class Left(Message):
        """The editor is to be closed; ``saves`` says whether what it holds is to be saved.

        ``is_blurred``: another widget has the focus. A text with an error is then discarded.
        """

        def __init__(
            self, field: Input | TextArea, *, saves: bool, is_blurred: bool = False
        ) -> None:
            super().__init__()
            self.field = field
            self.saves = saves
            self.is_blurred = is_blurred

    class HeightChanged(Message):
        """The editor needs more lines than before, or fewer."""

    def __init__(self, text: str, *, has_lines: bool, error_of: Callable[[str], str]) -> None:
        super().__init__()
        self._field: _LineEditor | _TextEditor
        if has_lines:
            self._field = _TextEditor(text, compact=True, soft_wrap=True)
        else:
            self._field = _LineEditor(text, compact=True)
        self._initial_text = self.text
        self._error_of = error_of
        self.error = ""

    def compose(self) -> ComposeResult:
        yield self._field
        yield Static("")

    @property
    def text(self) -> str:
        """What the editor holds."""
        return self._field.text if isinstance(self._field, TextArea) else self._field.value

    @text.setter
    def text(self, text: str) -> None:
        if isinstance(self._field, TextArea):
            self._field.text = text
        else:
            self._field.value = text

    @property
    def is_changed(self) -> bool:
        """Whether something was typed that would be lost."""
        return self.text != self._initial_text

    def take_focus(self) -> None:
        """Let the user type."""
        self._field.focus()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _check(self) -> None:
        self.show_error(self._error_of(self.text))

    def show_error(self, error: str) -> None:
        """Show what is wrong with the text; nothing, if ``error`` is empty."""
        self.error = error
        line = self.query_one(Static)
        line.update(Content(safe(error)))
        line.display = bool(error)

    def on_resize(self) -> None:
        self.post_message(self.HeightChanged())


class EditableRows(RowList):
    """Rows of a label and a value; the value of one at a time is edited in place.

    A subclass overrides ``row_label``, ``row_text``, ``error_of`` and ``save_text``.
    """

    label_width = 15
    """Cells of the labels' column."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.editor: RowEditor | None = None
        self._edited_row = 0

    # What a subclass says ----------------------------------------------------------------------

    def row_label(self, index: int) -> str:
        """What a row is called."""
        raise NotImplementedError

    def row_text(self, index: int) -> str:
        """A row's value as text to edit."""
        raise NotImplementedError

    def has_lines(self, index: int) -> bool:
        """Whether a row's value is edited in several lines."""
        return False

    def width_beside(self, index: int) -> int:
        """Cells at the right end of a row that an editor leaves free."""
        return 0

    def error_of(self, index: int, text: str) -> str:
        """What is wrong with ``text`` as the value of a row; empty if nothing is."""
        raise NotImplementedError

    def save_text(self, index: int, text: str) -> str:
        """Save a text without an error as the value of a row. Returns why that failed, or ""."""
        raise NotImplementedError

    # The editor --------------------------------------------------------------------------------

    @property
    def is_container(self) -> bool:
        """Textual lays out the editor, which is the only child there ever is."""
        return self.editor is not None

    @property
    def shows_highlight(self) -> bool:
        return super().shows_highlight or self.is_editing

    @property
    def is_editing(self) -> bool:
        """Whether the value of a row is being edited."""
        return self.editor is not None

    def is_edited(self, index: int) -> bool:
        """Whether an editor is in place of this row's value."""
        return self.is_editing and index == self._edited_row

    def row_height(self, index: int) -> int:
        if self.editor is not None and index == self._edited_row:
            return max(1, self.editor.outer_size.height)
        return 1

    async def edit(self, index: int, typed: str | None = None) -> None:
        """Put an editor in place of a row's value, with what was ``typed`` before, if anything."""
        if self.is_editing:
            return
        self.highlight(index)
        self._edited_row = index
        editor = self.editor = RowEditor(
            self.row_text(index),
            has_lines=self.has_lines(index),
            error_of=partial(self.error_of, index),
        )
        editor.styles.margin = Spacing(0, self.width_beside(index), 0, self.label_width)
        editor.styles.offset = (0, self.top_of(index))
        await self.mount(editor)
        editor.take_focus()
        if typed is not None:
            editor.text = typed
        self.refresh_bindings()

    @on(RowEditor.HeightChanged)
    def _make_room(self, event: RowEditor.HeightChanged) -> None:
        event.stop()
        self.update_rows()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self.is_editing:
            self.refresh(layout=True)  # the editor scrolls along

    @on(RowEditor.Left)
    async def _editor_left(self, event: RowEditor.Left) -> None:
        event.stop()
        editor, row = self.editor, self._edited_row
        if editor is None or editor is not event.field.parent:
            return
        error = ""
        if editor.is_changed:
            if not event.saves:
                self._ask_to_discard(row, editor.text)
                return
            error = self.error_of(row, editor.text) or self.save_text(row, editor.text)
        if error and not event.is_blurred:
            editor.show_error(error)
            return
        if error:
            self._remember(row, editor.text)
            key = key_of(self.app, "setup.undo")
            sentence = f"{self.row_label(row)} was discarded: {error}. {key} brings it back."
            self.notify(safe(sentence), severity="warning", markup=False, timeout=8)
        await self._close_editor(takes_focus=not event.is_blurred)

    async def _close_editor(self, *, takes_focus: bool) -> None:
        editor, self.editor = self.editor, None
        if editor is not None:
            await editor.remove()
        self.update_rows()
        self.refresh_bindings()
        if takes_focus:
            self.focus()

    def _ask_to_discard(self, row: int, text: str) -> None:
        async def answered(discards: bool | None) -> None:
            if discards:
                self._remember(row, text)
                await self._close_editor(takes_focus=True)

        self.app.push_screen(discard_question(self.app), answered)

    def _remember(self, row: int, text: str) -> None:
        """Let undo edit the row again with what is typed in it."""

        def reopen() -> None:
            self.focus()
            self.call_later(self.edit, row, text)

        remember_discarded(self.app, self.screen, reopen)

    # Keys --------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.is_editing

    @on(RowList.Selected)
    async def _row_selected(self) -> None:
        await self.run_action("edit")

    def on_descendant_focus(self, _event: DescendantFocus) -> None:
        self.refresh()

    def on_descendant_blur(self, _event: DescendantBlur) -> None:
        self.refresh()

    def jump_targets(self) -> Iterator[tuple[Offset, Callable[[], object]]]:
        """Where the rows in sight are on the screen, and what goes to each."""
        region = self.screen.find_widget(self).visible_region
        for index in range(self.row_count):
            offset = self.region.offset + Offset(0, self.top_of(index) - self.scroll_offset.y)
            if region.contains_point(offset):
                yield offset, partial(self._jump_to, index)

    def _jump_to(self, index: int) -> None:
        self.highlight(index)
        self.focus()
