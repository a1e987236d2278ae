"""From the laboratory into the library or a batch and back, with or without a discussion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from textual.app import App

from ...discussion import DiscussionRecord, DiscussionSetup
from ...session import LiveSession
from ...session.batch import Batch
from ...text import one_line, safe
from ...workspace.batches import SeedClaims
from ...workspace.discussions import read_discussion
from ...workspace.folders import Folders
from ...workspace.inputs import InputError
from ..experiments.batch_screen import BatchScreen
from ..experiments.batches import ShownBatch, batches_of
from ..experiments.starting import ask_to_repeat
from ..interventions.fork import ForkScreen
from ..library.open_request import OpenRequest
from ..library.screen import LibraryScreen
from ..shell.keymap import key_of
from ..widgets.dialogs import ConfirmDialog
from ..widgets.forms import open_form
from ..widgets.speaker_colours import SpeakerColours
from .panes import Panes
from .session_view import SessionView


class LibraryVisit:
    """Opens the library and batches, and what is chosen there in ``session``.

    ``show_experiments`` lists experiments. ``panes`` take in personas that are imported, and show
    the discussion that is opened.
    """

    def __init__(
        self,
        app: App[int],
        session: LiveSession,
        folders: Folders,
        colours: SpeakerColours,
        panes: Panes,
        view: SessionView,
        show_experiments: Callable[[], object],
    ) -> None:
        self._app = app
        self._session = session
        self._folders = folders
        self._colours = colours
        self._panes = panes
        self._view = view
        self._show_experiments = show_experiments

    def open(self) -> None:
        """Show the library."""
        pane = self._panes.personas
        library = LibraryScreen(
            self._folders,
            self._colours,
            personas=lambda: pane.selection.personas,
            open_path=lambda: self._view.path,
            batch_paths=lambda: batches_of(self._app).open_files,
            rename_open=self._session.rename,
            fork=lambda path: self._read_to_fork(path, library),
            show_batch=lambda paths, go_on: self._read_batch(paths, library, go_on=go_on),
            import_personas=pane.import_personas,
            show_experiments=self._show_experiments,
        )
        self._app.push_screen(library, self.open_request)

    def open_request(self, request: OpenRequest | None) -> None:
        """Open what was chosen, after a question where a reply would be lost."""
        if request is None:
            return
        if request.path == self._view.path or self._view.phase != "running":
            self._resume(request)
            return
        question = ConfirmDialog(
            "A reply is being generated. Open another discussion?",
            "All posted messages are saved, and the discussion is paused. The reply is dropped.",
            "open",
            "stay",
        )
        self._app.push_screen(question, lambda yes: self._resume(request) if yes else None)

    def _read(self, read: Callable[[], Callable[[], object]]) -> None:
        """Read files on a thread, then do on the screen's what ``read`` gave back."""

        def work() -> None:
            try:
                then = read()
            except InputError as error:
                notify = partial(self._app.notify, severity="error", markup=False, timeout=12)
                self._app.call_from_thread(notify, safe(str(error)))
            else:
                self._app.call_from_thread(then)

        self._app.run_worker(work, thread=True, exit_on_error=False)

    def _read_to_fork(self, path: Path, library: LibraryScreen) -> None:
        """Ask what is to be different after the last message; ``library`` then gives way to it."""

        def ask(record: DiscussionRecord) -> None:
            def asked(setup: DiscussionSetup | None) -> None:
                if setup:
                    library.dismiss(OpenRequest(path, fork=(record, setup)))

            if library.is_current:
                at_hand = self._panes.personas.selection.personas
                setup, count = record.setup, len(record.entries)
                form = partial(ForkScreen, record, setup, count, at_hand=at_hand)
                open_form(self._app, form, asked)

        self._read(lambda: partial(ask, read_discussion(path)))

    # Batches -----------------------------------------------------------------------------------

    def repeat(self, setup: DiscussionSetup) -> None:
        """Return to the batch that is running, or ask for a new one of ``setup``."""
        if running := batches_of(self._app).running:
            self._show_batch(running, self.open_request)
            return
        dark = self._app.current_theme.dark
        personas = self._panes.personas.selection.personas
        names = [*setup.names, *(persona.name for persona in personas)]
        colours = self._colours.by_name(names, dark=dark)
        show = partial(self._show_batch, chosen=self.open_request)
        ask_to_repeat(self._app, self._session, self._folders.discussions, setup, colours, show)

    def _read_batch(self, paths: Sequence[Path], library: LibraryScreen, *, go_on: bool) -> None:
        """Show the batch that the discussions ``paths`` are of over ``library``."""

        def chosen(request: OpenRequest | None) -> None:
            if request:
                library.dismiss(request)

        def show(batch: Batch) -> None:
            if not library.is_current:
                return
            records = batch.records()
            names = dict.fromkeys(name for record in records for name in record.setup.names)
            colours = self._colours.by_name(names, dark=self._app.current_theme.dark)
            shown = ShownBatch(
                batch,
                one_line(records[0].heading, 120),
                colours,
                SeedClaims(self._folders.discussions),
            )
            screen = self._show_batch(shown, chosen)
            if go_on:
                self._app.call_later(screen.action_go_on)

        running = batches_of(self._app).running
        if running and running.batch.open_files.intersection(paths):
            self._show_batch(running, chosen)
            return
        self._read(
            lambda: partial(
                show,
                Batch.saved(
                    self._session.sibling, paths, max_in_flight=self._session.max_in_flight
                ),
            )
        )

    def _show_batch(
        self, shown: ShownBatch, chosen: Callable[[OpenRequest | None], None]
    ) -> BatchScreen:
        screen = BatchScreen(
            shown,
            self._session,
            self._folders.discussions,
            open_path=lambda: self._view.path,
            at_hand=lambda: self._panes.personas.selection.personas,
        )
        self._app.push_screen(screen, chosen)
        return screen

    # Opening -----------------------------------------------------------------------------------

    def _resume(self, request: OpenRequest) -> None:
        self._panes.go_to("transcript")
        if request.fork:
            parent, setup = request.fork
            self._session.fork(len(parent.entries), setup, parent)
        else:
            beside_batch = batches_of(self._app).running is not None
            self._session.resume(request.path, run=request.is_continued and not beside_batch)
            if request.is_continued and beside_batch:
                run = key_of(self._app, "everywhere.run")
                sentence = f"A batch is running; {run} continues this discussion beside it."
                self._app.notify(safe(sentence), markup=False, timeout=6)
