"""From the laboratory to an experiment and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from textual.app import App

from ...discussion import DiscussionSetup
from ...session import LiveSession
from ...workspace.experiment_runs import ExperimentRuns
from ...workspace.experiments import DESIGN_FILE, ExperimentFolder, read_design
from ...workspace.folders import Folders, abbreviate_home
from ...workspace.inputs import InputError
from ...workspace.known_experiments import KnownExperiment, KnownExperiments, is_experiment
from ...workspace.settings import Settings
from ..experiments.batches import batches_of
from ..experiments.experiment_screen import ExperimentScreen
from ..experiments.new_experiment import NewExperiment, NewExperimentForm
from ..experiments.open_experiment import OpenExperimentDialog
from ..experiments.shown_experiment import ShownExperiment
from ..library.open_request import OpenRequest
from ..widgets.forms import open_form
from ..widgets.line_dialog import LineDialog
from ..widgets.notices import show_error, warn
from ..widgets.speaker_colours import SpeakerColours
from .panes import Panes
from .session_view import SessionView

ON_THE_SCREEN = Path("the setup on the screen")
"""What a design says that it comes from, instead of a file."""
Chosen = Callable[[OpenRequest | None], None]


class ExperimentVisit:
    """Shows the running experiment, or lets the user choose one.

    ``settings`` reads the settings in force, ``setup`` gives the setup for a new experiment, and
    ``chosen`` opens a discussion in the laboratory.
    """

    def __init__(
        self,
        app: App[int],
        session: LiveSession,
        folders: Folders,
        colours: SpeakerColours,
        panes: Panes,
        view: SessionView,
        settings: Callable[[], Settings],
        setup: DiscussionSetup,
        chosen: Chosen,
    ) -> None:
        self._app = app
        self._session = session
        self._folders = folders
        self._colours = colours
        self._panes = panes
        self._view = view
        self._settings = settings
        self._setup = setup
        self._chosen = chosen
        self._known = KnownExperiments(folders)

    def open(self) -> None:
        """Return to the experiment that is running, or ask which one to open."""
        running = batches_of(self._app).running
        if isinstance(running, ShownExperiment):
            self._show(running)
        else:
            self._read(lambda: partial(self._ask, self._known.listed()))

    def _ask(self, known: list[KnownExperiment]) -> None:
        def answered(path: Path | Literal["new"] | None) -> None:
            if path is None:
                return
            if path == "new":
                self._ask_for_new()
            elif is_experiment(path):
                self._read(lambda: self._opened(path))
            elif path.name == DESIGN_FILE:
                self._read(lambda: self._opened(path.parent))
            else:
                self._ask_for_folder(path)

        self._app.push_screen(OpenExperimentDialog(known), answered)

    def _ask_for_new(self) -> None:
        """Ask which fields of the setup on the screen become factors."""

        def answered(new: NewExperiment | None) -> None:
            if new is not None:
                self._read(lambda: self._designed(new))

        open_form(self._app, partial(NewExperimentForm, self._setup), answered)

    def _designed(self, new: NewExperiment) -> Callable[[], object]:
        folder = self._known.new_folder(new.name)
        experiment = ExperimentFolder(folder, new.design, self._settings().for_auto)
        return partial(self._show_runs, ExperimentRuns(experiment), ON_THE_SCREEN)

    def _ask_for_folder(self, design_file: Path) -> None:
        """Ask where the discussions of a design are to be saved."""

        def folder(text: str) -> Path:
            if not text:
                raise ValueError("must not be empty")
            return Path(text).expanduser()

        def answered(folder: Path | None) -> None:
            if folder is not None:
                self._read(lambda: self._opened(folder, design_file))

        try:
            suggested = self._known.new_folder(design_file.stem)
        except InputError:
            suggested = design_file.with_suffix("")
        ask = partial(
            LineDialog,
            "Folder of the experiment",
            "Each discussion is saved there as a file of its own. If the folder holds this "
            "experiment already, it is continued.",
            "open",
            folder,
            text=abbreviate_home(suggested),
        )
        open_form(self._app, ask, answered)

    def _opened(self, folder: Path, design_file: Path | None = None) -> Callable[[], object]:
        """Read an experiment; returns a function that shows it."""
        defaults = self._settings().for_auto
        if design_file is None:
            experiment = ExperimentFolder.open(folder, defaults)
        else:
            experiment = ExperimentFolder(folder, read_design(design_file), defaults)
            experiment.check()
        runs = ExperimentRuns(experiment)
        try:
            self._known.remember(folder)
        except OSError as error:
            sentence = f"The experiment is not remembered: {error.strerror}"
            self._app.call_from_thread(warn, self._app, sentence)
        return partial(self._show_runs, runs, design_file)

    def _show_runs(self, runs: ExperimentRuns, design_file: Path | None) -> None:
        names = dict.fromkeys(name for run in runs.runs for name in run.setup.names)
        colours = self._colours.by_name(names, dark=self._app.current_theme.dark)
        prices = self._settings().prices
        self._show(ShownExperiment.of(runs, self._session, colours, design_file, prices))

    def _show(self, shown: ShownExperiment) -> None:
        screen = ExperimentScreen(
            shown,
            self._session,
            self._folders.discussions,
            open_path=lambda: self._view.path,
            at_hand=lambda: self._panes.personas.selection.personas,
        )
        self._app.push_screen(screen, self._chosen)

    def _read(self, read: Callable[[], Callable[[], object]]) -> None:
        """Call ``read`` on a thread, then its result on the screen's thread."""

        def work() -> None:
            try:
                then = read()
            except InputError as error:
                self._app.call_from_thread(show_error, self._app, str(error))
            else:
                self._app.call_from_thread(then)

        self._app.run_worker(work, thread=True, exit_on_error=False)
