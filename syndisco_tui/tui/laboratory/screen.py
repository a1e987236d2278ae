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

from ...discussion import DiscussionSetup, Persona
from ...session import (
    DiscussionChanged,
    DiscussionClosed,
    ErrorRaised,
    LiveSession,
    Opened,
    Renamed,
    ReplyGrew,
    SessionEvent,
    SetupApplied,
    StateChanged,
)
from ...text import one_line, safe
from ...workspace.folders import Folders
from ...workspace.personas import PersonaSets
from ...workspace.setups import LastSetup
from ..experiments.batches import BatchNote, batches_of
from ..interventions.controller import InterventionController
from ..personas.pane import PersonasPane
from ..setup.edited_setup import EditedSetup, SetupFile
from ..setup.pane import SetupPane
from ..shell.actions import bindings
from ..shell.banner import Banner
from ..shell.confirm_quit import quit_or_ask
from ..shell.event_queue import drained
from ..shell.keymap import keymap_of
from ..shell.screen import AppScreen
from ..shell.settings_in_force import settings_of
from ..transcript.transcript import Transcript
from ..widgets.key_line import TwoKeyLines
from ..widgets.speaker_colours import SpeakerColours
from .empty_transcript import empty_transcript
from .panes import Panes
from .pending import DraftLine, staged_notes
from .run_control import RunControl
from .session_view import SessionView
from .status_line import StatusLine

if TYPE_CHECKING:
    from ..annotation.controller import AnnotationController
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
        Binding("escape", "transcript", show=False),
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
        self._colours = SpeakerColours()
        self.view = SessionView()
        """What the session has reported so far."""
        self.personas_pane = PersonasPane(
            setup,
            personas,
            folders.personas_file,
            self._colours,
            sets=PersonaSets(folders.persona_sets),
            id="personas",
        )
        self.setup_pane = SetupPane(setup)
        self._interventions = InterventionController(
            self, session, self.view, lambda: self.setup, lambda: self.panes.colours_by_name()
        )
        self.transcript = Transcript(interventions=self._interventions)
        self.panes = Panes(
            self.personas_pane,
            self.setup_pane,
            self.transcript,
            self._colours,
            lambda: session.record,
        )
        self.banner = Banner()
        self._draft_line = DraftLine()
        self._status_line = StatusLine(self.view)
        self._run_control = RunControl(
            self,
            session,
            self.view,
            self.panes,
            self._edited,
            self._use,
            folders.discussions,
        )

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("syndisco", id="brand", markup=False)
            yield Static("", id="title", markup=False)
            yield BatchNote()
        yield self.panes
        yield self._draft_line
        yield self.banner
        yield self._status_line
        yield TwoKeyLines()

    def on_mount(self) -> None:
        self.panes.show_colours()
        self.panes.go_to("personas")
        self.set_interval(1 / DRAINS_PER_SECOND, self._drain)
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self.panes.show_colours())
        self._run_control.find_resumable()
        if self._start_at_once:
            self.panes.go_to("transcript")
            self.action_run()
        elif self._preloads:
            self.call_after_refresh(lambda: self._session.preload(self.setup))
        self._show_news()

    @property
    def setup(self) -> DiscussionSetup:
        """The setup on the screen."""
        return self._edited.setup

    # Panes -------------------------------------------------------------------------------------

    def action_personas(self) -> None:
        self.panes.go_to("personas")

    def action_setup(self) -> None:
        self.panes.go_to("setup")

    def action_transcript(self) -> None:
        self.panes.go_to("transcript")

    def action_next_pane(self) -> None:
        self.panes.go_by(1)

    def action_previous_pane(self) -> None:
        self.panes.go_by(-1)

    # Events of the session ---------------------------------------------------------------------

    def _drain(self) -> None:
        """Show what has happened since the last time: the one throttle of all that streams."""
        events = list(drained(self._session.events))
        for event in events:
            self.handle(event)
        if events:
            self._interventions.refresh()
            self._status_line.refresh()
        if any(not isinstance(event, ReplyGrew) for event in events):
            self._show_news()
        if not self.transcript.lines.entries:
            record = self._run_control.resumable[1] if self._run_control.resumable else None
            keymap = keymap_of(self.app)
            self.transcript.set_hint(empty_transcript(self.setup, self.view, record, keymap))

    def handle(self, event: SessionEvent) -> None:
        """Show what an event reports."""
        before = self.view.phase
        self.view.handle(event)
        match event:
            case StateChanged(state="finished") if before != "finished":
                self._run_control.find_resumable()
            case Opened():
                self._opened(event)
            case SetupApplied():
                self._edited.used()
            case DiscussionClosed():
                self._run_control.find_resumable()
            case Renamed() if self.setup.title == event.old_title:
                self._use(self.setup.model_copy(update={"title": event.title}))
            case DiscussionChanged():
                self.panes.show_colours()
            case ErrorRaised():
                self.notify(safe(event.sentence), severity="error", timeout=12, markup=False)
        self._interventions.handle(event)
        self.banner.handle(event)
        self.transcript.handle(event)

    def _show_news(self) -> None:
        """Bring titles, lines and keys up to date."""
        draft = self.view.staged.from_turn if self.view.has_draft else None
        has_turns = not self._run_control.has_no_turns_left
        self._draft_line.show(draft, has_turns=has_turns)
        self.panes.queued.show(self.view.queued)
        self._show_titles()
        self.refresh_bindings()

    def _show_titles(self) -> None:
        record = self._session.record
        pending = staged_notes(self.view.staged, record.setup) if record else {}
        pending["transcript"] = self._interventions.queued_note()
        self.panes.show_titles(self._edited.file.name, pending)
        title = (record.title if record else "") or self.setup.heading
        self.query_one("#title", Static).update(Content(one_line(title, 120)))

    def on_screen_resume(self) -> None:
        """Back from another screen, which may have changed the discussion's title."""
        if self.transcript.is_attached:
            self._show_titles()

    # The setup ---------------------------------------------------------------------------------

    def _opened(self, event: Opened) -> None:
        self._run_control.resumable = None
        if self._edited.opened(event.record.setup):
            self.panes.show_setup(self.setup)
        self._edited.used()
        self.panes.show_colours()

    def _use(self, setup: DiscussionSetup) -> None:
        """Put another setup on the screen, and in the open discussion from its next turn on."""
        self.panes.show_setup(setup)
        self._edit(setup)

    @on(Panes.SetupChanged)
    def _setup_edited(self, event: Panes.SetupChanged) -> None:
        self._edit(event.setup)

    def _edit(self, setup: DiscussionSetup) -> None:
        if setup != self.setup:
            self._edited.edit(setup, is_open=self.view.phase != "idle")
        self.panes.show_colours()
        self._show_titles()

    def action_save_setup(self) -> None:
        self._edited.file.save(self, self.setup, self._show_titles)

    def action_open_setup(self) -> None:
        self._edited.file.open(self, self._use)

    # Running -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys apply now; the key lines show these."""
        phase, has_discussion = self.view.phase, self._session.record is not None
        match action:
            case "inject" | "next_speaker":
                return has_discussion and phase != "idle"
            case "turn_lab" | "xray" | "compare" | "copy_path" | "annotate" | "annotations":
                return has_discussion
            case "open_setup":
                return phase != "running"
            case "repeat":
                is_batch_running = batches_of(self.app).running is not None
                return is_batch_running or phase not in ("loading", "running")
        applies = self._run_control.applies(action)
        return True if applies is None else applies

    def action_run(self) -> None:
        self._run_control.run()

    def action_step(self) -> None:
        self._run_control.step()

    def action_new_discussion(self) -> None:
        self._run_control.new()

    def action_discard_draft(self) -> None:
        self._run_control.discard_draft()

    def action_repeat(self) -> None:
        running = batches_of(self.app).running
        if running and running.noun == "experiment":
            self.action_experiments()
        elif running or self._run_control.can_start():
            self._visit.repeat(self.setup)

    def action_experiments(self) -> None:
        from .experiment_visit import ExperimentVisit

        ExperimentVisit(
            self.app,
            self._session,
            self._folders,
            self._colours,
            self.panes,
            self.view,
            lambda: settings_of(self.app),
            self.setup,
            self._visit.open_request,
        ).open()

    def action_pause(self) -> None:
        self._session.pause()

    def action_stop(self) -> None:
        self._session.stop()

    def action_resume(self) -> None:
        self._run_control.resume()

    @property
    def _visit(self) -> LibraryVisit:
        from .library_visit import LibraryVisit  # not before the first picture, as others below

        return LibraryVisit(
            self.app,
            self._session,
            self._folders,
            self._colours,
            self.panes,
            self.view,
            self.action_experiments,
        )

    def action_library(self) -> None:
        self._visit.open()

    # All else ----------------------------------------------------------------------------------

    def action_copy_path(self) -> None:
        if self.view.path:
            self.post_message(Transcript.Copied(str(self.view.path), "Path"))

    @property
    def _inspector(self) -> Inspector:
        from ..inspect.controller import Inspector

        return Inspector(self.app, self._session, self.transcript, self.panes.colours_by_name)

    def action_xray(self) -> None:
        self._inspector.open_xray()

    @property
    def _annotation(self) -> AnnotationController:
        from ..annotation.controller import annotation_of

        return annotation_of(self.app, self.panes.colours_by_name)

    def action_annotate(self) -> None:
        if self.view.path:
            self._annotation.annotate(self.view.path)

    def action_annotations(self) -> None:
        if self.view.path:
            self._annotation.show(self.view.path)

    def action_export_personas(self) -> None:
        if indices := self.personas_pane.chosen:
            self.personas_pane.dialogs.export(indices, self._folders.exports)

    def action_card(self) -> None:
        if indices := self.personas_pane.chosen:
            self.personas_pane.dialogs.use_card(indices[0])

    def action_inject(self) -> None:
        self._interventions.inject()

    def action_next_speaker(self) -> None:
        self._interventions.next_speaker()

    def action_turn_lab(self) -> None:
        self._inspector.open_turn_lab(self.view)

    def action_compare(self) -> None:
        self._inspector.open_compare(self._folders.discussions)

    def action_quit(self) -> None:
        quit_or_ask(self.app, self.view.phase, unsaved=self.banner.lasts("saving"))
