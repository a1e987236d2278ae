"""The laboratory's three panes: where they are, which one is current, and their titles."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from ...discussion import DiscussionRecord, DiscussionSetup
from ...text import one_line
from ..personas.pane import PersonasPane
from ..setup.pane import SetupPane
from ..shell.actions import PANES
from ..shell.terminal_capabilities import has_few_colours
from ..transcript.transcript import Transcript
from ..widgets.notices import show_error
from ..widgets.speaker_colours import SpeakerColours, speakers_of
from .pending import QueuedMessages


class Panes(Horizontal):
    """Personas and setup on the left, the transcript beside them; on a narrow screen, one of them.

    The current pane has the focus, or is about to get it. What is edited in a pane is shown in the
    others too.
    """

    class SetupChanged(Message):
        """The setup was edited in a pane, or which personas there are."""

        def __init__(self, setup: DiscussionSetup) -> None:
            super().__init__()
            self.setup = setup

    def __init__(
        self,
        personas: PersonasPane,
        setup: SetupPane,
        transcript: Transcript,
        colours: SpeakerColours,
        record: Callable[[], DiscussionRecord | None],
    ) -> None:
        """``record`` gives the open discussion."""
        super().__init__(id="panes")
        self._colours = colours
        self._record = record
        self.personas = personas
        self.setup = setup
        self.transcript = transcript
        self._notes: dict[str, str] = {}
        self._pending: dict[str, str] = {}
        self.current = "personas"
        self.queued = QueuedMessages()
        self._focus_is_due = False

    def compose(self) -> ComposeResult:
        with Vertical(id="left"):
            yield self.personas
            with Vertical(id="setup", classes="pane"):
                yield Static("", classes="pane-title")
                yield self.setup
        with Vertical(id="transcript", classes="pane"):
            yield Static("", classes="pane-title")
            yield self.transcript
            yield self.queued

    def widget_of(self, pane: str) -> Widget:
        """What takes the keys of a pane."""
        return {
            "personas": self.personas.list,
            "setup": self.setup,
            "transcript": self.transcript,
        }[pane]

    def go_to(self, pane: str) -> None:
        """Show a pane and give it the focus, once it is there to take it."""
        self._make_current(pane)
        self._focus_is_due = True

        def give_focus() -> None:
            self._focus_is_due = False
            self.widget_of(self.current).focus()

        self.call_after_refresh(give_focus)

    def show_transcript_alone(self) -> None:
        """Go to the transcript where only one pane is shown."""
        if self.screen.has_class("-narrow"):
            self.go_to("transcript")

    def go_by(self, steps: int) -> None:
        """Go to the next pane, or with -1 to the previous one."""
        names: list[str] = list(PANES)
        self.go_to(names[(names.index(self.current) + steps) % len(names)])

    def _make_current(self, pane: str) -> None:
        self.current = pane
        for name in PANES:
            self.query_one(f"#{name}").set_class(name == pane, "-current")
        self.set_class(pane == "transcript", "-transcript")
        self._draw_titles()

    def on_descendant_focus(self) -> None:
        """The mouse, or a widget, moved the focus: its pane is the current one."""
        focused = self.screen.focused
        if self._focus_is_due or focused is None:
            return
        for node in focused.ancestors_with_self:
            if node.id in PANES and node.id != self.current:
                self._make_current(node.id)

    # The setup ---------------------------------------------------------------------------------

    def show_setup(self, setup: DiscussionSetup) -> None:
        """Show another setup in all panes."""
        self.setup.show(setup)
        self.personas.show(setup)

    @on(SetupPane.Changed)
    def _setup_edited(self, event: SetupPane.Changed) -> None:
        self.personas.use(event.setup)
        self.post_message(self.SetupChanged(event.setup))

    @on(PersonasPane.Changed)
    def _personas_edited(self, event: PersonasPane.Changed) -> None:
        if event.error:
            show_error(self.app, event.error)
        self.setup.show(event.setup)
        self.post_message(self.SetupChanged(event.setup))

    # Colours -----------------------------------------------------------------------------------

    def show_colours(self) -> None:
        """Give the speakers of the open discussion, and then everybody else, their colours."""
        self._colours.give((*speakers_of(self._record()), *self.personas.setup.names))
        self.personas.list.show(self.personas.selection)
        self.transcript.set_colours(self.colours_by_name())

    def colours_by_name(self, *others: DiscussionRecord) -> dict[str, str]:
        """The colours of everybody on the screen and in ``others``."""
        names = [persona.name for persona in self.personas.selection.personas]
        names = [*speakers_of(self._record(), *others), *names]
        return self._colours.all_of(names, dark=self.app.current_theme.dark)

    # Titles ------------------------------------------------------------------------------------

    def show_titles(self, file_name: str, pending: dict[str, str]) -> None:
        """Show the panes' titles.

        ``file_name`` is the setup's; ``pending`` says of panes what has not happened yet there.
        """
        setup = self.personas.setup
        taking_part = len(setup.personas) + (setup.moderator is not None)
        notes = {
            "personas": f"{taking_part} of {len(self.personas.selection.personas)} take part",
            "setup": file_name,
            "transcript": self.transcript.badge,
        }
        if (notes, pending) != (self._notes, self._pending):
            self._notes, self._pending = notes, pending
            self._draw_titles()

    @on(Transcript.BadgeChanged)
    def _show_badge(self) -> None:
        self._notes["transcript"] = self.transcript.badge
        self._draw_titles()

    def _draw_titles(self) -> None:
        """Draw each title with what is said of its pane; without the first where it is long."""
        tabs, few_colours = self.screen.has_class("-narrow"), has_few_colours(self.app)
        for name in PANES:
            line = self.query_one(f"#{name} > .pane-title", Static)
            said = (self._notes.get(name, ""), self._pending.get(name, ""))
            notes = [note for note in said if note]
            for note in (" · ".join(notes), *notes[-1:]):
                shown = pane_title(name, self.current, note, tabs=tabs, underline=few_colours)
                if shown.cell_length <= line.content_size.width:
                    break
            line.update(shown)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_titles)


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
