"""The setup on the screen, the file that it is saved in, and its drafts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from textual.screen import Screen

from ...discussion import DiscussionSetup
from ...session import LiveSession
from ...workspace.folders import SHIPPED_PERSONAS
from ...workspace.setups import LastSetup, SavedSetups, save_setup
from ..shell.keymap import key_of
from ..widgets.dialogs import ConfirmDialog
from ..widgets.forms import open_form
from ..widgets.notices import show_error, tell, warn


class SetupFile:
    """The file that the setup came from, or is saved in; without one, saving asks for a name."""

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        self._saved_setups = SavedSetups(folder, SHIPPED_PERSONAS)
        self._path = path
        self._is_written_here = False
        """Whether the file holds nothing else than what was saved here."""

    @property
    def name(self) -> str:
        """The file's name; empty while there is none."""
        return self._path.name if self._path else ""

    def forget(self) -> None:
        """Note that the file holds another setup than the one on the screen."""
        self._path = None

    def save(self, screen: Screen[None], setup: DiscussionSetup, saved: Callable[[], None]) -> None:
        """Save ``setup`` and say so on ``screen``.

        Asks for a name first where there is no file, and where comments in it would be lost.
        """

        def write(path: Path) -> None:
            try:
                save_setup(path, setup)
            except OSError as error:
                show_error(screen.app, f"{path}: {error.strerror}", seconds=5)
                return
            self._path, self._is_written_here = path, True
            saved()
            tell(screen.app, f"The setup is saved: {path}", seconds=8)

        if self._path is None:
            from .dialogs import SaveSetupDialog  # not before the first paint

            saved_setups = self._saved_setups
            open_form(
                screen.app,
                lambda: SaveSetupDialog(saved_setups.name_for(setup), saved_setups.file),
                lambda answer: write(saved_setups.file(answer[0])) if answer else None,
            )
            return
        path = self._path
        if self._is_written_here:
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
        """Let the user choose a saved setup and ``use`` it."""
        from .dialogs import OpenSetupDialog  # not before the first paint

        def chosen(setup: DiscussionSetup | None) -> None:
            if setup is not None:
                self.forget()
                use(setup)

        save_key = key_of(screen.app, "everywhere.save_setup")
        screen.app.push_screen(OpenSetupDialog(self._saved_setups.listed(), save_key), chosen)

    def save_draft(self, screen: Screen[None], draft: DiscussionSetup) -> None:
        """Save ``draft``, which another setup replaces, and say where it is."""
        try:
            name = f"Draft {datetime.now():%Y-%m-%d %H%M%S}"
            self._saved_setups.save(name, draft)
        except OSError as error:
            show_error(screen.app, f"The draft of the setup cannot be saved: {error.strerror}")
        else:
            key = key_of(screen.app, "setup.open_setup")
            sentence = f"Your draft is saved as “{name}”; {key} in the setup opens it."
            tell(screen.app, sentence, seconds=8)


class EditedSetup:
    """The setup on the screen: given to the session as it is edited, saved for the next start."""

    def __init__(
        self,
        setup: DiscussionSetup,
        screen: Screen[None],
        session: LiveSession,
        file: SetupFile,
        last_setup: LastSetup | None,
    ) -> None:
        self.setup = setup
        self.file = file
        self._screen = screen
        self._session = session
        self._last_setup = last_setup
        self._is_unused = last_setup is not None and last_setup.is_draft
        """Whether it was edited, and no discussion has had it since."""

    def edit(self, setup: DiscussionSetup, *, is_open: bool) -> None:
        """Take over ``setup``, which somebody edited.

        ``is_open``: a discussion is open. It has the setup from its next turn on, or pauses where
        nobody takes part any more.
        """
        self._session.cancel_preload(unless=setup)
        self.setup = setup
        self._is_unused = True
        self._save()
        if is_open and setup.turn_takers:
            self._session.change_setup(setup)
        elif is_open:
            self._session.pause()

    def used(self) -> None:
        """The open discussion has this setup now."""
        if self._is_unused:
            self._is_unused = False
            self._save()

    def opened(self, setup: DiscussionSetup) -> bool:
        """Take over the ``setup`` of a discussion that was opened; whether it is another one.

        An edited setup that no discussion has had is saved as a draft.
        """
        before, self.setup = self.setup, setup
        if self._last_setup and before.model == "auto":
            self._last_setup.note_model_of_auto(setup.model)
        requested = before.model_copy(update={"model": "auto", "title": setup.title})
        if not setup.names_models_of(requested):
            self.file.forget()
            if self._is_unused:
                self.file.save_draft(self._screen, before)
        self._is_unused = False
        self._save()
        return setup != before

    def discard(self) -> None:
        """Save what is on the screen as a draft: another setup takes its place."""
        self.file.save_draft(self._screen, self.setup)

    def _save(self) -> None:
        if self._last_setup is None:
            return
        try:
            self._last_setup.save(self.setup, is_draft=self._is_unused)
        except OSError as error:
            warn(self._screen.app, f"The setup cannot be saved: {error.strerror}")
