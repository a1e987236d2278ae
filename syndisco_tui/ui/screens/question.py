"""A question with two answers."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ...session import State
from ...text import safe
from ..own_screen import OwnDialog

STILL_RUNNING = "What was said is saved; the same setup and --resume go on with them."


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


class LeavingQuestion(Question):
    """Asks before the app is left: the key that leaves, pressed again, is a yes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "answer(True)", "yes", show=False)]


def leaving_question(
    state: State, *, unsaved: bool, resume: str, many_run: bool
) -> LeavingQuestion | None:
    """What is asked before the app is left; nothing where nothing would be lost.

    ``resume`` is the key that resumes a discussion, ``many_run`` whether many at once still run.
    """
    if unsaved and state != "idle":
        return LeavingQuestion(
            "Not everything is saved. Quit?",
            "The disk refuses the last change: make room or mend it, and it is saved by itself. "
            "Whoever quits before that loses it.",
            "quit",
            "stay",
        )
    if state == "running":
        return LeavingQuestion(
            "A reply is being generated. Quit?",
            "What was said is saved. The unfinished reply is dropped; "
            f"{resume} resumes at its turn.",
            "quit",
            "stay",
        )
    if many_run:
        return LeavingQuestion(
            "The discussions are still running. Quit?", STILL_RUNNING, "quit", "stay"
        )
    return None
