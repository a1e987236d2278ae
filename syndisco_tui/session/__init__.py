"""The session: a worker thread that drives a discussion. Commands in, events out."""

from .events import (
    Closed,
    Hindrance,
    ModelReady,
    NotSaved,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    SetupApplied,
    State,
    StateChanged,
    Trouble,
)
from .live import LiveSession

__all__ = [
    "Closed",
    "Hindrance",
    "LiveSession",
    "ModelReady",
    "NotSaved",
    "Opened",
    "Posted",
    "ReplyDropped",
    "ReplyGrew",
    "ReplyStarted",
    "SessionEvent",
    "SetupApplied",
    "State",
    "StateChanged",
    "Trouble",
]
