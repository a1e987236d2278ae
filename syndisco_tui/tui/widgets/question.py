"""A question with two answers."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ...text import safe
from ..shell.screen import OwnDialog

STILL_RUNNING = "All posted messages are saved. Continue the batch from the library."


class Question(OwnDialog[bool]):
    """Asks ``question``; the result is True for yes."""

    HELP = """A question
    Nothing happens until you answer it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "yes", show=False),
        Binding("n,escape,q", "answer(False)", "no", show=False),
    ]

    def __init__(self, question: str, explanation: str, yes: str, no: str) -> None:
        super().__init__()
        self._question = question
        self._explanation = explanation
        self._answers = (yes, no)

    def compose(self) -> ComposeResult:
        yes, no = self._answers
        with Vertical(id="question", classes="dialog"):
            yield Static(Content(safe(self._question)), classes="dialog-title")
            yield Static(Content(safe(self._explanation)))
            yield Static(
                Content.assemble(
                    Content.styled("y", "bold $accent"),
                    f" {yes}      ",
                    Content.styled("n", "bold $accent"),
                    " or ",
                    Content.styled("esc", "bold $accent"),
                    f" {no}",
                ),
                classes="dialog-hint",
            )

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)
