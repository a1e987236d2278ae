"""The command line: decides between the screen and a headless run. Imports late, starts fast."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, Optional

import typer

from . import __version__
from .exit_status import BAD_INPUT
from .inputs import InputError

if TYPE_CHECKING:
    from .discussion import DiscussionSetup
    from .engine.base import Engine
    from .session import LiveSession
    from .settings import Settings

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

ModelOption = Annotated[
    Optional[str],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option("--model", "-m", help="auto, starter, a hub id or a folder", metavar="ID"),
]
PersonaFileOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--persona-file", help="SynDisco persona list; all of them take part"),
]
TurnsOption = Annotated[Optional[int], typer.Option("--turns", help="conv_len: users' turns")]  # noqa: UP045
SeedOption = Annotated[Optional[int], typer.Option("--seed", help="Seed of the whole run")]  # noqa: UP045
OutputOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--output", "-o", help="A further copy of the JSON; - prints it alone"),
]
DeviceOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--device", help="auto, cpu, cuda or cuda:N", metavar="DEVICE"),
]
DtypeOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--dtype", help="auto, float32, bfloat16 or float16", metavar="DTYPE"),
]
ThreadsOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--threads", help="Threads that torch may use (default: all cores but one)"),
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
    persona_file: PersonaFileOption = None,
    turns: TurnsOption = None,
    seed: SeedOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    threads: ThreadsOption = None,
    theme: Annotated[Optional[str], typer.Option("--theme", help="Colour theme")] = None,  # noqa: UP045
    version: Annotated[bool, typer.Option("--version", help="Show the version")] = False,
) -> None:
    """The terminal laboratory for synthetic discussions between LLM personas."""
    if context.invoked_subcommand is not None:
        return
    if version:
        print(f"syndisco-tui {__version__}")
        return
    gc.disable()  # until the first picture: nothing that is imported is garbage
    flags = {"model": model, "device": device, "dtype": dtype, "threads": threads, "theme": theme}
    settings = _settings(**flags)
    begin = _setup(setup, settings, model, persona_file, turns, seed, dtype)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        gc.enable()
        if start:
            _leave(_headless(settings, begin, None))
        raise InputError(
            "There is no terminal to draw on; use `syndisco-tui run`, or `--start` for the same."
        )
    from .doctor.terminal import UNABLE

    if os.environ.get("TERM", "").lower() in UNABLE:
        raise InputError(
            f"TERM={os.environ['TERM']} cannot draw a screen; use another terminal, or "
            "`syndisco-tui run`."
        )
    from .ui.run import run_screen

    session = _session(settings, spare_cores=1)
    own = setup is None and persona_file is None
    _leave(
        run_screen(
            session, settings, begin, start=start, setup_file=setup, own_personas=own, flags=flags
        )
    )


@app.command()
def run(
    setup: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="Setup file; without it, the demonstration", metavar="[SETUP.toml]"),
    ] = None,
    model: ModelOption = None,
    persona_file: PersonaFileOption = None,
    turns: TurnsOption = None,
    seed: SeedOption = None,
    output: OutputOption = None,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, help="So many discussions at once, seeds following")
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="With --repeat: go on where the same command was")
    ] = False,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Run a discussion without a screen: messages on standard output, the file's path last."""
    settings = _settings(model=model, device=device, dtype=dtype, threads=threads)
    begin = _setup(setup, settings, model, persona_file, turns, seed, dtype)
    if repeat == 1 and not resume:
        _leave(_headless(settings, begin, output))
    if output is not None:
        raise InputError("--output is for one discussion; with --repeat each has its own file")
    _leave(_repeat(settings, begin, repeat, resume))


@app.command()
def resume(
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="Saved discussion; without it, the last one", metavar="[FILE]"),
    ] = None,
    output: OutputOption = None,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Go on with a paused or interrupted discussion, without a screen."""
    from . import paths
    from .store.discussions import read_discussion, unfinished

    settings = _settings(device=device, threads=threads)
    if file is None:
        waiting = next(unfinished(paths.discussions_folder()), None)
        if waiting is None:
            raise InputError("There is no unfinished discussion; `syndisco-tui run` starts one.")
        file = waiting[0]
    read_discussion(file)
    _leave(_headless(settings, file, output))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Saved discussion", metavar="FILE")],
    device: DeviceOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Generate a saved discussion again and say where the words differ, if they do."""
    from .headless.replay import replay as replay_record
    from .store.discussions import read_discussion

    settings = _settings(device=device, threads=threads)
    record = read_discussion(file)
    _leave(replay_record(_engine(settings), record, device=settings.device))


@app.command()
def export(
    files: Annotated[
        list[Path],
        typer.Argument(help="Saved discussions, or folders of them", metavar="FILE…"),
    ],
    to: Annotated[
        str,
        typer.Option("--to", help="syndisco-2.0, syndisco-2.2, markdown, csv or jsonl"),
    ],
    output: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--output", "-o", help="A file, or a folder/", metavar="PATH"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is there already")
    ] = False,
) -> None:
    """Saved discussions in another format: one on standard output, several in a folder."""
    from .headless.export import export as export_files
    from .store.export import format_named

    _leave(export_files(files, format_named(to), output, overwrite=overwrite))


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="SynDisco's discussions, persona lists (JSON, CSV), or folders of them",
            metavar="FILE…",
        ),
    ],
) -> None:
    """Take in discussions and personas; what is there already is not taken in twice."""
    from . import paths
    from .headless.importing import import_files
    from .store.personas import personas_at_hand

    own = paths.personas_file()
    personas = personas_at_hand(own, paths.shipped_personas_folder())
    _leave(import_files(files, paths.discussions_folder(), paths.library_cache(), own, personas))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="The same for programs")] = False,
) -> None:
    """Look at terminal, GPU, libraries, hub and files, and say what to do where it is not well."""
    from shutil import get_terminal_size

    from . import doctor

    findings = doctor.examine()
    if as_json:
        text = doctor.as_json(findings)
    else:
        width, encoding = get_terminal_size().columns, sys.stdout.encoding or "ascii"
        text = doctor.as_text(findings, width=min(width, 100), encoding=encoding)
    sys.stdout.buffer.write(f"{text}\n".encode(sys.stdout.encoding or "ascii", "replace"))
    _leave(0 if doctor.can_run(findings) else 1)


def main() -> NoReturn:
    """The console script. Every error a person can mend ends in one sentence and status 2."""
    _open_missing_streams()
    try:
        app(standalone_mode=False)
    except InputError as error:
        from .text import safe

        print(safe(str(error)), file=sys.stderr)
        _leave(BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        _leave(130)
    except typer.Exit as done:
        _leave(done.exit_code)
    except Exception as error:
        if hasattr(error, "format_message"):  # click's own usage errors
            from .text import safe

            print(safe(error.format_message()), file=sys.stderr)
            _leave(BAD_INPUT)
        raise
    _leave(0)


def _open_missing_streams() -> None:
    """A job queue may start us with standard streams closed; Python then has None for them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115


def _leave(status: int) -> NoReturn:
    """Exit at once: interpreter shutdown under torch's threads would abort the process."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            status = status or 1
    os._exit(status)


def _settings(**flags: object) -> Settings:
    from . import paths
    from .settings import load_settings

    return load_settings(paths.settings_file(), flags)


def _setup(
    file: Path | None,
    settings: Settings,
    model: str | None,
    persona_file: Path | None,
    turns: int | None,
    seed: int | None,
    dtype: str | None,
) -> DiscussionSetup:
    """The setup of a file, or the demonstration's, with what the command line changes."""
    from . import paths
    from .discussion import DiscussionSetup
    from .inputs import validated
    from .store.personas import read_personas
    from .store.setups import read_setup

    setup = read_setup(file or paths.shipped_personas_folder() / "demonstration.toml")
    changes: dict[str, object] = {}
    for key in ("model", "dtype", "quantization"):
        if getattr(setup, key) == "auto":
            changes[key] = getattr(settings, key)
    if persona_file is not None:
        changes["personas"] = read_personas(persona_file)
        if file is None:  # the demonstration's own voices would be strangers among them
            changes |= {"moderator": None, "seed_opinions": [], "seed_opinion_usernames": []}
    given = {"model": model, "conv_len": turns, "seed": seed, "dtype": dtype}
    changes |= {key: value for key, value in given.items() if value is not None}
    return validated(DiscussionSetup, {**setup.model_dump(), **changes}, "command line")


def _headless(settings: Settings, begin: DiscussionSetup | Path, output: Path | None) -> int:
    from .headless import run_headless

    return run_headless(_session(settings), begin, output=output)


def _repeat(settings: Settings, begin: DiscussionSetup, count: int, resume: bool) -> int:
    from functools import partial

    from . import paths
    from .batch import Batch, repeated, saved_runs
    from .headless.repeat import run_repeat
    from .session import LiveSession
    from .store.discussions import read_discussion

    folder, setups = paths.discussions_folder(), repeated(begin, count)
    begins: list[DiscussionSetup | Path] = list(setups)
    if resume:
        begins = [path or new for path, new in zip(saved_runs(folder, setups), setups, strict=True)]
        begins = [
            run
            for run in begins
            if not isinstance(run, Path) or read_discussion(run).status != "finished"
        ]
        print(f"{count - len(begins)} of {count} discussions are finished.", file=sys.stderr)
        if not begins:
            return 0
    session = partial(LiveSession, _engine(settings), folder, device=settings.device)
    return run_repeat(Batch(lambda listener: session(listener=listener), begins))


def _session(settings: Settings, *, spare_cores: int = 0) -> LiveSession:
    from . import paths
    from .session import LiveSession

    engine = _engine(settings, spare_cores=spare_cores)
    return LiveSession(engine, paths.discussions_folder(), device=settings.device)


def _engine(settings: Settings, *, spare_cores: int = 0) -> Engine:
    from . import paths
    from .engine.local import LocalEngine

    threads = settings.threads or max(1, (os.cpu_count() or 1) - spare_cores)
    return LocalEngine(paths.cache_folder(), threads=threads)
