"""The file that the laboratory's setup came from, or is saved in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from textual.screen import Screen

from ...discussion import DiscussionSetup
from ...text import safe
from ...workspace.folders import SHIPPED_PERSONAS
from ...workspace.setups import SavedSetups, save_setup
from ..shell.keymap import key_of
from ..widgets.dialogs import ConfirmDialog
from ..widgets.forms import open_form


class SetupFile:
    """A file for one setup; while there is none, saving asks for a name in ``folder``."""

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        self._saved_setups = SavedSetups(folder, SHIPPED_PERSONAS)
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
        """Save ``setup`` and say so on ``screen``.

        Asks for a name first where there is no file, and where comments in it would be lost.
        """

        def write(path: Path) -> None:
            try:
                save_setup(path, setup)
            except OSError as error:
                screen.notify(safe(f"{path}: {error.strerror}"), severity="error", markup=False)
                return
            self._path, self._is_ours = path, True
            saved()
            screen.notify(safe(f"The setup is saved: {path}"), markup=False, timeout=8)

        if self._path is None:
            from .saved_setups import SaveSetupDialog  # not before the first picture, as below

            saved_setups = self._saved_setups
            open_form(
                screen.app,
                lambda: SaveSetupDialog(saved_setups.name_for(setup), saved_setups.file),
                lambda answer: write(saved_setups.file(answer[0])) if answer else None,
            )
            return
        path = self._path
        if self._is_ours:
            write(path)
            return
        question = ConfirmDialog(
            f"Replace {path.name}?",
            "It was not written by this screen: comments in it are lost.",
            "replace it",
            "cancel",
        )
        screen.app.push_screen(question, lambda yes: write(path) if yes else None)

    def open(self, screen: Screen[None], use: Callable[[DiscussionSetup], object]) -> None:
        """Let a saved setup be chosen and ``use`` it."""
        from .saved_setups import OpenSetupDialog

        def chosen(setup: DiscussionSetup | None) -> None:
            if setup is not None:
                self.forget()
                use(setup)

        save_key = key_of(screen.app, "everywhere.save_setup")
        screen.app.push_screen(OpenSetupDialog(self._saved_setups.listed(), save_key), chosen)

    def set_draft_aside(self, screen: Screen[None], draft: DiscussionSetup) -> None:
        """Save ``draft``, which another setup takes the place of, and say where it is."""
        try:
            name = f"Draft {datetime.now():%Y-%m-%d %H%M%S}"
            self._saved_setups.save(name, draft)
        except OSError as error:
            sentence = f"The draft of the setup cannot be saved: {error.strerror}"
            screen.notify(safe(sentence), severity="error", markup=False, timeout=12)
        else:
            key = key_of(screen.app, "setup.open_setup")
            sentence = f"Your draft is saved as “{name}”; {key} in the setup opens it."
            screen.notify(safe(sentence), markup=False, timeout=8)
