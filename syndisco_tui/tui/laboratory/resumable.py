"""The last unfinished discussion, which can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.screen import Screen

from ...discussion import DiscussionRecord
from ...store.discussions import resumable_discussions


class Resumable:
    """Looks for it in ``folder`` on a thread of ``screen``, and calls ``changed`` when it knows."""

    def __init__(self, screen: Screen[None], folder: Path, changed: Callable[[], object]) -> None:
        self._screen = screen
        self._folder = folder
        self._changed = changed
        self.path: Path | None = None
        """Its file; None while there is none."""
        self.record: DiscussionRecord | None = None

    def find(self) -> None:
        """Look for it."""
        self._screen.run_worker(self._find, thread=True, exit_on_error=False)

    def _find(self) -> None:
        latest = next(resumable_discussions(self._folder), None)
        self._screen.app.call_from_thread(self._show, latest)

    def _show(self, latest: tuple[Path, DiscussionRecord] | None) -> None:
        self.path, self.record = latest or (None, None)
        self._changed()

    def forget(self) -> None:
        """It is open, or another one is."""
        self.path = self.record = None
