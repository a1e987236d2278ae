"""Alternatives for the last message, side by side as they are generated; one may be chosen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.widgets import Static

from ...discussion import Message
from ...session import CandidateGrew, CandidateLost, CandidateMade, SessionEvent
from ...text import one_line, safe
from ..shell.screen import AppScreen
from ..widgets.key_line import KeyLine

CURSOR = "▌"
NARROWEST_FOR_TWO, NARROWEST_FOR_THREE = 100, 114
"""Cells of the screen that two and three columns need."""


class Candidate(Static):
    """One alternative, as far as it has come; ``number`` None is the current message."""

    def __init__(self, number: int | None, text: str = "") -> None:
        super().__init__("", classes="candidate")
        self.number = number
        self.is_finished = number is None
        self._text = text
        self._note = ""

    def on_mount(self) -> None:
        self._draw()

    def grow(self, event: CandidateGrew) -> None:
        self._text, self._note = event.text, _tokens(event.tokens)
        self._draw()

    def finish(self, message: Message) -> None:
        self.is_finished = True
        self._text = message.text
        cut = " · cut at the token limit" if message.is_cut else ""
        self._note = f"{_tokens(message.completion_tokens)}{cut}"
        self._draw()

    def lose(self, sentence: str) -> None:
        self._text, self._note = sentence, "failed"
        self._draw()

    def _draw(self) -> None:
        title = "current" if self.number is None else f"{self.number + 1}"
        text = safe(self._text.strip())
        if self.is_finished:
            text = text or "stays silent"
        elif self._note != "failed":
            text = f"{text} {CURSOR}".lstrip()
        self.update(
            Content.assemble(
                Content.styled(title, "bold"),
                Content.styled(f"  {self._note}" if self._note else "", "$quiet"),
                "\n",
                Content(safe(text)),
            )
        )


def _tokens(count: int) -> str:
    return f"{count} token" if count == 1 else f"{count} tokens"


class CandidatesScreen(AppScreen[int | None]):
    """The result is the number of the chosen alternative, or None to keep the current message."""

    HELP = """Alternatives
    The last message, and alternatives for it, each with its own seed. The one you use takes its
    place; all are stored in the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "use this one", key_display="⏎"),
        Binding("escape,q", "dismiss(None)", "keep current", key_display="esc"),
        Binding("left", "move(-1)", "choose", key_display="← →"),
        Binding("right,tab", "move(1)", show=False),
        Binding("up,k", "move_row(-1)", show=False),
        Binding("down,j", "move_row(1)", show=False),
        Binding("shift+tab", "move(-1)", show=False),
        Binding("home", "move(-100)", show=False),
        Binding("end", "move(100)", show=False),
        *(Binding(str(digit), f"go({digit})", show=False) for digit in range(1, 10)),
    ]

    def __init__(self, present: Message, count: int) -> None:
        super().__init__()
        self._present = present
        self._candidates = [
            Candidate(None, present.text),
            *(Candidate(number) for number in range(count)),
        ]
        self._current = 0

    def compose(self) -> ComposeResult:
        name = one_line(self._present.name, 40)
        title = f"Alternatives for {name}'s message at turn {self._present.turn}"
        yield Static(Content(safe(title)), classes="batch-title")
        with VerticalScroll(can_focus=False), Grid(id="candidates"):
            yield from self._candidates
        yield KeyLine()

    def on_mount(self) -> None:
        self._mark()

    def handle(self, event: SessionEvent) -> None:
        """Show what an event says of a candidate."""
        match event:
            case CandidateGrew():
                self._candidates[event.number + 1].grow(event)
            case CandidateMade():
                self._candidates[event.number + 1].finish(event.message)
            case CandidateLost():
                self._candidates[event.number + 1].lose(event.sentence)

    def _mark(self) -> None:
        for index, candidate in enumerate(self._candidates):
            candidate.set_class(index == self._current, "-current")
        self._candidates[self._current].scroll_visible(animate=False)

    def action_move(self, steps: int) -> None:
        self.action_go(self._current + steps)

    @property
    def _columns(self) -> int:
        """How many stand side by side."""
        if self.size.width < NARROWEST_FOR_TWO:
            return 1
        return 3 if self.size.width >= NARROWEST_FOR_THREE and len(self._candidates) > 4 else 2

    def on_resize(self) -> None:
        self.query_one(Grid).styles.grid_size_columns = self._columns

    def action_move_row(self, rows: int) -> None:
        """Move up or down. The last row may have fewer than the others."""
        columns, last = self._columns, len(self._candidates) - 1
        index = min(last, self._current + rows * columns)
        if index >= 0 and index // columns != self._current // columns:
            self.action_go(index)

    def action_go(self, index: int) -> None:
        self._current = max(0, min(len(self._candidates) - 1, index))
        self._mark()

    def on_click(self, event: Click) -> None:
        if isinstance(event.widget, Candidate):
            self.action_go(self._candidates.index(event.widget))

    def action_take(self) -> None:
        candidate = self._candidates[self._current]
        if candidate.is_finished:
            self.dismiss(candidate.number)
        else:
            self.notify("This one is not finished yet.", timeout=2)
