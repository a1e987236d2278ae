"""The persona editor: every field in a form, with a live preview of the system prompt."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from ...discussion import Persona
from ...discussion.persona import CHARACTER_CARD
from ...text import editable, safe
from ...workspace.inputs import describe
from ..widgets.forms import ErrorLine, Form, form_row
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput, SafeTextArea
from .fields import LABELS, PLACEHOLDERS, as_text, from_text

FURTHER = "further"
_TALL = ("personality_characteristics", "special_instructions", FURTHER)
_LINES = tuple(field for field in LABELS if field not in _TALL)
_FURTHER_PLACEHOLDER = "mood: cheerful\none field per line"


class PersonaEditor(Form[Persona | None]):
    """Edits ``persona``; the result is the new one, or None if nothing is to change.

    ``error_of`` says why the new persona cannot be in the list, or gives an empty string;
    ``preview`` gives the system prompt's object for it.
    """

    HELP = """A persona
    Every field of the persona on one side, what the model is told on the other. Empty fields are
    not in the prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
        Binding("down,enter", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "previous field", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    def __init__(
        self,
        persona: Persona,
        title: str,
        error_of: Callable[[Persona], str],
        preview: Callable[[Persona], dict[str, Any]],
    ) -> None:
        super().__init__()
        self._persona = persona
        self._title = title
        self._error_of = error_of
        self._preview = preview

    def compose(self) -> ComposeResult:
        with Vertical(id="editor"):
            yield Static(safe(self._title), classes="dialog-title", markup=False)
            with Horizontal(id="editor-panes"):
                with VerticalScroll(id="form", can_focus=False):
                    for key in _LINES:
                        field = SafeInput(
                            as_text(getattr(self._persona, key)),
                            id=f"field-{key}",
                            compact=True,
                            placeholder=PLACEHOLDERS.get(key, ""),
                        )
                        yield form_row(LABELS[key], field)
                    for key in _TALL:
                        area = SafeTextArea(
                            self._initial(key),
                            id=f"field-{key}",
                            compact=True,
                            tab_behavior="focus",
                            placeholder=PLACEHOLDERS.get(key, _FURTHER_PLACEHOLDER),
                        )
                        row = form_row(LABELS.get(key, "More fields"), area)
                        row.add_class("-tall")
                        yield row
                with VerticalScroll(id="preview", can_focus=False):
                    yield Static("What the model is told", classes="preview-title", markup=False)
                    yield Static("", id="preview-text", markup=False)
            yield ErrorLine()
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#field-username", Input).focus()
        self._look()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _look(self) -> None:
        """Check what is typed; show the error, or the prompt that it makes."""
        persona = self._typed()
        if persona is not None:
            text = json.dumps(self._preview(persona), ensure_ascii=False, indent=2)
            self.query_one("#preview-text", Static).update(Content(safe(text)))

    def _typed(self) -> Persona | None:
        values: dict[str, Any] = {}
        before = self._persona.as_dict()
        try:
            for key in (*_LINES, *_TALL):
                text = self._text_in(key)
                if key == FURTHER:
                    values |= _further(text, self._persona)
                elif text == editable(self._initial(key)):
                    values[key] = before[key]  # untouched: as it was, to the letter
                else:
                    values[key] = from_text(key, text)
            persona = Persona.model_validate(values)
        except ValidationError as error:
            self.show_error(describe(error, Persona))
            return None
        except ValueError as error:
            self.show_error(str(error))
            return None
        name_error = self._error_of(persona)
        self.show_error(name_error)
        return None if name_error else persona

    def _initial(self, key: str) -> str:
        if key == FURTHER:
            return _further_text(self._persona)
        return as_text(getattr(self._persona, key))

    def _text_in(self, key: str) -> str:
        field = self.query_one(f"#field-{key}")
        return field.text if isinstance(field, TextArea) else getattr(field, "value", "")

    def show_error(self, sentence: str) -> None:
        super().show_error(sentence)
        self.query_one("#preview").set_class(bool(sentence), "-stale")

    def action_save(self) -> None:
        persona = self._typed()
        if persona is not None:
            self.dismiss(persona)


def _further_text(persona: Persona) -> str:
    """A line for each further field; a text of several lines is written as a JSON text."""
    further = persona.model_extra or {}
    return "\n".join(
        f"{key}: {value if is_line(value) else json.dumps(value, ensure_ascii=False)}"
        for key, value in further.items()
        if key != CHARACTER_CARD
    )


def is_line(value: object) -> bool:
    """Whether ``value`` is a text without a line break."""
    return isinstance(value, str) and len(value.splitlines()) < 2


def _further(text: str, persona: Persona) -> dict[str, Any]:
    """The fields in ``field: value`` lines, and the character card of ``persona``.

    What reads as a JSON value that is no text stays one.
    """
    values: dict[str, Any] = {}
    before = persona.model_extra or {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, colon, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if not colon or not key:
            raise ValueError(f"more fields, line {number}: write it as “field: value”")
        if key in Persona.model_fields or key in values:
            raise ValueError(f"more fields, line {number}: there is a field “{key}” already")
        values[key] = _text_of_lines(value) or from_text(key, value, before=before.get(key))
    if CHARACTER_CARD in before:
        values[CHARACTER_CARD] = before[CHARACTER_CARD]
    return values


def _text_of_lines(value: str) -> str:
    """The text of several lines that ``value`` is the JSON of; empty if it is something else."""
    try:
        text = json.loads(value) if value.startswith('"') else None
    except ValueError:
        return ""
    return text if isinstance(text, str) and not is_line(text) else ""
