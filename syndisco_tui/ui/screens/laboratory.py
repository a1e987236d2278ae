"""The laboratory: personas and setup on the left, the transcript beside them, the state below."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ... import paths
from ...discussion import DiscussionRecord, DiscussionSetup, Persona
from ...session import (
    LiveSession,
    Opened,
    SessionEvent,
    SetupApplied,
    SetupStaged,
    State,
    StateChanged,
    Trouble,
    Waiting,
)
from ...store.discussions import unfinished
from ...store.persona_sets import PersonaSets
from ...text import one_line, safe
from ..actions import bindings
from ..batches import batches_of
from ..draining import drained
from ..keymap import key_of
from ..own_screen import OwnScreen
from ..places import Places
from ..quitting import quit_or_ask
from ..reach import Reach
from ..setup_file import SetupFile
from ..speaker_colours import SpeakerColours
from ..welcome import welcome
from ..widgets.banner import Banner
from ..widgets.batch_note import BatchNote
from ..widgets.key_line import KeyLine
from ..widgets.panes import Panes
from ..widgets.personas_pane import PersonasPane
from ..widgets.setup_pane import SetupPane
from ..widgets.status_line import StatusLine
from ..widgets.transcript import Transcript

if TYPE_CHECKING:
    from ..library_visit import LibraryVisit
    from ..looking import Looking

DRAINS_PER_SECOND = 15


class Laboratory(OwnScreen[None]):
    """Owns the setup and the cast; all else it hears from the session."""

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
        places: Places,
        *,
        start: bool = False,
        setup_file: Path | None = None,
        preload: bool = False,
    ) -> None:
        super().__init__()
        self._session = session
        self._places = places
        self._setup_file = SetupFile(places.setups, setup_file)
        self._start_at_once = start
        self._preloads = preload
        self.setup = setup
        self._personas = personas
        self._colours = SpeakerColours()
        for name in setup.names:  # those who take part first: they must differ
            self._colours.of(name, dark=True)
        self._reach = Reach(self, session, lambda: self.setup, self._colours_by_name)
        self._state: State = "idle"
        self._open_path: Path | None = None
        self._resumable: tuple[Path, DiscussionRecord] | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("syndisco", id="brand", markup=False)
            yield Static("", id="title", markup=False)
            yield BatchNote()
        personas = PersonasPane(
            self.setup,
            self._personas,
            self._places.personas,
            self._colours,
            sets=PersonaSets(self._places.persona_sets, paths.shipped_personas_folder()),
            id="personas",
        )
        yield Panes(personas, SetupPane(self.setup), Transcript(steered=True))
        yield Banner()
        yield StatusLine()
        yield KeyLine()

    def on_mount(self) -> None:
        self._show_colours()
        self._show_welcome()
        self.panes.go_to("personas")
        self.set_interval(1 / DRAINS_PER_SECOND, self._drain)
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._show_colours())
        self._find_unfinished()
        if self._start_at_once:
            self.panes.go_to("transcript")
            self.action_run()
        elif self._preloads:
            self.call_after_refresh(lambda: self._session.preload(self.setup))
        self._show_titles()

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
            "personas": f"{taking_part} of {len(self.personas_pane.cast.personas)} take part",
            "setup": self._setup_file.name,
            "transcript": self.transcript.badge,
        }
        waiting = self._reach.notes()
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
        self._reach.show()

    def _show_event(self, event: SessionEvent) -> None:
        if isinstance(event, StateChanged):
            if event.state == "finished" != self._state:
                self._find_unfinished()
            self._state = event.state
            self.refresh_bindings()
        elif isinstance(event, Opened):
            self._opened(event)
        elif isinstance(event, Trouble):
            self.notify(safe(event.sentence), severity="error", timeout=12, markup=False)
        self._reach.take(event)
        if isinstance(event, Opened | SetupStaged | SetupApplied | Waiting):
            self._show_titles()
        self.banner.take(event)
        self.status.take(event)
        self.transcript.take(event)

    def _opened(self, event: Opened) -> None:
        self._open_path = event.path
        self._resumable = None
        setup = self.setup
        if event.record.setup != setup:
            self.setup = event.record.setup
            self.setup_pane.show(self.setup)
            self.personas_pane.show(self.setup)
            self._show_colours()
            if event.record.setup != setup.model_copy(update={"model": event.record.setup.model}):
                self._setup_file.forget()

    def on_screen_resume(self) -> None:
        """Back from another screen, which may have changed the keys or the discussion's title."""
        if self.is_attached and self.query(Transcript):
            self._show_welcome()
            self._show_titles()

    # Running -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys apply now; the footer shows these."""
        running = self._state == "running"
        match action:
            case "run":
                return self._state in ("idle", "paused", "finished") or self.status.figures.pausing
            case "step":
                return self._state in ("idle", "paused")
            case "pause":
                return running and not self.status.figures.pausing
            case "stop":
                return running or self.status.figures.is_loading
            case "resume":
                return self._resumable is not None and self._state in ("idle", "finished")
            case "repeat" if not batches_of(self.app).running:
                return self._state in ("idle", "paused", "finished")
            case "new_run":
                return self._state in ("paused", "finished")
            case "inject" | "next_speaker":
                return self._session.record is not None and self._state != "idle"
        return True

    def _somebody_takes_part(self) -> bool:
        if self.setup.turn_takers:
            return batches_of(self.app).lets_run(self.setup)
        there = bool(self.personas_pane.cast.personas)
        key = key_of(self.app, "personas.take_part" if there else "personas.new")
        what = "choose personas" if there else "make a persona"
        sentence = f"Nobody takes part: {what} with {key}."
        self.notify(safe(sentence), severity="warning", markup=False)
        self.panes.go_to("personas")
        return False

    def action_run(self) -> None:
        if not self._somebody_takes_part():
            return
        if self._state in ("idle", "finished"):
            self._begin(step=False)
        else:
            self._session.run()

    def action_new_run(self) -> None:
        if self._somebody_takes_part():
            self._begin(step=False)

    def action_step(self) -> None:
        if not self._somebody_takes_part():
            return
        if self._state == "idle":
            self._begin(step=True)
        else:
            self._session.step()

    def _begin(self, *, step: bool) -> None:
        if self.has_class("-narrow"):
            self.panes.go_to("transcript")
        self._session.start(self.setup, step=step)

    def action_repeat(self) -> None:
        if batches_of(self.app).running or self._somebody_takes_part():
            self._visit.repeat(self.setup)

    def action_pause(self) -> None:
        self._session.pause()

    def action_stop(self) -> None:
        self._session.stop()

    def action_resume(self) -> None:
        if self._resumable:
            path, _ = self._resumable
            if self.has_class("-narrow"):
                self.panes.go_to("transcript")
            self._session.resume(path)

    @work(thread=True, exit_on_error=False)
    def _find_unfinished(self) -> None:
        found = next(unfinished(self._places.discussions), None)
        self.app.call_from_thread(self._found_unfinished, found)

    def _found_unfinished(self, found: tuple[Path, DiscussionRecord] | None) -> None:
        self._resumable = found
        self.refresh_bindings()
        self._show_welcome()

    def _show_welcome(self) -> None:
        record = self._resumable[1] if self._resumable else None
        self.transcript.set_hint(welcome(self.setup, record, partial(key_of, self.app)))

    @property
    def _visit(self) -> LibraryVisit:
        from ..library_visit import LibraryVisit  # not before the first picture, as others below

        return LibraryVisit(
            self.app,
            self._session,
            self._places,
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
        self._session.cancel_preload(unless=setup)
        self.setup = self.personas_pane.setup = setup
        self._show_titles()
        self._show_welcome()
        if self._state in ("loading", "running", "paused") or (
            self._state == "finished" and setup.conv_len > self.status.figures.turn
        ):
            if not setup.turn_takers:
                self._session.pause()
                return
            self._session.change_setup(setup)

    @on(PersonasPane.Changed)
    def _cast_changed(self, event: PersonasPane.Changed) -> None:
        if event.fault:
            self.notify(safe(event.fault), severity="error", markup=False, timeout=12)
        self.setup_pane.show(event.setup)
        self._show_colours()
        self._show_titles()  # somebody who does not take part may have come or gone
        self._use(event.setup)

    def _show_colours(self) -> None:
        self.personas_pane.list.show(self.personas_pane.cast)
        self.transcript.set_colours(self._colours_by_name())

    def _colours_by_name(self) -> dict[str, str]:
        dark = self.app.current_theme.dark
        personas = self.personas_pane.cast.personas
        return self._colours.by_name((each.name for each in personas), dark=dark)

    # All else ----------------------------------------------------------------------------------

    def action_save_setup(self) -> None:
        self._setup_file.save(self, self.setup, self._show_titles)

    @property
    def _looking(self) -> Looking:
        from ..looking import Looking

        return Looking(self.app, self._session, self.transcript, self._colours_by_name)

    def action_xray(self) -> None:
        self._looking.into_message()

    @on(Transcript.Asked)
    def _steer(self, event: Transcript.Asked) -> None:
        self._reach.do(event.what, event.index)

    def action_inject(self) -> None:
        self._reach.inject()

    def action_next_speaker(self) -> None:
        self._reach.next_speaker()

    def action_turn_lab(self) -> None:
        self._looking.at_turns(self.status)

    def action_compare(self) -> None:
        self._looking.at_another(self._places.discussions)

    def action_quit(self) -> None:
        quit_or_ask(self.app, self._state, unsaved=self.banner.lasts("saving"))
