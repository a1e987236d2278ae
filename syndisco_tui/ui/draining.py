"""Taking a session's events off its queue, as many as a screen needs."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, SimpleQueue

from ..session import Posted, ReplyGrew, SessionEvent


def drained(events: SimpleQueue[SessionEvent]) -> Iterator[SessionEvent]:
    """What has happened since the last time. Of a growing reply only the latest counts.

    Of one that was posted meanwhile not even that.
    """
    grown: ReplyGrew | None = None
    while True:
        try:
            event = events.get_nowait()
        except Empty:
            break
        if isinstance(event, ReplyGrew):
            grown = event
            continue
        if grown and not isinstance(event, Posted):
            yield grown
        grown = None
        yield event
    if grown:
        yield grown
