"""Decides about replies: which one to request, what becomes of it, and when it is dropped."""

from __future__ import annotations

from dataclasses import replace

from ..discussion import Discussion, DiscussionSetup, Message, Reply, Shortened, TurnRequest
from ..engine.base import GenerationResult, ModelUnavailable, OutOfMemory
from ..engine.model import EngineInfo
from .effects import Cancel, Submit
from .events import CandidateLost, CandidateMade, Posted, ReplyDropped, ReplyStarted
from .inputs import ReplyFailed, ReplyFinished
from .outcome import Outcome
from .state import PendingReply, SessionState
from .unheeded_reasoning import unheeded_reasoning

MAX_EMPTY_REPLIES = 3
"""A reply that is empty so often is taken as a silence."""
MAX_CUT_REASONING = 2
"""The session pauses after a reply that was all reasoning so often."""


def ask(outcome: Outcome) -> None:
    """Request the next reply, or end the discussion where none is left."""
    discussion, record = outcome.state.discussion, outcome.state.record
    assert discussion
    assert record
    request = discussion.next_request()
    if request is None:
        outcome.state = replace(outcome.state, intent="wait")
        outcome.mark_status_due()
        if record.status != "finished":
            outcome.save()
    elif record.status != "running":
        outcome.save()  # the file says that the discussion runs before anybody speaks
    else:
        _submit(outcome, discussion, request)
        outcome.mark_status_due()


def reply_finished(outcome: Outcome, event: ReplyFinished) -> None:
    """Post the reply, or note a candidate. Those that were dropped are ignored."""
    state, pending = outcome.state, outcome.state.reply
    if pending and pending.submission == event.submission and state.discussion:
        if not event.result.text.strip() and _retry_empty(outcome, pending, event.result):
            return
        discussion = state.discussion.copy()
        info = state.info_of(discussion.setup, pending.request.name)
        reply = _reply(info, event.result, pending.empty_replies)
        message = discussion.post(pending.request, reply, created_at=state.now)
        is_last = state.intent in ("step", "regenerate") or discussion.is_finished
        intent = "wait" if is_last else state.intent
        outcome.state = replace(state, discussion=discussion, reply=None, intent=intent)
        outcome.end_conditions("silence", "memory", "server")
        _note_error(outcome, "")
        outcome.mark_unsaved(Posted(message, decoding_speed(event.result)))
        outcome.mark_status_due()
    elif (number := _candidate(state, event.submission)) is not None:
        _candidate_made(outcome, number, event.result)


def _retry_empty(outcome: Outcome, pending: PendingReply, result: GenerationResult) -> bool:
    """Request a reply again where the model returned nothing; False to take it as a silence.

    Nothing is posted either where all tokens went into reasoning, twice: the session pauses.
    """
    discussion, request = outcome.state.discussion, pending.request
    assert discussion
    setup, times = discussion.setup, pending.empty_replies + 1
    is_cut_reasoning = bool(result.reasoning) and result.finish_reason == "length"
    if is_cut_reasoning and times < MAX_CUT_REASONING:
        used = setup.max_reasoning_tokens or setup.max_out_tokens
        setup = setup.model_copy(update={"max_reasoning_tokens": 2 * used})
        _submit(outcome, discussion, request, setup, times)
    elif is_cut_reasoning:
        outcome.state = replace(outcome.state, reply=None)
        outcome.emit(ReplyDropped(request.name))
        sentence = (
            f"{request.name} used all {result.completion_tokens:,} tokens for reasoning. Raise "
            "max_reasoning_tokens, or set reasoning to “off”."
        )
        outcome.fail(sentence)
        _note_error(outcome, sentence)
    elif times < MAX_EMPTY_REPLIES:
        again = discussion.next_request(request.attempt + 1, request.shortened)
        assert again
        _submit(outcome, discussion, again, setup, times)
    else:
        return False
    return True


def reply_failed(outcome: Outcome, event: ReplyFailed) -> None:
    """Pause; a reply that memory does not suffice for is requested once more with less."""
    state, pending = outcome.state, outcome.state.reply
    if pending and pending.submission == event.submission and state.discussion:
        outcome.state = replace(state, reply=None)
        outcome.end_conditions("silence", "server")
        outcome.emit(ReplyDropped(pending.request.name))
        is_full = isinstance(event.error, OutOfMemory)
        if is_full and (shorter := shortened(state.discussion, pending.request)):
            outcome.set_condition("memory", _announcement(shorter))
            _submit(outcome, state.discussion, shorter)
        else:
            outcome.end_conditions("memory")
            outcome.fail(str(event.error), is_fatal=isinstance(event.error, ModelUnavailable))
            _note_error(outcome, str(event.error))
    elif (number := _candidate(state, event.submission)) is not None:
        lose_candidates(outcome, (number,), str(event.error))


def _note_error(outcome: Outcome, sentence: str) -> None:
    """Keep in the record why the discussion stopped; an empty sentence where it has not."""
    record = outcome.state.record
    if record and record.error != sentence:
        outcome.state = replace(outcome.state, record=replace(record, error=sentence))


def drop_reply(outcome: Outcome) -> None:
    """Drop the reply in progress, if there is one; its turn stays open."""
    state, pending = outcome.state, outcome.state.reply
    if pending is None:
        return
    outcome.state = replace(state, reply=None)
    if pending.is_silent:  # the engine is restarted before the next load
        stuck = replace(state.model, is_stuck=True, ready=None)
        outcome.state = replace(outcome.state, model=stuck)
    outcome.do(Cancel(pending.submission))
    outcome.end_conditions("silence", "memory", "server")
    outcome.emit(ReplyDropped(pending.request.name))


def lose_candidates(outcome: Outcome, numbers: tuple[int, ...], sentence: str) -> None:
    """These candidates will not be generated; ``sentence`` says why."""
    candidates = outcome.state.candidates
    if candidates:
        failed = candidates.failed.union(numbers)
        outcome.state = replace(outcome.state, candidates=replace(candidates, failed=failed))
        outcome.emit(*(CandidateLost(number, sentence) for number in numbers))


def submit_all(outcome: Outcome, requests: tuple[TurnRequest, ...]) -> int:
    """Request candidates together, so that they share a batch; returns the first submission."""
    state = outcome.state
    assert state.discussion
    setup, first = state.discussion.setup, state.submissions
    for number, request in enumerate(requests):
        guard = state.discussion.guard(request)
        outcome.do(Submit(first + number, request, setup, guard, candidate=number))
    outcome.state = replace(state, submissions=first + len(requests))
    return first


def shortened(discussion: Discussion, request: TurnRequest) -> TurnRequest | None:
    """``request`` with half the messages that it quotes and half the tokens of its reply.

    None where it was shortened already, or where nothing is left to be halved.
    """
    quoted = sum(not entry.is_silence for entry in request.entries[request.first_in_window :])
    max_tokens = discussion.setup.max_out_tokens
    if request.shortened or (quoted, max_tokens) == (0, 1):
        return None
    limits = Shortened(quoted // 2, max(1, max_tokens // 2))
    return discussion.next_request(request.attempt, limits)


def decoding_speed(result: GenerationResult) -> float:
    """Tokens per second after the first one."""
    decoding = result.seconds - result.time_to_first_token
    return (result.completion_tokens - 1) / decoding if decoding > 0 else 0.0


def _submit(
    outcome: Outcome,
    discussion: Discussion,
    request: TurnRequest,
    setup: DiscussionSetup | None = None,
    empty_replies: int = 0,
) -> None:
    state = outcome.state
    info = state.info_of(discussion.setup, request.name) if state.other_infos else None
    outcome.emit(ReplyStarted(request.name, request.role, request.turn, info))
    number, guard = outcome.state.submissions, discussion.guard(request)
    outcome.do(Submit(number, request, setup or discussion.setup, guard))
    outcome.set_condition("reasoning", unheeded_reasoning(outcome.state, discussion.setup))
    reply = PendingReply(request, number, empty_replies=empty_replies)
    outcome.state = replace(outcome.state, reply=reply, submissions=number + 1)


def _candidate(state: SessionState, submission: int) -> int | None:
    """The number of the unfinished candidate that ``submission`` generates."""
    if state.candidates is None:
        return None
    number = submission - state.candidates.first
    return number if number in state.candidates.unfinished else None


def _candidate_made(outcome: Outcome, number: int, result: GenerationResult) -> None:
    state, candidates = outcome.state, outcome.state.candidates
    assert state.discussion
    assert candidates
    request = candidates.requests[number]
    reply = _reply(state.info_of(state.discussion.setup, request.name), result)
    message = state.discussion.message(request, reply, created_at=state.now)
    messages: list[Message | None] = list(candidates.messages)
    messages[number] = message
    outcome.state = replace(state, candidates=replace(candidates, messages=tuple(messages)))
    outcome.emit(CandidateMade(number, message))


def _reply(info: EngineInfo | None, result: GenerationResult, empty_replies: int = 0) -> Reply:
    is_empty = bool(empty_replies) and not result.text.strip()
    emptiness = (f"the model returned nothing {empty_replies + 1} times",) if is_empty else ()
    return Reply(
        text=result.text,
        finish_reason=result.finish_reason,
        model=info.name if info else "",
        prompt_tokens=result.prompt_tokens,
        completion_tokens=result.completion_tokens,
        seconds=result.seconds,
        reasoning=result.reasoning,
        reasoning_tokens=result.reasoning_tokens,
        notes=(*result.notes, *emptiness),
    )


def _announcement(request: TurnRequest) -> str:
    assert request.shortened
    count = request.shortened.history_context_len
    history = {0: "no history", 1: "the last message"}.get(count, f"the last {count} messages")
    return (
        f"Memory was full: retrying the reply of {request.name} with {history} and at most "
        f"{request.shortened.max_out_tokens:,} tokens."
    )
