"""``syndisco-tui annotate`` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from .options import DeviceOption, DtypeOption, ModelOption, ServerOption, ThreadsOption
from .startup import FROM_SETTINGS, new_engine, settings_with


def annotate(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Saved discussions, or folders of them", metavar="PATH"),
    ],
    task: Annotated[Path, typer.Option("--task", help="The task", metavar="TASK.toml")],
    output: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(
            "--output",
            "-o",
            help="Folder of the annotations (default: beside each discussion)",
            metavar="FOLDER",
        ),
    ] = None,
    max_concurrent: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--max-concurrent", min=1, help="Annotations at once", metavar="N"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how much there is to run, and run nothing")
    ] = False,
    model: ModelOption = None,
    server: ServerOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    threads: ThreadsOption = None,
) -> int:
    """Have models annotate every message of discussions. Asks only for what is missing."""
    from ..headless.annotate import dry_run_text, run_annotations
    from ..headless.counter import Counter
    from ..workspace.annotations import plan_annotations, read_task, task_with_defaults
    from ..workspace.folders import Folders

    settings = settings_with(model=model, device=device, dtype=dtype, threads=threads)
    defaults = {name: getattr(settings, name) for name in FROM_SETTINGS}
    defaults["server"] = (server,) if server else ()
    read = task_with_defaults(read_task(task), defaults)
    counter: Counter | None = None

    def show(done: int, total: int) -> None:
        nonlocal counter
        counter = counter or Counter(total)
        counter.show(done)

    plan = plan_annotations(paths, read, device=settings.device, output=output, progress=show)
    if counter is not None:
        counter.clear()
    if dry_run:
        print(dry_run_text(plan, read), end="")
        return 0
    engine = new_engine(
        settings,
        Folders.from_environment(),
        max_in_flight=max_concurrent,
        trusted=defaults["server"],
    )
    return run_annotations(engine, plan, read, folder=output, max_in_flight=max_concurrent)
