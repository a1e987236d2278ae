"""The setup: every field of a discussion in a row, edited in place, checked as typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import ValidationError
from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from ...discussion import DiscussionSetup
from ...text import one_line, safe
from ...workspace.inputs import describe
from ..shell.actions import bindings
from ..shell.keymap import key_of
from ..widgets.forms import bring_back, discard_question, forget_discarded, remember_discarded
from .fields import FIELDS, SetupField, changed, turned
from .row import SetupRow
from .value_descriptions import VALUE_DESCRIPTIONS

LABELS, WIDEST_LABELS = 15, 20
"""Cells of the labels' column, which longer labels may widen."""
AT_ONCE = 20
"""Rows that are made at once: the fields of many personas are a hundred."""


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

    class Changed(Message):
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
        lengths = (cell_len(one_line(field.label)) for field in fields)
        longest = max((each for each in lengths if each <= WIDEST_LABELS - 2), default=0)
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
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        steps = action in ("next_value", "previous_value")
        if steps and self.row.field.kind in ("text", "long", "opinions"):
            return False
        return not ((steps or action in ("edit", "move", "undo")) and self.row.is_editing)

    def action_move(self, steps: int) -> None:
        self._at = max(0, min(len(self.rows) - 1, self._at + steps))
        self._mark()

    async def action_edit(self) -> None:
        if self.row.field.kind == "choice":
            self._open_choice(self.row.field)
        else:
            await self.row.edit()

    def _open_choice(self, field: SetupField) -> None:
        """List the values of a choice, with what each does."""
        from ..widgets.value_list_dialog import ValueListDialog  # not before the first picture

        choices = field.choices
        about = VALUE_DESCRIPTIONS.get(field.key, {})

        def chosen(index: int | None) -> None:
            if index is not None:
                self._change(changed(field, choices[index], self._setup))

        current = choices.index(getattr(self._setup, field.key))
        values = [(choice, about.get(choice, "")) for choice in choices]
        self.app.push_screen(ValueListDialog(field.label, values, current), chosen)

    def action_next_value(self) -> None:
        self._step(1)

    def action_previous_value(self) -> None:
        self._step(-1)

    def _step(self, direction: int) -> None:
        setup = turned(self.row.field, direction, self._setup)
        if setup is not None:
            self._change(setup)

    def _change(self, setup: DiscussionSetup) -> None:
        if setup != self._setup:
            forget_discarded(self.app)
            self._earlier.append(_values(self._setup))
            self._show(setup)
            self.post_message(self.Changed(setup))

    def action_undo(self) -> None:
        if bring_back(self.app):
            return
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

    @on(SetupRow.Reached)
    def _reached(self, event: SetupRow.Reached) -> None:
        event.stop()
        self.go_to(event.row)

    @on(SetupRow.Left)
    async def _left(self, event: SetupRow.Left) -> None:
        event.stop()
        row = next((row for row in self.rows if row.edits_with(event.editor)), None)
        if row is None:
            return
        if not event.saves:
            self._discard(row)
            return
        setup = row.typed()
        if setup is None and not event.blurred:
            return  # it stays open, with the error beside it
        if setup is None:
            self._remember(row)
            key = key_of(self.app, "setup.undo")
            sentence = f"{row.field.label} was discarded: {row.error}. {key} brings it back."
            self.notify(safe(sentence), severity="warning", markup=False, timeout=8)
        await row.leave()
        if setup is not None:
            self._change(setup)
        if not event.blurred:
            self.focus()

    def _discard(self, row: SetupRow) -> None:
        """Close the row's editor; ask first where something was typed."""

        async def answered(discards: bool | None) -> None:
            if discards:
                self._remember(row)
                await row.leave()
                self.focus()

        if row.is_changed:
            self.app.push_screen(discard_question(self.app), answered)
        else:
            self.call_later(answered, True)

    def _remember(self, row: SetupRow) -> None:
        """Let undo open the row again with what is typed in it."""
        typed = row.content

        def reopen() -> None:
            self.go_to(row)
            self.call_later(row.edit, typed)

        if row.is_changed:
            remember_discarded(self.app, self.screen, reopen)


def _values(setup: DiscussionSetup) -> dict[str, object]:
    """What is not a persona's: that is undone where the personas are."""
    return setup.model_dump(exclude={"personas", "moderator"})


def _without_model(values: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if key != "model"}
