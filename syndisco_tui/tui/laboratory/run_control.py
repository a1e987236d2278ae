"""Starting a discussion, continuing it, and leaving it for a new one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual.screen import Screen

from ...discussion import DiscussionRecord, DiscussionSetup
from ...session import LiveSession
from ...text import one_line, safe
from ...workspace.discussions import resumable_discussions
from ..experiments.batches import batches_of
from ..setup.edited_setup import EditedSetup
from ..shell.keymap import key_of
from ..widgets.dialogs import ConfirmDialog
from ..widgets.forms import open_form, remember_discarded
from .panes import Panes
from .session_view import SessionView

if TYPE_CHECKING:
    from .more_turns import AfterTheEnd

NEW_TURNS = 10
"""How many more turns are suggested for a discussion that has taken all of its own."""


class RunControl:
    """Runs, continues and closes the open discussion.

    Args:
        screen: Where questions are asked and notices shown.
        session: Runs the discussion.
        view: What the session has reported.
        panes: Show the setup and the transcript.
        edited: The setup on the screen.
        use: Puts another setup on the screen, and in the discussion's draft.
        folder: Where an unfinished discussion is looked for.
    """

    def __init__(
        self,
        screen: Screen[None],
        session: LiveSession,
        view: SessionView,
        panes: Panes,
        edited: EditedSetup,
        use: Callable[[DiscussionSetup], object],
        folder: Path,
    ) -> None:
        self._screen = screen
        self._session = session
        self._view = view
        self._panes = panes
        self._edited = edited
        self._use = use
        self._folder = folder
        self.resumable: tuple[Path, DiscussionRecord] | None = None
        """The last unfinished discussion that is not open."""

    def applies(self, action: str) -> bool | None:
        """Whether an action applies now; None for one that is not about running."""
        view = self._view
        is_running = view.phase == "running"
        match action:
            case "run":
                return view.phase == "idle" or view.is_halted or view.is_pausing
            case "step":
                return view.phase in ("idle", "paused")
            case "pause":
                return is_running and not view.is_pausing
            case "stop":
                return is_running or view.is_loading
            case "resume":
                return self.resumable is not None and view.phase in ("idle", "finished")
            case "new_discussion":
                return is_running or view.is_halted
            case "discard_draft":
                return view.has_draft
        return None

    def can_start(self) -> bool:
        """Whether the setup on the screen can run; what keeps it from that is said."""
        setup = self._edited.setup
        if setup.turn_takers:
            return batches_of(self._screen.app).lets_run(setup)
        has_personas = bool(self._panes.personas.selection.personas)
        key = key_of(self._screen.app, "personas.take_part" if has_personas else "personas.new")
        what_to_do = "choose personas" if has_personas else "make a persona"
        sentence = f"Nobody takes part: {what_to_do} with {key}."
        self._screen.notify(safe(sentence), severity="warning", markup=False)
        self._panes.go_to("personas")
        return False

    def run(self) -> None:
        """Start the discussion, or continue it until its end."""
        self._go_on("run")

    def step(self) -> None:
        """Start the discussion, or continue it, for one message."""
        self._go_on("step")

    def _go_on(self, goal: Literal["run", "step"]) -> None:
        if not self.can_start():
            return
        self._panes.show_transcript_alone()
        if self._view.phase == "idle":
            self._session.start(self._edited.setup, step=goal == "step")
        elif self.has_no_turns_left:
            self._ask_for_turns(goal)
        elif goal == "step":
            self._session.step()
        else:
            self._session.run()

    @property
    def has_no_turns_left(self) -> bool:
        """Whether the open discussion has taken as many turns as the setup on the screen has."""
        record = self._session.record
        if record is None or not self._view.is_halted:
            return False
        if self._view.phase == "paused" and not self._view.has_draft:
            return False  # the moderator may still have to answer the last turn
        return self._edited.setup.conv_len <= record.turns_taken

    def _ask_for_turns(self, goal: Literal["run", "step"]) -> None:
        from .more_turns import MoreTurns  # not before the first picture

        record, setup = self._session.record, self._edited.setup
        if record is None:
            return
        taken = record.turns_taken
        same = setup if self._view.has_draft else setup.model_copy(update={"seed": setup.seed + 1})

        def answered(answer: AfterTheEnd) -> None:
            if answer == "new":
                self._session.close_discussion()
                self._use(same)
                self._session.start(same, step=goal == "step")
            elif answer is not None:
                self._use(setup.model_copy(update={"conv_len": taken + answer}))
                self._session.step() if goal == "step" else self._session.run()

        what_is_new = "this setup" if self._view.has_draft else f"the same setup, seed {same.seed}"
        form = partial(MoreTurns, taken, setup.conv_len, what_is_new, suggested=NEW_TURNS)
        open_form(self._screen.app, form, answered)

    def discard_draft(self) -> None:
        """Show the open discussion's own setup again; undo brings the draft back."""
        record, draft = self._session.record, self._edited.setup
        if record is not None:
            self._edited.discard()
            self._use(record.setup)
            self._edited.used()
            remember_discarded(self._screen.app, self._screen, lambda: self._use(draft))

    # The last unfinished discussion ------------------------------------------------------------

    def find_resumable(self) -> None:
        """Look for an unfinished discussion on another thread."""
        self._screen.run_worker(self._find_resumable, thread=True, exit_on_error=False)

    def _find_resumable(self) -> None:
        latest = next(resumable_discussions(self._folder), None)
        self._screen.app.call_from_thread(self._found_resumable, latest)

    def _found_resumable(self, latest: tuple[Path, DiscussionRecord] | None) -> None:
        self.resumable = latest
        self._screen.refresh_bindings()

    def resume(self) -> None:
        """Continue the last unfinished discussion."""
        if self.resumable:
            self._panes.show_transcript_alone()
            self._session.resume(self.resumable[0])

    # A new discussion --------------------------------------------------------------------------

    def new(self) -> None:
        """Leave the open discussion for a new one with the setup on the screen.

        It waits to be started. Asks first where a reply would be dropped, and for a title.
        """
        if self._view.phase != "running":
            self._ask_for_title()
            return
        question = ConfirmDialog(
            "A reply is being generated. Start a new discussion?",
            "This one is saved and paused; the unfinished reply is dropped.",
            "new discussion",
            "cancel",
        )
        self._screen.app.push_screen(question, lambda yes: self._ask_for_title() if yes else None)

    def _ask_for_title(self) -> None:
        from ..setup.dialogs import TitleDialog

        setup, record = self._edited.setup, self._session.record
        is_forks_title = record is not None and record.parent and setup.title == record.title
        if setup.title and not is_forks_title:
            self._close()
            return

        def named(title: str | None) -> None:
            if title is not None:
                self._close()
                self._use(setup.model_copy(update={"title": title}))

        open_form(self._screen.app, lambda: TitleDialog(setup.heading, setup.title), named)

    def _close(self) -> None:
        record = self._session.record
        self._session.close_discussion()
        self._view.phase = "idle"  # a key that follows at once starts the new discussion
        self._panes.show_transcript_alone()
        if record is not None:
            app = self._screen.app
            title = one_line(record.heading, 60)
            sentence = f"“{title}” is saved."
            if record.status != "finished":
                sentence += f" {key_of(app, 'everywhere.resume')} continues it."
            self._screen.notify(safe(sentence), markup=False, timeout=6)
