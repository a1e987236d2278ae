"""A new discussion that begins like this one: its title, and what is to be different."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import DiscussionRecord, DiscussionSetup
from ...text import one_line, safe
from ..forms import Form, Typed
from ..setup_fields import FIELDS, as_text, persona_rows
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput
from ..widgets.setup_pane import SetupPane


class ForkScreen(Form[DiscussionSetup | None]):
    """The result is the setup that the fork goes on with, or None.

    ``count`` messages of ``record`` are taken over; ``setup`` is what it would go on with.
    """

    CSS_PATH = "laboratory.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    HELP = """Fork
    A new discussion that shares the messages up to here. Change one thing and see what becomes of
    it: a field of the setup or of a persona. This discussion stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "fork", "fork", key_display="^s"),
        Binding("tab", "app.focus_next", "title or fields", key_display="tab", priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("down", "app.focus_next", show=False),
        Binding("escape", "cancel", "cancel", key_display="esc"),
    ]

    def __init__(self, record: DiscussionRecord, setup: DiscussionSetup, count: int) -> None:
        super().__init__()
        self._before = self._setup = setup
        self._title = _fork_of(record.title or setup.heading)
        self._count = count
        self._total = len(record.entries)
        self._fields = (*FIELDS, *persona_rows(setup))

    def compose(self) -> ComposeResult:
        with Vertical(id="fork", classes="dialog"):
            yield Static("Fork", classes="dialog-title", markup=False)
            yield Static(safe(self._taken_over()), markup=False)
            with Horizontal(classes="form-row"):
                yield Static("Title", classes="form-label", markup=False)
                yield SafeInput(self._title, compact=True, id="fork-title")
            yield SetupPane(self._setup, fields=self._fields)
            yield Static("", id="fork-changed")
            yield KeyLine()

    def _taken_over(self) -> str:
        if self._count == self._total:
            return "All messages so far are taken over."
        if self._count == 1:
            return f"The first of {self._total} messages is taken over."
        return f"The first {self._count} of {self._total} messages are taken over."

    def on_mount(self) -> None:
        self._show_changed()
        self.query_one("#fork-title", Input).focus()

    def typed(self) -> Typed:
        return (self.query_one("#fork-title", Input).value, self._setup)

    def fill(self, typed: Typed) -> None:
        title, setup = typed
        assert isinstance(setup, DiscussionSetup)
        self.query_one("#fork-title", Input).value = str(title)
        self._setup = setup
        self.query_one(SetupPane).show(self._setup)
        self._show_changed()

    @on(SetupPane.Changed)
    def _changed(self, event: SetupPane.Changed) -> None:
        event.stop()
        self._setup = event.setup
        self._show_changed()

    def _show_changed(self) -> None:
        changed = [
            one_line(f"{field.owner} {field.label}".strip(), 40)
            for field in self._fields
            if as_text(field, self._setup) != as_text(field, self._before)
        ]
        text = f"Changed: {', '.join(changed)}" if changed else "Nothing is changed."
        note = self.query_one("#fork-changed", Static)
        note.update(Content.styled(text, "" if changed else "$quiet"))

    @on(Input.Submitted, "#fork-title")
    def action_fork(self) -> None:
        title = self.query_one("#fork-title", Input).value.strip()
        self.dismiss(self._setup.model_copy(update={"title": title}))


def _fork_of(title: str) -> str:
    """The title of a fork; a fork's fork has a number."""
    match = re.fullmatch(r"(.*) \(fork(?: (\d{1,4}))?\)", title, re.DOTALL)
    if match is None:
        return f"{title} (fork)"
    return f"{match[1]} (fork {int(match[2] or 1) + 1})"
