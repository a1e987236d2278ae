"""The laboratory: personas and setup on the left, the transcript beside them, the state below."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from ... import paths
from ...discussion import DiscussionRecord, DiscussionSetup, Persona
from ...session import (
    LiveSession,
    Opened,
    Posted,
    ReplyGrew,
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
from ...store.setups import write_setup
from ...text import one_line, safe
from ..actions import ACTIONS, bindings
from ..few_colours import has_few_colours
from ..keymap import key_of
from ..pane_titles import PANES, pane_title
from ..places import Places
from ..reach import Reach
from ..speaker_colours import SpeakerColours
from ..welcome import welcome
from ..widgets.banner import Banner
from ..widgets.key_line import KeyLine
from ..widgets.personas_pane import PersonasPane
from ..widgets.setup_pane import SetupPane
from ..widgets.status_line import StatusLine
from ..widgets.transcript import Transcript
from .question import Question, leaving_question

if TYPE_CHECKING:
    from ..looking import Looking

DRAINS_PER_SECOND = 15


class Laboratory(Screen[None]):
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
    ) -> None:
        super().__init__()
        self._session = session
        self._places = places
        self._setup_file = setup_file
        self._wrote_setup_file = False
        self._start_at_once = start
        self.setup = setup
        self._personas = personas
        self._colours = SpeakerColours()
        for name in setup.names:  # those who take part first: they must differ
            self._colours.of(name, dark=True)
        self._reach = Reach(self, session, lambda: self.setup, self._colours_by_name)
        self._state: State = "idle"
        self._open_path: Path | None = None
        self._resumable: tuple[Path, DiscussionRecord] | None = None
        self._pane = "personas"
        self._focus_is_due = False

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("syndisco", id="brand", markup=False)
            yield Static("", id="title", markup=False)
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield PersonasPane(
                    self.setup,
                    self._personas,
                    self._places.personas,
                    self._colours,
                    sets=PersonaSets(self._places.persona_sets, paths.shipped_personas_folder()),
                    id="personas",
                )
                with Vertical(id="setup", classes="pane"):
                    yield Static("", classes="pane-title")
                    yield SetupPane(self.setup)
            with Vertical(id="transcript", classes="pane"):
                yield Static("", classes="pane-title")
                yield Transcript(steered=True)
        yield Banner()
        yield StatusLine()
        yield KeyLine()

    def on_mount(self) -> None:
        self._show_colours()
        self._show_welcome()
        self._go_to_pane("personas")
        self.set_interval(1 / DRAINS_PER_SECOND, self._drain)
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._show_colours())
        self._find_unfinished()
        if self._start_at_once:
            self._go_to_pane("transcript")
            self.action_run()
        self._show_titles()

    # The widgets -------------------------------------------------------------------------------

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

    def _go_to_pane(self, pane: str) -> None:
        """Show a pane and give it the focus, once it is there to take it."""
        self._show_pane(pane)
        self._focus_is_due = True

        def give_focus() -> None:
            self._focus_is_due = False
            self._widget_of(self._pane).focus()

        self.call_after_refresh(give_focus)

    def _show_pane(self, pane: str) -> None:
        self._pane = pane
        for name in PANES:
            self.query_one(f"#{name}").set_class(name == pane, "-current")
        self.set_class(pane == "transcript", "-transcript")
        self._show_titles()

    def _widget_of(self, pane: str) -> Widget:
        return {
            "personas": self.personas_pane.list,
            "setup": self.setup_pane,
            "transcript": self.transcript,
        }[pane]

    def on_descendant_focus(self) -> None:
        """The mouse, or a widget, moved the focus: its pane is the current one."""
        if self._focus_is_due or self.focused is None:
            return
        for node in self.focused.ancestors_with_self:
            if node.id in PANES and node.id != self._pane:
                self._show_pane(node.id)

    def _show_titles(self) -> None:
        narrow = self.has_class("-narrow")
        taking_part = len(self.setup.personas) + (self.setup.moderator is not None)
        notes = {
            "personas": f"{taking_part} of {len(self.personas_pane.cast.personas)} take part",
            "setup": self._setup_file.name if self._setup_file else "",
            "transcript": self.transcript.badge,
        }
        for name, note in self._reach.notes().items():
            notes[name] = f"{notes[name]} · {note}" if notes[name] else note
        few_colours = has_few_colours(self.app)
        for name in PANES:
            shown = pane_title(name, self._pane, notes[name], tabs=narrow, underline=few_colours)
            self.query_one(f"#{name} > .pane-title", Static).update(shown)
        title = self.setup.title or " & ".join(self.setup.names)
        self.query_one("#title", Static).update(Content(one_line(title, 120)))

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_titles)

    def action_pane(self, pane: str) -> None:
        self._go_to_pane(pane)

    def action_next_pane(self) -> None:
        self._go_to_pane(PANES[(PANES.index(self._pane) + 1) % len(PANES)])

    def action_previous_pane(self) -> None:
        self._go_to_pane(PANES[PANES.index(self._pane) - 1])

    @on(Transcript.FollowChanged)
    def _follow_changed(self) -> None:
        self._show_titles()

    # Events of the session ---------------------------------------------------------------------

    def _drain(self) -> None:
        """Show what has happened since the last time. Of a growing reply only the latest counts."""
        grown: ReplyGrew | None = None
        try:
            while True:
                event = self._session.events.get_nowait()
                if isinstance(event, ReplyGrew):
                    grown = event
                    continue
                if grown and not isinstance(event, Posted):
                    self._show_event(grown)
                grown = None
                self._show_event(event)
        except Empty:
            pass
        if grown:
            self._show_event(grown)

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
        if isinstance(event, SetupStaged | SetupApplied | Waiting):
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
                self._setup_file = None  # it holds another setup
            self._show_titles()

    def on_screen_resume(self) -> None:
        """Back from another screen, which may have changed the keys."""
        if self.is_attached and self.query(Transcript):
            self._show_welcome()

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
                return running or self._state == "loading"
            case "resume":
                return self._resumable is not None and self._state in ("idle", "finished")
            case "repeat":
                return self._state in ("idle", "paused", "finished")
            case "new_run":
                return self._state in ("paused", "finished")
            case "inject" | "next_speaker":
                return self._session.record is not None and self._state != "idle"
        return True

    def _somebody_takes_part(self) -> bool:
        if self.setup.turn_takers:
            return True
        there = bool(self.personas_pane.cast.personas)
        key = key_of(self.app, "personas.take_part" if there else "personas.new")
        what = "choose personas" if there else "make a persona"
        sentence = f"Nobody takes part: {what} with {key}."
        self.notify(safe(sentence), severity="warning", markup=False)
        self._go_to_pane("personas")
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
            self._go_to_pane("transcript")
        self._session.start(self.setup, step=step)

    def action_repeat(self) -> None:
        if not self._somebody_takes_part():
            return
        from ...batch import Batch, repeated  # not before the first picture, as others below
        from .repeat import BatchScreen, how_many_runs

        def begin(count: int | None) -> None:
            if count:
                batch = Batch(self._session.sibling, repeated(self.setup, count))
                title = self.setup.title or " & ".join(self.setup.names)
                screen = BatchScreen(batch, one_line(title, 120), self._colours_by_name())
                self.app.push_screen(screen)

        self.app.push_screen(how_many_runs(self.setup.seed), begin)

    def action_pause(self) -> None:
        self._session.pause()

    def action_stop(self) -> None:
        self._session.stop()

    def action_resume(self) -> None:
        if self._resumable:
            path, _ = self._resumable
            if self.has_class("-narrow"):
                self._go_to_pane("transcript")
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

    def action_library(self) -> None:
        from ..library_visit import LibraryVisit

        visit = LibraryVisit(
            self.app,
            self._session,
            self._places,
            self._colours,
            self.personas_pane,
            lambda: self._go_to_pane("transcript"),
        )
        visit.open(lambda: self._open_path, lambda: self._state)

    # Setup and personas ------------------------------------------------------------------------

    @on(SetupPane.Changed)
    def _setup_changed(self, event: SetupPane.Changed) -> None:
        self._use(event.setup)

    def _use(self, setup: DiscussionSetup) -> None:
        """Go on with another setup: in all panes, and in the discussion from the next turn."""
        if setup == self.setup:
            return
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
        return {each.name: self._colours.of(each.name, dark=dark) for each in personas}

    # All else ----------------------------------------------------------------------------------

    def action_save_setup(self) -> None:
        path = self._setup_file
        if path is None:
            now = datetime.now(UTC)
            path = self._places.setups / f"setup-{now:%Y%m%d-%H%M%S}.toml"
            self._wrote_setup_file = True
        if self._wrote_setup_file:
            self._write_setup(path)
            return
        question = Question(
            f"Write over {path.name}?",
            "It was not written by this screen: comments in it are lost.",
            "write over it",
            "leave it",
        )
        self.app.push_screen(question, lambda yes: self._write_setup(path) if yes else None)

    def _write_setup(self, path: Path) -> None:
        try:
            write_setup(path, self.setup)
        except OSError as error:
            self.notify(safe(f"{path}: {error.strerror}"), severity="error", markup=False)
            return
        self._setup_file, self._wrote_setup_file = path, True
        self._show_titles()
        self.notify(safe(f"The setup is saved: {path}"), markup=False, timeout=8)

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
        resume, unsaved = key_of(self.app, "everywhere.resume"), self.banner.lasts("saving")
        question = leaving_question(self._state, unsaved=unsaved, resume=resume)
        if question is None:
            self.app.exit()
            return
        self.app.push_screen(question, lambda quit: self.app.exit() if quit else None)

    def run_named(self, name: str) -> None:
        """Do the action with the id ``name``, in whatever place it belongs to."""
        action = next(action for action in ACTIONS if action.id == name)
        if action.where in PANES:
            self._go_to_pane(action.where)
        if self.check_action(action.name, ()) is not True:
            self.notify(safe(f"“{action.label}” does not apply now."), timeout=3, markup=False)
            return
        target: DOMNode = self.app if action.where == "app" else self
        if action.where in PANES:
            target = self._widget_of(action.where)
        self.call_later(self.app.run_action, action.name, target)
