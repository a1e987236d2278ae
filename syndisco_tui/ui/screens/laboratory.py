"""The laboratory: personas and setup on the left, the transcript beside them, the state below."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty
from typing import ClassVar

from pydantic import ValidationError
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static

from ...discussion import DiscussionRecord, DiscussionSetup, Persona, name_key
from ...engine.base import LoadProgress
from ...inputs import describe
from ...session import (
    LiveSession,
    ModelReady,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    SetupApplied,
    State,
    StateChanged,
    Trouble,
)
from ...store.discussions import unfinished
from ...store.personas import write_personas
from ...store.setups import write_setup
from ...text import one_line, safe
from ..actions import ACTIONS, bindings
from ..cast import Cast
from ..speaker_colours import speaker_colour
from ..widgets.persona_list import PersonaList, persona_summary
from ..widgets.setup_pane import SetupPane
from ..widgets.status_line import StatusLine
from ..widgets.transcript import Transcript
from .help import HelpScreen
from .persona_editor import PersonaEditor
from .question import Question

DRAINS_PER_SECOND = 15
PANES = ("personas", "setup", "transcript")


class Places:
    """Where the screen keeps what it saves."""

    def __init__(self, discussions: Path, personas: Path, setups: Path) -> None:
        self.discussions = discussions
        self.personas = personas
        self.setups = setups


class Laboratory(Screen[None]):
    """Owns the setup and the cast; all else it hears from the session."""

    CSS_PATH = "laboratory.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
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
        self._start_at_once = start
        self.setup = setup
        self.cast = Cast.of(setup, personas)
        self._casts: list[Cast] = []
        self._state: State = "idle"
        self._resumable: tuple[Path, DiscussionRecord] | None = None
        self._pane = "personas"

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Static("syndisco", id="brand", markup=False)
            yield Static("", id="title", markup=False)
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                with Vertical(id="personas", classes="pane"):
                    yield Static("", classes="pane-title", id="personas-title")
                    yield PersonaList(id="persona-list")
                with Vertical(id="setup", classes="pane"):
                    yield Static("", classes="pane-title", id="setup-title")
                    yield SetupPane(self.setup, id="setup-pane")
            with Vertical(id="transcript", classes="pane"):
                yield Static("", classes="pane-title", id="transcript-title")
                yield Transcript(id="transcript-lines")
        yield StatusLine(id="status")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._show_cast()
        self._go_to_pane("personas")
        self.set_interval(1 / DRAINS_PER_SECOND, self._drain)
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._show_cast())
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
    def persona_list(self) -> PersonaList:
        return self.query_one(PersonaList)

    @property
    def setup_pane(self) -> SetupPane:
        return self.query_one(SetupPane)

    # Panes -------------------------------------------------------------------------------------

    def _go_to_pane(self, pane: str) -> None:
        self._pane = pane
        for name in PANES:
            self.query_one(f"#{name}").set_class(name == pane, "-current")
        self.set_class(pane == "transcript", "-transcript")
        self._widget_of(pane).focus()
        self._show_titles()

    def _widget_of(self, pane: str) -> Widget:
        return {
            "personas": self.persona_list,
            "setup": self.setup_pane,
            "transcript": self.transcript,
        }[pane]

    def on_descendant_focus(self) -> None:
        focused = self.focused
        for node in focused.ancestors_with_self if focused else ():
            if node.id in PANES and node.id != self._pane:
                self._pane = str(node.id)
                for name in PANES:
                    self.query_one(f"#{name}").set_class(name == self._pane, "-current")
                self._show_titles()

    def _show_titles(self) -> None:
        narrow = self.has_class("-narrow")
        taking_part = len(self.setup.personas) + (self.setup.moderator is not None)
        notes = {
            "personas": f"{taking_part} of {len(self.cast.personas)} take part",
            "setup": self._setup_file.name if self._setup_file else "",
            "transcript": "" if self.transcript.follows else "End follows again ↓",
        }
        for number, name in enumerate(PANES, start=1):
            current = name == self._pane
            parts: list[Content | str] = []
            for other_number, other in enumerate(PANES, start=1):
                if other != name and not narrow:
                    continue
                style = "bold $accent" if other == self._pane else "$quiet"
                parts += [Content.styled(f"{other_number} {other.capitalize()}", style), "    "]
            if not narrow:
                style = "bold $accent" if current else "bold $quiet"
                parts = [Content.styled(f"{number} {name.capitalize()}", style), "  "]
            note = Content.styled(one_line(notes[name], 40), "$quiet")
            self.query_one(f"#{name}-title", Static).update(Content.assemble(*parts, note))
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
                    self._grow(grown)
                grown = None
                self._show_event(event)
        except Empty:
            pass
        if grown:
            self._grow(grown)

    def _show_event(self, event: SessionEvent) -> None:
        figures = self.status.figures
        match event:
            case StateChanged():
                self._state = event.state
                figures.state, figures.pausing = event.state, event.pausing
                if event.turns:
                    figures.turn, figures.turns = event.turn, event.turns
                if event.state != "loading":
                    figures.loading = None
                self.refresh_bindings()
            case LoadProgress():
                figures.loading = event
            case ModelReady():
                figures.info = event.info
            case Opened():
                self._opened(event)
            case ReplyStarted():
                figures.speaker, figures.speed = event.name, 0.0
                figures.prompt_tokens = figures.reply_tokens = 0
                self.transcript.begin_reply(event.name, event.role)
            case Posted():
                figures.speed = event.tokens_per_second
                figures.prompt_tokens = event.message.prompt_tokens
                figures.reply_tokens = event.message.completion_tokens
                self.transcript.post(event.message)
            case ReplyDropped():
                self.transcript.drop_reply()
            case SetupApplied():
                figures.turns = event.setup.conv_len
            case Trouble():
                self.notify(safe(event.sentence), severity="error", timeout=12, markup=False)
        self.status.refresh()

    def _grow(self, event: ReplyGrew) -> None:
        figures = self.status.figures
        figures.speed, figures.reply_tokens = event.tokens_per_second, event.tokens
        figures.prompt_tokens = event.prompt_tokens
        self.transcript.grow_reply(event.text)
        self.status.refresh()

    def _opened(self, event: Opened) -> None:
        self._resumable = None
        if event.record.setup != self.setup:
            self._casts.append(self.cast)
            self.setup = event.record.setup
            self.cast = Cast.of(self.setup, self.cast.personas)
            self.setup_pane.show(self.setup)
        self._show_cast()
        self.transcript.show(event.record.entries)

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
                return (running and not self.status.figures.pausing) or self._state == "loading"
            case "stop":
                return running
            case "resume":
                return self._resumable is not None and self._state in ("idle", "finished")
            case "new_run":
                return self._state in ("paused", "finished")
        return True

    def action_run(self) -> None:
        if self._state in ("idle", "finished"):
            self._begin(step=False)
        else:
            self._session.run()

    def action_new_run(self) -> None:
        self._begin(step=False)

    def action_step(self) -> None:
        if self._state == "idle":
            self._begin(step=True)
        else:
            self._session.step()

    def _begin(self, *, step: bool) -> None:
        if not self.setup.turn_takers:
            self.notify("Nobody takes part: choose personas with space.", severity="warning")
            self._go_to_pane("personas")
            return
        if self.has_class("-narrow"):
            self._go_to_pane("transcript")
        self._session.start(self.setup, step=step)

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
        if self._state == "idle":
            self._resumable = found
            self.refresh_bindings()
            self._show_hint()

    def _show_hint(self) -> None:
        """What an empty transcript says: what can be done from here."""
        names = [one_line(name, 30) for name in self.setup.names]
        who = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
        lines = [Content.styled("Nobody has said anything yet.", "$quiet"), Content("")]
        if names:
            lines.append(_key_line("r", f"run the discussion of {who}"))
        else:
            lines.append(_key_line("space", "choose who takes part, in the personas"))
        if self._resumable:
            _, record = self._resumable
            told = "interrupted" if record.status == "running" else record.status
            title = one_line(record.title or " & ".join(record.setup.names), 40)
            ago = _ago(record.started_at)
            turn = f"turn {record.turns_taken + 1} of {record.setup.conv_len}"
            lines.append(_key_line("R", f"resume “{title}” ({told}{ago}) at {turn}"))
        lines.append(_key_line("?", "all keys"))
        self.transcript.set_hint(lines)

    # Setup and personas ------------------------------------------------------------------------

    @on(SetupPane.Changed)
    def _setup_changed(self, event: SetupPane.Changed) -> None:
        self._use(event.setup)

    def _use(self, setup: DiscussionSetup) -> None:
        self.setup = setup
        self._show_titles()
        self._show_hint()
        if self._state in ("running", "paused") or (
            self._state == "finished" and setup.conv_len > self.status.figures.turn
        ):
            self._session.change_setup(setup)
            if self._state == "running":
                self.notify("Applies from the next turn.", timeout=3)

    def _show_cast(self, highlight: int | None = None) -> None:
        self.persona_list.show(self.cast, highlight)
        dark = self.app.current_theme.dark
        self.transcript.set_colours(
            {
                persona.name: speaker_colour(index, dark)
                for index, persona in enumerate(self.cast.personas)
            }
        )
        self._show_titles()
        self._show_hint()

    def _change_cast(self, cast: Cast, highlight: int | None = None) -> None:
        """Take over another cast, if the setup allows it; it can be undone."""
        try:
            setup = cast.fill(self.setup)
        except ValidationError as error:
            self.notify(
                safe(describe(error, DiscussionSetup)), severity="error", markup=False, timeout=8
            )
            return
        self._casts.append(self.cast)
        self._set_cast(cast, setup, highlight)

    def _set_cast(self, cast: Cast, setup: DiscussionSetup, highlight: int | None) -> None:
        changed = cast.personas != self.cast.personas
        self.cast = cast
        self.setup_pane.show(setup)
        self._show_cast(highlight)
        self._use(setup)
        if changed:
            try:
                write_personas(self._places.personas, cast.personas)
            except OSError as error:
                self.notify(
                    f"The personas cannot be saved: {error.strerror}.",
                    severity="error",
                    markup=False,
                )

    @on(PersonaList.Asked)
    def _persona_asked(self, event: PersonaList.Asked) -> None:
        index = event.index
        if event.what == "undo":
            self._undo_cast()
        elif event.what == "new":
            self._new_persona(len(self.cast.personas) if index is None else index + 1)
        elif index is None:
            return
        elif event.what == "take_part":
            self._change_cast(self.cast.with_part_turned(index))
        elif event.what == "moderate":
            self._change_cast(self.cast.with_moderator_turned(index))
        elif event.what == "edit":
            self._edit_persona(index)
        elif event.what == "duplicate":
            persona = self.cast.personas[index]
            name = self.cast.free_name(persona.name)
            twin = persona.model_copy(update={"username": name})
            self._change_cast(self.cast.with_new(index + 1, twin), index + 1)
        elif event.what == "delete":
            name = one_line(self.cast.personas[index].name, 40)
            self._change_cast(self.cast.without(index), index)
            self.notify(f"{name} is deleted; u undoes it.", markup=False, timeout=4)

    def _undo_cast(self) -> None:
        if not self._casts:
            self.notify("Nothing to undo.", timeout=2)
            return
        cast = self._casts.pop()
        try:
            setup = cast.fill(self.setup)
        except ValidationError as error:
            self.notify(safe(describe(error, DiscussionSetup)), severity="error", markup=False)
            return
        self._set_cast(cast, setup, None)

    def _edit_persona(self, index: int) -> None:
        persona = self.cast.personas[index]

        def edited(new: Persona | None) -> None:
            if new is not None and new != persona:
                self._change_cast(self.cast.with_persona(index, new), index)

        self._open_editor(persona, persona_summary(persona), index, edited)

    def _new_persona(self, index: int) -> None:
        def made(new: Persona | None) -> None:
            if new is not None:
                self._change_cast(self.cast.with_new(index, new), index)

        blank = Persona(username=self.cast.free_name("New"))
        self._open_editor(blank, "New persona", None, made)

    def _open_editor(
        self,
        persona: Persona,
        title: str,
        index: int | None,
        done: Callable[[Persona | None], None],
    ) -> None:
        def refused(new: Persona) -> str | None:
            for other, there in enumerate(self.cast.personas):
                if other != index and name_key(there.name) == name_key(new.name):
                    return f"username: there is a persona called “{there.name}” already"
            return None

        def preview(new: Persona) -> dict[str, object]:
            moderates = index is not None and self.cast.moderates(self.cast.personas[index])
            personas, moderator = ((), new) if moderates else ((new,), None)
            setup = self.setup.model_copy(update={"personas": personas, "moderator": moderator})
            return setup.actor(new.name).prompt_fields()

        editor = PersonaEditor(persona, safe(title), refused, preview)
        self.app.push_screen(editor, done)

    # All else ----------------------------------------------------------------------------------

    def action_save_setup(self) -> None:
        path = self._setup_file
        if path is None:
            now = datetime.now(UTC)
            path = self._places.setups / f"setup-{now:%Y%m%d-%H%M%S}.toml"
        try:
            write_setup(path, self.setup)
        except OSError as error:
            self.notify(f"{path}: {error.strerror}", severity="error", markup=False)
            return
        self._setup_file = path
        self._show_titles()
        self.notify(f"The setup is saved: {path}", markup=False, timeout=8)

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen())

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def action_quit(self) -> None:
        if self._state != "running":
            self.app.exit()
            return
        question = Question(
            "A reply is being generated. Quit?",
            "What was said is saved. The unfinished reply is dropped; R resumes at its turn.",
            "quit",
            "stay",
        )
        self.app.push_screen(question, lambda quit: self.app.exit() if quit else None)

    def run_named(self, name: str) -> None:
        """Do an action from the palette, in whatever place it belongs to."""
        action = next(action for action in ACTIONS if f"{action.where}.{action.name}" == name)
        if action.where in PANES:
            self._go_to_pane(action.where)
        target = self._widget_of(action.where) if action.where in PANES else self
        self.call_later(self.app.run_action, action.name, target)


def _key_line(key: str, text: str) -> Content:
    return Content.assemble(Content.styled(f"{key:<6}", "bold $accent"), text)


def _ago(started_at: str) -> str:
    try:
        started = datetime.fromisoformat(started_at)
        minutes = (datetime.now(UTC) - started).total_seconds() / 60
    except (ValueError, TypeError):
        return ""
    if minutes < 60:
        return f", {max(1, round(minutes))} min ago"
    return (
        f", {minutes / 60:.0f} h ago" if minutes < 48 * 60 else f", {minutes / 1440:.0f} days ago"
    )
