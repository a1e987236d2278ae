"""Taking a session's events off its queue, as many as a screen needs."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue

from ...session import Posted, ReplyGrew, SessionEvent


def drained(events: SimpleQueue[SessionEvent]) -> Iterator[SessionEvent]:
    """The events since the last call. Of a growing reply only the latest text is returned.

    If it was posted meanwhile, only the message is. Events that arrive during the iteration are
    left for the next call.
    """
    grown: ReplyGrew | None = None
    for _ in range(events.qsize()):
        event = events.get_nowait()
        if isinstance(event, ReplyGrew):
            grown = event
            continue
        if grown and not isinstance(event, Posted):
            yield grown
        grown = None
        yield event
    if grown:
        yield grown
