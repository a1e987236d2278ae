"""``syndisco-tui experiment``: its commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..workspace.inputs import InputError
from .options import (
    DeviceOption,
    DtypeOption,
    ModelForOption,
    ModelOption,
    ServerOption,
    ThreadsOption,
)
from .startup import FROM_SETTINGS, run_experiment_folder, settings_with

experiments = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@experiments.command("run")
def run_experiment(
    design: Annotated[Path, typer.Argument(help="The design", metavar="DESIGN.toml")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the discussions", metavar="FOLDER")
    ],
    max_concurrent: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--max-concurrent", min=1, help="Discussions at once", metavar="N"),
    ] = None,
    shard: Annotated[
        str, typer.Option("--shard", help="Run only the K-th of N equal parts", metavar="K/N")
    ] = "1/1",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how much there is to run, and run nothing")
    ] = False,
    model: ModelOption = None,
    server: ServerOption = None,
    model_for: ModelForOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    threads: ThreadsOption = None,
) -> int:
    """Run the discussions of a design that are missing in a folder."""
    from ..headless.experiment import dry_run_text
    from ..workspace.experiments import ExperimentFolder, read_design
    from ..workspace.folders import Folders
    from ..workspace.given_setup import ModelOptions

    settings = settings_with(model=model, device=device, dtype=dtype, threads=threads)
    models = ModelOptions(model, server, tuple(model_for or ()))
    defaults = {name: getattr(settings, name) for name in FROM_SETTINGS}
    defaults["server"] = (server,) if server else ()
    part = _shard(shard)
    experiment = ExperimentFolder(output, read_design(design), defaults, models.models)
    if dry_run:
        library = Folders.from_environment().discussions
        print(dry_run_text(experiment, settings.prices, library), end="")
        return 0
    experiment.begin(design)
    return run_experiment_folder(settings, experiment, part, max_concurrent, models.trusted)


def _shard(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"--shard: must be K/N, such as 1/4, not {text}")
    return int(number), int(count)


@experiments.command("status")
def experiment_status(
    folder: Annotated[Path, typer.Argument(help="Folder of an experiment", metavar="FOLDER")],
    figure: Annotated[
        str, typer.Option("--figure", help="Figure to show in each cell", metavar="NAME")
    ] = "words_mean",
) -> int:
    """Show the progress of an experiment, by condition."""
    from ..analysis.statistics import MEASURES
    from ..headless.experiment import status_text
    from ..workspace.experiments import ExperimentFolder

    if figure not in MEASURES:
        raise InputError(f"--figure: must be one of {', '.join(MEASURES)}, not {figure}")
    prices = settings_with().prices
    print(status_text(ExperimentFolder.open(folder), figure, prices), end="")
    return 0
