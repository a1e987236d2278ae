"""A person's own words: post a message, or edit one that was posted."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key, Paste
from textual.screen import ScreenResultType
from textual.widgets import Input, Static, TextArea

from ...session import Inject
from ...text import one_line, safe
from ..widgets.forms import ErrorLine, Form
from ..widgets.inline_select import InlineSelect
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput, SafeTextArea

SOMEBODY_ELSE = "somebody else"


class WritingScreen(Form[ScreenResultType]):
    """A text to write, while a reply may be generated: ``speaking`` gives its speaker's name."""

    WHILE_SPEAKING: ClassVar[str]
    """What the reply that is being generated means for the text."""

    def __init__(self, speaking: Callable[[], str]) -> None:
        super().__init__()
        self._speaking = speaking

    def on_mount(self) -> None:
        self.query_one("#inject-hint").display = False
        self.show_speaking()

    def show_speaking(self) -> None:
        """Say what the reply means that is being generated, if one is."""
        name = self._speaking()
        hint = self.query_one("#inject-hint", Static)
        hint.update(Content(safe(self.WHILE_SPEAKING.format(one_line(name, 30)))))
        hint.visible = bool(name)
        hint.display = hint.display or hint.visible  # its line stays: nothing jumps

    def on_paste(self, event: Paste) -> None:
        """Put what is pasted into the text, unless another field has taken it."""
        event.prevent_default()  # a form's own way
        event.stop()
        self.query_one(SafeTextArea).type_in(event.text)


class InjectScreen(WritingScreen[Inject | None]):
    """Asks for a message and in whose name it is posted; ``names`` are those who take part.

    ``suggested`` is chosen at first.
    """

    WHILE_SPEAKING = "It is posted after the current reply by {}."

    HELP = """Post a message
    Your own words, in the name of anybody who takes part or of somebody else. They take no turn,
    and are marked as a human's in the transcript and in the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "post", "post", key_display="^s", priority=True),
        Binding("tab", "app.focus_next", "name or text", key_display="tab", priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("down", "app.focus_next", show=False),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
    ]

    def __init__(
        self, names: tuple[str, ...], speaking: Callable[[], str], *, suggested: str = ""
    ) -> None:
        super().__init__(speaking)
        self._names = names
        self._suggested = suggested

    def compose(self) -> ComposeResult:
        known = self._suggested in self._names
        index = self._names.index(self._suggested) if known else 0
        other = "" if known else self._suggested
        with Vertical(id="inject", classes="dialog"):
            with Horizontal(id="inject-who"):
                yield Static("Post a message as", classes="dialog-title", markup=False)
                yield InlineSelect(
                    (*self._names, SOMEBODY_ELSE),
                    len(self._names) if other else index,
                    title="Post in the name of",
                    id="who",
                )
                yield SafeInput(other, compact=True, placeholder="the name", id="other-name")
            yield SafeTextArea(compact=True, soft_wrap=True, classes="message-text")
            yield Static("", id="inject-hint", markup=False)
            yield ErrorLine()
            yield KeyLine()

    @property
    def _is_somebody_else(self) -> bool:
        return self.query_one(InlineSelect).index == len(self._names)

    def on_mount(self) -> None:
        self._show_name()
        self.query_one(InlineSelect).focus()

    def on_key(self, event: Key) -> None:
        """Whoever begins to write means the text, also while a name is chosen."""
        if event.character and event.is_printable:
            event.stop()
            self.query_one(SafeTextArea).type_in(event.character)

    def _show_name(self) -> None:
        self.query_one("#other-name").display = self._is_somebody_else

    @on(InlineSelect.Changed)
    def _name_chosen(self, event: InlineSelect.Changed) -> None:
        self._show_name()
        if event.in_list:
            name = self.query_one("#other-name", Input)
            self.set_focus(name if self._is_somebody_else else self.query_one(TextArea))

    @on(Input.Submitted)
    def _named(self) -> None:
        self.query_one(TextArea).focus()

    def action_post(self) -> None:
        name = self.query_one("#other-name", Input)
        area = self.query_one(TextArea)
        if self._is_somebody_else and not name.value.strip():
            self.show_error("The name is missing.")
            name.focus()
        elif not area.text.strip():
            self.show_error("The message is empty.")
            area.focus()
        else:
            who = name.value if self._is_somebody_else else self._names[self._chosen]
            self.dismiss(Inject(who.strip(), area.text))

    @property
    def _chosen(self) -> int:
        return self.query_one(InlineSelect).index


class EditScreen(WritingScreen[str | None]):
    """Edits a message's text; the result is the new one, or None if nothing is to change."""

    WHILE_SPEAKING = "The current reply by {} answers the old text."

    HELP = """Edit a message
    Another text for a message. Later replies are made from the new one; the file keeps the old
    one too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "save", "save", key_display="^s", priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", priority=True),
    ]

    def __init__(self, title: str, text: str, speaking: Callable[[], str]) -> None:
        super().__init__(speaking)
        self._title = title
        self._before = text

    def compose(self) -> ComposeResult:
        with Vertical(id="edit-message", classes="dialog"):
            yield Static(Content(safe(self._title)), classes="dialog-title")
            yield SafeTextArea(self._before, compact=True, soft_wrap=True, classes="message-text")
            yield Static("", id="inject-hint", markup=False)
            yield ErrorLine()
            yield KeyLine()

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        self._shown = area.text
        area.focus()

    def action_save(self) -> None:
        text = self.query_one(TextArea).text
        if not text.strip():
            self.show_error("A message needs a text. To remove it, cancel and delete it.")
        elif text == self._shown:  # untouched: as it was, to the letter
            self.dismiss(None)
        else:
            self.dismiss(text)
