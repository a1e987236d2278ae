"""Where a session stands: what it is about to do, what every front shows, what the file says."""

from __future__ import annotations

from typing import Literal

from ..discussion import Discussion, Status
from .events import Phase, StateChanged
from .loading import ModelLoading
from .open_discussion import OpenDiscussion
from .reply import ReplyInTheMaking

Goal = Literal["wait", "step", "run"]
"""Stand still, go on for one message, or go on to the end."""


def state_changed(
    opened: OpenDiscussion | None,
    reply: ReplyInTheMaking | None,
    goal: Goal,
    model: ModelLoading,
) -> StateChanged:
    """What is told of a session with this discussion, reply in the making, goal and model."""
    state: Phase
    if model.is_loading and not model.is_preloading:
        state = "loading"
    elif reply:
        state = "running"
    elif opened is None:
        state = "idle"
    elif opened.discussion.is_finished:
        state = "finished"
    else:
        state = "paused" if goal == "wait" else "running"
    taken = opened.discussion.turns_taken if opened else 0
    return StateChanged(
        state,
        pausing=bool(reply) and goal != "run",
        is_step=bool(reply) and goal == "step",
        turn=reply.request.turn if reply else taken,
        turns=opened.discussion.setup.conv_len if opened else 0,
        path=opened.file.path if opened else None,
        preloading=model.is_preloading,
    )


def status_of(discussion: Discussion, goal: Goal) -> Status:
    """What the file of ``discussion`` says between two replies."""
    if discussion.is_finished:
        return "finished"
    return "paused" if goal == "wait" else "running"
