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
from .edits import PersonaEdits
from .fields import PLACEHOLDERS, FieldError, as_text, label, value_of, with_field

LONGEST_LABEL = 18


class FieldBar(Vertical):
    """Asks for another value of a persona's field, or of the one field in which a copy differs.

    While the value is untouched, left and right go to another field. Tab does so at any time, and
    saves what was typed.
    """

    class Entered(Message):
        """``before`` is to become ``after``, or to get it as a copy.

        Then the bar goes so many personas or fields further, or closes.
        """

        def __init__(
            self,
            before: Persona,
            after: Persona,
            *,
            is_copy: bool,
            persona_step: int = 0,
            field_step: int = 0,
        ) -> None:
            super().__init__()
            self.before = before
            self.after = after
            self.is_copy = is_copy
            self.persona_step = persona_step
            self.field_step = field_step

    class Left(Message):
        """``persona`` is to stay as it is; ``typed`` would be discarded, if it is not None."""

        def __init__(self, persona: Persona, typed: str | None, *, is_copy: bool) -> None:
            super().__init__()
            self.persona = persona
            self.typed = typed
            self.is_copy = is_copy

    def __init__(self, edits: PersonaEdits) -> None:
        super().__init__()
        self._edits = edits
        self._persona: Persona | None = None
        self._fields: tuple[str, ...] = ()
        self.is_copy = False
        self.display = False
        self._title = Static("", id="field-bar-title", markup=False)
        self._label = Static("", id="field-bar-label")
        self._input = _FieldInput(self)
        self._error = Static("", id="field-bar-error", markup=False)

    async def open(
        self, persona: Persona, fields: tuple[str, ...], *, is_copy: bool, typed: str | None
    ) -> None:
        """Ask about ``persona``; begin with what was ``typed`` before, if anything was."""
        if not self.children:  # the first picture waits for nothing that it does not show
            await self.mount(self._title, Horizontal(self._label, self._input), self._error)
        self._persona, self.is_copy = persona, is_copy
        self._fields = fields[1:] if is_copy else fields  # a copy's name differs anyway
        if self._edits.last_field not in self._fields:
            self._edits.last_field = self._fields[0]
        self._title.update(Content(one_line(f"Copy of {persona.name} with a different", 80)))
        self._title.display = is_copy
        self.display = True
        self._show_field()
        if typed is not None:
            self._input.value = typed
        self._input.focus()

    def close(self) -> None:
        """Hide the bar."""
        self.display = False
        self._persona = None

    def show_error(self, sentence: str) -> None:
        """Say what is wrong with the value; nothing, if ``sentence`` is empty."""
        self._error.update(Content(safe(sentence)))
        self._error.display = bool(sentence)

    @property
    def is_untouched(self) -> bool:
        """Nothing was typed, and the cursor was not moved into the text."""
        whole = Selection(0, len(self._input.value))
        return not self._is_changed and self._input.selection == whole

    @property
    def _is_changed(self) -> bool:
        return self._input.value != self._initial_text.replace("\n", " ")

    @property
    def _initial_text(self) -> str:
        value = value_of(self._persona, self._edits.last_field) if self._persona else None
        return editable(as_text(value))

    def _show_field(self) -> None:
        name = one_line(label(self._edits.last_field), LONGEST_LABEL)
        left, right = Content.styled("‹ ", "$accent"), Content.styled(" ›", "$accent")
        self._label.update(Content.assemble(left, name, right))
        self._input.value = self._initial_text.replace("\n", " ")
        self._input.selection = Selection(0, len(self._input.value))
        self._input.placeholder = PLACEHOLDERS.get(self._edits.last_field, "")
        self.show_error("")

    def step_field(self, by: int) -> None:
        """Go to another field, once what was typed in this one is saved."""
        if not self._is_changed:
            position = self._fields.index(self._edits.last_field)
            self._edits.last_field = self._fields[(position + by) % len(self._fields)]
            self._show_field()
        elif self.is_copy:
            self.show_error("⏎ makes the copy; esc discards what you typed")
        else:
            self._enter(field_step=by)

    def enter(self, persona_step: int) -> None:
        """Save what was typed and go so many personas further; 0 closes the bar."""
        self._enter(persona_step=persona_step)

    def _enter(self, *, persona_step: int = 0, field_step: int = 0) -> None:
        before = self._persona
        if before is None:
            return
        text = self._input.value if self._is_changed else self._initial_text  # with line breaks
        try:
            after = with_field(before, self._edits.last_field, text)
        except FieldError as error:
            self.show_error(str(error))
            return
        if self.is_copy and after == before:
            self.show_error("the copy must differ: change the value")
            return
        self.post_message(
            self.Entered(
                before,
                after,
                is_copy=self.is_copy,
                persona_step=persona_step,
                field_step=field_step,
            )
        )

    def leave(self) -> None:
        """Close without saving."""
        if self._persona is not None:
            typed = self._input.value if self._is_changed else None
            self.post_message(self.Left(self._persona, typed, is_copy=self.is_copy))


class _FieldInput(SafeInput):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "enter(0)", "save", key_display="⏎"),
        Binding("escape", "leave", "cancel", key_display="esc"),
        Binding("tab", "step_field(1)", "other field", key_display="←→"),
        Binding("shift+tab", "step_field(-1)", show=False),
        Binding("down", "enter(1)", "next persona", key_display="↑↓"),
        Binding("up", "enter(-1)", show=False),
    ]

    def __init__(self, bar: FieldBar) -> None:
        super().__init__(compact=True, id="field-bar-value")
        self._bar = bar

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "enter" and parameters != (0,) and self._bar.is_copy)

    def action_enter(self, persona_step: int) -> None:
        self._bar.enter(persona_step)

    def action_leave(self) -> None:
        self._bar.leave()

    def action_step_field(self, by: int) -> None:
        self._bar.step_field(by)

    def action_cursor_left(self, select: bool = False) -> None:
        if self._bar.is_untouched and not select:
            self._bar.step_field(-1)
        else:
            super().action_cursor_left(select)

    def action_cursor_right(self, select: bool = False) -> None:
        if self._bar.is_untouched and not select:
            self._bar.step_field(1)
        else:
            super().action_cursor_right(select)
