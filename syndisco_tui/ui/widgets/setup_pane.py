"""The setup: every field of a discussion in a row, edited in place, checked as typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import ValidationError
from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message as Event
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from ...discussion import DiscussionSetup
from ...inputs import describe
from ...text import one_line, safe
from ..actions import bindings
from ..setup_fields import FIELDS, FieldError, SetupField, as_text, changed, turned
from .safe_input import SafeInput, SafeTextArea

LABELS, WIDEST_LABELS = 15, 20
"""Cells of the labels' column, which longer labels may widen."""
AT_ONCE = 20
"""Rows that are made at once: the fields of many personas are a hundred."""


class _LineEditor(SafeInput):
    """One line of text, in its row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "leave as it was", key_display="esc"),
        Binding("enter,ctrl+s", "leave(True)", "keep", key_display="⏎"),
        Binding("up,down,tab,shift+tab", "leave(True)", show=False),
    ]

    def action_leave(self, keep: bool) -> None:
        self.post_message(SetupRow.Left(self, keep))

    def on_blur(self) -> None:
        self.post_message(SetupRow.Left(self, keep=True, blurred=True))


class _TextEditor(SafeTextArea):
    """Several lines of text, in their row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "leave as it was", key_display="esc", priority=True),
        Binding("ctrl+s", "leave(True)", "keep", priority=True),
        Binding("tab,shift+tab", "leave(True)", show=False, priority=True),
    ]

    def action_leave(self, keep: bool) -> None:
        self.post_message(SetupRow.Left(self, keep))

    def on_blur(self) -> None:
        self.post_message(SetupRow.Left(self, keep=True, blurred=True))


class SetupRow(Widget):
    """One field: its label, its value or its editor, and what is wrong with what is typed."""

    class Left(Event):
        """The editor was left; ``keep`` says whether what it holds is to be kept.

        ``blurred``: for another place. What is faulty is then given up.
        """

        def __init__(self, editor: Input | TextArea, keep: bool, *, blurred: bool = False) -> None:
            super().__init__()
            self.blurred = blurred
            self.editor = editor
            self.keep = keep

    def __init__(self, field: SetupField, setup: DiscussionSetup, label_width: int) -> None:
        super().__init__(id=None if field.owner else f"row-{field.key}")
        self.field = field
        self._setup = setup
        self._label_width = label_width
        self._editor: _LineEditor | _TextEditor | None = None

    @property
    def is_editing(self) -> bool:
        return self._editor is not None

    def edits_with(self, editor: Input | TextArea) -> bool:
        return self._editor is editor

    def show(self, setup: DiscussionSetup) -> None:
        self._setup = setup
        self.refresh()

    def render(self) -> Content:
        """Label and value on one line, of one widget: the fields of many personas are a hundred.

        An editor stands where the value was.
        """
        label = set_cell_size(one_line(self.field.label, self._label_width), self._label_width - 1)
        return Content.assemble(label, " ", Content("") if self.is_editing else self._value())

    def _value(self) -> Content:
        text = as_text(self.field, self._setup)
        if not text.strip():
            return Content.styled("none", "$quiet")
        value = Content.styled(one_line(" ".join(text.split()), 300), "$foreground")
        if self.field.hint and self.field.kind not in ("long", "text"):
            return Content.assemble(value, Content.styled(f"  {self.field.hint}", "$quiet"))
        return value

    async def edit(self) -> None:
        """Put an editor in the place of the value."""
        if self._editor:
            return
        text = as_text(self.field, self._setup)
        if self.field.kind in ("long", "opinions"):
            area = _TextEditor(text, compact=True, soft_wrap=True, classes="row-area")
            area.move_cursor(area.document.end)
            self._editor = area
        else:
            self._editor = _LineEditor(text, compact=True, classes="row-input")
        self.add_class("-editing")
        error = Static("", classes="row-error", markup=False)
        for each in (self._editor, error):
            each.styles.margin = (0, 0, 0, self._label_width)
        await self.mount(self._editor, error)
        self._editor.focus()

    async def leave(self) -> None:
        """Take the editor away."""
        if self._editor:
            self._editor = None
            self.remove_class("-editing", "-faulty")
            await self.remove_children()

    def jump_here(self) -> None:
        """Put the pane's cursor here."""
        self.screen.query_one(SetupPane).go_to(self)

    def typed(self) -> DiscussionSetup | None:
        """The setup with what is typed; None, and the fault beside the field, if it is none."""
        if self._editor is None:
            return self._setup
        text = self._editor.text if isinstance(self._editor, TextArea) else self._editor.value
        try:
            setup = changed(self.field, text, self._setup)
        except FieldError as error:
            self._show_error(str(error))
            return None
        self._show_error("")
        return setup

    def _show_error(self, sentence: str) -> None:
        error = self.query_one(".row-error", Static)
        error.update(Content(safe(sentence)))
        self.set_class(bool(sentence), "-faulty")

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _check(self) -> None:
        self.typed()


class SetupPane(VerticalScroll, can_focus=True, can_focus_children=True):
    """All rows, with a cursor. It shows a setup and tells of the changed one."""

    HELP = """Setup
    Everything else that defines a discussion: what is discussed, who speaks when, which model
    writes and how. What you type is checked as you type it. While a discussion runs, a change
    applies from the next turn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("home", "move(-100)", show=False),
        Binding("end", "move(100)", show=False),
        Binding("pageup", "move(-8)", show=False),
        Binding("pagedown", "move(8)", show=False),
        *bindings("setup"),
    ]

    class Changed(Event):
        """The user made another setup of it."""

        def __init__(self, setup: DiscussionSetup) -> None:
            super().__init__()
            self.setup = setup

    def __init__(
        self,
        setup: DiscussionSetup,
        *,
        fields: Sequence[SetupField] = FIELDS,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._setup = setup
        self._fields = fields
        longest = max(cell_len(one_line(field.label)) for field in fields)
        self._label_width = max(LABELS, min(longest + 2, WIDEST_LABELS))
        self.rows: list[SetupRow] = []
        self._at = 0
        self._earlier: list[dict[str, object]] = []
        """What the fields held before each change."""

    def compose(self) -> ComposeResult:
        yield from self._lines(0, AT_ONCE)

    def _lines(self, first: int, end: int) -> Iterator[Widget]:
        group = self._fields[first - 1].group if first else ""
        for field in self._fields[first:end]:
            if field.group != group:
                if group:
                    yield Static("", classes="group-gap")
                group = field.group
                if field.owner:
                    yield Static(Content.styled(one_line(group, 40), "bold"))
            self.rows.append(SetupRow(field, self._setup, self._label_width))
            yield self.rows[-1]

    def on_mount(self) -> None:
        self._mark()
        self.call_after_refresh(self._add_lines)

    async def _add_lines(self) -> None:
        """What was too much for the first picture, as many rows as a key can wait for."""
        there = len(self.rows)
        if there < len(self._fields):
            await self.mount_all(self._lines(there, there + AT_ONCE))
            self.call_after_refresh(self._add_lines)

    @property
    def row(self) -> SetupRow:
        """The row under the cursor."""
        return self.rows[self._at]

    def go_to(self, row: SetupRow) -> None:
        """Put the cursor on ``row``."""
        self._at = self.rows.index(row)
        self._mark()
        self.focus()

    def show(self, setup: DiscussionSetup) -> None:
        """Show ``setup`` in all rows. Fields that changed elsewhere cannot be undone here."""
        if _without_model(_values(setup)) != _without_model(_values(self._setup)):
            self._earlier.clear()
        self._show(setup)

    def _show(self, setup: DiscussionSetup) -> None:
        self._setup = setup
        for row in self.rows:
            row.show(setup)

    def _mark(self) -> None:
        for index, row in enumerate(self.rows):
            row.set_class(index == self._at, "-cursor")
        if self._at == 0:
            self.scroll_home(animate=False)
        else:
            self.row.scroll_visible(animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action in ("edit", "turn", "move", "undo") and self.row.is_editing)

    def action_move(self, steps: int) -> None:
        self._at = max(0, min(len(self.rows) - 1, self._at + steps))
        self._mark()

    async def action_edit(self) -> None:
        if self.row.field.kind == "choice":
            self.action_turn(1)
        else:
            await self.row.edit()

    def action_turn(self, direction: int) -> None:
        setup = turned(self.row.field, direction, self._setup)
        if setup is not None:
            self._change(setup)

    def _change(self, setup: DiscussionSetup) -> None:
        if setup != self._setup:
            self._earlier.append(_values(self._setup))
            self._show(setup)
            self.post_message(self.Changed(setup))

    def action_undo(self) -> None:
        if not self._earlier:
            self.notify("Nothing to undo.", timeout=2)
            return
        try:
            values = {**self._setup.model_dump(), **self._earlier.pop()}
            setup = DiscussionSetup.model_validate(values)
        except ValidationError as error:
            sentence = safe(describe(error, DiscussionSetup))
            self.notify(sentence, severity="error", markup=False, timeout=8)
            return
        self._show(setup)
        self.post_message(self.Changed(setup))

    async def on_click(self, event: object) -> None:
        widget = getattr(event, "widget", None)
        row = next(
            (
                node
                for node in (widget.ancestors_with_self if widget else ())
                if isinstance(node, SetupRow)
            ),
            None,
        )
        if row is not None and not row.is_editing:
            again = row is self.row
            self._at = self.rows.index(row)
            self._mark()
            if again:
                await self.action_edit()

    @on(SetupRow.Left)
    async def _left(self, event: SetupRow.Left) -> None:
        event.stop()
        row = next((row for row in self.rows if row.edits_with(event.editor)), None)
        if row is None:
            return
        setup = row.typed() if event.keep else None
        if event.keep and setup is None and not event.blurred:
            return  # it stays open, with the fault beside it
        await row.leave()
        if setup is not None:
            self._change(setup)
        if not event.blurred:
            self.focus()


def _values(setup: DiscussionSetup) -> dict[str, object]:
    """What is not a persona's: that is undone where the personas are."""
    return setup.model_dump(exclude={"personas", "moderator"})


def _without_model(values: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if key != "model"}
