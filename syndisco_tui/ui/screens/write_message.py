"""Words of one's own: put something into the discussion, or change what was said."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ScreenResultType
from textual.widgets import Input, Static, TextArea

from ...session import Inject
from ...text import one_line, safe
from ..own_screen import OwnDialog
from ..widgets.chooser import Chooser
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput, SafeTextArea

SOMEBODY_ELSE = "somebody else"


class WritingScreen(OwnDialog[ScreenResultType]):
    """A text to write, while ``speaking`` is perhaps saying something."""

    WHILE_SPEAKING: ClassVar[str]
    """What the reply in the making means for the text."""

    def __init__(self, speaking: str) -> None:
        super().__init__()
        self._speaking = speaking

    def on_mount(self) -> None:
        self.query_one("#inject-hint").display = False
        self.show_speaking(self._speaking)

    def show_speaking(self, name: str) -> None:
        """``name`` is speaking now; nobody is, if it is empty."""
        hint = self.query_one("#inject-hint", Static)
        hint.update(Content(safe(self.WHILE_SPEAKING.format(one_line(name, 30)))))
        hint.visible = bool(name)
        hint.display = hint.display or hint.visible  # its line stays: nothing jumps

    def _say_fault(self, sentence: str) -> None:
        fault = self.query_one("#fault", Static)
        fault.update(Content(safe(sentence)))
        fault.display = True


class InjectScreen(WritingScreen[Inject | None]):
    """Asks who says it and what is said; ``names`` are those who take part.

    ``suggested`` is chosen at first.
    """

    WHILE_SPEAKING = "It is posted after what {} is saying now."

    HELP = """Say something
    Your own words, in the name of anybody who takes part or of somebody else. They take no turn,
    and are marked as a human's in the transcript and in the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "post", "say it", key_display="^s", priority=True),
        Binding("tab", "app.focus_next", "who or what", key_display="tab", priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("enter,down", "app.focus_next", show=False),
        Binding("escape", "dismiss(None)", "back", key_display="esc", priority=True),
    ]

    def __init__(self, names: tuple[str, ...], *, suggested: str = "", speaking: str = "") -> None:
        super().__init__(speaking)
        self._names = names
        self._suggested = suggested

    def compose(self) -> ComposeResult:
        known = self._suggested in self._names
        index = self._names.index(self._suggested) if known else 0
        other = "" if known else self._suggested
        with Vertical(id="inject", classes="dialog"):
            with Horizontal(id="inject-who"):
                yield Static("Say something as", classes="dialog-title", markup=False)
                yield Chooser(
                    (*self._names, SOMEBODY_ELSE), len(self._names) if other else index, id="who"
                )
                yield SafeInput(other, compact=True, placeholder="their name", id="other-name")
            yield SafeTextArea(compact=True, soft_wrap=True, classes="message-text")
            yield Static("", id="inject-hint", markup=False)
            yield Static("", id="fault", markup=False)
            yield KeyLine()

    @property
    def _is_somebody_else(self) -> bool:
        return self.query_one(Chooser).index == len(self._names)

    def on_mount(self) -> None:
        self._show_name()
        self.query_one(Chooser).focus()

    def on_key(self, event: Key) -> None:
        """Whoever begins to write means the text, also while a name is chosen."""
        if event.character and event.is_printable:
            event.stop()
            area = self.query_one(TextArea)
            self.set_focus(area)
            area.insert(event.character)

    @on(Chooser.Changed)
    def _show_name(self) -> None:
        self.query_one("#other-name").display = self._is_somebody_else

    @on(Input.Submitted)
    def _named(self) -> None:
        self.query_one(TextArea).focus()

    def action_post(self) -> None:
        name = self.query_one("#other-name", Input)
        area = self.query_one(TextArea)
        if self._is_somebody_else and not name.value.strip():
            self._say_fault("They need a name.")
            name.focus()
        elif not area.text.strip():
            self._say_fault("Nothing is written yet.")
            area.focus()
        else:
            who = name.value if self._is_somebody_else else self._names[self._chosen]
            self.dismiss(Inject(who.strip(), area.text))

    @property
    def _chosen(self) -> int:
        return self.query_one(Chooser).index


class EditScreen(WritingScreen[str | None]):
    """Edits a message's text; the result is the new one, or None if it was left as it was."""

    WHILE_SPEAKING = "What {} is saying now was asked for with the old text."

    HELP = """Edit a message
    Another text for what was said. Who speaks from now on reads the new one; what stood here
    before is kept in the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "keep", "keep", key_display="^s", priority=True),
        Binding("escape", "dismiss(None)", "leave as it was", key_display="esc", priority=True),
    ]

    def __init__(self, title: str, text: str, *, speaking: str = "") -> None:
        super().__init__(speaking)
        self._title = title
        self._before = text

    def compose(self) -> ComposeResult:
        with Vertical(id="edit-message", classes="dialog"):
            yield Static(Content(safe(self._title)), classes="dialog-title")
            yield SafeTextArea(self._before, compact=True, soft_wrap=True, classes="message-text")
            yield Static("", id="inject-hint", markup=False)
            yield Static("", id="fault", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        self._shown = area.text
        area.move_cursor(area.document.end)
        area.focus()

    def action_keep(self) -> None:
        text = self.query_one(TextArea).text
        if not text.strip():
            self._say_fault("A message needs a text; delete takes it away.")
        elif text == self._shown:  # untouched: as it was, to the letter
            self.dismiss(None)
        else:
            self.dismiss(text)
