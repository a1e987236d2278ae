"""The form that changes one field of several personas, with a preview of the changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import Persona
from ...text import one_line
from ..widgets.forms import ErrorLine, Form, form_row
from ..widgets.inline_select import InlineSelect
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput
from .fields import FieldError, as_text, count_of_personas, fields_of, label, value_of, with_field
from .selection import PersonaSelection

MOST_LINES = 5


@dataclass(frozen=True)
class FieldOfMany:
    """The changed ``personas`` by their index, and the field that changes in each."""

    field: str
    personas: dict[int, Persona]


class _Group(Enum):
    """Which personas are to change."""

    MARKED = "marked"
    TAKING_PART = "taking part"
    ALL = "all"
    ALIKE = "all with the same value"


class ManyFields(Form[FieldOfMany | None]):
    """Asks for a field, a new value and which personas get it.

    ``highlighted`` is the index of the persona whose value is suggested, ``marked`` are indices.
    """

    HELP = """Change a field of several personas
    One value for the same field of several personas: the marked ones, those that take part, all,
    or all with the same value as the highlighted one. What will change is shown below; undo
    undoes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "apply", "save", key_display="^s", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
        Binding("down", "app.focus_next", "next row", key_display="↑↓", priority=True),
        Binding("up", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(
        self,
        selection: PersonaSelection,
        highlighted: int,
        field: str,
        marked: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self._selection = selection
        self._highlighted = highlighted
        self._marked = marked
        self._offered = tuple(group for group in _Group if marked or group is not _Group.MARKED)
        self._fields = fields_of(selection.personas)[1:]  # names differ
        self._field = self._fields.index(field) if field in self._fields else 0
        self._suggested = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Change a field of several personas", classes="dialog-title", markup=False)
            labels = [label(field) for field in self._fields]
            first = next(n for n, group in enumerate(self._offered) if self._indices(group))
            groups = InlineSelect(self._groups(), first, title="Which personas", id="group")
            yield form_row("Field", InlineSelect(labels, self._field, title="Field", id="field"))
            yield form_row("Which", groups)
            yield form_row("New value", SafeInput(compact=True, id="value", classes="form-input"))
            yield Static("", id="changes")
            yield ErrorLine()
            yield KeyLine()

    def on_mount(self) -> None:
        self._suggest()
        self.query_one("#value").focus()
        self._look()

    @on(InlineSelect.Changed, "#field")
    def _suggest(self) -> None:
        """Begin with what the highlighted persona has, ready to be typed over."""
        value = self.query_one("#value", Input)
        if value.value == self._suggested:
            value.value = as_text(self._value)
            value.action_select_all()
            self._suggested = value.value

    @property
    def field(self) -> str:
        selects = self.query("#field")  # there is none yet while the form is composed
        return self._fields[selects.first(InlineSelect).index if selects else self._field]

    @property
    def _value(self) -> object:
        """What the highlighted persona has in the field."""
        return value_of(self._selection.personas[self._highlighted], self.field)

    @property
    def is_changed(self) -> bool:
        return self.query_one("#value", Input).value != self._suggested

    def _indices(self, group: _Group) -> list[int]:
        """The indices of the personas of a group."""
        personas = list(enumerate(self._selection.personas))
        match group:
            case _Group.MARKED:
                return list(self._marked)
            case _Group.TAKING_PART:
                return [index for index, each in personas if self._selection.takes_part(each)]
            case _Group.ALL:
                return [index for index, _ in personas]
            case _Group.ALIKE:
                field, same = self.field, self._value
                return [index for index, each in personas if value_of(each, field) == same]

    def _groups(self) -> list[str]:
        """The groups as they are offered, with how many each holds."""
        return [f"{group.value} ({len(self._indices(group))})" for group in self._offered]

    @property
    def _chosen(self) -> list[int]:
        """The indices of the personas of the chosen group."""
        return self._indices(self._offered[self.query_one("#group", InlineSelect).index])

    @on(InlineSelect.Changed)
    @on(Input.Changed)
    def _look(self) -> None:
        """Show what would change, or why it cannot."""
        groups = self.query_one("#group", InlineSelect)
        groups.choices = self._groups()  # how many are alike depends on the field
        groups.refresh()
        try:
            change = self._change()
        except FieldError as error:
            self.show_error(str(error))
            self.query_one("#changes", Static).update("")
            return
        self.show_error("")
        self.query_one("#changes", Static).update(self._summary(change))

    def _change(self) -> FieldOfMany:
        text, field = self.query_one("#value", Input).value, self.field
        changed = {}
        for index in self._chosen:
            persona = self._selection.personas[index]
            new = with_field(persona, field, text)
            if new != persona:
                changed[index] = new
        return FieldOfMany(field, changed)

    def _summary(self, change: FieldOfMany) -> Content:
        before = Counter(
            _quoted(as_text(value_of(self._selection.personas[index], change.field)))
            for index in change.personas
        )
        changed = next(iter(change.personas.values()), None)
        new = _quoted(as_text(value_of(changed, change.field))) if changed else ""
        lines = [
            Content.assemble(
                Content.styled(f"{count_of_personas(count)}: {label(change.field)} ", "$quiet"),
                old,
                Content.styled(" → ", "$accent"),
                new,
            )
            for old, count in before.most_common(MOST_LINES)
        ]
        if len(before) > MOST_LINES:
            rest = sum(count for _, count in before.most_common()[MOST_LINES:])
            lines.append(
                Content.styled(f"and {count_of_personas(rest)} with other values", "$quiet")
            )
        if same := len(self._chosen) - len(change.personas):
            lines.append(Content.styled(f"{count_of_personas(same)}: no change", "$quiet"))
        return Content("\n").join(lines)

    @on(Input.Submitted)
    def action_apply(self) -> None:
        try:
            change = self._change()
        except FieldError:
            return
        self.dismiss(change)


def _quoted(text: str) -> str:
    return f"“{one_line(text, 24)}”" if text else "nothing"
