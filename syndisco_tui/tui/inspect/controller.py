"""Opens the screens that look at a discussion: X-ray, turn lab, compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.app import App

from ...discussion import DiscussionRecord
from ...session import LiveSession
from ..laboratory.session_view import SessionView
from ..transcript.transcript import Transcript
from .compare import Compare, CompareWith
from .turn_lab import TurnLab
from .xray import XRay

Colours = Callable[..., dict[str, str]]
"""The colour of each speaker of the open discussion and of those given."""


class Inspector:
    """Opens screens about the discussion that ``session`` has open and ``transcript`` shows."""

    def __init__(
        self, app: App[int], session: LiveSession, transcript: Transcript, colours: Colours
    ) -> None:
        self._app = app
        self._session = session
        self._transcript = transcript
        self._colours = colours

    def open_xray(self) -> None:
        """Show the prompt behind the transcript's current message."""
        record, index = self._session.record, self._transcript.current
        if record is None or index is None or index >= len(record.entries):
            self._app.notify("Nobody has said anything yet.", timeout=3)
            return
        self._app.push_screen(XRay(self._session, record, index, self._colours()))

    def open_turn_lab(self, view: SessionView) -> None:
        """Open the turn lab; ``view`` knows the speeds."""

        def records() -> list[DiscussionRecord]:
            record = self._session.record
            return [record] if record else []

        self._app.push_screen(TurnLab(records, view, self._colours()))

    def open_compare(self, folder: Path) -> None:
        """Ask for another discussion of ``folder``, and show both side by side."""
        record = self._session.record
        if record is None:
            return

        def latest() -> DiscussionRecord:
            current = self._session.record
            return current if current and current.id == record.id else record

        def show(other: DiscussionRecord | None) -> None:
            if other:
                self._app.push_screen(Compare(latest, other, self._colours(other)))

        self._app.push_screen(CompareWith(record, folder), show)
