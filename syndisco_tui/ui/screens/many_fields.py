"""One field of many personas at once, with what changes shown before it does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import Persona
from ...text import one_line, safe
from ..cast import Cast
from ..own_screen import OwnDialog
from ..persona_fields import FieldFault, as_text, fields_of, label, value_of, with_field
from ..widgets.chooser import Chooser
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput

MOST_LINES = 5


@dataclass(frozen=True)
class FieldOfMany:
    """What is to change: ``personas`` by their index, the same field in each."""

    field: str
    personas: dict[int, Persona]


class ManyFields(OwnDialog[FieldOfMany | None]):
    """Asks for one value of a field in those taking part, all, or all like the persona ``at``."""

    HELP = """One field of many
    One value for the same field of several personas: those that take part, all, or all that are
    like the current one. What will change stands below; undo takes it back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "apply", "change them", key_display="⏎", priority=True),
        Binding("escape", "dismiss(None)", "back", key_display="esc", priority=True),
        Binding("down", "app.focus_next", "next row", key_display="↑↓", priority=True),
        Binding("up", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(self, cast: Cast, at: int, field: str) -> None:
        super().__init__()
        self._cast = cast
        self._at = at
        self._fields = fields_of(cast.personas)[1:]  # names differ
        self._field = self._fields.index(field) if field in self._fields else 0
        self._suggested = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("One field of many", classes="dialog-title", markup=False)
            with Horizontal(classes="form-row"):
                yield Static("Field", classes="form-label", markup=False)
                yield Chooser([label(field) for field in self._fields], self._field, id="field")
            with Horizontal(classes="form-row"):
                yield Static("Of", classes="form-label", markup=False)
                yield Chooser(self._groups(), 0 if self._indices(0) else 1, id="group")
            with Horizontal(classes="form-row"):
                yield Static("New value", classes="form-label", markup=False)
                yield SafeInput(compact=True, id="value", classes="form-input")
            yield Static("", id="changes")
            yield Static("", id="fault", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        self._suggest()
        self.query_one("#value").focus()
        self._look()

    @on(Chooser.Changed, "#field")
    def _suggest(self) -> None:
        """Begin with what the persona under the cursor has, ready to be typed over."""
        value = self.query_one("#value", Input)
        if value.value == self._suggested:
            value.value = as_text(value_of(self._cast.personas[self._at], self.field))
            value.action_select_all()
            self._suggested = value.value

    @property
    def field(self) -> str:
        return self._fields[self.query_one("#field", Chooser).index]

    def _indices(self, group: int) -> list[int]:
        """The personas of a group: those in the discussion, all, or those alike."""
        personas = list(enumerate(self._cast.personas))
        if group == 0:
            return [at for at, each in personas if self._cast.takes_part(each)]
        if group == 1:
            return [at for at, _ in personas]
        field = self.field
        wanted = value_of(self._cast.personas[self._at], field)
        return [at for at, each in personas if value_of(each, field) == wanted]

    def _groups(self) -> list[str]:
        taking_part, everybody = len(self._indices(0)), len(self._cast.personas)
        alike = "all that have what the one under the cursor has"
        return [f"those taking part ({taking_part})", f"all ({everybody})", alike]

    @on(Chooser.Changed)
    @on(Input.Changed)
    def _look(self) -> None:
        """Show what would change, or why it cannot."""
        fault = self.query_one("#fault", Static)
        try:
            wanted = self._wanted()
        except FieldFault as error:
            fault.update(Content(safe(str(error))))
            fault.display = True
            self.query_one("#changes", Static).update("")
            return
        fault.display = False
        self.query_one("#changes", Static).update(self._summary(wanted))

    def _wanted(self) -> FieldOfMany:
        text, field = self.query_one("#value", Input).value, self.field
        changed = {}
        for at in self._indices(self.query_one("#group", Chooser).index):
            persona = self._cast.personas[at]
            new = with_field(persona, field, text)
            if new != persona:
                changed[at] = new
        return FieldOfMany(field, changed)

    def _summary(self, wanted: FieldOfMany) -> Content:
        group = self._indices(self.query_one("#group", Chooser).index)
        before = Counter(
            _quoted(as_text(value_of(self._cast.personas[at], wanted.field)))
            for at in wanted.personas
        )
        changed = next(iter(wanted.personas.values()), None)
        new = _quoted(as_text(value_of(changed, wanted.field))) if changed else ""
        lines = [
            Content.assemble(
                Content.styled(f"{many(count)}: {label(wanted.field)} ", "$quiet"),
                old,
                Content.styled(" → ", "$accent"),
                new,
            )
            for old, count in before.most_common(MOST_LINES)
        ]
        if len(before) > MOST_LINES:
            rest = sum(count for _, count in before.most_common()[MOST_LINES:])
            lines.append(Content.styled(f"and {many(rest)} with other values", "$quiet"))
        if same := len(group) - len(wanted.personas):
            lines.append(Content.styled(f"{many(same)}: nothing changes", "$quiet"))
        return Content("\n").join(lines)

    def action_apply(self) -> None:
        try:
            wanted = self._wanted()
        except FieldFault:
            return
        self.dismiss(wanted)


def many(count: int) -> str:
    """So many personas, in words for people."""
    return "1 persona" if count == 1 else f"{count} personas"


def _quoted(text: str) -> str:
    return f"“{one_line(text, 24)}”" if text else "nothing"
