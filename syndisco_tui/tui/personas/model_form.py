"""The form that gives personas a model of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import DiscussionSetup
from ...discussion.participant_models import ParticipantModel
from ...text import one_line
from ...workspace.inputs import describe
from ...workspace.models import ModelChoice
from ..models.opening import choose_model
from ..widgets.forms import ErrorLine, Form, form_row
from ..widgets.inline_select import InlineSelect
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput
from .model_labels import model_label

THIS_MACHINE = "none"
"""What is typed as the server of a model in this process, as the setup's rows show it."""
REASONING = (None, "auto", "off", "on")


@dataclass(frozen=True)
class ModelAnswer:
    """The chosen model; None for the setup's."""

    entry: ParticipantModel | None


class ModelForm(Form[ModelAnswer | None]):
    """Asks for the model of ``names``; empty fields are those of ``setup``.

    ``entry`` is what the first of them has. Its fields that are not shown are kept.
    """

    HELP = """The model of a persona
    Type one, or choose one from the list. Empty fields are as in the setup. A server without a
    model has the one that is served there; the server “none” is this machine. A change applies
    from the next turn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", key_display="^s", priority=True),
        Binding("enter", "choose", "list models", key_display="⏎", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
        Binding("down", "app.focus_next", "next row", key_display="↑↓", priority=True),
        Binding("up", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(
        self, names: Sequence[str], setup: DiscussionSetup, entry: ParticipantModel | None
    ) -> None:
        super().__init__()
        self._names = names
        self._setup = setup
        self._entry = entry or ParticipantModel()

    def compose(self) -> ComposeResult:
        setup, entry = self._setup, self._entry
        server = None if entry.server is None else " ".join(entry.server) or THIS_MACHINE
        own_server = " ".join(setup.server) or THIS_MACHINE
        with Vertical(classes="dialog", id="model-form"):
            yield Static(Content(one_line(self._title, 60)), classes="dialog-title")
            yield form_row("Model", _input("model", entry.model, setup.model))
            yield form_row("Server", _input("server", server, own_server))
            yield form_row(
                "Reasoning",
                InlineSelect(
                    [f"as in the setup ({setup.reasoning})", *filter(None, REASONING)],
                    REASONING.index(entry.reasoning),
                    title="Reasoning",
                    id="reasoning",
                ),
            )
            yield Static("", id="model-form-result")
            yield ErrorLine()
            yield KeyLine()

    @property
    def _title(self) -> str:
        count = len(self._names)
        return f"Model of {one_line(self._names[0], 40) if count == 1 else f'{count} personas'}"

    def on_mount(self) -> None:
        self.query_one("#model", Input).focus()
        self._look()

    @on(Input.Changed)
    @on(InlineSelect.Changed)
    def _look(self) -> None:
        """Show which model it will be, or what is wrong."""
        answer = self._answer()
        if answer is None:
            return
        own = self._setup.model_copy(update=answer.entry.values if answer.entry else {})
        label = model_label(own.model, own.server)
        text = f"Speaks with {label}." if answer.entry else f"Speaks with the setup’s: {label}."
        self.query_one("#model-form-result", Static).update(
            Content.styled(one_line(text, 120), "$quiet")
        )

    def _answer(self) -> ModelAnswer | None:
        """The entered model; None, with the error shown, if it is wrong."""
        model, server = (self.query_one(f"#{key}", Input).value.strip() for key in _TYPED)
        values: dict[str, Any] = {
            **dict(self._entry),
            "model": model or None,
            "server": None if not server else [] if server == THIS_MACHINE else server.split(),
            "reasoning": REASONING[self.query_one("#reasoning", InlineSelect).index],
        }
        try:
            entry = ParticipantModel.model_validate(values)
        except ValidationError as error:
            self.show_error(describe(error, ParticipantModel))
            return None
        self.show_error("")
        return ModelAnswer(entry if entry.stated else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose" or isinstance(self.focused, Input)

    def action_choose(self) -> None:
        """Choose the model from a list."""
        answer, setup = self._answer(), self._setup
        entry = answer.entry if answer else None
        own = setup.model_copy(update=entry.values) if entry else setup
        choose_model(self.app, own, self._fill_in, title=self._title)

    def _fill_in(self, choice: ModelChoice) -> None:
        """Fill in a chosen model; the setup's own leaves the fields empty."""
        is_setups = choice == ModelChoice.of(self._setup)
        server = " ".join(choice.server) or THIS_MACHINE
        self.query_one("#model", Input).value = "" if is_setups else choice.model
        self.query_one("#server", Input).value = (
            "" if choice.server == self._setup.server else server
        )

    def action_save(self) -> None:
        if answer := self._answer():
            self.dismiss(answer)


_TYPED = ("model", "server")


def _input(key: str, value: str | None, placeholder: str) -> SafeInput:
    return SafeInput(
        value or "",
        id=key,
        compact=True,
        classes="form-input",
        placeholder=one_line(f"as in the setup: {placeholder}", 60),
    )
