"""The form that generates personas from values, with a preview of the first ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import Persona
from ...discussion.sampling_personas import sample_personas
from ...discussion.weighted_values import WeightedValues, format_values, parse_values
from ...text import one_line
from ...workspace.inputs import describe
from ..widgets.forms import ErrorLine, Form, form_row
from ..widgets.inline_select import InlineSelect
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput
from .fields import LABELS, as_text, count_of_personas, fields_of, from_text, label, value_of

MOST = 1000
SHOWN = 8
_WAYS = ("balanced", "independent")
_SYNTAX = "Values: a | b   ranges: 18-75   weights: left:2 | right:1"
_EXAMPLES = {"age": "left empty; or 18-75", "sex": "left empty; or female:2 | male:1"}
_ABOUT_WAYS = (
    "each value as often as its weight says",
    "each persona by chance, independent of the others",
)


class Generator(Form[tuple[Persona, ...] | None]):
    """Samples personas from values, at first those of ``examples``; no name is ``taken``."""

    HELP = """Generate personas
    New personas, each field sampled from the values in its row. Write values with bars between,
    ranges of whole numbers as 18-75, and weights behind a colon: left:2 | right:1. Put text
    that looks like this in quotation marks. The same seed gives the same personas; they are added
    below the highlighted one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "generate", "add", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
        Binding("down", "app.focus_next", "next row", key_display="↑↓", priority=True),
        Binding("up", "app.focus_previous", show=False, priority=True),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    def __init__(self, examples: Sequence[Persona], taken: Sequence[str]) -> None:
        super().__init__()
        self._examples = examples
        self._taken = taken
        self._fields = fields_of(examples)[1:]

    def compose(self) -> ComposeResult:
        with Vertical(id="editor"):
            yield Static("Generate personas", classes="dialog-title", markup=False)
            yield Static(_SYNTAX, classes="editor-hint", markup=False)
            with Horizontal(id="editor-panes"):
                with VerticalScroll(id="form", can_focus=False):
                    yield form_row("How many", SafeInput("12", compact=True, id="count"))
                    yield form_row("Seed", SafeInput("0", compact=True, id="seed"))
                    way = InlineSelect(_WAYS, title="Draws", about=_ABOUT_WAYS, id="way")
                    yield form_row("Draws", way)
                    names = SafeInput("Persona##", compact=True, id="names", placeholder="Ann, Bob")
                    yield form_row("Names", names)
                    for number, field in enumerate(self._fields):
                        texts = (as_text(value_of(each, field)) for each in self._examples)
                        distinct = dict.fromkeys(text for text in texts if text and text != "-1")
                        value = SafeInput(
                            format_values(distinct),
                            compact=True,
                            id=f"values-{number}",
                            placeholder=_EXAMPLES.get(field, "left empty"),
                        )
                        yield form_row(label(field), value)
                with VerticalScroll(id="preview", can_focus=False):
                    yield Static("", id="drawn", markup=False)
            yield ErrorLine()
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#count").focus()
        self._look()

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    @on(Input.Changed)
    @on(InlineSelect.Changed)
    def _look(self) -> None:
        drawn = self._drawn()
        self.query_one("#preview").set_class(drawn is None, "-stale")
        if drawn is not None:
            self.query_one("#drawn", Static).update(self._picture(drawn))

    def _drawn(self) -> tuple[Persona, ...] | None:
        """The personas that the form describes; None, with the error shown, if it has one."""
        try:
            count = _whole(self._text("count"), "how many", 1, MOST)
            seed = _whole(self._text("seed"), "seed", 0, (1 << 53) - 1)
            drawn = sample_personas(
                count,
                {field: self._parts(number, field) for number, field in enumerate(self._fields)},
                names=_names(self._text("names")),
                seed=seed,
                balanced=self.query_one("#way", InlineSelect).index == 0,
                taken=self._taken,
            )
        except ValidationError as error:
            self.show_error(describe(error, Persona))
            return None
        except ValueError as error:
            self.show_error(str(error))
            return None
        self.show_error("")
        return drawn

    def _text(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value.strip()

    def _parts(self, number: int, field: str) -> list[WeightedValues]:
        try:
            return parse_values(self._text(f"values-{number}"), partial(from_text, field))
        except ValueError as error:
            raise ValueError(f"{label(field)}: {error}") from None

    def _picture(self, drawn: Sequence[Persona]) -> Content:
        parts: list[Content | str] = [
            Content.styled(count_of_personas(len(drawn)), "bold $foreground"),
            "\n\n",
        ]
        for persona in drawn[:SHOWN]:
            filled = persona.attributes()
            fields = dict.fromkeys(field for field in (*LABELS, *filled) if field in filled)
            values = (as_text(value_of(persona, field)) for field in fields)
            shown = " · ".join(one_line(value, 40) for value in values)
            name, _, rest = shown.partition(" · ")
            parts += [Content.styled(name, "$foreground"), f"  {rest}\n"]
        if len(drawn) > SHOWN:
            parts.append(f"… to {one_line(drawn[-1].name, 40)}")
        return Content.assemble(*parts)

    def action_generate(self) -> None:
        drawn = self._drawn()
        if drawn is not None:
            self.dismiss(drawn)


def _names(text: str) -> str | list[str]:
    """The names in ``text``: a list, or a pattern. Raises ValueError if there are none."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise ValueError("names: a pattern (P## gives P01, P02 …), or names with commas between")
    return names if "," in text else names[0]


def _whole(text: str, field: str, least: int, most: int) -> int:
    if text.isdecimal() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise ValueError(f"{field}: a whole number from {least} to {most}")
