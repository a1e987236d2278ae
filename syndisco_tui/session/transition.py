"""The session as a pure state machine: a state and an input make the next state and effects.

Nothing here has a thread, a clock, a file or an engine. An input is a command of a front end or a
report of what happened outside; effects are what the runner is to do. A transition first reacts
to the input, then takes the next step that is possible without waiting for another report. ::

    state, effects = transition(state, Start(setup))   # effects: Load(...), Emit(...)
    state, effects = transition(state, LoadReport(1, Loaded(info)))   # effects: CreateFile(...)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import assert_never

from ..discussion import IMPORTED_FROM, Discussion, DiscussionRecord, DiscussionSetup, Parent
from .effects import CloseFile, CreateFile, Effect, OpenFile
from .events import (
    Closed,
    DiscussionClosed,
    ErrorRaised,
    NotSaved,
    Opened,
    Posted,
    Renamed,
    SetupApplied,
    SetupStaged,
)
from .inputs import (
    CancelPreload,
    ChangeSetup,
    Choose,
    CloseDiscussion,
    Continue,
    Crashed,
    EngineDied,
    EngineSilent,
    EngineSpoke,
    FileOpened,
    Fork,
    Input,
    Intervene,
    LoadModel,
    LoadReport,
    OfferCandidates,
    OpenFailed,
    Pause,
    Preload,
    Quit,
    Rename,
    ReplyFailed,
    ReplyFinished,
    Resume,
    RetryDue,
    Saved,
    SaveFailed,
    SpaceChecked,
    Start,
    Stop,
)
from .interventions import apply_queued, choose, intervene, offer_candidates
from .loading import (
    cancel_load,
    cancel_preload,
    has_model,
    load,
    load_reported,
    model_ready_for,
    preload,
)
from .outcome import Outcome
from .replies import ask, drop_reply, lose_candidates, reply_failed, reply_finished
from .state import ModelState, SessionState

NOBODY = "Nobody takes part: choose at least one persona."
ENGINE_DIED = "The model's thread has ended."


def transition(state: SessionState, event: Input) -> tuple[SessionState, tuple[Effect, ...]]:
    """The state after ``event``, and what the runner is to do, in that order.

    The reports of Save, CreateFile and OpenFile have to be the next inputs.
    """
    if state.is_closed:
        return state, ()
    outcome = Outcome(state)
    _react(outcome, event)
    _advance(outcome)
    return outcome.state, tuple(outcome.effects)


def _react(outcome: Outcome, event: Input) -> None:
    """What an input changes by itself."""
    match event:
        case Start():
            if _has_speakers(outcome, event.setup):
                _leave(outcome, event)
        case Resume():
            _resume(outcome, event)
        case Continue():
            if outcome.state.setup:
                choose(outcome, None)
                outcome.state = replace(outcome.state, intent=event.intent)
                outcome.owe_status()
        case Pause():
            _pause(outcome)
        case Stop():
            _pause(outcome)
            drop_reply(outcome)
        case ChangeSetup():
            _stage(outcome, event.setup)
        case Intervene():
            intervene(outcome, event.intervention)
        case OfferCandidates():
            if outcome.state.discussion:
                choose(outcome, None)
                _interrupt(outcome)
                outcome.state = replace(outcome.state, candidates_wanted=event.count)
                outcome.owe_status()
        case Choose():
            choose(outcome, event.number)
        case Fork():
            _fork(outcome, event)
        case FileOpened() | CloseDiscussion() | Quit():
            _leave(outcome, event)
        case Rename():
            _rename(outcome, event.title)
        case LoadModel():
            load(outcome, event.setup)
        case Preload():
            preload(outcome, event.setup, event.last_model)
        case CancelPreload():
            cancel_preload(outcome, event.unless)
        case OpenFailed():
            if outcome.state.discussion:  # it continues as it was
                outcome.emit(ErrorRaised(event.sentence))
            else:
                outcome.give_up(event.sentence)
        case Saved():
            _saved(outcome, event)
        case SaveFailed():
            _save_failed(outcome, event)
        case RetryDue():
            if unsaved := outcome.state.unsaved:
                outcome.state = replace(outcome.state, intent=unsaved.intent)
                outcome.mark_unsaved()
                outcome.owe_status()
        case LoadReport():
            load_reported(outcome, event)
        case ReplyFinished():
            reply_finished(outcome, event)
        case ReplyFailed():
            reply_failed(outcome, event)
        case EngineSilent() | EngineSpoke():
            _note_silence(outcome, event)
        case EngineDied():
            _engine_died(outcome)
        case SpaceChecked():
            outcome.say("space", event.sentence, event.folder)
        case Crashed():
            _crashed(outcome, event)
        case _:
            assert_never(event)


def _advance(outcome: Outcome) -> None:
    """Take the next step: save, leave, load, open, or request a reply; or wait for a report."""
    if outcome.state.is_saving or outcome.state.is_closed:
        return
    if not outcome.state.reply:
        apply_queued(outcome)
    if _has_to_save(outcome.state):
        outcome.save()
        return
    if outcome.state.leaving:
        _arrive(outcome)
    outcome.pay_status()
    if not outcome.state.reply:
        _proceed(outcome)
    if not outcome.state.is_saving:
        outcome.pay_status()


def _proceed(outcome: Outcome) -> None:
    """Do what the intent asks for; at most one thing that has a report."""
    state, setup = outcome.state, outcome.state.setup
    is_needed = state.intent != "wait" or bool(state.candidates_wanted)
    if setup is None:
        return
    if state.model.preload:
        if is_needed:
            load(outcome, setup)
        else:
            cancel_preload(outcome, setup)
    if outcome.state.model.loading or not is_needed:
        return
    if state.unsaved or _applies_staged(outcome):
        outcome.save()
        return
    state, setup = outcome.state, outcome.state.setup
    assert setup
    if not has_model(state, setup):
        load(outcome, setup)
    elif state.starting:
        _create(outcome, state.starting)
    elif state.candidates_wanted:
        offer_candidates(outcome)
    else:
        ask(outcome)


# Opening and leaving --------------------------------------------------------------------------


def _has_speakers(outcome: Outcome, setup: DiscussionSetup) -> bool:
    if not setup.turn_takers:
        outcome.give_up(NOBODY)
    return bool(setup.turn_takers)


def _interrupt(outcome: Outcome) -> None:
    """Drop the reply in progress and ask for no other."""
    outcome.state = replace(outcome.state, intent="wait")
    drop_reply(outcome)


def _resume(outcome: Outcome, event: Resume) -> None:
    if outcome.state.path != event.path:
        outcome.do(OpenFile(event.path, "run" if event.run else "wait"))
    elif event.run:
        choose(outcome, None)
        outcome.state = replace(outcome.state, intent="run")
        outcome.owe_status()


def _create(outcome: Outcome, start: Start) -> None:
    """Begin a discussion whose model is loaded."""
    state = outcome.state
    setup = state.with_model_name(start.setup)
    outcome.state = model_ready_for(state, setup)
    discussion = Discussion(setup)
    record = DiscussionRecord(
        id="",
        started_at="",
        setup=setup,
        title=setup.title,
        engine=state.engine_info.as_dict() if state.engine_info else {},
        batch=start.batch,
    )
    outcome.do(CreateFile(discussion.to_record(record), state.intent))


def _fork(outcome: Outcome, event: Fork) -> None:
    """Create a paused discussion from the first entries of another."""
    if not _has_speakers(outcome, event.setup):
        return
    choose(outcome, None)
    drop_reply(outcome)
    apply_queued(outcome)
    state = outcome.state
    if event.parent is None and state.discussion is None:
        return
    parent = event.parent or state.snapshot()
    setup = state.with_model_name(event.setup)
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


def _leave(outcome: Outcome, target: Start | FileOpened | CloseDiscussion | Quit) -> None:
    """Drop the reply in progress and save the open discussion; ``target`` follows."""
    _interrupt(outcome)
    choose(outcome, None)
    apply_queued(outcome)
    outcome.state = replace(outcome.state, staged=None, leaving=target)
    if outcome.state.unsaved:
        outcome.mark_unsaved()


def _arrive(outcome: Outcome) -> None:
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
            outcome.owe_status()
        case Quit():
            _end(outcome)


def _open(outcome: Outcome, opened: FileOpened) -> None:
    discussion = Discussion.from_record(opened.record)
    outcome.state = replace(
        outcome.state,
        discussion=discussion,
        record=opened.record,
        path=opened.path,
        intent="wait" if discussion.is_finished else opened.intent,
    )
    outcome.end("saving")
    outcome.emit(Opened(opened.record, opened.path))
    outcome.owe_status()


def _end(outcome: Outcome) -> None:
    cancel_load(outcome)
    outcome.state = replace(outcome.state, is_closed=True)
    outcome.emit(Closed())


# Changing the open discussion -----------------------------------------------------------------


def _pause(outcome: Outcome) -> None:
    """Ask for nothing more: neither after this reply nor once the disk is back."""
    state = outcome.state
    unsaved = replace(state.unsaved, intent="wait") if state.unsaved else None
    outcome.state = replace(state, intent="wait", unsaved=unsaved)
    cancel_load(outcome)
    outcome.owe_status()


def _stage(outcome: Outcome, setup: DiscussionSetup) -> None:
    if not _has_speakers(outcome, setup):
        return
    state, discussion = outcome.state, outcome.state.discussion
    if state.starting:
        outcome.state = replace(state, starting=replace(state.starting, setup=setup))
    elif discussion:
        staged = setup if setup != discussion.setup else None
        turn = state.reply.request.turn if state.reply else discussion.turns_taken
        outcome.state = replace(state, staged=staged)
        outcome.emit(SetupStaged(staged, turn + 1))


def _applies_staged(outcome: Outcome) -> bool:
    """Apply the staged setup if the user continues; whether that changed the discussion."""
    state = outcome.state
    if not (state.discussion and state.record and state.staged):
        return False
    if state.intent not in ("run", "step"):
        return False
    setup = state.with_model_name(state.staged)
    outcome.state = replace(state, staged=None)
    if setup == state.discussion.setup:
        return False
    discussion = state.discussion.copy()
    discussion.change_setup(setup)
    record = replace(state.record, title=setup.title)
    outcome.state = replace(outcome.state, discussion=discussion, record=record)
    outcome.mark_unsaved(SetupApplied(setup, discussion.turns_taken + 1))
    outcome.owe_status()
    return True


def _rename(outcome: Outcome, title: str) -> None:
    state = outcome.state
    if state.discussion and state.record:
        discussion = state.discussion.copy()
        discussion.change_setup(discussion.setup.model_copy(update={"title": title}))
        record = replace(state.record, title=title)
        outcome.state = replace(state, discussion=discussion, record=record)
        outcome.mark_unsaved(Renamed(state.record.title, title))


# Saving ---------------------------------------------------------------------------------------


def _has_to_save(state: SessionState) -> bool:
    """Whether the file is behind, and the disk has not refused since."""
    if state.unsaved:
        return state.path is not None and not state.unsaved.has_failed
    is_marked_running = state.record is not None and state.record.status == "running"
    return is_marked_running and state.file_status != "running"


def _saved(outcome: Outcome, event: Saved) -> None:
    unsaved = outcome.state.unsaved
    if not outcome.state.is_saving:
        return
    outcome.state = replace(outcome.state, record=event.record, unsaved=None, is_saving=False)
    outcome.end("saving")
    if unsaved:
        outcome.emit(*unsaved.events)


def _save_failed(outcome: Outcome, event: SaveFailed) -> None:
    """Pause with everything kept; the session continues by itself once the disk accepts it."""
    state, unsaved = outcome.state, outcome.state.unsaved
    if unsaved:
        unreported = unsaved.events[unsaved.reported :]
        outcome.emit(*(NotSaved(each.message) for each in unreported if isinstance(each, Posted)))
        intent = state.intent if state.intent != "wait" else unsaved.intent
        unsaved = replace(unsaved, intent=intent, has_failed=True, reported=len(unsaved.events))
    outcome.state = replace(state, unsaved=unsaved, is_saving=False, leaving=None)
    reason = f"{event.reason[:1].lower()}{event.reason[1:]}"
    outcome.say("saving", f"Cannot save: {reason}.", event.folder)
    outcome.stand_still()
    outcome.owe_status()
    match state.leaving:
        case FileOpened():
            outcome.do(CloseFile(state.leaving.path))
        case Quit():
            outcome.pay_status()
            _close_unsaved(outcome, state.path)


def _close_unsaved(outcome: Outcome, path: Path | None) -> None:
    if path:
        outcome.do(CloseFile(path))
    _end(outcome)


# The engine -----------------------------------------------------------------------------------


def _note_silence(outcome: Outcome, event: EngineSilent | EngineSpoke) -> None:
    reply = outcome.state.reply
    if reply is None:
        return
    is_silent = isinstance(event, EngineSilent)
    outcome.state = replace(outcome.state, reply=replace(reply, is_silent=is_silent))
    sentence = ""
    if isinstance(event, EngineSilent):
        sentence = (
            f"No reply for {event.seconds:.0f} s. Press x to stop, then r to restart the model."
        )
    outcome.say("silence", sentence)


def _engine_died(outcome: Outcome) -> None:
    model = ModelState(load=outcome.state.model.load)
    outcome.state = replace(outcome.state, model=model, intent="wait")
    drop_reply(outcome)
    if candidates := outcome.state.candidates:
        lose_candidates(outcome, candidates.unfinished, ENGINE_DIED)
    outcome.say("engine", ENGINE_DIED)
    outcome.owe_status()


def _crashed(outcome: Outcome, event: Crashed) -> None:
    state = outcome.state
    if unsaved := state.unsaved:
        unsaved = replace(unsaved, has_failed=unsaved.has_failed or state.is_saving)
    outcome.state = replace(state, unsaved=unsaved, is_saving=False, leaving=None)
    outcome.give_up(event.sentence)
    if event.ends_session or isinstance(state.leaving, Quit):
        outcome.pay_status()
        _close_unsaved(outcome, state.path)
