"""The laboratory's three panes: where they are, which one is current, and their titles."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...text import one_line
from ..personas.pane import PersonasPane
from ..setup.pane import SetupPane
from ..shell.actions import PANES
from ..shell.terminal_capabilities import has_few_colours
from ..transcript.transcript import Transcript
from .pending import QueuedMessages


class Panes(Horizontal):
    """Personas and setup on the left, the transcript beside them; on a narrow screen, one of them.

    The current pane has the focus, or is about to get it.
    """

    def __init__(self, personas: PersonasPane, setup: SetupPane, transcript: Transcript) -> None:
        super().__init__(id="panes")
        self._personas = personas
        self._setup = setup
        self._transcript = transcript
        self._notes: dict[str, tuple[str, ...]] = {}
        self.current = "personas"
        self.queued = QueuedMessages()
        self._focus_is_due = False

    def compose(self) -> ComposeResult:
        with Vertical(id="left"):
            yield self._personas
            with Vertical(id="setup", classes="pane"):
                yield Static("", classes="pane-title")
                yield self._setup
        with Vertical(id="transcript", classes="pane"):
            yield Static("", classes="pane-title")
            yield self._transcript
            yield self.queued

    def widget_of(self, pane: str) -> Widget:
        """What takes the keys of a pane."""
        return {
            "personas": self._personas.list,
            "setup": self._setup,
            "transcript": self._transcript,
        }[pane]

    def go_to(self, pane: str) -> None:
        """Show a pane and give it the focus, once it is there to take it."""
        self._make_current(pane)
        self._focus_is_due = True

        def give_focus() -> None:
            self._focus_is_due = False
            self.widget_of(self.current).focus()

        self.call_after_refresh(give_focus)

    def go_by(self, steps: int) -> None:
        """Go to the next pane, or with -1 to the previous one."""
        names: list[str] = list(PANES)
        self.go_to(names[(names.index(self.current) + steps) % len(names)])

    def _make_current(self, pane: str) -> None:
        self.current = pane
        for name in PANES:
            self.query_one(f"#{name}").set_class(name == pane, "-current")
        self.set_class(pane == "transcript", "-transcript")
        self._show_titles()

    def on_descendant_focus(self) -> None:
        """The mouse, or a widget, moved the focus: its pane is the current one."""
        focused = self.screen.focused
        if self._focus_is_due or focused is None:
            return
        for node in focused.ancestors_with_self:
            if node.id in PANES and node.id != self.current:
                self._make_current(node.id)

    # Titles ------------------------------------------------------------------------------------

    def note(self, notes: dict[str, tuple[str, ...]]) -> None:
        """Say these beside each pane's title; where there is no room, the last one alone."""
        if notes != self._notes:
            self._notes = notes
            self._show_titles()

    def _show_titles(self) -> None:
        tabs, few_colours = self.screen.has_class("-narrow"), has_few_colours(self.app)
        for name in PANES:
            line = self.query_one(f"#{name} > .pane-title", Static)
            notes = [note for note in self._notes.get(name, ()) if note]
            for note in (" · ".join(notes), *notes[-1:]):
                shown = pane_title(name, self.current, note, tabs=tabs, underline=few_colours)
                if shown.cell_length <= line.content_size.width:
                    break
            line.update(shown)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_titles)


def pane_title(name: str, current: str, note: str, *, tabs: bool, underline: bool) -> Content:
    """The title of pane ``name`` while ``current`` has the focus, and a note behind it.

    ``tabs``: all three titles, one after the other. ``underline``: colours alone do not tell.
    """
    marked = "bold underline $accent" if underline else "bold $accent"
    parts: list[Content | str] = []
    for number, pane in enumerate(PANES, start=1):
        if tabs or pane == name:
            style = marked if pane == current else "$quiet" if tabs else "bold $quiet"
            parts += [Content.styled(f"{number} {pane.capitalize()}", style)]
            parts.append("   " if tabs else "  ")
    return Content.assemble(*parts, Content.styled(one_line(note, 40), "$quiet"))
