"""The way of the open discussion to the disk: what is true only once it is saved waits here.

While the disk refuses (full, read-only, gone) nothing is lost: the discussion pauses, saving is
tried again every few seconds, and once it succeeds all goes on as it was.
"""

from __future__ import annotations

import time
from pathlib import Path

from ..discussion import Status
from ..engine.base import EngineInfo
from .conditions import Conditions
from .events import NotSaved, Posted, SessionEvent, Tell
from .open_discussion import OpenDiscussion
from .status import Goal

RETRY_SECONDS = 3.0


class Saving:
    """Saves, and remembers what could not be saved."""

    def __init__(self, tell: Tell, conditions: Conditions) -> None:
        self._tell = tell
        self._conditions = conditions
        self._untold: list[SessionEvent] = []
        self._shown_unsaved = 0
        self.behind: Status | None = None
        """The status to be saved while the file is behind the discussion, else None."""
        self.goal: Goal = "wait"
        """What the session was about to do when saving failed."""
        self._tried_at = 0.0

    def tell_when_saved(self, event: SessionEvent) -> None:
        """``event`` is told after the next save that succeeds."""
        self._untold.append(event)

    def save(self, opened: OpenDiscussion, status: Status, info: EngineInfo | None) -> None:
        """Write ``opened`` and tell what waited for it. Raises OSError: it is behind then."""
        self.behind, self._tried_at = status, time.monotonic()
        opened.save(status, info)
        self.behind, self.goal = None, "wait"
        self._conditions.over("saving")
        untold, self._untold, self._shown_unsaved = self._untold, [], 0
        for event in untold:
            self._tell(event)

    def failed(self, error: OSError, goal: Goal) -> None:
        """Saving failed while the session was about to ``goal``: say so, and what waits."""
        for event in self._untold[self._shown_unsaved :]:
            if isinstance(event, Posted):
                self._tell(NotSaved(event.message))
        self._shown_unsaved = len(self._untold)
        if goal != "wait":
            self.goal = goal
        why = error.strerror or str(error) or type(error).__name__
        where = str(Path(error.filename).parent) if error.filename else ""
        self._conditions.say("saving", f"Cannot save: {why[:1].lower()}{why[1:]}.", where)

    def seconds_left(self) -> float | None:
        """Until saving is to be tried again; None while nothing waits for it."""
        if self.behind is None:
            return None
        return max(0.0, self._tried_at + RETRY_SECONDS - time.monotonic())
