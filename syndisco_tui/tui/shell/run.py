"""Puts the screen together: session, themes, personas, and a clean way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ...discussion import DiscussionSetup
from ...session import LiveSession
from ...workspace.exit_status import CRASHED
from ...workspace.folders import SHIPPED_THEMES, Folders
from ...workspace.personas import own_or_shipped
from ...workspace.settings import Settings, UserSettings
from ...workspace.setups import LastSetup
from ..laboratory.screen import Laboratory
from ..personas.selection import with_own
from .app import SyndiscoApp
from .exit_on_signal import leave_on_signals
from .log import output_to, report_crash
from .themes import read_themes


def run_screen(
    session: LiveSession,
    settings: Settings,
    setup: DiscussionSetup,
    folders: Folders,
    *,
    start: bool = False,
    setup_file: Path | None = None,
    own_personas: bool = True,
    flags: Mapping[str, object] | None = None,
    last_setup: LastSetup | None = None,
    notices: Iterable[str] = (),
) -> int:
    """Show the laboratory until the user leaves. Returns the exit status.

    ``own_personas``: the setup's people are those of the user's list, as the user changed them.
    ``flags``: settings that the command line gave. ``last_setup`` keeps the setup for next time.
    ``notices`` are shown first.
    """
    personas, persona_notices = own_or_shipped(folders.personas_file)
    if own_personas:
        setup = with_own(setup, personas)
    theme_folders = (SHIPPED_THEMES, folders.themes)
    themes, faults = read_themes(*theme_folders)

    def laboratory() -> Laboratory:
        return Laboratory(
            session,
            setup,
            personas,
            folders,
            start=start,
            setup_file=setup_file,
            preload=settings.load_at_start,
            last_setup=last_setup,
        )

    leave_in_time = leave_on_signals(session.close)
    app = SyndiscoApp(
        laboratory,
        folders=folders,
        themes=themes,
        theme=settings.theme,
        user_settings=UserSettings(folders.settings_file, flags),
        theme_folders=theme_folders,
        notices=[*notices, *persona_notices, *faults],
        before_leaving=leave_in_time,
    )
    with output_to(folders.log_file):
        status = app.run()
    is_saved = session.close() and session.record is None  # it stays open where it is not
    if app.crash is not None:
        report_crash(folders.log_file, app.crash, is_saved=is_saved)
        return CRASHED
    return status or 0
