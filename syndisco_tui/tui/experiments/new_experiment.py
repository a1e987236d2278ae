"""The form that makes an experiment from the current setup: which fields vary, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import DiscussionSetup, name_key
from ...discussion.design import ExperimentDesign
from ...text import counted, one_line, safe
from ...workspace.inputs import InputError
from ...workspace.new_designs import Level, design_of, level_texts
from ..personas.fields import FieldError
from ..setup.fields import FIELDS, SetupField, as_text, with_text
from ..widgets.forms import ErrorLine, Form, form_row
from ..widgets.inline_select import InlineSelect
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput

FACTORS = 2
NOT_VARIED = ("title", "seed", "seed_opinions")
MODERATOR = SetupField("moderator", "Moderator", "text", "Discussion")
VARIED = (
    *(each for each in FIELDS if each.key == "turn_manager"),
    MODERATOR,
    *(each for each in FIELDS if each.key not in (*NOT_VARIED, "turn_manager")),
)
"""Fields that can be factors, those that are most often varied first."""
NO_MODERATOR = ("none", "nobody", "no")


@dataclass(frozen=True)
class NewExperiment:
    """A design, and the name of its folder."""

    design: ExperimentDesign
    name: str


class NewExperimentForm(Form[NewExperiment | None]):
    """Asks which fields of ``setup`` vary, and how often each combination is repeated."""

    HELP = """A new experiment
    One or two fields of the setup on the screen become factors: write the values to be compared,
    with ; between them. Each combination of values is a cell, and is repeated as often as you
    say; everything else is as in the setup. For more factors, topics and users drawn from a list,
    write a design as a file (docs/experiments.md)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "open the experiment", key_display="^s", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
        Binding("down", "app.focus_next", "next row", key_display="↑↓", priority=True),
        Binding("up", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(self, setup: DiscussionSetup) -> None:
        super().__init__()
        self._setup = setup

    def compose(self) -> ComposeResult:
        with Vertical(id="new-experiment", classes="dialog"):
            yield Static("New experiment from this setup", classes="dialog-title", markup=False)
            title = one_line(self._setup.title or "Experiment", 60)
            yield form_row("Title", _line("title", title))
            labels = [each.label for each in VARIED]
            for number in range(FACTORS):
                choices = [*labels, "none"]
                index = 0 if number == 0 else len(labels)
                select = InlineSelect(choices, index, title="Vary", id=f"factor-{number}")
                yield form_row("Vary" if number == 0 else "And vary", select)
                yield form_row("Values", _line(f"levels-{number}", ""))
            yield form_row("Repeats", _line("repeats", "10"))
            yield form_row("Seed", _line("seed", "1"))
            yield Static("", id="new-experiment-size", markup=False)
            yield ErrorLine()
            yield KeyLine()

    def on_mount(self) -> None:
        for number in range(FACTORS):
            self._suggest(number)
        self.query_one("#levels-0").focus()
        self._look()

    @on(InlineSelect.Changed)
    def _factor_changed(self, event: InlineSelect.Changed) -> None:
        self._suggest(int((event.select.id or "factor-0").rpartition("-")[2]))
        self._look()

    def _suggest(self, number: int) -> None:
        """Begin with the values of a choice, or with the setup's own value."""
        line = self.query_one(f"#levels-{number}", Input)
        field = self._field(number)
        line.disabled = field is None
        line.value = suggested(field, self._setup) if field else ""

    def _field(self, number: int) -> SetupField | None:
        index = self.query_one(f"#factor-{number}", InlineSelect).index
        return VARIED[index] if index < len(VARIED) else None

    @on(Input.Changed)
    def _look(self) -> None:
        """Show the number of discussions, or what is wrong."""
        size, new = self.query_one("#new-experiment-size", Static), self._made()
        size.display = new is not None
        if new is not None:
            design = new.design
            cells = " × ".join(str(len(levels)) for levels in design.factors.values())
            count = len(design.cells) * design.repeats
            repeats = counted(design.repeats, "repeat")
            sentence = f"{cells} cells × {repeats} = {count:,} discussions"
            size.update(Content.styled(safe(sentence), "bold"))

    def _made(self) -> NewExperiment | None:
        """The experiment in the form; None, with the error shown, if it has one."""
        try:
            new = new_experiment(
                self._setup,
                [
                    (field, self._text(f"levels-{number}"))
                    for number in range(FACTORS)
                    if (field := self._field(number))
                ],
                title=self._text("title"),
                repeats=self._text("repeats"),
                seed=self._text("seed"),
            )
        except (FieldError, InputError) as error:
            self.show_error(str(error))
            return None
        self.show_error("")
        return new

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    def action_save(self) -> None:
        if new := self._made():
            self.dismiss(new)


def _line(name: str, text: str) -> SafeInput:
    return SafeInput(text, compact=True, id=name, classes="form-input")


def suggested(field: SetupField, setup: DiscussionSetup) -> str:
    """The initial values: all options of a choice, or the setup's own value."""
    if field is MODERATOR:
        return f"none; {setup.moderator.name}" if setup.moderator else "none; "
    if field.kind == "choice":
        return "; ".join(field.choices)
    return f"{as_text(field, setup)}; "


def new_experiment(
    setup: DiscussionSetup,
    factors: Sequence[tuple[SetupField, str]],
    *,
    title: str,
    repeats: str,
    seed: str,
) -> NewExperiment:
    """The experiment that varies ``factors``, fields with the text of their values.

    Raises:
        FieldError: A value is not valid for its field, or too few are given.
        InputError: The design is not consistent.
    """
    if len({field.key for field, _ in factors}) < len(factors):
        raise FieldError("the same field is varied twice")
    levels = {field.key: levels_of(field, text, setup) for field, text in factors}
    design = design_of(
        setup,
        levels,
        title=title,
        repeats=_whole("repeats", repeats, 1),
        seed=_whole("seed", seed, 0),
    )
    name = "".join(each if each.isalnum() or each in " -_" else " " for each in title)
    return NewExperiment(design, " ".join(name.split())[:40].strip() or "experiment")


def levels_of(field: SetupField, text: str, setup: DiscussionSetup) -> list[Level]:
    """The values in ``text``, checked like those of a setup. Raises FieldError."""
    texts = level_texts(text, is_prose=field.kind in ("long", "text") and field is not MODERATOR)
    if len(texts) < 2:
        raise FieldError(f"{field.label}: give two values or more, with ; between them")
    return [(each, _fields(field, each, setup)) for each in texts]


def _fields(field: SetupField, text: str, setup: DiscussionSetup) -> Mapping[str, Any]:
    if field is MODERATOR:
        if text.casefold() in NO_MODERATOR:
            return {"moderator": ""}
        if name_key(text) not in map(name_key, setup.names):
            nobody = f"Moderator: nobody is called “{one_line(text, 40)}”"
            raise FieldError(f"{nobody}; write none, or a participant's name")
        return {"moderator": text}
    try:
        changed = with_text(field, text, setup)
    except FieldError as error:
        raise FieldError(f"{field.label}: {error}") from None
    value = changed.model_dump(mode="json", include={field.key})[field.key]
    return {field.key: value}


def _whole(name: str, text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise FieldError(f"{name}: a whole number from {least} on")
    return int(text)
