"""What a person does to the open discussion: asks for it with a screen, hands it to the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App
from textual.screen import Screen

from ...discussion import DiscussionRecord, DiscussionSetup, Message
from ...session import (
    CandidateGrew,
    CandidateLost,
    CandidateMade,
    CandidatesBegun,
    Delete,
    Edit,
    Inject,
    Intervention,
    LiveSession,
    Regenerate,
    SessionEvent,
    SetNextSpeaker,
    Silence,
    Undo,
    Unmark,
)
from ...text import one_line, safe
from ..laboratory.session_view import SessionView
from ..shell.keymap import key_of
from ..transcript.blocks import mark_labels
from ..widgets.dialogs import ConfirmDialog
from ..widgets.forms import bring_back, forget_discarded, open_form

if TYPE_CHECKING:  # the others are imported when they are opened, not before the first picture
    from .alternatives import CandidatesScreen
    from .next_speaker import NextSpeakerScreen, NextTurn
    from .write_message import EditScreen, InjectScreen

MOST_CANDIDATES = 16
CANDIDATES = 4


class InterventionController:
    """Changes the discussion that ``session`` has open and a transcript on ``screen`` shows.

    ``setup`` and ``colours`` give the setup and the speakers' colours on the screen.
    """

    def __init__(
        self,
        screen: Screen[None],
        session: LiveSession,
        view: SessionView,
        setup: Callable[[], DiscussionSetup],
        colours: Callable[[], dict[str, str]],
    ) -> None:
        self._screen = screen
        self._session = session
        self._view = view
        self._setup = setup
        self._colours = colours
        self._candidates: CandidatesScreen | None = None
        self._odds: NextSpeakerScreen | None = None
        self._writing: InjectScreen | EditScreen | None = None
        self._last_injected_name = ""

    @property
    def _app(self) -> App[object]:
        return self._screen.app

    @property
    def _record(self) -> DiscussionRecord | None:
        return self._session.record

    def _record_to_change(self) -> DiscussionRecord | None:
        """The open discussion, before a change that makes discarded text obsolete."""
        if self._record is not None:
            forget_discarded(self._app)
        return self._record

    def _speaking_name(self) -> str:
        return self._view.speaking.name if self._view.speaking else ""

    @property
    def _undo_key(self) -> str:
        return key_of(self._app, "transcript.undo")

    # What the session reports ------------------------------------------------------------------

    def handle(self, event: SessionEvent) -> None:
        """Show what an event reports of alternatives."""
        match event:
            case CandidatesBegun():
                self._open_candidates(event)
            case CandidateGrew() | CandidateMade() | CandidateLost() if self._candidates:
                self._candidates.handle(event)

    def refresh(self) -> None:
        """Bring the screens that are open up to date."""
        if self._writing and self._writing.is_running and self._writing.is_mounted:
            self._writing.show_speaking()
        odds = self._odds
        if odds and odds.is_mounted and odds.is_current:
            odds.show()

    def queued_note(self) -> str:
        """What the transcript's title says of interventions that wait."""
        count = len(self._view.queued)
        return f"{count} {'waits' if count == 1 else 'wait'} for this reply" if count else ""

    # Messages ----------------------------------------------------------------------------------

    def inject(self) -> None:
        """Ask for a message and post it."""
        from .write_message import InjectScreen

        def written(intervention: Inject | None) -> None:
            if intervention:
                self._last_injected_name = intervention.name
                self._session.intervene(intervention)

        def form() -> InjectScreen:
            names, name = self._setup().names, self._last_injected_name
            self._writing = InjectScreen(names, self._speaking_name, suggested=name)
            return self._writing

        open_form(self._app, form, written)

    def regenerate(self) -> None:
        """Regenerate the last message with another seed."""
        if self._record_to_change():
            self._session.intervene(Regenerate())

    def edit(self, index: int) -> None:
        """Ask for another text of the entry ``index``."""
        from .write_message import EditScreen

        if (record := self._record_to_change()) is None or index >= len(record.entries):
            return
        message = record.entries[index]

        def edited(text: str | None) -> None:
            if text is not None:
                self._session.intervene(Edit(index, text))

        def form() -> EditScreen:
            title = f"Edit a message of {one_line(message.name, 40)}"
            self._writing = EditScreen(title, message.text, self._speaking_name)
            return self._writing

        open_form(self._app, form, edited)

    def as_written(self, index: int) -> None:
        """Ask what to do with the entry ``index``, which the guard changed or marked."""
        from ..widgets.dialogs import MultipleChoiceDialog

        if (record := self._record_to_change()) is None or index >= len(record.entries):
            return
        message = record.entries[index]
        choices = as_written_choices(message, index, is_last=index == len(record.entries) - 1)
        marks = " · ".join(mark_labels(message)) or "changed by the guard"
        question = f"{one_line(message.name, 40)}: {marks}"
        explanation = f"The file has the model's own words. {self._undo_key} undoes the change."
        answers = [(key, label) for key, (label, _) in choices.items()]
        dialog = MultipleChoiceDialog(question, explanation, answers, esc="cancel")
        self._app.push_screen(
            dialog, lambda key: self._session.intervene(choices[key][1]) if key else None
        )

    def delete(self, index: int) -> None:
        """Delete the entry ``index`` and those after it; ask first if there are any after it."""
        if (record := self._record_to_change()) is None or index >= len(record.entries):
            return
        count = len(record.entries) - index
        if record.entries[index].role == "seed":
            self._screen.notify("Seed opinions belong to the setup; they stay.", timeout=4)
        elif count == 1:
            self._session.intervene(Delete(index))
            sentence = safe(f"Deleted; {self._undo_key} undoes it.")
            self._screen.notify(sentence, markup=False, timeout=4)
        else:
            name = one_line(record.entries[index].name, 40)
            question = ConfirmDialog(
                f"Delete the last {count} messages?",
                f"From this message of {name} to the end, including any posted meanwhile. "
                f"They stay in the file; {self._undo_key} undoes it.",
                "delete them",
                "cancel",
            )
            self._app.push_screen(
                question, lambda yes: self._session.intervene(Delete(index)) if yes else None
            )

    def undo(self) -> None:
        """Reopen the form that was discarded last, or else undo the last change."""
        record = self._record
        if record is None or bring_back(self._app):
            return
        if not self._view.queued and all(change.is_undone for change in record.changes):
            self._screen.notify("Nothing to undo.", timeout=2)
        else:
            self._session.intervene(Undo())

    def fork(self, count: int) -> None:
        """Ask for the setup of a discussion that begins with the first ``count`` entries."""
        from ..personas.pane import PersonasPane
        from .fork import ForkScreen

        if (record := self._record_to_change()) is None:
            return
        count = min(count, len(record.entries))

        def forked(setup: DiscussionSetup | None) -> None:
            if setup:
                self._session.fork(count, setup)

        setup, at_hand = self._setup(), self._screen.query_one(PersonasPane).selection.personas
        form = partial(ForkScreen, record, setup, count, at_hand=at_hand)
        open_form(self._app, form, forked)

    # Alternatives ------------------------------------------------------------------------------

    def candidates(self) -> None:
        """Ask how many alternatives for the last message to generate."""
        from ..widgets.line_dialog import NumberDialog

        if self._record_to_change() is None:
            return
        dialog = NumberDialog(
            "Alternatives for the last message",
            "How many alternatives? Pick one or keep the current text; all are stored in the file.",
            suggested=CANDIDATES,
            most=MOST_CANDIDATES,
        )
        self._app.push_screen(
            dialog, lambda count: self._session.offer_candidates(count) if count else None
        )

    def _open_candidates(self, event: CandidatesBegun) -> None:
        from .alternatives import CandidatesScreen

        def chosen(number: int | None) -> None:
            self._candidates = None
            self._session.choose(number)

        self._candidates = CandidatesScreen(event.present, event.count)
        self._app.push_screen(self._candidates, chosen)

    # Who speaks next ---------------------------------------------------------------------------

    def next_speaker(self) -> None:
        """Show who may speak next, and let one be chosen."""
        from .next_speaker import NextSpeakerScreen

        if self._next_turn():
            self._odds = NextSpeakerScreen(
                self._next_turn,
                self._colours(),
                lambda name: self._session.intervene(SetNextSpeaker(name)),
            )
            self._app.push_screen(self._odds)

    def _next_turn(self) -> NextTurn | None:
        from .next_speaker import next_turn

        record, view = self._record, self._view
        return next_turn(record, self._setup(), view.speaking, view.queued) if record else None


def as_written_choices(
    message: Message, index: int, *, is_last: bool
) -> dict[str, tuple[str, Intervention]]:
    """What can be made of a guarded reply, the entry ``index``: label and change by key."""
    choices: dict[str, tuple[str, Intervention]] = {}
    raw = message.model_text.strip()
    if raw != message.text:
        choices["w"] = "post it as the model wrote it", Edit(index, raw)
    guarded = message.original_text
    if guarded and guarded not in (message.text, raw):
        choices["g"] = "post it as the guard cleaned it", Edit(index, guarded)
    if message.marks:
        is_one = len(message.marks) == 1
        label = "the mark is wrong: remove it" if is_one else "the marks are wrong: remove them"
        choices["m"] = label, Unmark(index)
    if message.text:
        choices["s"] = "make it a silence", Silence(index)
    if is_last:
        choices["r"] = "regenerate it", Regenerate()
    return choices
