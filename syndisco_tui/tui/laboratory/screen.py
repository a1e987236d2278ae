"""The laboratory: personas and setup on the left, the transcript beside them, the state below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ...discussion import DiscussionRecord, DiscussionSetup, Persona
from ...session import (
    DiscussionChanged,
    DiscussionClosed,
    ErrorRaised,
    InterventionsQueued,
    LiveSession,
    Opened,
    Phase,
    Renamed,
    SessionEvent,
    SetupApplied,
    SetupStaged,
    StateChanged,
)
from ...text import one_line, safe
from ...workspace.folders import SHIPPED_PERSONAS, Folders
from ...workspace.last_setup import LastSetup
from ...workspace.persona_sets import PersonaSets
from ..experiments.batch_note import BatchNote
from ..experiments.batches import batches_of
from ..interventions.controller import InterventionController
from ..personas.pane import PersonasPane
from ..setup.edited_setup import EditedSetup
from ..setup.file import SetupFile
from ..setup.pane import SetupPane
from ..shell.actions import bindings
from ..shell.banner import Banner
from ..shell.confirm_quit import quit_or_ask
from ..shell.event_queue import drained
from ..shell.screen import AppScreen
from ..transcript.transcript import Transcript
from ..widgets.key_line import TwoKeyLines
from ..widgets.speaker_colours import SpeakerColours, speakers_of
from .applicable import Moment
from .draft_line import DraftLine
from .panes import Panes
from .resumable import Resumable
from .run_control import RunControl
from .status_line import StatusLine
from .transcript_hint import TranscriptHint
from .waiting_messages import WaitingMessages

if TYPE_CHECKING:
    from ..inspect.controller import Inspector
    from .library_visit import LibraryVisit

DRAINS_PER_SECOND = 15


class Laboratory(AppScreen[None]):
    """Holds the setup and the personas; shows what the session reports."""

    CSS_PATH = "laboratory.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("everywhere"),
        Binding("escape", "pane('transcript')", show=False),
    ]

    def __init__(
        self,
        session: LiveSession,
        setup: DiscussionSetup,
        personas: tuple[Persona, ...],
        folders: Folders,
        *,
        start: bool = False,
        setup_file: Path | None = None,
        preload: bool = False,
        last_setup: LastSetup | None = None,
    ) -> None:
        super().__init__()
        self._session = session
        self._folders = folders
        file = SetupFile(folders.setups, setup_file)
        self._edited = EditedSetup(setup, self, session, file, last_setup)
        self._start_at_once = start
        self._preloads = preload
        self._personas = personas
        self._colours = SpeakerColours()
        self._interventions = InterventionController(
            self, session, lambda: self.setup, self._colours_by_name
        )
        self._run_control = RunControl(
            self, session, lambda: self.setup, self._show_and_use, self._show_transcript
        )
        self._open_path: Path | None = None
        self._resumable = Resumable(self, folders.discussions, self._resumable_changed)

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("syndisco", id="brand", markup=False)
            yield Static("", id="title", markup=False)
            yield BatchNote()
        personas = PersonasPane(
            self.setup,
            self._personas,
            self._folders.personas_file,
            self._colours,
            sets=PersonaSets(self._folders.persona_sets, SHIPPED_PERSONAS),
            id="personas",
        )
        yield Panes(personas, SetupPane(self.setup), Transcript(interventions=self._interventions))
        yield DraftLine()
        yield Banner()
        yield StatusLine()
        yield TwoKeyLines()

    def on_mount(self) -> None:
        self._hint = TranscriptHint(
            self.app,
            self.transcript.set_hint,
            lambda: self.setup,
            lambda: self.status.figures,
            lambda: self._resumable.record,
        )
        self._show_colours()
        self._hint.show()
        self.panes.go_to("personas")
        self.set_interval(1 / DRAINS_PER_SECOND, self._drain)
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._show_colours())
        self._resumable.find()
        if self._start_at_once:
            self.panes.go_to("transcript")
            self.action_run()
        elif self._preloads:
            self.call_after_refresh(lambda: self._session.preload(self.setup))
        self._show_titles()

    @property
    def setup(self) -> DiscussionSetup:
        """The setup on the screen."""
        return self._edited.setup

    # The widgets -------------------------------------------------------------------------------

    @property
    def panes(self) -> Panes:
        return self.query_one(Panes)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def status(self) -> StatusLine:
        return self.query_one(StatusLine)

    @property
    def banner(self) -> Banner:
        return self.query_one(Banner)

    @property
    def personas_pane(self) -> PersonasPane:
        return self.query_one(PersonasPane)

    @property
    def setup_pane(self) -> SetupPane:
        return self.query_one(SetupPane)

    # Panes -------------------------------------------------------------------------------------

    def _show_titles(self) -> None:
        taking_part = len(self.setup.personas) + (self.setup.moderator is not None)
        notes = {
            "personas": f"{taking_part} of {len(self.personas_pane.selection.personas)} take part",
            "setup": self._edited.file.name,
            "transcript": self.transcript.badge,
        }
        waiting = self._interventions.notes()
        self.panes.note({name: (note, waiting.get(name, "")) for name, note in notes.items()})
        record = self._session.record
        title = (record.title if record else "") or self.setup.heading
        self.query_one("#title", Static).update(Content(one_line(title, 120)))

    def action_pane(self, pane: str) -> None:
        self.panes.go_to(pane)

    def action_next_pane(self) -> None:
        self.panes.go_on(1)

    def action_previous_pane(self) -> None:
        self.panes.go_on(-1)

    @on(Transcript.BadgeChanged)
    def _badge_changed(self) -> None:
        self._show_titles()

    # Events of the session ---------------------------------------------------------------------

    def _drain(self) -> None:
        for event in drained(self._session.events):
            self._show_event(event)
        self._interventions.show()
        self._hint.tick()

    def _show_event(self, event: SessionEvent) -> None:
        if isinstance(event, StateChanged):
            if event.state == "finished" != self._state:
                self._resumable.find()
        elif isinstance(event, Opened):
            self._opened(event)
        elif isinstance(event, DiscussionClosed):
            self._open_path = None
            self._resumable.find()
        elif isinstance(event, Renamed):
            if self.setup.title == event.old_title:
                self._show_and_use(self.setup.model_copy(update={"title": event.title}))
        elif isinstance(event, ErrorRaised):
            self.notify(safe(event.sentence), severity="error", timeout=12, markup=False)
        self._interventions.handle(event)
        if isinstance(event, Opened | SetupApplied):
            self._edited.used()
        if self._run_control.handle(event):
            run_control = self._run_control
            self.query_one(DraftLine).show(
                run_control.draft_from_turn, has_turns=not run_control.has_no_turns_left
            )
            self.refresh_bindings()
        if isinstance(
            event,
            Opened | SetupStaged | SetupApplied | InterventionsQueued | DiscussionClosed | Renamed,
        ):
            self._show_titles()
        elif isinstance(event, DiscussionChanged):
            self._show_colours()
        self.banner.handle(event)
        self.query_one(WaitingMessages).handle(event)
        self.status.handle(event)
        self.transcript.handle(event)

    def _opened(self, event: Opened) -> None:
        self._open_path = event.path
        self._resumable.forget()
        if self._edited.opened(event.record.setup):
            self._show_setup(self.setup)
        self._show_colours()

    def _show_setup(self, setup: DiscussionSetup) -> None:
        """Show another setup in all panes."""
        self.setup_pane.show(setup)
        self.personas_pane.show(setup)
        self._show_colours()

    def _show_and_use(self, setup: DiscussionSetup) -> None:
        """Take over a setup that was not edited in a pane."""
        self._show_setup(setup)
        self._use(setup)

    def on_screen_resume(self) -> None:
        """Back from another screen, which may have changed the keys or the discussion's title."""
        if self.is_attached and self.query(Transcript):
            self._hint.show()
            self._show_titles()

    # Running -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys apply now; the key lines show these."""
        figures = self.status.figures
        return Moment(
            state=self._state,
            is_pausing=figures.pausing,
            is_loading=figures.is_loading,
            has_draft=self._run_control.has_draft,
            has_discussion=self._session.record is not None,
            can_resume=self._resumable.path is not None,
            batch_runs=batches_of(self.app).running is not None,
        ).applies(action)

    @property
    def _state(self) -> Phase:
        return self._run_control.state

    def _has_users(self) -> bool:
        has_users = self._run_control.has_users(bool(self.personas_pane.selection.personas))
        if not has_users:
            self.panes.go_to("personas")
        return has_users and batches_of(self.app).lets_run(self.setup)

    def action_run(self) -> None:
        if self._has_users():
            self._run_control.run()

    def action_step(self) -> None:
        if self._has_users():
            self._run_control.step()

    def action_new_discussion(self) -> None:
        self._run_control.new()

    def action_discard_draft(self) -> None:
        record = self._session.record
        if record is not None:
            self._edited.discard()
            self._show_and_use(record.setup)
            self._edited.used()

    def _show_transcript(self) -> None:
        if self.has_class("-narrow"):
            self.panes.go_to("transcript")

    def action_repeat(self) -> None:
        if batches_of(self.app).running or self._has_users():
            self._visit.repeat(self.setup)

    def action_pause(self) -> None:
        self._session.pause()

    def action_stop(self) -> None:
        self._session.stop()

    def action_resume(self) -> None:
        if self._resumable.path:
            self._show_transcript()
            self._session.resume(self._resumable.path)

    def _resumable_changed(self) -> None:
        self.refresh_bindings()
        self._hint.show()

    @property
    def _visit(self) -> LibraryVisit:
        from .library_visit import LibraryVisit  # not before the first picture, as others below

        return LibraryVisit(
            self.app,
            self._session,
            self._folders,
            self._colours,
            self.personas_pane,
            lambda: self.panes.go_to("transcript"),
            open_path=lambda: self._open_path,
            state=lambda: self._state,
        )

    def action_library(self) -> None:
        self._visit.open()

    # Setup and personas ------------------------------------------------------------------------

    @on(SetupPane.Changed)
    def _setup_changed(self, event: SetupPane.Changed) -> None:
        self._use(event.setup)

    def _use(self, setup: DiscussionSetup) -> None:
        """Go on with another setup: in all panes, and in the discussion from the next turn."""
        if setup == self.setup:
            return
        self._edited.edit(setup)
        self.personas_pane.setup = setup
        self._show_titles()
        self._hint.show()
        if self._state != "idle":
            if not setup.turn_takers:
                self._session.pause()
                return
            self._session.change_setup(setup)

    @on(PersonasPane.Changed)
    def _personas_changed(self, event: PersonasPane.Changed) -> None:
        if event.fault:
            self.notify(safe(event.fault), severity="error", markup=False, timeout=12)
        self.setup_pane.show(event.setup)
        self._show_colours()
        self._show_titles()  # somebody who does not take part may have come or gone
        self._use(event.setup)

    def _show_colours(self) -> None:
        self._colours.give((*speakers_of(self._session.record), *self.personas_pane.setup.names))
        self.personas_pane.list.show(self.personas_pane.selection)
        self.transcript.set_colours(self._colours_by_name())

    def _colours_by_name(self, *others: DiscussionRecord) -> dict[str, str]:
        present = speakers_of(self._session.record, *others)
        names = (*present, *(each.name for each in self.personas_pane.selection.personas))
        return self._colours.all_of(names, dark=self.app.current_theme.dark)

    # All else ----------------------------------------------------------------------------------

    def action_save_setup(self) -> None:
        self._edited.file.save(self, self.setup, self._show_titles)

    def action_copy_path(self) -> None:
        if self._open_path:
            self.post_message(Transcript.Copied(str(self._open_path), "Path"))

    def action_open_setup(self) -> None:
        self._edited.file.open(self, self._show_and_use)

    @property
    def _inspector(self) -> Inspector:
        from ..inspect.controller import Inspector

        return Inspector(self.app, self._session, self.transcript, self._colours_by_name)

    def action_xray(self) -> None:
        self._inspector.open_xray()

    def action_inject(self) -> None:
        self._interventions.inject()

    def action_next_speaker(self) -> None:
        self._interventions.next_speaker()

    def action_turn_lab(self) -> None:
        self._inspector.open_turn_lab(self.status)

    def action_compare(self) -> None:
        self._inspector.open_compare(self._folders.discussions)

    def action_quit(self) -> None:
        quit_or_ask(self.app, self._state, unsaved=self.banner.lasts("saving"))
