"""Puts the screen together: session, themes, personas, and a clean way out."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from .. import paths
from ..discussion import DiscussionSetup, Persona
from ..inputs import InputError
from ..session import LiveSession
from ..settings import Settings
from ..store.personas import personas_at_hand, shipped_personas
from .app import SyndiscoApp
from .cast import with_own
from .leaving import leave_on_signals
from .preferences import Preferences
from .screens.laboratory import Laboratory, Places
from .themes import read_themes

CRASHED = 70


def run_screen(
    session: LiveSession,
    settings: Settings,
    setup: DiscussionSetup,
    *,
    start: bool = False,
    setup_file: Path | None = None,
    own_personas: bool = True,
    flags: Mapping[str, object] | None = None,
) -> int:
    """Show the laboratory until the user leaves. Returns the exit status.

    ``own_personas``: the setup's people are those of the user's list, as the user changed them.
    ``flags``: settings that the command line gave.
    """
    personas, notices = _personas_at_hand()
    if own_personas:
        setup = with_own(setup, personas)
    theme_folders = (paths.shipped_themes_folder(), paths.user_themes_folder())
    themes, faults = read_themes(*theme_folders)
    places = Places(
        paths.discussions_folder(),
        paths.personas_file(),
        paths.setups_folder(),
        paths.persona_sets_folder(),
    )

    leave_in_time = leave_on_signals(session.close)
    app = SyndiscoApp(
        lambda: Laboratory(session, setup, personas, places, start=start, setup_file=setup_file),
        themes=themes,
        theme=settings.theme,
        preferences=Preferences(paths.settings_file(), paths.shipped_keymaps_folder(), flags),
        theme_folders=theme_folders,
        notices=[*notices, *faults],
        before_leaving=leave_in_time,
    )
    with _output_to(paths.log_file()):
        status = app.run()
    session.close()
    if app.crash is not None:
        _report_crash(app.crash)
        return CRASHED
    return status or 0


def _personas_at_hand() -> tuple[tuple[Persona, ...], list[str]]:
    """The user's own list, or the shipped ones where there is none or it cannot be read."""
    shipped = paths.shipped_personas_folder()
    try:
        return tuple(personas_at_hand(paths.personas_file(), shipped)), []
    except InputError as error:
        notice = f"{error}. The shipped personas are shown; the file is kept until you change one."
        return tuple(shipped_personas(shipped)), [notice]


@contextlib.contextmanager
def _output_to(log: Path) -> Iterator[None]:
    """While the screen is up, what libraries print goes to a log file, not into the picture."""
    terminal = os.dup(1)
    saved = sys.__stdout__, sys.__stderr__
    log_descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    error_descriptor = os.dup(2)
    screen = open(terminal, "w", encoding="utf-8", errors="replace")  # noqa: SIM115
    sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
    os.dup2(log_descriptor, 1)
    os.dup2(log_descriptor, 2)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            screen.flush()
        os.dup2(terminal, 1)
        os.dup2(error_descriptor, 2)
        sys.__stdout__, sys.__stderr__ = saved  # type: ignore[misc]
        os.close(log_descriptor)


def _report_crash(error: BaseException) -> None:
    """What went wrong to the log, without local variables; one sentence to the user."""
    log = paths.log_file()
    with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    print(
        f"syndisco-tui stopped on an unexpected {type(error).__name__}. The discussion is saved; "
        f"details are in {log}.",
        file=sys.stderr,
    )
