"""One field of one persona on one line, at the bottom of the list."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.widgets.input import Selection

from ...discussion import Persona
from ...text import editable, one_line, safe
from ..widgets.safe_input import SafeInput
from .fields import as_text, label, value_of

LONGEST_LABEL = 18


class FieldBar(Vertical):
    """Asks for another value of a persona's field. It remembers the field.

    While the value is untouched, left and right go to another field. Tab does so at any time, and
    saves what was typed.
    """

    class Entered(Message):
        """``text`` is to be the value of ``field``.

        The bar goes ``step`` personas and ``turn`` fields further then, or closes.
        """

        def __init__(self, field: str, text: str, step: int, turn: int) -> None:
            super().__init__()
            self.field = field
            self.text = text
            self.step = step
            self.turn = turn

    class Left(Message):
        """The persona is to stay as it is; ``typed`` would be discarded, if it is not None."""

        def __init__(self, typed: str | None) -> None:
            super().__init__()
            self.typed = typed

    def __init__(self) -> None:
        super().__init__()
        self.field = "age"
        self.persona: Persona | None = None
        self._fields: tuple[str, ...] = ()
        self.steps = True
        self.display = False
        self._title = Static("", id="field-bar-title", markup=False)
        self._label = Static("", id="field-bar-label")
        self._input = _FieldInput(compact=True, id="field-bar-value")
        self._error = Static("", id="field-bar-error", markup=False)

    def open(
        self,
        persona: Persona,
        fields: tuple[str, ...],
        *,
        title: str = "",
        steps: bool = True,
        typed: str | None = None,
    ) -> None:
        """Ask about ``persona``; begin with what was ``typed`` before, if anything was.

        ``steps``: up and down go on to another persona.
        """
        if not self.children:  # the first picture waits for nothing that it does not show
            self.mount(self._title, Horizontal(self._label, self._input), self._error)
        self.persona, self._fields, self.steps = persona, fields, steps
        if self.field not in fields:
            self.field = fields[0]
        self._title.update(Content(one_line(title, 80)))
        self._title.display = bool(title)
        self.display = True
        self._show_field()
        if typed is not None:
            self._input.value = typed
        self._input.focus()

    def close(self) -> None:
        self.display = False
        self.persona = None

    def show_error(self, sentence: str) -> None:
        self._error.update(Content(safe(sentence)))
        self._error.display = bool(sentence)

    @property
    def is_untouched(self) -> bool:
        """Nothing was typed, and the cursor was not moved into the text."""
        whole = Selection(0, len(self._input.value))
        return self._input.value == self._before and self._input.selection == whole

    @property
    def _before(self) -> str:
        value = value_of(self.persona, self.field) if self.persona else None
        return editable(as_text(value)).replace("\n", " ")

    def _show_field(self) -> None:
        arrow = "$accent"
        self._label.update(
            Content.assemble(
                Content.styled("‹ ", arrow),
                one_line(label(self.field), LONGEST_LABEL),
                Content.styled(" ›", arrow),
            )
        )
        self._input.value = self._before
        self._input.selection = Selection(0, len(self._input.value))
        self._input.placeholder = _PLACEHOLDERS.get(self.field, "")
        self.show_error("")

    def turn(self, by: int) -> None:
        """Go to another field, once what was typed in this one is saved."""
        if self._input.value != self._before:
            if self.steps:
                self.post_message(self.Entered(self.field, self._input.value, 0, by))
            else:
                self.show_error("⏎ makes the copy; esc discards what you typed")
            return
        place = self._fields.index(self.field)
        self.field = self._fields[(place + by) % len(self._fields)]
        self._show_field()

    def enter(self, step: int) -> None:
        if step == 0 or self.steps:
            text = self._input.value
            if text == self._before and self.persona:  # untouched, line breaks and all
                text = editable(as_text(value_of(self.persona, self.field)))
            self.post_message(self.Entered(self.field, text, step, 0))

    def leave(self) -> None:
        typed = self._input.value
        self.post_message(self.Left(typed if typed != self._before else None))


_PLACEHOLDERS = {
    "age": "a number or words",
    "personality_characteristics": "separated by commas",
}


class _FieldInput(SafeInput):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "enter(0)", "save", key_display="⏎"),
        Binding("escape", "leave", "cancel", key_display="esc"),
        Binding("tab", "turn(1)", "other field", key_display="←→"),
        Binding("shift+tab", "turn(-1)", show=False),
        Binding("down", "enter(1)", "next persona", key_display="↑↓"),
        Binding("up", "enter(-1)", show=False),
    ]

    @property
    def _bar(self) -> FieldBar:
        bar = self.parent.parent if self.parent else None
        assert isinstance(bar, FieldBar)
        return bar

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "enter" and parameters != (0,) and not self._bar.steps)

    def action_enter(self, step: int) -> None:
        self._bar.enter(step)

    def action_leave(self) -> None:
        self._bar.leave()

    def action_turn(self, by: int) -> None:
        self._bar.turn(by)

    def action_cursor_left(self, select: bool = False) -> None:
        if self._bar.is_untouched and not select:
            self._bar.turn(-1)
        else:
            super().action_cursor_left(select)

    def action_cursor_right(self, select: bool = False) -> None:
        if self._bar.is_untouched and not select:
            self._bar.turn(1)
        else:
            super().action_cursor_right(select)
