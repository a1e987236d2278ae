"""Decides when the open discussion is saved, and what a disk that refuses means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .effects import CloseFile
from .events import NotSaved, Posted
from .inputs import Crashed, FileOpened, Quit, Saved, SaveFailed
from .loading import forget_load
from .opening import end_session
from .outcome import Outcome
from .replying import drop_reply
from .state import SessionState


def has_to_save(state: SessionState) -> bool:
    """Whether the file is behind, and the disk has not refused since."""
    if state.unsaved:
        return state.path is not None and not state.unsaved.has_failed
    is_marked_running = state.record is not None and state.record.status == "running"
    return is_marked_running and state.file_status != "running"


def saved(outcome: Outcome, event: Saved) -> None:
    """Emit what waited for the save."""
    unsaved = outcome.state.unsaved
    if not outcome.state.is_saving:
        return
    outcome.state = replace(outcome.state, record=event.record, unsaved=None, is_saving=False)
    outcome.end_conditions("saving")
    if unsaved:
        outcome.emit(*unsaved.events)


def save_failed(outcome: Outcome, event: SaveFailed) -> None:
    """Pause with everything kept; the session continues by itself once the disk accepts it."""
    state, unsaved = outcome.state, outcome.state.unsaved
    if unsaved:
        unreported = unsaved.events[unsaved.reported :]
        outcome.emit(*(NotSaved(each.message) for each in unreported if isinstance(each, Posted)))
        intent = state.intent if state.intent != "wait" else unsaved.intent
        unsaved = replace(unsaved, intent=intent, has_failed=True, reported=len(unsaved.events))
    outcome.state = replace(state, unsaved=unsaved, is_saving=False, leaving=None)
    reason = f"{event.reason[:1].lower()}{event.reason[1:]}"
    outcome.set_condition("saving", f"Cannot save: {reason}.", event.folder)
    outcome.drop_plans()
    outcome.mark_status_due()
    match state.leaving:
        case FileOpened():
            outcome.do(CloseFile(state.leaving.path))
        case Quit():
            outcome.emit_due_status()
            _close_unsaved(outcome, state.path)


def _close_unsaved(outcome: Outcome, path: Path | None) -> None:
    if path:
        outcome.do(CloseFile(path))
    end_session(outcome)


def crashed(outcome: Outcome, event: Crashed) -> None:
    """Pause with everything kept, and wait for nothing that may never be reported."""
    state = outcome.state
    if unsaved := state.unsaved:
        unsaved = replace(unsaved, has_failed=unsaved.has_failed or state.is_saving)
    outcome.state = replace(state, unsaved=unsaved, is_saving=False, leaving=None)
    drop_reply(outcome)
    forget_load(outcome)
    outcome.fail(event.sentence)
    if event.ends_session or isinstance(state.leaving, Quit):
        outcome.emit_due_status()
        _close_unsaved(outcome, state.path)
