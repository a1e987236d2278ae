"""The screen on which a person annotates a discussion, one key per answer."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message as Event
from textual.widgets import Input, Static

from ...discussion.scales import IntegerScale
from ...text import one_line, safe
from ...workspace.coding import HumanCoding
from ..shell.screen import AppScreen
from ..widgets.dialogs import ConfirmDialog
from ..widgets.forms import discard_question
from ..widgets.key_line import KeyLine
from ..widgets.page import Page
from ..widgets.safe_input import SafeInput
from .answer_keys import answer_keys
from .coded_transcript import CodedTranscript
from .legend import legend_lines

MAX_LEGEND_LINES = 6


class CodingScreen(AppScreen[None]):
    """Takes answers for ``coding``, and saves each at once, on a thread."""

    HELP = """Annotate
    A key answers about the current message and goes on to the next one without an answer. The
    keys stand below the discussion. Backspace takes the last answer back; the arrows lead to any
    message, and a key there replaces its answer. Every answer is saved at once.
    """
    CSS_PATH = "annotation.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace", "undo", "undo", key_display="⌫", priority=True),
        Binding("tab", "skip", "skip", priority=True),
        Binding("escape", "leave", "leave", key_display="esc", priority=True),
    ]

    class Saved(Event):
        """The answers were saved, or ``error`` says why not."""

        def __init__(self, error: str) -> None:
            super().__init__()
            self.error = error

    def __init__(self, coding: HumanCoding, annotator: str, colours: dict[str, str]) -> None:
        super().__init__()
        self._coding = coding
        self._annotator = annotator
        self._colours = colours
        self._keys = answer_keys(coding.question.scale)
        self._error = ""
        self._transcript = CodedTranscript(coding.positions)

    def compose(self) -> ComposeResult:
        yield Page(classes="instrument-title")
        yield self._transcript
        yield Page(id="legend")
        if not self._keys:
            with Horizontal(id="answer"):
                yield Static("Answer", id="answer-label", markup=False)
                yield SafeInput(compact=True, placeholder=self._placeholder)
        yield KeyLine(classes="instrument-keys")

    @property
    def _placeholder(self) -> str:
        scale = self._coding.question.scale
        if isinstance(scale, IntegerScale):
            return f"a whole number from {scale.low} to {scale.high}, then ⏎"
        return "a few words, then ⏎"

    def on_mount(self) -> None:
        coding = self._coding
        self._transcript.set_colours(self._colours)
        answers = {
            position: self._shown(position)
            for position in coding.positions
            if coding.value(position) is not None
        }
        self._transcript.show_coded(coding.record, answers)
        self.query_one("#legend", Page).show(self._legend)
        target = self._transcript if self._keys else self.query_one(Input)
        target.focus()
        first = coding.next_open(-1)
        start = coding.positions[0] if first is None else first
        self.call_after_refresh(self._go_to, start)
        self._show()

    def on_unmount(self) -> None:
        self._coding.close()

    # What is shown -----------------------------------------------------------------------------

    def _shown(self, position: int) -> str:
        value = self._coding.value(position)
        return "" if value is None else f"▸ {one_line(str(value), 40)}"

    def _show(self) -> None:
        """Update the title and the keys."""
        coding = self._coding
        note, style = self._error, "$error"
        if not note:
            note, style = f"{coding.done}/{coding.total}", "bold $accent"
        start = Content.styled(f"{one_line(coding.question.name, 40)}   ", "bold $accent")
        end = Content.styled(one_line(note, 100), style)

        def title(width: int) -> list[Content]:
            room = max(8, width - start.cell_length - end.cell_length - 3)
            about = f"{one_line(self._annotator, 30)} · {one_line(coding.record.heading, 100)}"
            heading = Content.styled(about, "$quiet").truncate(room, ellipsis=True)
            space = max(1, width - start.cell_length - heading.cell_length - end.cell_length)
            return [Content.assemble(start, heading, " " * space, end)]

        self.query_one(".instrument-title", Page).show(title)
        self.query_one("#legend", Page).show(self._legend)
        self.refresh_bindings()

    def _legend(self, width: int) -> list[Content]:
        coding, current = self._coding, self._transcript.current
        value = None if current is None else coding.value(current)
        return legend_lines(coding.question, self._keys, value, width)[:MAX_LEGEND_LINES]

    def _go_to(self, position: int) -> None:
        self._transcript.cursor.go_to(position)
        self._fill_input()
        self._show()

    def _fill_input(self) -> None:
        """Put the current message's typed answer into the input, to edit it."""
        if self._keys or (current := self._transcript.current) is None:
            return
        value = self._coding.value(current)
        self.query_one(Input).value = "" if value is None else safe(str(value))

    # Keys --------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo" and any(each.value for each in self.query(Input)):
            return False  # backspace is the input's
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        if event.character in self._keys:
            event.stop()
            event.prevent_default()
            self._answer(self._keys[event.character])
        elif not self._keys and event.key in ("up", "down"):
            event.stop()
            self._move(event.key)

    def _move(self, key: str) -> None:
        if self._has_unsaved_text:
            self.notify("⏎ saves what you typed; clear it to go on without it.", timeout=4)
            return
        transcript = self._transcript
        if key == "up":
            transcript.action_previous_message()
        else:
            transcript.action_next_message()
        self._fill_input()
        self._show()

    @on(Input.Changed)
    def _typing(self) -> None:
        self.refresh_bindings()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        self._answer(event.value)

    def _answer(self, text: str) -> None:
        position = self._transcript.current
        if position is None:
            return
        if position not in self._coding.positions:
            self.notify("A silence is not annotated.", timeout=3)
            return
        if not self._coding.answer(position, text):
            self.notify(safe(f"Type {self._placeholder}."), markup=False, timeout=4)
            return
        self._transcript.show_answer(position, self._shown(position))
        self._save()
        following = self._coding.next_open(position)
        if following is None:
            self._all_done(position)
        else:
            self._go_to(following)

    def _all_done(self, position: int) -> None:
        self._go_to(position)
        sentence = f"All {self._coding.total} messages are annotated. esc leaves."
        self.notify(safe(sentence), markup=False, timeout=5)

    def action_undo(self) -> None:
        """Undo the last answer, and go to its message."""
        position = self._coding.undo()
        if position is None:
            self.notify("Nothing to undo.", timeout=3)
            return
        self._transcript.show_answer(position, self._shown(position))
        self._save()
        self._go_to(position)

    def action_skip(self) -> None:
        """Go on to the next message without an answer."""
        current = self._transcript.current
        following = self._coding.next_open(-1 if current is None else current)
        if following is not None:
            self._go_to(following)

    # Saving ------------------------------------------------------------------------------------

    @work(thread=True, exit_on_error=False)
    def _save(self) -> None:
        try:
            self._coding.save()
        except OSError as error:
            self.post_message(self.Saved(f"not saved: {error.strerror or error}"))
        else:
            self.post_message(self.Saved(""))

    @on(Saved)
    def _saved(self, event: Saved) -> None:
        if event.error != self._error:
            self._error = event.error
            self._show()

    @property
    def _has_unsaved_text(self) -> bool:
        """Whether an answer was typed that is not the message's yet."""
        current = self._transcript.current
        if self._keys or current is None:
            return False
        value = self._coding.value(current)
        saved = "" if value is None else safe(str(value))
        return self.query_one(Input).value.strip() not in ("", saved)

    def action_leave(self) -> None:
        """Leave once everything is saved; if something would be lost, ask first."""

        def answered(yes: bool | None) -> None:
            if yes:
                self._save_and_leave()

        if self._has_unsaved_text:
            self.app.push_screen(discard_question(self.app, can_undo=False), answered)
        else:
            self._save_and_leave()

    @work(thread=True, exit_on_error=False, exclusive=True, group="leave")
    def _save_and_leave(self) -> None:
        try:
            self._coding.save()
        except OSError as error:
            self.app.call_from_thread(self._ask_to_discard, str(error.strerror or error))
        else:
            self.app.call_from_thread(self.dismiss, None)

    def _ask_to_discard(self, reason: str) -> None:
        question = ConfirmDialog(
            "Some answers are not saved. Leave all the same?",
            f"{self._coding.path}: {reason}",
            "discard them",
            "stay",
        )
        self.app.push_screen(question, self._discard)

    def _discard(self, yes: bool | None) -> None:
        if yes:
            self.dismiss(None)
