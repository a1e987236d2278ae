"""Starting a discussion, going on with it, and leaving it for a new one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.screen import Screen

from ...discussion import DiscussionSetup
from ...session import (
    DiscussionClosed,
    LiveSession,
    Opened,
    Phase,
    SessionEvent,
    SetupApplied,
    SetupStaged,
    StateChanged,
)
from ...text import one_line, safe
from ..shell.keymap import key_of
from ..widgets.dialogs import ConfirmDialog
from ..widgets.forms import open_form

if TYPE_CHECKING:
    from .more_turns import AfterTheEnd

NEW_TURNS = 10
"""How many more turns are suggested for a discussion that has taken all of its own."""


class RunControl:
    """What ``r``, ``s`` and ``ctrl+n`` do on ``screen``.

    Args:
        screen: Where questions are asked and notices shown.
        session: Runs the discussion.
        setup: Gives the setup on the screen.
        use: Puts another setup on the screen, and in the discussion's draft.
        before_start: Called before a discussion starts or goes on.
    """

    def __init__(
        self,
        screen: Screen[None],
        session: LiveSession,
        setup: Callable[[], DiscussionSetup],
        use: Callable[[DiscussionSetup], object],
        before_start: Callable[[], object],
    ) -> None:
        self._screen = screen
        self._session = session
        self._setup = setup
        self._use = use
        self._before_start = before_start
        self.state: Phase = "idle"
        self.draft = SetupStaged(None)

    def handle(self, event: SessionEvent) -> bool:
        """Note what an event says; whether it is about the state or the draft."""
        match event:
            case StateChanged():
                self.state = event.state
            case SetupStaged():
                self.draft = event
            case Opened() | SetupApplied() | DiscussionClosed():
                self.draft = SetupStaged(None)
            case _:
                return False
        return True

    @property
    def draft_from_turn(self) -> int | None:
        """The turn from which the draft would apply; None where there is none."""
        return self.draft.from_turn if self.has_draft else None

    @property
    def has_draft(self) -> bool:
        """Whether the open discussion is halted and the screen shows another setup than its own."""
        return self.draft.setup is not None and self.state in ("paused", "finished")

    def has_users(self, has_personas: bool) -> bool:
        """Whether somebody takes part; says what to do if not. ``has_personas``: to choose from."""
        if self._setup().turn_takers:
            return True
        key = key_of(self._screen.app, "personas.take_part" if has_personas else "personas.new")
        what_to_do = "choose personas" if has_personas else "make a persona"
        sentence = f"Nobody takes part: {what_to_do} with {key}."
        self._screen.notify(safe(sentence), severity="warning", markup=False)
        return False

    def run(self) -> None:
        """Start the discussion, or go on with it until its end."""
        self._go_on("run")

    def step(self) -> None:
        """Start the discussion, or go on with it, for one message."""
        self._go_on("step")

    def _go_on(self, goal: Literal["run", "step"]) -> None:
        self._before_start()
        if self.state == "idle":
            self._session.start(self._setup(), step=goal == "step")
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
        if record is None or self.state not in ("paused", "finished"):
            return False
        if self.state == "paused" and self.draft.setup is None:
            return False  # the moderator may still have to answer the last turn
        return self._setup().conv_len <= record.turns_taken

    def _ask_for_turns(self, goal: Literal["run", "step"]) -> None:
        from .more_turns import MoreTurns  # not before the first picture

        record, setup = self._session.record, self._setup()
        if record is None:
            return
        taken = record.turns_taken
        same = setup if self.draft.setup else setup.model_copy(update={"seed": setup.seed + 1})

        def answered(answer: AfterTheEnd) -> None:
            if answer == "new":
                self._session.close_discussion()
                self._use(same)
                self._session.start(same, step=goal == "step")
            elif answer is not None:
                self._use(setup.model_copy(update={"conv_len": taken + answer}))
                self._session.step() if goal == "step" else self._session.run()

        what_is_new = "this setup" if self.draft.setup else f"the same setup, seed {same.seed}"
        form = partial(MoreTurns, taken, setup.conv_len, what_is_new, suggested=NEW_TURNS)
        open_form(self._screen.app, form, answered)

    # A new discussion --------------------------------------------------------------------------

    def new(self) -> None:
        """Leave the open discussion for a new one with the setup on the screen.

        It waits to be started. Asks first where a reply would be dropped, and for a title.
        """
        if self.state != "running":
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
        from ..setup.title import TitleScreen

        setup, record = self._setup(), self._session.record
        is_forks_title = record is not None and record.parent and setup.title == record.title
        if setup.title and not is_forks_title:
            self._close()
            return

        def named(title: str | None) -> None:
            if title is not None:
                self._close()
                self._use(setup.model_copy(update={"title": title}))

        open_form(self._screen.app, lambda: TitleScreen(setup.heading, setup.title), named)

    def _close(self) -> None:
        record = self._session.record
        self._session.close_discussion()
        self.state = "idle"  # a key that follows at once starts the new discussion
        self._before_start()
        if record is not None:
            app = self._screen.app
            title = one_line(record.heading, 60)
            sentence = f"“{title}” is saved."
            if record.status != "finished":
                sentence += f" {key_of(app, 'everywhere.resume')} continues it."
            self._screen.notify(safe(sentence), markup=False, timeout=6)
