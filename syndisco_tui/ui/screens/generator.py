"""Drawing personas: from which values, how many, with which seed; the first of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import Persona
from ...discussion.drawing import drawn_personas
from ...inputs import describe
from ...text import one_line, safe
from ..own_screen import OwnDialog
from ..persona_fields import LABELS, as_text, fields_of, from_text, label, value_of
from ..widgets.chooser import Chooser
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput
from .many_fields import many

MOST = 1000
SHOWN = 8
BETWEEN = " | "
"""Between the values of a field: they may hold commas."""
_WAYS = ("every value as often", "every draw on its own")


class Generator(OwnDialog[tuple[Persona, ...] | None]):
    """Draws personas from values that ``at_hand`` begin with; names of ``taken`` are left out."""

    HELP = """Draw personas
    New personas, each field drawn from the values in its row; the same seed draws the same ones.
    They join the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "draw", "add them", priority=True),
        Binding("escape", "dismiss(None)", "back", key_display="esc", priority=True),
        Binding("down,enter", "app.focus_next", "next row", key_display="↑↓", priority=True),
        Binding("up", "app.focus_previous", show=False, priority=True),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    def __init__(self, at_hand: Sequence[Persona], taken: Sequence[str]) -> None:
        super().__init__()
        self._at_hand = at_hand
        self._taken = taken
        self._fields = fields_of(at_hand)[1:]

    def compose(self) -> ComposeResult:
        with Vertical(id="editor"):
            yield Static("Draw personas", classes="dialog-title", markup=False)
            with Horizontal(id="editor-panes"):
                with VerticalScroll(id="form", can_focus=False):
                    yield from self._row("How many", SafeInput("12", compact=True, id="count"))
                    yield from self._row("Seed", SafeInput("0", compact=True, id="seed"))
                    yield from self._row("Values", Chooser(_WAYS, id="way"))
                    yield from self._row(
                        "Names",
                        SafeInput("Persona##", compact=True, id="names", placeholder="Ann, Bob"),
                    )
                    for number, field in enumerate(self._fields):
                        texts = (as_text(value_of(each, field)) for each in self._at_hand)
                        distinct = dict.fromkeys(text for text in texts if text and text != "-1")
                        value = BETWEEN.join(distinct)
                        hint = "left empty"
                        yield from self._row(
                            label(field),
                            SafeInput(value, compact=True, id=f"values-{number}", placeholder=hint),
                        )
                with VerticalScroll(id="preview", can_focus=False):
                    yield Static("", id="drawn", markup=False)
            yield Static("", id="fault", markup=False)
            yield KeyLine()

    def _row(self, name: str, field: SafeInput | Chooser) -> ComposeResult:
        with Horizontal(classes="form-row"):
            yield Static(Content(one_line(name, 16)), classes="form-label")
            yield field

    def on_mount(self) -> None:
        self.query_one("#count").focus()
        self._look()

    @on(Input.Changed)
    @on(Chooser.Changed)
    def _look(self) -> None:
        drawn = self._drawn()
        self.query_one("#preview").set_class(drawn is None, "-stale")
        if drawn is not None:
            self.query_one("#drawn", Static).update(self._picture(drawn))

    def _drawn(self) -> tuple[Persona, ...] | None:
        """What the form says; None, and the fault below it, where it says nothing sensible."""
        try:
            count = _whole(self._typed("count"), "how many", 1, MOST)
            seed = _whole(self._typed("seed"), "seed", 0, (1 << 53) - 1)
            drawn = drawn_personas(
                count,
                {field: self._values(at, field) for at, field in enumerate(self._fields)},
                names=_names(self._typed("names")),
                seed=seed,
                balanced=self.query_one("#way", Chooser).index == 0,
                taken=self._taken,
            )
        except ValidationError as error:
            self._show_fault(describe(error, Persona))
            return None
        except ValueError as error:
            self._show_fault(str(error))
            return None
        self._show_fault("")
        return drawn

    def _typed(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value.strip()

    def _values(self, at: int, field: str) -> list[Any]:
        typed = self._typed(f"values-{at}")
        return [from_text(field, part) for part in typed.split("|")] if typed else []

    def _show_fault(self, sentence: str) -> None:
        fault = self.query_one("#fault", Static)
        fault.update(Content(safe(sentence)))
        fault.display = bool(sentence)

    def _picture(self, drawn: Sequence[Persona]) -> Content:
        parts: list[Content | str] = [Content.styled(many(len(drawn)), "bold $foreground"), "\n\n"]
        for persona in drawn[:SHOWN]:
            told = persona.attributes()
            fields = dict.fromkeys(field for field in (*LABELS, *told) if field in told)
            values = (as_text(value_of(persona, field)) for field in fields)
            said = " · ".join(one_line(value, 40) for value in values)
            name, _, rest = said.partition(" · ")
            parts += [Content.styled(name, "$foreground"), f"  {rest}\n"]
        if len(drawn) > SHOWN:
            parts.append(f"… to {one_line(drawn[-1].name, 40)}")
        return Content.assemble(*parts)

    def action_draw(self) -> None:
        drawn = self._drawn()
        if drawn is not None:
            self.dismiss(drawn)


def _names(text: str) -> str | list[str]:
    """A list of names, or a pattern."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise ValueError("names: a pattern (P## gives P01, P02, …), or names with commas between")
    return names if "," in text else names[0]


def _whole(text: str, what: str, least: int, most: int) -> int:
    if text.isdecimal() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise ValueError(f"{what}: a whole number from {least} to {most}")
