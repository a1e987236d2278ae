"""The session as a pure state machine: a state and an input make the next state and effects.

Nothing here has a thread, a clock, a file or an engine. An input is a command of a front end or a
report of what happened outside; effects are what the runner is to do. A transition first reacts
to the input, then takes the next step that is possible without waiting for another report. The
modules ``opening``, ``loading``, ``replying``, ``intervening`` and ``saving`` decide parts of it.

::

    state, effects = transition(state, Start(setup))   # effects: Load(...), Emit(...)
    state, effects = transition(state, LoadReport(1, Loaded(info)))   # effects: CreateFile(...)
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import assert_never

from ..discussion import DiscussionSetup
from . import inputs
from .effects import Cancel, Effect
from .events import ErrorRaised, Renamed, SetupApplied, SetupStaged
from .intervening import apply_queued, choose, intervene, offer_candidates
from .loading import (
    cancel_load,
    cancel_preload,
    has_model,
    load,
    load_reported,
    model_ready_for,
    preload,
)
from .opening import arrive, create, fork, has_speakers, interrupt, leave, resume
from .outcome import Outcome
from .replying import ask, drop_reply, lose_candidates, reply_failed, reply_finished
from .saving import crashed, has_to_save, save_failed, saved
from .state import ModelState, SessionState

ENGINE_DIED = "The model's thread has ended."


def transition(state: SessionState, event: inputs.Input) -> tuple[SessionState, tuple[Effect, ...]]:
    """The state after ``event``, and what the runner is to do, in that order.

    The reports of Save, CreateFile and OpenFile have to be the next inputs.
    """
    if state.is_closed:
        return state, ()
    outcome = Outcome(state)
    _react(outcome, event)
    _advance(outcome)
    return outcome.state, tuple(outcome.effects)


def _react(outcome: Outcome, event: inputs.Input) -> None:
    """What an input changes by itself."""
    match event:
        case inputs.Start():
            if has_speakers(outcome, event.setup):
                leave(outcome, event)
        case inputs.Resume():
            resume(outcome, event)
        case inputs.Continue():
            if outcome.state.setup:
                choose(outcome, None)
                outcome.state = replace(outcome.state, intent=event.intent)
                outcome.mark_status_due()
        case inputs.Pause():
            _pause(outcome)
        case inputs.Stop():
            _pause(outcome)
            drop_reply(outcome)
        case inputs.ChangeSetup():
            _stage(outcome, event.setup)
        case inputs.Intervene():
            intervene(outcome, event.intervention)
        case inputs.OfferCandidates():
            if outcome.state.discussion:
                choose(outcome, None)
                interrupt(outcome)
                outcome.state = replace(outcome.state, candidates_wanted=event.count)
                outcome.mark_status_due()
        case inputs.Choose():
            choose(outcome, event.number)
        case inputs.Fork():
            fork(outcome, event)
        case inputs.FileOpened() | inputs.CloseDiscussion() | inputs.Quit():
            leave(outcome, event)
        case inputs.Rename():
            _rename(outcome, event.title)
        case inputs.LoadModel():
            load(outcome, event.setup)
        case inputs.Preload():
            preload(outcome, event.setup, event.last_model)
        case inputs.CancelPreload():
            cancel_preload(outcome, event.unless)
        case inputs.OpenFailed():
            if outcome.state.discussion:  # it continues as it was
                outcome.emit(ErrorRaised(event.sentence))
            else:
                outcome.fail(event.sentence)
        case inputs.Saved():
            saved(outcome, event)
        case inputs.SaveFailed():
            save_failed(outcome, event)
        case inputs.RetryDue():
            if unsaved := outcome.state.unsaved:
                outcome.state = replace(outcome.state, intent=unsaved.intent)
                outcome.mark_unsaved()
                outcome.mark_status_due()
        case inputs.LoadReport():
            load_reported(outcome, event)
        case inputs.ReplyFinished():
            reply_finished(outcome, event)
        case inputs.ReplyFailed():
            reply_failed(outcome, event)
        case inputs.EngineSilent() | inputs.EngineSpoke():
            _note_silence(outcome, event)
        case inputs.ServerWaits():
            outcome.set_condition("server", _announced_wait(event))
        case inputs.ServerAnswered():
            outcome.end_conditions("server")
        case inputs.EngineDied():
            _engine_died(outcome)
        case inputs.SpaceChecked():
            outcome.set_condition("space", event.sentence, event.folder)
        case inputs.Crashed():
            crashed(outcome, event)
        case _:
            assert_never(event)


def _advance(outcome: Outcome) -> None:
    """Take the next step: save, leave, load, open, or request a reply; or wait for a report."""
    if outcome.state.is_saving or outcome.state.is_closed:
        return
    if not outcome.state.reply:
        apply_queued(outcome)
    if has_to_save(outcome.state):
        outcome.save()
        return
    if outcome.state.leaving:
        arrive(outcome)
    outcome.emit_due_status()
    if not outcome.state.reply:
        _proceed(outcome)
    if not outcome.state.is_saving:
        outcome.emit_due_status()


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
    staged = _applicable_draft(state)
    if state.unsaved:
        outcome.save()
    elif not has_model(state, staged or setup):
        load(outcome, staged or setup)
    elif staged:
        _apply(outcome, staged)
        outcome.save()
    elif state.starting:
        create(outcome, state.starting)
    elif state.candidates_wanted:
        offer_candidates(outcome)
    else:
        ask(outcome)


def _pause(outcome: Outcome) -> None:
    """Ask for nothing more: neither after this reply nor once the disk is back."""
    state = outcome.state
    unsaved = replace(state.unsaved, intent="wait") if state.unsaved else None
    outcome.state = replace(state, intent="wait", unsaved=unsaved)
    cancel_load(outcome)
    outcome.mark_status_due()


def _stage(outcome: Outcome, setup: DiscussionSetup) -> None:
    if not has_speakers(outcome, setup):
        return
    state, discussion = outcome.state, outcome.state.discussion
    if state.starting:
        outcome.state = replace(state, starting=replace(state.starting, setup=setup))
    elif discussion:
        staged = setup if setup != discussion.setup else None
        turn = state.reply.request.turn if state.reply else discussion.turns_taken
        outcome.state = replace(state, staged=staged)
        outcome.emit(SetupStaged(staged, turn + 1))


def _applicable_draft(state: SessionState) -> DiscussionSetup | None:
    """The staged setup, if the discussion continues with it."""
    if not state.discussion or state.starting or state.intent not in ("run", "step"):
        return None
    return state.staged


def _apply(outcome: Outcome, staged: DiscussionSetup) -> None:
    """Continue with the staged setup, whose models are loaded."""
    state = outcome.state
    assert state.discussion
    assert state.record
    setup = state.with_model_names(staged)
    discussion = state.discussion.copy()
    discussion.change_setup(setup)
    record = replace(state.record, title=setup.title)
    state = replace(state, staged=None, discussion=discussion, record=record)
    outcome.state = model_ready_for(state, setup)
    outcome.mark_unsaved(SetupApplied(setup, discussion.turns_taken + 1))
    outcome.mark_status_due()


def _rename(outcome: Outcome, title: str) -> None:
    state = outcome.state
    if state.discussion and state.record:
        discussion = state.discussion.copy()
        discussion.change_setup(discussion.setup.model_copy(update={"title": title}))
        record = replace(state.record, title=title)
        outcome.state = replace(state, discussion=discussion, record=record)
        outcome.mark_unsaved(Renamed(state.record.title, title))


def _note_silence(outcome: Outcome, event: inputs.EngineSilent | inputs.EngineSpoke) -> None:
    reply = outcome.state.reply
    if reply is None:
        return
    is_silent = isinstance(event, inputs.EngineSilent)
    outcome.state = replace(outcome.state, reply=replace(reply, is_silent=is_silent))
    sentence = ""
    if isinstance(event, inputs.EngineSilent):
        sentence = (
            f"No reply for {event.seconds:.0f} s. Press x to stop, then r to restart the model."
        )
    outcome.set_condition("silence", sentence)


def _announced_wait(event: inputs.ServerWaits) -> str:
    if not event.seconds:
        return f"{event.reason}."
    return f"{event.reason}. Next attempt in {math.ceil(event.seconds)} s."


def _engine_died(outcome: Outcome) -> None:
    model = ModelState(load=outcome.state.model.load)
    outcome.state = replace(outcome.state, model=model, intent="wait")
    drop_reply(outcome)
    if candidates := outcome.state.candidates:
        outcome.do(*(Cancel(candidates.first + number) for number in candidates.unfinished))
        lose_candidates(outcome, candidates.unfinished, ENGINE_DIED)
    outcome.set_condition("engine", ENGINE_DIED)
    outcome.mark_status_due()
