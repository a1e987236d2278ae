"""What a person does to the open discussion: asks for it with a screen, hands it to the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from ...discussion import Discussion, DiscussionRecord, DiscussionSetup
from ...session import (
    CandidateGrew,
    CandidateLost,
    CandidateMade,
    CandidatesBegun,
    Delete,
    DiscussionChanged,
    DiscussionClosed,
    Edit,
    Inject,
    InterventionsQueued,
    LiveSession,
    Opened,
    Posted,
    Regenerate,
    ReplyDropped,
    ReplyStarted,
    SessionEvent,
    SetNextSpeaker,
    SetupApplied,
    SetupStaged,
    Undo,
)
from ...text import one_line, safe
from ..shell.keymap import key_of
from ..transcript.blocks import marks
from ..widgets.dialogs import ConfirmDialog
from ..widgets.forms import bring_back, forget_discarded, open_form
from .as_written import as_written

if TYPE_CHECKING:  # the others are imported when they are opened, not before the first picture
    from .alternatives import CandidatesScreen
    from .next_speaker import NextSpeakerScreen, NextTurn
    from .write_message import EditScreen, InjectScreen

MOST_CANDIDATES = 16
CANDIDATES = 4


class InterventionController:
    """Opens its screens over ``screen``; ``setup`` and ``colours`` give those of the moment."""

    def __init__(
        self,
        screen: Screen[None],
        session: LiveSession,
        setup: Callable[[], DiscussionSetup],
        colours: Callable[[], dict[str, str]],
    ) -> None:
        self._screen = screen
        self._session = session
        self._setup = setup
        self._colours = colours
        self._speaking: ReplyStarted | None = None
        self._waiting = InterventionsQueued(())
        self._staged = SetupStaged(None)
        self._candidates: CandidatesScreen | None = None
        self._odds: NextSpeakerScreen | None = None
        self._writing: InjectScreen | EditScreen | None = None
        self._spoke_as = ""
        self._is_behind = False
        """Whether events have been noted since they were last shown."""

    def handle(self, event: SessionEvent) -> None:
        """Note what an event says."""
        match event:
            case ReplyStarted():
                self._speaking = event
            case Posted() | ReplyDropped():
                self._speaking = None
            case InterventionsQueued():
                self._waiting = event
            case SetupStaged():
                self._staged = event
            case SetupApplied():
                self._staged = SetupStaged(None)
            case Opened() | DiscussionClosed():
                self._staged, self._waiting, self._speaking = (
                    SetupStaged(None),
                    InterventionsQueued(()),
                    None,
                )
            case CandidatesBegun():
                self._open_candidates(event)
            case CandidateGrew() | CandidateMade() | CandidateLost():
                if self._candidates:
                    self._candidates.handle(event)
            case DiscussionChanged():
                pass
            case _:
                return
        self._is_behind = True

    def show(self) -> None:
        """Show it on the screens that are open: once for all events that came together."""
        opening = [each for each in (self._writing, self._odds) if each and not each.is_mounted]
        if opening or not self._is_behind:
            return
        self._is_behind = False
        if self._writing and self._writing.is_running:
            self._writing.show_speaking(self._speaking_name)
        if self._odds and self._odds.is_current and (turn := self._next_turn()):
            self._odds.show(turn)

    @property
    def record(self) -> DiscussionRecord | None:
        return self._session.record

    def notes(self) -> dict[str, str]:
        """What the panes' titles should say of what waits for the reply in the making."""
        notes: dict[str, str] = {}
        staged, record = self._staged.setup, self.record
        if staged and record:
            now = record.setup
            people = {"personas", "moderator"}
            note = f"from turn {self._staged.from_turn}"
            if (staged.personas, staged.moderator) != (now.personas, now.moderator):
                notes["personas"] = note
            if staged.model_dump(exclude=people) != now.model_dump(exclude=people):
                notes["setup"] = note
        if steps := len(self._waiting.interventions):
            notes["transcript"] = f"{steps} {'waits' if steps == 1 else 'wait'} for this reply"
        return notes

    # What was said -----------------------------------------------------------------------------

    def inject(self) -> None:
        """Say something oneself."""
        from .write_message import InjectScreen

        def said(step: Inject | None) -> None:
            if step:
                self._spoke_as = step.name
                self._session.intervene(step)

        def form() -> InjectScreen:
            names, speaking = self._setup().names, self._speaking_name
            screen = InjectScreen(names, suggested=self._spoke_as, speaking=speaking)
            self._writing = screen
            return screen

        open_form(self._screen.app, form, said)

    def regenerate(self) -> None:
        """Ask for another reply in place of the last message."""
        if self._begin():
            self._session.intervene(Regenerate())

    def undo(self) -> None:
        """Bring back the text that was discarded last, or else undo the last intervention."""
        if (record := self.record) is None or bring_back(self._screen.app):
            return
        if not self._waiting.interventions and all(change.is_undone for change in record.changes):
            self._screen.notify("Nothing to undo.", timeout=2)
        else:
            self._session.intervene(Undo())

    def _begin(self) -> DiscussionRecord | None:
        """The open discussion, before an intervention that makes discarded text obsolete."""
        if self.record is not None:
            forget_discarded(self._screen.app)
        return self.record

    def edit(self, index: int) -> None:
        """Edit the text of the entry ``index``."""
        from .write_message import EditScreen

        if (record := self._begin()) is None or index >= len(record.entries):
            return
        message = record.entries[index]

        def edited(text: str | None) -> None:
            if text is not None:
                self._session.intervene(Edit(index, text))

        def form() -> EditScreen:
            title = f"Edit a message of {one_line(message.name, 40)}"
            screen = EditScreen(title, message.text, speaking=self._speaking_name)
            self._writing = screen
            return screen

        open_form(self._screen.app, form, edited)

    def as_written(self, index: int) -> None:
        """Ask what to do with the entry ``index``, of which the guard left something out."""
        from ..widgets.dialogs import MultipleChoiceDialog

        if (record := self._begin()) is None or index >= len(record.entries):
            return
        message = record.entries[index]
        steps = as_written(message, index, is_last=index == len(record.entries) - 1)
        question = f"{one_line(message.name, 40)}: {' · '.join(marks(message))}"
        explanation = f"The file has the model's own words. {self._undo_key} undoes the change."
        answers = [(key, label) for key, (label, _) in steps.items()]
        choice = MultipleChoiceDialog(question, explanation, answers, esc="cancel")
        self._screen.app.push_screen(
            choice, lambda key: self._session.intervene(steps[key][1]) if key else None
        )

    @property
    def _speaking_name(self) -> str:
        return self._speaking.name if self._speaking else ""

    @property
    def _undo_key(self) -> str:
        return key_of(self._screen.app, "transcript.undo")

    def delete(self, index: int) -> None:
        """Delete the entry ``index`` and those after it; ask first if there are any after it."""
        if (record := self._begin()) is None or index >= len(record.entries):
            return
        count = len(record.entries) - index
        if record.entries[index].role == "seed":
            self._screen.notify("Seed opinions belong to the setup; they stay.", timeout=4)
        elif count == 1:
            self._session.intervene(Delete(index))
            told = safe(f"Deleted; {self._undo_key} undoes it.")
            self._screen.notify(told, markup=False, timeout=4)
        else:
            name = one_line(record.entries[index].name, 40)
            question = ConfirmDialog(
                f"Delete the last {count} messages?",
                f"From this message of {name} to the end, with what is posted meanwhile. "
                f"They stay in the file; {self._undo_key} undoes it.",
                "delete them",
                "cancel",
            )
            self._screen.app.push_screen(
                question, lambda yes: self._session.intervene(Delete(index)) if yes else None
            )

    # Candidates --------------------------------------------------------------------------------

    def candidates(self) -> None:
        """Ask for several candidates for the last message, to choose one of."""
        from ..widgets.number_dialog import NumberDialog

        if self._begin() is None:
            return
        how_many = NumberDialog(
            "Alternatives for the last message",
            "How many alternatives? Pick one or keep the current text; all are stored in the file.",
            suggested=CANDIDATES,
            most=MOST_CANDIDATES,
        )

        def begin(count: int | None) -> None:
            if count:
                self._session.offer_candidates(count)

        self._screen.app.push_screen(how_many, begin)

    def _open_candidates(self, event: CandidatesBegun) -> None:
        from .alternatives import CandidatesScreen

        def chosen(number: int | None) -> None:
            self._candidates = None
            self._session.choose(number)

        self._candidates = CandidatesScreen(event.present, event.count)
        self._screen.app.push_screen(self._candidates, chosen)

    # Who is next, and what if ------------------------------------------------------------------

    def next_speaker(self) -> None:
        """Show the odds."""
        from .next_speaker import NextSpeakerScreen

        if turn := self._next_turn():
            self._odds = NextSpeakerScreen(
                turn, self._colours(), lambda name: self._session.intervene(SetNextSpeaker(name))
            )
            self._screen.app.push_screen(self._odds)

    def _next_turn(self) -> NextTurn | None:
        """The next turn of a user that nobody has begun."""
        from .next_speaker import next_turn

        record, setup = self.record, self._setup()
        if record is None or not setup.turn_takers:
            return None
        discussion = Discussion.from_record(record)
        speakers = discussion.speakers()
        speaking, answering = self._speaking, ""
        if speaking and speaking.turn > len(speakers):
            speakers.append(speaking.name)
        moderates = setup.moderator and not setup.moderator_takes_turns
        if setup.moderator and moderates:
            owed = discussion.odds().get(setup.moderator.name) == 1
            if owed or (speaking and speaking.role != "moderator"):
                answering = setup.moderator.name
        chosen = discussion.speaker_override
        override = chosen.name if chosen else None
        if speaking and override == speaking.name and speaking.turn == len(speakers):
            override = None  # it is being used
        for step in self._waiting.interventions:
            if isinstance(step, SetNextSpeaker):
                override = step.name
        return next_turn(setup, speakers, override, answering)

    def fork(self, count: int) -> None:
        """Begin another discussion with the first ``count`` entries of this one."""
        from ..personas.pane import PersonasPane
        from .fork import ForkScreen

        if (record := self._begin()) is None:
            return
        count = min(count, len(record.entries))

        def forked(setup: DiscussionSetup | None) -> None:
            if setup:
                self._session.fork(count, setup)

        setup, at_hand = self._setup(), self._screen.query_one(PersonasPane).selection.personas
        form = partial(ForkScreen, record, setup, count, at_hand=at_hand)
        open_form(self._screen.app, form, forked)
