"""Dialogs that ask one question: yes or no, or one of several answers by its key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Static

from ...text import safe
from ..shell.screen import AppDialog

STILL_RUNNING = "All posted messages are saved. Continue the batch from the library."


class ConfirmDialog(AppDialog[bool]):
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


class MultipleChoiceDialog(AppDialog[str | None]):
    """Asks ``question``; the result is the key of an answer, or None after esc.

    ``answers`` are keys and what they do; enter takes the first.
    """

    def __init__(
        self, question: str, explanation: str, answers: Sequence[tuple[str, str]], *, esc: str
    ) -> None:
        super().__init__()
        self._question = question
        self._explanation = explanation
        self._answers = answers
        self._esc = esc

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(safe(self._question)), classes="dialog-title")
            if self._explanation:
                yield Static(Content(safe(self._explanation)), classes="choice-explanation")
            for key, answer in (*self._answers, ("esc", self._esc)):
                yield Static(
                    Content.assemble(Content.styled(f"{key:>3}", "bold $accent"), f"   {answer}")
                )

    def on_key(self, event: Key) -> None:
        event.stop()
        event.prevent_default()
        keys = [key for key, _ in self._answers]
        if event.key == "escape":
            self.dismiss(None)
        elif event.key == "enter":
            self.dismiss(keys[0])
        elif event.character in keys:
            self.dismiss(event.character)
