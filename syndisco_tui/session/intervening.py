"""Decides when an intervention is applied, and what becomes of candidates."""

from __future__ import annotations

from dataclasses import replace

from ..discussion import CannotChange, Discussion, Message
from .effects import Cancel
from .events import CandidatesBegun, DiscussionChanged, ErrorRaised, InterventionsQueued
from .inputs import Intent
from .intervention import Intervention, Undo
from .outcome import Outcome
from .replying import drop_reply, submit_all
from .state import Candidates, SessionState


def intervene(outcome: Outcome, intervention: Intervention) -> None:
    """Apply an intervention between turns; during a reply queue it, or drop the reply for it."""
    if outcome.state.discussion is None:
        return
    choose(outcome, None)
    state = outcome.state
    assert state.discussion
    if state.queued and isinstance(intervention, Undo):
        _queue(outcome, state.queued[:-1])
    elif state.reply and intervention.waits(state.discussion):
        _queue(outcome, (*state.queued, intervention))
    elif state.reply and (why := _why_not(state, state.discussion, intervention)):
        outcome.emit(ErrorRaised(why))
    else:
        drop_reply(outcome)
        apply_queued(outcome)
        _apply(outcome, intervention)


def apply_queued(outcome: Outcome) -> None:
    """Apply what waited for the reply."""
    queued = outcome.state.queued
    if queued and outcome.state.discussion:
        for intervention in queued:
            _apply(outcome, intervention)
        outcome.state = replace(outcome.state, queued=())
        outcome.mark_unsaved(InterventionsQueued(()))


def offer_candidates(outcome: Outcome) -> None:
    """Request the alternatives to the last message that are wanted."""
    state = outcome.state
    assert state.discussion
    try:
        requests = state.discussion.candidates(state.candidates_wanted)
    except CannotChange as error:
        outcome.state = replace(state, candidates_wanted=0)
        outcome.emit(ErrorRaised(_sentence(error)))
        return
    outcome.emit(CandidatesBegun(state.discussion.entries[-1], len(requests)))
    first = submit_all(outcome, requests)
    candidates = Candidates(requests, first, (None,) * len(requests))
    outcome.state = replace(outcome.state, candidates=candidates, candidates_wanted=0)


def choose(outcome: Outcome, number: int | None) -> None:
    """Use the candidate ``number`` as the last message, or keep that; want no candidates."""
    outcome.state = replace(outcome.state, candidates_wanted=0)
    candidates = outcome.state.candidates
    if candidates is None or not candidates.can_choose(number):
        return
    outcome.do(*(Cancel(candidates.first + each) for each in candidates.unfinished))
    outcome.end_conditions("server")
    state = outcome.state
    assert state.discussion
    finished: list[Message] = [each for each in candidates.messages if each]
    chosen = None
    if number is not None:
        chosen = sum(each is not None for each in candidates.messages[:number])
    discussion = state.discussion.copy()
    discussion.choose(finished, chosen, changed_at=state.now)
    outcome.state = replace(state, discussion=discussion, candidates=None)
    _changed(outcome)


def _apply(outcome: Outcome, intervention: Intervention) -> None:
    state = outcome.state
    assert state.discussion
    discussion = state.discussion.copy()
    try:
        intervention.apply(discussion, state.now)
    except CannotChange as error:
        outcome.emit(ErrorRaised(_sentence(error)))
        return
    intent: Intent = state.intent
    if intervention.next_intent == "pause":
        intent = "wait"
    elif intervention.next_intent == "speak" and intent == "wait":
        intent = "regenerate"
    outcome.state = replace(state, discussion=discussion, intent=intent)
    _changed(outcome)


def _changed(outcome: Outcome) -> None:
    outcome.mark_unsaved(DiscussionChanged(outcome.state.snapshot()))
    outcome.mark_status_due()


def _queue(outcome: Outcome, queued: tuple[Intervention, ...]) -> None:
    outcome.state = replace(outcome.state, queued=queued)
    outcome.emit(InterventionsQueued(queued))


def _why_not(state: SessionState, discussion: Discussion, intervention: Intervention) -> str:
    """Why ``intervention`` is impossible, or nothing: no reply is dropped in vain."""
    trial = discussion.copy()
    try:
        for each in (*state.queued, intervention):
            each.apply(trial, state.now)
    except CannotChange as error:
        return _sentence(error)
    return ""


def _sentence(error: CannotChange) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
