"""What commands begin with: settings, setup, session, engine. Imports late, starts fast."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .inputs import InputError

if TYPE_CHECKING:
    from .discussion import DiscussionSetup
    from .engine.base import Engine
    from .session import LiveSession
    from .settings import Settings


def open_screen(
    *,
    start: bool = False,
    setup: Path | None = None,
    model: str | None = None,
    persona_file: Path | None = None,
    turns: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    dtype: str | None = None,
    threads: int | None = None,
    theme: str | None = None,
) -> int:
    """Show the laboratory with what the command line gave. Returns the exit status."""
    gc.disable()  # until the first picture: nothing that is imported is garbage
    flags = {"model": model, "device": device, "dtype": dtype, "threads": threads, "theme": theme}
    settings = settings_with(**flags)
    begin = setup_with(setup, settings, model, persona_file, turns, seed, dtype)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        gc.enable()
        if start:
            return run_one(settings, begin, None)
        raise InputError(
            "There is no terminal to draw on; use `syndisco-tui run`, or `--start` for the same."
        )
    from .ui.few_colours import UNABLE

    if os.environ.get("TERM", "").lower() in UNABLE:
        raise InputError(
            f"TERM={os.environ['TERM']} cannot draw a screen; use another terminal, or "
            "`syndisco-tui run`."
        )
    from .ui.run import run_screen

    session = new_session(settings, spare_cores=1)
    own = setup is None and persona_file is None
    return run_screen(
        session, settings, begin, start=start, setup_file=setup, own_personas=own, flags=flags
    )


def settings_with(**flags: object) -> Settings:
    from . import paths
    from .settings import load_settings

    return load_settings(paths.settings_file(), flags)


def setup_with(
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
        changes["personas"] = personas = read_personas(persona_file)
        if not personas:
            raise InputError(f"{persona_file}: there is nobody in it")
        if file is None:  # the demonstration's own voices would be strangers among them
            changes |= {"moderator": None, "seed_opinions": [], "seed_opinion_usernames": []}
        validated(DiscussionSetup, {**setup.model_dump(), **changes}, persona_file)
    given = {"model": model, "conv_len": turns, "seed": seed, "dtype": dtype}
    changes |= {key: value for key, value in given.items() if value is not None}
    return validated(DiscussionSetup, {**setup.model_dump(), **changes}, "command line")


def run_one(settings: Settings, begin: DiscussionSetup | Path, output: Path | None) -> int:
    from .headless import run_headless

    return run_headless(new_session(settings), begin, output=output)


def run_many(settings: Settings, begin: DiscussionSetup, count: int, resume: bool) -> int:
    from functools import partial

    from . import paths
    from .batch import Batch, BatchIdentity, repeated, saved_runs
    from .headless.repeat import run_repeat
    from .session import LiveSession
    from .session.last_model import LastModelFile
    from .store.discussions import read_discussion

    folder, setups = paths.discussions_folder(), repeated(begin, count)
    begins: list[DiscussionSetup | Path] = list(setups)
    identity = BatchIdentity.of(begin.seed, count)
    if resume:
        saved = saved_runs(folder, setups)
        records = (read_discussion(path) for path in saved if path)
        identity = BatchIdentity.of(begin.seed, count, records)
        begins = [path or new for path, new in zip(saved, setups, strict=True)]
        begins = [
            run
            for run in begins
            if not isinstance(run, Path) or read_discussion(run).status != "finished"
        ]
        print(f"{count - len(begins)} of {count} discussions are finished.", file=sys.stderr)
        if not begins:
            return 0
    session = partial(
        LiveSession,
        new_engine(settings),
        folder,
        device=settings.device,
        last_model=LastModelFile(paths.last_model_file),
    )
    batch = Batch(lambda listener: session(listener=listener), begins, identity=identity)
    return run_repeat(batch)


def new_session(settings: Settings, *, spare_cores: int = 0) -> LiveSession:
    from . import paths
    from .session import LiveSession
    from .session.last_model import LastModelFile

    return LiveSession(
        new_engine(settings, spare_cores=spare_cores),
        paths.discussions_folder(),
        device=settings.device,
        last_model=LastModelFile(paths.last_model_file),
    )


def new_engine(settings: Settings, *, spare_cores: int = 0) -> Engine:
    from . import paths
    from .engine.local import LocalEngine
    from .machine import usable_cores

    threads = settings.threads or max(1, usable_cores() - spare_cores)
    return LocalEngine(paths.cache_folder(), threads=threads)
