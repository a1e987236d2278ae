"""From the laboratory into the library and back, with a discussion to open or without."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual.app import App

from ..discussion import DiscussionRecord, DiscussionSetup
from ..inputs import InputError
from ..session import LiveSession, State
from ..store.discussions import read_discussion
from ..text import safe
from .library_choice import Choice
from .library_work import LibraryWork
from .places import Places
from .screens.fork import ForkScreen
from .screens.library import LibraryScreen
from .screens.question import Question
from .speaker_colours import SpeakerColours
from .widgets.personas_pane import PersonasPane


class LibraryVisit:
    """Opens the library, and what is chosen there in ``session``.

    ``personas_pane`` takes in personas that are imported; ``show_transcript`` is called before a
    discussion is opened.
    """

    def __init__(
        self,
        app: App[int],
        session: LiveSession,
        places: Places,
        colours: SpeakerColours,
        personas_pane: PersonasPane,
        show_transcript: Callable[[], object],
    ) -> None:
        self._app = app
        self._session = session
        self._places = places
        self._colours = colours
        self._personas_pane = personas_pane
        self._show_transcript = show_transcript

    def open(self, open_here: Callable[[], Path | None], state: Callable[[], State]) -> None:
        """Show the library; both functions tell of the laboratory's discussion as it is then."""
        places, pane = self._places, self._personas_pane
        work = LibraryWork(
            places.discussions, places.exports, places.library_cache, lambda: pane.cast.personas
        )
        library = LibraryScreen(
            work,
            self._colours,
            open_here=open_here,
            rename_here=self._session.rename,
            fork=lambda path: self._read_to_fork(path, library),
            take_in=pane.take_in,
        )

        def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            if choice.path == open_here() or state() != "running":
                self._resume(choice)
                return
            question = Question(
                "A reply is being generated. Open another discussion?",
                "What was said is saved, and the discussion paused. The reply is dropped.",
                "open",
                "stay",
            )
            self._app.push_screen(question, lambda yes: self._resume(choice) if yes else None)

        self._app.push_screen(library, chosen)

    def _read_to_fork(self, path: Path, library: LibraryScreen) -> None:
        """Ask what is to be different after the last message; ``library`` then gives way to it."""

        def ask(record: DiscussionRecord) -> None:
            def asked(setup: DiscussionSetup | None) -> None:
                if setup:
                    library.dismiss(Choice(path, fork=(record, setup)))

            if library.is_current:
                screen = ForkScreen(record, record.setup, len(record.entries))
                self._app.push_screen(screen, asked)

        def read() -> None:
            try:
                record = read_discussion(path)
            except InputError as error:
                notify = partial(self._app.notify, severity="error", markup=False, timeout=12)
                self._app.call_from_thread(notify, safe(str(error)))
            else:
                self._app.call_from_thread(ask, record)

        self._app.run_worker(read, thread=True, exit_on_error=False)

    def _resume(self, choice: Choice) -> None:
        self._show_transcript()
        if choice.fork:
            parent, setup = choice.fork
            self._session.fork(len(parent.entries), setup, parent)
        else:
            self._session.resume(choice.path, go_on=choice.go_on)
