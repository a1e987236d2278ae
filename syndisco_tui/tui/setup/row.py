"""One row of the setup: a field's label, its value, and its editor in place of the value."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from ...discussion import DiscussionSetup
from ...discussion.name_checks import outside_authors
from ...text import one_line, safe
from ..widgets.safe_input import SafeInput, SafeTextArea
from .fields import FieldError, SetupField, as_text, changed, like_it, telling_part

WIDEST_LABEL = 24
"""Cells of a label that sticks out of the labels' column."""
SHOWN_OF_TEXT = 300
"""Characters of a long text that a row draws."""


class _LineEditor(SafeInput):
    """One line of text, in its row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "cancel", key_display="esc"),
        Binding("enter,ctrl+s", "leave(True)", "save", key_display="⏎"),
        Binding("up,down,tab,shift+tab", "leave(True)", show=False),
    ]

    def action_leave(self, saves: bool) -> None:
        self.post_message(SetupRow.Left(self, saves))

    def on_blur(self) -> None:
        self.post_message(SetupRow.Left(self, saves=True, blurred=True))


class _TextEditor(SafeTextArea):
    """Several lines of text, in their row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "cancel", key_display="esc", priority=True),
        Binding("ctrl+s", "leave(True)", "save", priority=True),
        Binding("tab,shift+tab", "leave(True)", show=False, priority=True),
    ]

    def action_leave(self, saves: bool) -> None:
        self.post_message(SetupRow.Left(self, saves))

    def on_blur(self) -> None:
        self.post_message(SetupRow.Left(self, saves=True, blurred=True))


class SetupRow(Widget):
    """One field: its label, its value or its editor, and what is wrong with what is typed."""

    class Left(Message):
        """The editor was left; ``saves`` says whether what it holds is to be saved.

        ``blurred``: for another widget. What is faulty is then discarded.
        """

        def __init__(self, editor: Input | TextArea, saves: bool, *, blurred: bool = False) -> None:
            super().__init__()
            self.blurred = blurred
            self.editor = editor
            self.saves = saves

    class Reached(Message):
        """Somebody jumped to the row."""

        def __init__(self, row: SetupRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, field: SetupField, setup: DiscussionSetup, label_width: int) -> None:
        super().__init__(id=None if field.owner else f"row-{field.key}")
        self.field = field
        self._setup = setup
        self._label_width = label_width
        self._editor: _LineEditor | _TextEditor | None = None
        self._initial = ""
        self._error = ""

    @property
    def is_editing(self) -> bool:
        return self._editor is not None

    @property
    def content(self) -> str:
        """What the editor holds."""
        if self._editor is None:
            return ""
        return self._editor.text if isinstance(self._editor, TextArea) else self._editor.value

    @property
    def is_changed(self) -> bool:
        """Whether something was typed that would be lost."""
        return self.content != self._initial

    @property
    def error(self) -> str:
        """What is wrong with what is typed."""
        return self._error

    def edits_with(self, editor: Input | TextArea) -> bool:
        return self._editor is editor

    def show(self, setup: DiscussionSetup) -> None:
        self._setup = setup
        self.refresh()

    def render(self) -> Content:
        """Label and value on one line, of one widget: the fields of many personas are a hundred.

        An editor stands where the value was.
        """
        label = one_line(self.field.label, max(WIDEST_LABEL, self._label_width))
        label = set_cell_size(label, max(self._label_width - 1, cell_len(label)))
        return Content.assemble(label, " ", Content("") if self.is_editing else self._value())

    def _value(self) -> Content:
        text = as_text(self.field, self._setup)
        if not text.strip():
            return Content.styled("none", "$quiet")
        line = " ".join(text.split())
        if cell_len(line) > self.content_size.width - self._label_width:
            line = telling_part(line, like_it(self.field, self._setup))
        value = Content.styled(one_line(line, SHOWN_OF_TEXT), "$foreground")
        if self.field.kind == "opinions" and (authors := outside_authors(self._setup)):
            names = one_line(", ".join(authors), 20)
            note = f"{names} take{'s' if len(authors) == 1 else ''} no part · "
            return Content.assemble(Content.styled(note, "$warning"), value)
        if self.field.hint and self.field.kind not in ("long", "text"):
            return Content.assemble(value, Content.styled(f"  {self.field.hint}", "$quiet"))
        return value

    async def edit(self, typed: str | None = None) -> None:
        """Put an editor, with what was ``typed`` before if need be, where the value was."""
        if self._editor:
            return
        text = as_text(self.field, self._setup)
        if self.field.kind in ("long", "opinions"):
            self._editor = _TextEditor(text, compact=True, soft_wrap=True, classes="row-area")
        else:
            self._editor = _LineEditor(text, compact=True, classes="row-input")
        self._initial = self.content
        self.add_class("-editing")
        error = Static("", classes="row-error", markup=False)
        for each in (self._editor, error):
            each.styles.margin = (0, 0, 0, self._label_width)
        await self.mount(self._editor, error)
        self._editor.focus()
        if typed is None:
            return
        if isinstance(self._editor, TextArea):
            self._editor.text = typed
        else:
            self._editor.value = typed

    async def leave(self) -> None:
        """Take the editor away."""
        if self._editor:
            self._editor = None
            self.remove_class("-editing", "-faulty")
            await self.remove_children()

    def jump_here(self) -> None:
        """Ask the pane for its cursor."""
        self.post_message(self.Reached(self))

    def typed(self) -> DiscussionSetup | None:
        """The setup with what is typed; None, and the error beside the field, if it is none."""
        if self._editor is None:
            return self._setup
        try:
            setup = changed(self.field, self.content, self._setup)
        except FieldError as error:
            self._show_error(str(error))
            return None
        self._show_error("")
        return setup

    def _show_error(self, sentence: str) -> None:
        self._error = sentence
        error = self.query_one(".row-error", Static)
        error.update(Content(safe(sentence)))
        self.set_class(bool(sentence), "-faulty")

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _check(self) -> None:
        self.typed()
