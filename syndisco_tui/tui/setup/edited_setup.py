"""The setup on the screen: given to the session as it is edited, and there again next time."""

from __future__ import annotations

from textual.screen import Screen

from ...discussion import DiscussionSetup
from ...session import LiveSession
from ...text import safe
from ...workspace.setups import LastSetup
from .file import SetupFile


class EditedSetup:
    """Holds ``setup`` and says on ``screen`` what became of one that it gave way to."""

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

    def edit(self, setup: DiscussionSetup) -> None:
        """Take over ``setup``, which somebody edited, and save it for next time."""
        self._session.cancel_preload(unless=setup)
        self.setup = setup
        self._is_unused = True
        self._save()

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
        if setup != before.model_copy(update={"model": setup.model, "title": setup.title}):
            self.file.forget()
            if self._is_unused:
                self.file.set_draft_aside(self._screen, before)
        self._is_unused = False
        self._save()
        return setup != before

    def discard(self) -> None:
        """Save what is on the screen as a draft: another setup takes its place."""
        self.file.set_draft_aside(self._screen, self.setup)

    def _save(self) -> None:
        if self._last_setup is None:
            return
        try:
            self._last_setup.save(self.setup, is_draft=self._is_unused)
        except OSError as error:
            sentence = f"The setup is not saved for next time: {error.strerror}"
            self._screen.notify(safe(sentence), severity="warning", markup=False, timeout=8)
