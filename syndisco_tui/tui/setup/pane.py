"""The setup: every field of a discussion in a row, edited in place, checked as typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import ValidationError
from rich.cells import cell_len, set_cell_size
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message

from ...discussion import DiscussionSetup
from ...discussion.name_checks import outside_authors
from ...text import one_line, safe
from ...workspace.inputs import describe
from ...workspace.models import ModelChoice
from ..models.opening import choose_model
from ..personas.fields import FieldError
from ..shell.actions import bindings
from ..widgets.editable_rows import EditableRows
from ..widgets.forms import bring_back, forget_discarded
from .fields import (
    FIELDS,
    SetupField,
    as_text,
    distinguishing_part,
    similar_texts,
    stepped,
    with_text,
)
from .value_descriptions import VALUE_DESCRIPTIONS

LEAST_LABEL_WIDTH, MOST_LABEL_WIDTH = 15, 20
"""Cells of the labels' column, which longer labels may widen."""
WIDEST_LABEL = 24
"""Cells of a label that sticks out of the labels' column."""
SHOWN_OF_TEXT = 300
"""Characters of a long text that a row draws."""


class SetupPane(EditableRows):
    """Shows ``fields`` of a setup, lets them be edited and tells of the changed setup."""

    HELP = """Setup
    Everything else that defines a discussion: what is discussed, who speaks when, which model
    writes and how. What you type is checked as you type it. While a discussion runs, a change
    applies from the next turn."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("setup")

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
        self.fields = fields
        self._setup = setup
        lengths = (cell_len(one_line(field.label)) for field in fields)
        longest = max((each for each in lengths if each <= MOST_LABEL_WIDTH - 2), default=0)
        self.label_width = max(LEAST_LABEL_WIDTH, min(longest + 2, MOST_LABEL_WIDTH))
        self._earlier_values: list[dict[str, object]] = []
        """What the fields held before each change."""

    def on_mount(self) -> None:
        self.update_rows()

    @property
    def field(self) -> SetupField:
        """The highlighted field."""
        return self.fields[self.highlighted_row]

    def go_to_field(self, key: str) -> None:
        """Highlight the first field with this key and take the focus."""
        self.highlight(next(row for row, field in enumerate(self.fields) if field.key == key))
        self.focus()

    def show(self, setup: DiscussionSetup) -> None:
        """Show ``setup`` in all rows. Fields that changed elsewhere cannot be undone here."""
        if _without_model(_values(setup)) != _without_model(_values(self._setup)):
            self._earlier_values.clear()
        self._setup = setup
        self.refresh()

    # Rows --------------------------------------------------------------------------------------

    @property
    def row_count(self) -> int:
        return len(self.fields)

    def lines_above(self, index: int) -> Sequence[Content]:
        """A gap before each group of fields; a persona's fields have their name above them."""
        field = self.fields[index]
        if index and field.group == self.fields[index - 1].group:
            return ()
        gap = [Content()] if index else []
        return [*gap, Content.styled(one_line(field.group, 40), "bold")] if field.owner else gap

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        field = self.fields[index]
        label = one_line(field.label, max(WIDEST_LABEL, self.label_width))
        label = set_cell_size(label, max(self.label_width - 1, cell_len(label)))
        value = Content() if self.is_edited(index) else self._value(field, width)
        style = "$foreground" if is_highlighted else "$quiet"
        return [Content.assemble(Content.styled(label, style), " ", value)]

    def _value(self, field: SetupField, width: int) -> Content:
        text = as_text(field, self._setup)
        if not text.strip():
            return Content.styled("none", "$quiet")
        line = " ".join(text.split())
        if cell_len(line) > width - self.label_width:
            line = distinguishing_part(line, similar_texts(field, self._setup))
        value = Content.styled(one_line(line, SHOWN_OF_TEXT), "$foreground")
        if field.kind == "opinions" and (authors := outside_authors(self._setup)):
            names = one_line(", ".join(authors), 20)
            note = f"{names} take{'s' if len(authors) == 1 else ''} no part · "
            return Content.assemble(Content.styled(note, "$warning"), value)
        if field.hint and field.kind not in ("long", "text"):
            return Content.assemble(value, Content.styled(f"  {field.hint}", "$quiet"))
        return value

    def row_label(self, index: int) -> str:
        return self.fields[index].label

    def row_text(self, index: int) -> str:
        return as_text(self.fields[index], self._setup)

    def has_lines(self, index: int) -> bool:
        return self.fields[index].kind in ("long", "opinions")

    def error_of(self, index: int, text: str) -> str:
        try:
            with_text(self.fields[index], text, self._setup)
        except FieldError as error:
            return str(error)
        return ""

    def save_text(self, index: int, text: str) -> str:
        self._change(with_text(self.fields[index], text, self._setup))
        return ""

    # Keys --------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        steps = action in ("next_value", "previous_value")
        if steps and self.field.kind in ("text", "long", "opinions"):
            return False
        return super().check_action(action, parameters)

    async def action_edit(self) -> None:
        if self.field.key == "model":
            choose_model(self.app, self._setup, self._use_model)
        elif self.field.kind == "choice":
            self._open_values(self.field)
        else:
            await self.edit(self.highlighted_row)

    def _open_values(self, field: SetupField) -> None:
        """List the values of a choice, with what each does."""
        from ..widgets.value_list_dialog import ValueListDialog  # not before the first picture

        choices = field.choices
        descriptions = VALUE_DESCRIPTIONS.get(field.key, {})

        def chosen(index: int | None) -> None:
            if index is not None:
                self._change(with_text(field, choices[index], self._setup))

        current = choices.index(getattr(self._setup, field.key))
        values = [(choice, descriptions.get(choice, "")) for choice in choices]
        self.app.push_screen(ValueListDialog(field.label, values, current), chosen)

    def _use_model(self, choice: ModelChoice) -> None:
        self._change(choice.applied_to(self._setup))

    def action_next_value(self) -> None:
        self._step(1)

    def action_previous_value(self) -> None:
        self._step(-1)

    def _step(self, direction: int) -> None:
        setup = stepped(self.field, direction, self._setup)
        if setup is not None:
            self._change(setup)

    def _change(self, setup: DiscussionSetup) -> None:
        if setup != self._setup:
            forget_discarded(self.app)
            self._earlier_values.append(_values(self._setup))
            self._use(setup)

    def _use(self, setup: DiscussionSetup) -> None:
        self._setup = setup
        self.refresh()
        self.post_message(self.Changed(setup))

    def action_undo(self) -> None:
        if bring_back(self.app):
            return
        if not self._earlier_values:
            self.notify("Nothing to undo.", timeout=2)
            return
        try:
            values = {**self._setup.model_dump(), **self._earlier_values.pop()}
            setup = DiscussionSetup.model_validate(values)
        except ValidationError as error:
            sentence = safe(describe(error, DiscussionSetup))
            self.notify(sentence, severity="error", markup=False, timeout=8)
            return
        self._use(setup)


def _values(setup: DiscussionSetup) -> dict[str, object]:
    """The values of all fields but those of the personas' pane, which has an undo of its own."""
    return setup.model_dump(exclude={"personas", "moderator", "models"})


def _without_model(values: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if key != "model"}
