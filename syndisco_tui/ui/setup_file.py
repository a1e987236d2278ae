"""The file that the laboratory's setup came from, or is saved in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from textual.screen import Screen

from ..discussion import DiscussionSetup
from ..store.setups import write_setup
from ..text import safe
from .screens.question import Question


class SetupFile:
    """A file for one setup; while there is none, saving makes one in ``folder``."""

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        self._folder = folder
        self._path = path
        self._is_ours = False
        """Whether all that stands in it was written here."""

    @property
    def name(self) -> str:
        """Empty while there is none."""
        return self._path.name if self._path else ""

    def forget(self) -> None:
        """It holds another setup than the one that is on the screen now."""
        self._path = None

    def save(self, screen: Screen[None], setup: DiscussionSetup, saved: Callable[[], None]) -> None:
        """Write ``setup`` and tell of it on ``screen``; ask first where comments would be lost."""

        def write() -> None:
            try:
                write_setup(path, setup)
            except OSError as error:
                screen.notify(safe(f"{path}: {error.strerror}"), severity="error", markup=False)
                return
            self._path, self._is_ours = path, True
            saved()
            screen.notify(safe(f"The setup is saved: {path}"), markup=False, timeout=8)

        if self._path is None or self._is_ours:
            path = self._path or self._folder / f"setup-{datetime.now(UTC):%Y%m%d-%H%M%S}.toml"
            write()
            return
        path = self._path
        question = Question(
            f"Write over {path.name}?",
            "It was not written by this screen: comments in it are lost.",
            "write over it",
            "leave it",
        )
        screen.app.push_screen(question, lambda yes: write() if yes else None)
