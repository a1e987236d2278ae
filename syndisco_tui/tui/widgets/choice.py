"""A question with several answers, each with its key."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Static

from ...text import safe
from ..shell.screen import OwnDialog


class Choice(OwnDialog[str | None]):
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
