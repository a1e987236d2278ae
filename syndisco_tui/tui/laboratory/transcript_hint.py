"""What stands in the middle of an empty transcript: what can be done, or how loading goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from textual.app import App
from textual.content import Content

from ...discussion import DiscussionRecord, DiscussionSetup
from ...engine.base import LoadProgress
from ..shell.keymap import key_of
from .loading_hint import loading_hint
from .status_line import Figures
from .welcome import welcome

EMPTY = Content("")


class TranscriptHint:
    """Gives the lines of the hint to ``set_hint`` whenever they change.

    ``setup``, ``figures`` and ``resumable``, a discussion that can be resumed, give those of the
    moment.
    """

    def __init__(
        self,
        app: App[int],
        set_hint: Callable[[list[Content]], object],
        setup: Callable[[], DiscussionSetup],
        figures: Callable[[], Figures],
        resumable: Callable[[], DiscussionRecord | None],
    ) -> None:
        self._app = app
        self._set_hint = set_hint
        self._setup = setup
        self._figures = figures
        self._loading: tuple[LoadProgress | None, int] | None = None
        """What is shown of the model that is being loaded: how far it is, and for how long."""
        self._resumable = resumable

    def show(self) -> None:
        """Show what can be done, and how the loading of a model goes."""
        if self._loading is None:
            self._set_hint(self._welcome())
            return
        lines = loading_hint(self._setup().model, *self._loading)
        is_needed = self._figures().state == "loading"
        self._set_hint(lines if is_needed else [*self._welcome(), EMPTY, *lines])

    def tick(self) -> None:
        """Show the loading as it is by now, if it changed."""
        figures, loading = self._figures(), None
        if figures.is_loading:
            loading = (figures.loading, int(time.monotonic() - figures.loading_since))
        if loading != self._loading:
            self._loading = loading
            self.show()

    def _welcome(self) -> list[Content]:
        return welcome(self._setup(), self._resumable(), partial(key_of, self._app))
