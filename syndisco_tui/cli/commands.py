"""The commands and their options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..version import __version__
from ..workspace.inputs import InputError
from .annotate import annotate
from .experiment import experiments
from .models import models
from .options import (
    DeviceOption,
    DtypeOption,
    ModelForOption,
    ModelOption,
    OutputOption,
    PersonaFileOption,
    SeedOption,
    ServerOption,
    ThreadsOption,
    TurnsOption,
)
from .startup import (
    RunOptions,
    new_engine,
    open_screen,
    run_many,
    run_one,
    settings_with,
    setup_with,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
MaxConcurrentOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--max-concurrent", min=1, metavar="N", help="Discussions at once (64; 32 on a server)"
    ),
]


@app.callback(invoke_without_command=True)
def screen(
    context: typer.Context,
    start: Annotated[bool, typer.Option("--start", help="Start the discussion at once")] = False,
    setup: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--setup", help="Open this setup file (TOML)", metavar="SETUP.toml"),
    ] = None,
    model: ModelOption = None,
    server: ServerOption = None,
    model_for: ModelForOption = None,
    persona_file: PersonaFileOption = None,
    turns: TurnsOption = None,
    seed: SeedOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    threads: ThreadsOption = None,
    max_concurrent: MaxConcurrentOption = None,
    theme: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--theme", help="Colour theme", metavar="NAME"),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Show the version")] = False,
) -> int:
    """The terminal laboratory for synthetic discussions between LLM personas."""
    if context.invoked_subcommand is not None:
        return 0
    if version:
        print(f"syndisco-tui {__version__}")
        return 0
    options = RunOptions(
        setup_file=setup,
        persona_file=persona_file,
        turns=turns,
        seed=seed,
        model=model,
        server=server,
        model_for=tuple(model_for or ()),
        device=device,
        dtype=dtype,
        threads=threads,
        max_concurrent=max_concurrent,
        theme=theme,
    )
    return open_screen(options, start=start)


@app.command()
def run(
    setup: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="Setup file (default: the demonstration)", metavar="SETUP.toml"),
    ] = None,
    model: ModelOption = None,
    server: ServerOption = None,
    model_for: ModelForOption = None,
    persona_file: PersonaFileOption = None,
    turns: TurnsOption = None,
    seed: SeedOption = None,
    output: OutputOption = None,
    repeat: Annotated[
        int,
        typer.Option(
            "--repeat",
            min=1,
            metavar="N",
            help="Run this many discussions at the same time, with consecutive seeds",
        ),
    ] = 1,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="With --repeat: run only those that are neither finished nor running"
        ),
    ] = False,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    threads: ThreadsOption = None,
    max_concurrent: MaxConcurrentOption = None,
) -> int:
    """Run a discussion without the app. Prints the messages, then the file's path."""
    options = RunOptions(
        setup_file=setup,
        persona_file=persona_file,
        turns=turns,
        seed=seed,
        model=model,
        server=server,
        model_for=tuple(model_for or ()),
        device=device,
        dtype=dtype,
        threads=threads,
    )
    settings = settings_with(**options.flags)
    begin = setup_with(options, settings)
    if repeat == 1 and not resume:
        return run_one(settings, begin, output, trusted=options.models.trusted)
    if output is not None:
        raise InputError("--output cannot be used with --repeat: each discussion gets its own file")
    return run_many(
        settings,
        begin,
        repeat,
        resume,
        max_in_flight=max_concurrent,
        trusted=options.models.trusted,
    )


@app.command()
def resume(
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="Saved discussion (default: the last unfinished one)", metavar="FILE"),
    ] = None,
    model: ModelOption = None,
    server: ServerOption = None,
    model_for: ModelForOption = None,
    output: OutputOption = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
) -> int:
    """Continue a paused or interrupted discussion without the app."""
    from ..workspace.discussions import read_discussion, resumable_discussions
    from ..workspace.folders import Folders
    from ..workspace.given_setup import ModelOptions

    settings = settings_with(device=device, threads=threads)
    if file is None:
        waiting = next(resumable_discussions(Folders.from_environment().discussions), None)
        if waiting is None:
            raise InputError(
                "No unfinished discussion to resume. Start one with `syndisco-tui run`."
            )
        file = waiting[0]
    models = ModelOptions(model, server, tuple(model_for or ()))
    models.check_names(read_discussion(file).setup)
    return run_one(settings, file, output, trusted=models.trusted, change=models.changed)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Saved discussion", metavar="FILE")],
    model: ModelOption = None,
    server: ServerOption = None,
    model_for: ModelForOption = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
) -> int:
    """Generate a saved discussion again, and show where the text differs."""
    from ..headless.replay import replay as replay_record
    from ..workspace.discussions import read_discussion
    from ..workspace.folders import Folders
    from ..workspace.given_setup import ModelOptions

    settings = settings_with(device=device, threads=threads)
    record = read_discussion(file)
    models = ModelOptions(model, server, tuple(model_for or ()))
    models.check_names(record.setup)
    engine = new_engine(settings, Folders.from_environment(), trusted=models.trusted)
    return replay_record(engine, record, device=settings.device, change=models.changed)


@app.command()
def export(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Saved discussions (or files of personas), or folders of them", metavar="FILE"
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="syndisco-2.0, syndisco-2.2, markdown, csv, parquet, jsonl, sharegpt, convokit "
            "or inspect; for personas: personas, personas-csv or cards; for annotations: "
            "annotations-csv, syndisco-annotations-2.0 or syndisco-annotations-2.2",
            metavar="FORMAT",
        ),
    ],
    output: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--output", "-o", help="A file, or a folder with / at its end", metavar="PATH"
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files")] = False,
) -> int:
    """Export saved discussions: one to standard output, several to a folder."""
    from ..headless.exchange_annotations import export_annotations
    from ..headless.export import export as export_files
    from ..headless.export_personas import export_personas
    from ..workspace.annotation_exchange import ANNOTATION_FORMATS
    from ..workspace.exporting import PERSONA_FORMAT_NAMES, format_named

    for annotation_format in ANNOTATION_FORMATS:
        if annotation_format == to:
            return export_annotations(files, annotation_format, output, overwrite=overwrite)
    for persona_format in PERSONA_FORMAT_NAMES:
        if persona_format == to:
            return export_personas(files, persona_format, output, overwrite=overwrite)
    return export_files(files, format_named(to), output, overwrite=overwrite)


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Discussions (SynDisco, ConvoKit, SillyTavern), personas (lists, tables, "
            "character cards, TinyTroupe, Persona Hub), or folders of them",
            metavar="FILE",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be imported, and import nothing")
    ] = False,
    condition_from: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--condition-from",
            help="Read factors from folder names, such as {model}_{strategy}",
            metavar="PATTERN",
        ),
    ] = None,
    discussion: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            "--discussion",
            help="Discussions that annotations belong to (default: the library); may be repeated",
            metavar="PATH",
        ),
    ] = None,
    task: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--task", help="Task whose scale the annotations use", metavar="TASK.toml"),
    ] = None,
) -> int:
    """Import discussions, personas and annotations, each only once."""
    from ..headless.importing import import_files
    from ..workspace.annotation_exchange import split_annotations
    from ..workspace.folders import Folders

    folders = Folders.from_environment()
    folders.create()
    annotations, others = split_annotations(files)
    status = 0
    if others or not annotations:
        status = import_files(others, folders, dry_run=dry_run, condition_from=condition_from)
    if annotations and not dry_run:
        from ..headless.exchange_annotations import import_annotations
        from ..workspace.annotations import read_task

        question = read_task(task).question if task else None
        status = import_annotations(annotations, discussion or [folders.discussions], question) or (
            status
        )
    return status


app.add_typer(experiments, name="experiment", help="Run experiments and show their progress.")
app.command()(annotate)
app.command()(models)


@app.command()
def stats(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Saved discussions, or folders of them", metavar="PATH"),
    ],
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--by", help="Only these factors, separated by commas", metavar="FACTOR,…"),
    ] = None,
    condition_from: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--condition-from",
            help="Read factors from folder names, such as {model}_{strategy}",
            metavar="PATTERN",
        ),
    ] = None,
    to: Annotated[
        str, typer.Option("--format", help="table, csv, json, markdown or html", metavar="FORMAT")
    ] = "table",
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--output", "-o", help="Write a file instead of printing", metavar="FILE"),
    ] = None,
    differences: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option(
            "--differences/--no-differences",
            help="Differences between levels, with confidence intervals and effect sizes",
            show_default=False,
        ),
    ] = None,
    figures: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--figures", help="Write figures as SVG and PNG here", metavar="FOLDER"),
    ] = None,
) -> int:
    """Statistics of saved discussions: a row for each condition."""
    from ..headless.stats import STATS_FORMATS
    from ..headless.stats import stats as print_stats

    chosen = next((each for each in STATS_FORMATS if each == to), None)
    if chosen is None:
        raise InputError(f"--format: must be one of {', '.join(STATS_FORMATS)}, not {to}")
    factors = [name.strip() for name in by.split(",") if name.strip()] if by is not None else None
    return print_stats(
        paths,
        by=factors,
        condition_from=condition_from,
        to=chosen,
        output=output,
        with_differences=differences,
        figures=figures,
    )


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> int:
    """Check terminal, GPU, libraries and files. Says what to do about what is wrong."""
    from shutil import get_terminal_size

    from . import doctor

    findings = doctor.run_checks()
    if as_json:
        text = doctor.as_json(findings)
    else:
        width, encoding = get_terminal_size().columns, sys.stdout.encoding or "ascii"
        text = doctor.as_text(findings, width=min(width, 100), encoding=encoding)
    sys.stdout.buffer.write(f"{text}\n".encode(sys.stdout.encoding or "ascii", "replace"))
    return 0 if doctor.can_run(findings) else 1
