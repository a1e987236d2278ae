"""What commands begin with: settings, setup, session, engine. Imports late, starts fast."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..workspace.folders import Folders
from ..workspace.inputs import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..discussion import DiscussionSetup
    from ..engine.base import Engine
    from ..session import LiveSession, Runner
    from ..workspace.experiments import ExperimentFolder
    from ..workspace.given_setup import ModelOptions
    from ..workspace.settings import Settings
    from ..workspace.setups import LastSetup

FROM_SETTINGS = ("model", "dtype", "quantization")
"""Fields of a setup that are the settings' where the setup says “auto”."""


@dataclass(frozen=True)
class RunOptions:
    """What the command line says of a run; None where an option was not given.

    An option counts more than an environment variable, that more than the settings file, and the
    file more than the default.
    """

    setup_file: Path | None = None
    persona_file: Path | None = None
    turns: int | None = None
    seed: int | None = None
    model: str | None = None
    server: str | None = None
    model_for: tuple[str, ...] = ()
    device: str | None = None
    dtype: str | None = None
    threads: int | None = None
    max_concurrent: int | None = None
    theme: str | None = None

    @property
    def flags(self) -> dict[str, object]:
        """The options that are settings, by the settings' names."""
        return {
            "model": self.model,
            "device": self.device,
            "dtype": self.dtype,
            "threads": self.threads,
            "theme": self.theme,
        }

    @property
    def fields(self) -> dict[str, tuple[str, object]]:
        """Options that set fields of a setup: the field and its value, by option."""
        fields: dict[str, tuple[str, object]] = {
            "--turns": ("conv_len", self.turns),
            "--seed": ("seed", self.seed),
            "--dtype": ("dtype", self.dtype),
        }
        return {option: field for option, field in fields.items() if field[1] is not None}

    @property
    def models(self) -> ModelOptions:
        """The options that name models."""
        from ..workspace.given_setup import ModelOptions

        return ModelOptions(self.model, self.server, self.model_for)


def open_screen(options: RunOptions, *, start: bool = False) -> int:
    """Show the laboratory with what the command line gave. Returns the exit status."""
    gc.disable()  # until the first picture: nothing that is imported is garbage
    settings = settings_with(**options.flags)
    on_screen = sys.stdin.isatty() and sys.stdout.isatty()
    folders = Folders.from_environment()
    folders.create()
    last_setup, last, notices = _last_setup(settings, folders)
    is_own = options.setup_file is None and options.persona_file is None
    if not is_own or not on_screen:
        last = None  # and a draft that was left is saved over: it is not on the screen
    begin = setup_with(options, settings, last=last, notify=notices.append)
    if not on_screen:
        gc.enable()
        if start:
            for notice in notices:
                print_notice(notice)
            return run_one(settings, begin, None, trusted=options.models.trusted)
        raise InputError("The app needs a terminal. Without one, use `syndisco-tui run`.")
    from ..workspace.terminals import is_unable

    if is_unable():
        raise InputError(
            f"TERM={os.environ['TERM']} cannot show the app. Use another terminal, or "
            "`syndisco-tui run`."
        )
    from ..tui.shell.run import run_screen

    session = new_session(
        settings,
        folders,
        spare_cores=1,
        max_in_flight=options.max_concurrent,
        trusted=options.models.trusted,
    )
    return run_screen(
        session,
        settings,
        begin,
        folders,
        start=start,
        setup_file=options.setup_file,
        own_personas=is_own,
        flags=options.flags,
        last_setup=last_setup,
        notices=notices,
    )


def _last_setup(
    settings: Settings, folders: Folders
) -> tuple[LastSetup, DiscussionSetup | None, list[str]]:
    """Where the screen's setup is kept, the one it was left with, and what is wrong with it."""
    from ..workspace.setups import LastSetup

    stand_for_auto = {key: getattr(settings, key) for key in FROM_SETTINGS}
    last_setup = LastSetup(folders.last_setup_file, stand_for_auto)
    try:
        return last_setup, last_setup.read(), []
    except InputError as error:
        return last_setup, None, [f"{error}. Opened the demonstration's setup instead."]


def print_notice(sentence: str) -> None:
    """Tell of what was done with the user's files, beside the output."""
    from ..text import safe

    print(safe(sentence), file=sys.stderr)


def settings_with(**flags: object) -> Settings:
    from ..workspace.settings import load_settings

    return load_settings(Folders.from_environment().settings_file, flags)


def setup_with(
    options: RunOptions,
    settings: Settings,
    *,
    last: DiscussionSetup | None = None,
    notify: Callable[[str], object] = print_notice,
) -> DiscussionSetup:
    """The setup of a file, or ``last``, or the demonstration's; the command line changes it.

    ``notify`` gets a sentence for what had to be changed in it.
    """
    from ..workspace.given_setup import given_setup

    return given_setup(
        file=options.setup_file,
        persona_file=options.persona_file,
        fields=options.fields,
        models=options.models,
        defaults={key: getattr(settings, key) for key in FROM_SETTINGS},
        last=last,
        notify=notify,
    )


def run_one(
    settings: Settings,
    begin: DiscussionSetup | Path,
    output: Path | None,
    *,
    trusted: Collection[str] = (),
    change: Callable[[DiscussionSetup], DiscussionSetup] | None = None,
) -> int:
    """Run a setup, or a saved discussion with its setup changed from the next turn on."""
    from ..headless import run_headless

    if not isinstance(begin, Path):
        _warn_of_names(begin)
    folders = Folders.from_environment()
    folders.create()
    session = new_session(settings, folders, trusted=trusted)
    return run_headless(session, begin, output=output, change=change)


def run_many(
    settings: Settings,
    begin: DiscussionSetup,
    count: int,
    resume: bool,
    *,
    max_in_flight: int | None = None,
    trusted: Collection[str] = (),
) -> int:
    from functools import partial

    from ..headless.repeat import run_repeat
    from ..session import LiveSession
    from ..session.batch import Batch
    from ..session.batch_run import BatchIdentity, repeated, saved_runs
    from ..workspace.batches import SeedClaims, elsewhere_sentence, remaining_runs
    from ..workspace.discussions import read_discussion
    from ..workspace.exit_status import FINISHED, NOT_FINISHED

    _warn_of_names(begin)
    folders = Folders.from_environment()
    folders.create()
    folder, setups = folders.discussions, repeated(begin, count)
    runner = new_runner(settings, folders, max_in_flight=max_in_flight, trusted=trusted)
    new_session = partial(LiveSession, runner)
    with SeedClaims(folder) as claims:  # before the model is loaded, which takes long
        is_ours = claims.claim(setups)
        sources: list[DiscussionSetup | Path] = list(setups)
        elsewhere = 0
        identity = BatchIdentity.of(begin.seed, count)
        if resume:
            saved = saved_runs(folder, setups)
            records = (read_discussion(path) for path in saved if path)
            identity = BatchIdentity.of(begin.seed, count, records)
            remaining = remaining_runs(setups, saved, is_ours)
            sources, elsewhere = remaining.sources, remaining.elsewhere
            finished, total = remaining.finished, remaining.total
            print(f"{finished} of {total} discussions are finished.", file=sys.stderr)
            if elsewhere:
                print(elsewhere_sentence(elsewhere, total), file=sys.stderr)
        status = FINISHED
        if sources:
            batch = Batch(
                new_session, sources, identity=identity, max_in_flight=runner.max_in_flight
            )
            status = run_repeat(batch)
    return NOT_FINISHED if status == FINISHED and elsewhere else status


def run_experiment_folder(
    settings: Settings,
    experiment: ExperimentFolder,
    part: tuple[int, int],
    max_in_flight: int | None,
    trusted: Collection[str] = (),
) -> int:
    """Run what is missing of an experiment. Returns the exit status."""
    from functools import partial

    from ..headless.experiment import run_experiment
    from ..session import LiveSession

    folders = Folders.from_environment()
    folders.create()
    runner = new_runner(settings, folders, max_in_flight=max_in_flight, trusted=trusted)
    return run_experiment(
        experiment,
        partial(LiveSession, runner),
        part=part,
        max_in_flight=max_in_flight,
        prices=settings.prices,
        library=folders.discussions,
    )


def _warn_of_names(setup: DiscussionSetup) -> None:
    """Say on standard error which names may be slips; the discussion runs all the same."""
    from ..discussion.name_checks import outside_author_warnings
    from ..text import safe

    for sentence in outside_author_warnings(setup):
        print(safe(f"warning: {sentence}"), file=sys.stderr)


def new_session(
    settings: Settings,
    folders: Folders,
    *,
    spare_cores: int = 0,
    max_in_flight: int | None = None,
    trusted: Collection[str] = (),
) -> LiveSession:
    from ..session import LiveSession

    runner = new_runner(
        settings,
        folders,
        spare_cores=spare_cores,
        max_in_flight=max_in_flight,
        trusted=trusted,
    )
    return LiveSession(runner)


def new_runner(
    settings: Settings,
    folders: Folders,
    *,
    spare_cores: int = 0,
    max_in_flight: int | None = None,
    trusted: Collection[str] = (),
) -> Runner:
    from ..session import Runner
    from ..session.last_model import LastModelFile
    from ..session.runner import MAX_IN_FLIGHT

    return Runner(
        new_engine(
            settings,
            folders,
            spare_cores=spare_cores,
            max_in_flight=max_in_flight,
            trusted=trusted,
        ),
        folders.discussions,
        device=settings.device,
        last_model=LastModelFile(folders.last_model_file),
        max_in_flight=max_in_flight or MAX_IN_FLIGHT,
    )


def new_engine(
    settings: Settings,
    folders: Folders,
    *,
    spare_cores: int = 0,
    max_in_flight: int | None = None,
    trusted: Collection[str] = (),
) -> Engine:
    """The engine of all models.

    Args:
        settings: The number of threads, and the named servers.
        folders: Where models are cached.
        spare_cores: Cores to leave for the screen.
        max_in_flight: Requests that a server gets at once.
        trusted: Servers and models of the command line: the default key may go there, and the
            code of a class may run.
    """
    from ..engine.engines import Engines
    from ..engine.local import LocalEngine
    from ..engine.machine import usable_cores

    threads = settings.threads or max(1, usable_cores() - spare_cores)

    def new_server_engine() -> Engine:
        from ..engine.server import ServerEngine
        from ..engine.server.engine import DEFAULT_MAX_CONCURRENT
        from ..engine.server.known_servers import KnownServers
        from ..workspace.settings import load_settings, resolve_server

        def resolve(server: str) -> tuple[str, str]:
            """Resolve a server by the current settings, which may have changed since the start."""
            return resolve_server(load_settings(folders.settings_file, {}), server, trusted)

        return ServerEngine(
            resolve,
            KnownServers(folders.known_servers_file),
            max_concurrent=max_in_flight or DEFAULT_MAX_CONCURRENT,
        )

    def new_python_engine() -> Engine:
        from ..engine.python_class import PythonEngine

        return PythonEngine({settings.model, *trusted})

    return Engines(
        lambda: LocalEngine(folders.cache, threads=threads), new_server_engine, new_python_engine
    )
