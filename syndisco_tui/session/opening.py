"""Decides how discussions are opened, created, forked, left and closed."""

from __future__ import annotations

from dataclasses import replace

from ..discussion import IMPORTED_FROM, Discussion, DiscussionRecord, DiscussionSetup, Parent
from .effects import CloseFile, CreateFile, OpenFile
from .events import Closed, DiscussionClosed, Opened
from .inputs import CloseDiscussion, FileOpened, Fork, Quit, Resume, Start
from .intervening import apply_queued, choose
from .loading import cancel_load, model_ready_for
from .outcome import Outcome
from .replying import drop_reply

NOBODY = "Nobody takes part: choose at least one persona."


def has_speakers(outcome: Outcome, setup: DiscussionSetup) -> bool:
    """Whether somebody takes turns under ``setup``; otherwise that is an error."""
    if not setup.turn_takers:
        outcome.fail(NOBODY)
    return bool(setup.turn_takers)


def interrupt(outcome: Outcome) -> None:
    """Drop the reply in progress and ask for no other."""
    outcome.state = replace(outcome.state, intent="wait")
    drop_reply(outcome)


def resume(outcome: Outcome, event: Resume) -> None:
    """Open a saved discussion, or run it if it is open already."""
    if outcome.state.path != event.path:
        outcome.do(OpenFile(event.path, "run" if event.run else "wait"))
    elif event.run:
        choose(outcome, None)
        outcome.state = replace(outcome.state, intent="run")
        outcome.mark_status_due()


def create(outcome: Outcome, start: Start) -> None:
    """Begin a discussion whose model is loaded."""
    state = outcome.state
    setup = state.with_model_names(start.setup)
    engine = state.engine_facts(start.setup)
    outcome.state = model_ready_for(state, setup)
    discussion = Discussion(setup)
    record = DiscussionRecord(
        id="",
        started_at="",
        setup=setup,
        title=setup.title,
        engine=engine,
        batch=start.batch,
        experiment=start.experiment,
    )
    outcome.do(CreateFile(discussion.to_record(record), state.intent, start.path))


def fork(outcome: Outcome, event: Fork) -> None:
    """Create a paused discussion from the first entries of another."""
    if not has_speakers(outcome, event.setup):
        return
    choose(outcome, None)
    drop_reply(outcome)
    apply_queued(outcome)
    state = outcome.state
    if event.parent is None and state.discussion is None:
        return
    parent = event.parent or state.snapshot()
    setup = state.with_model_names(event.setup)
    named = parent.setup.model_copy(update={"title": setup.title})  # a title changes no turn
    discussion = Discussion.from_record(replace(parent, setup=named)).fork(event.position)
    discussion.change_setup(setup)
    record = DiscussionRecord(
        id="",
        started_at="",
        setup=setup,
        status="finished" if discussion.is_finished else "paused",
        title=setup.title,
        parent=Parent(parent.id, discussion.turns_taken),
        engine={key: parent.engine[key] for key in parent.engine if key != IMPORTED_FROM},
    )
    outcome.state = replace(state, intent="wait")
    outcome.do(CreateFile(discussion.to_record(record), "wait"))


def leave(outcome: Outcome, target: Start | FileOpened | CloseDiscussion | Quit) -> None:
    """Drop the reply in progress and save the open discussion; ``target`` follows."""
    interrupt(outcome)
    choose(outcome, None)
    apply_queued(outcome)
    outcome.state = replace(outcome.state, staged=None, leaving=target)
    if outcome.state.unsaved:
        outcome.mark_unsaved()


def arrive(outcome: Outcome) -> None:
    """Close the file that was left, and open what follows."""
    target, path = outcome.state.leaving, outcome.state.path
    if path:
        outcome.do(CloseFile(path))
    outcome.state = replace(
        outcome.state, discussion=None, record=None, path=None, starting=None, leaving=None
    )
    match target:
        case Start():
            outcome.state = replace(outcome.state, starting=target, intent=target.intent)
        case FileOpened():
            _open(outcome, target)
        case CloseDiscussion():
            outcome.emit(DiscussionClosed())
            outcome.mark_status_due()
        case Quit():
            end_session(outcome)


def _open(outcome: Outcome, opened: FileOpened) -> None:
    discussion = Discussion.from_record(opened.record)
    outcome.state = replace(
        outcome.state,
        discussion=discussion,
        record=opened.record,
        path=opened.path,
        intent="wait" if discussion.is_finished else opened.intent,
    )
    outcome.end_conditions("saving")
    outcome.emit(Opened(opened.record, opened.path))
    outcome.mark_status_due()


def end_session(outcome: Outcome) -> None:
    """Accept no further input."""
    cancel_load(outcome)
    outcome.state = replace(outcome.state, is_closed=True)
    outcome.emit(Closed())
