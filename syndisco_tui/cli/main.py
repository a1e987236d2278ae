"""The console script: the screen at once, or a command; what goes wrong in one sentence."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from ..workspace.exit_status import BAD_INPUT
from ..workspace.inputs import InputError
from .startup import RunOptions, open_screen


def main() -> NoReturn:
    """The console script. Every error a person can mend ends in one sentence and status 2."""
    _open_missing_streams()
    try:
        _leave(_run(sys.argv[1:]))
    except InputError as error:
        from ..text import safe

        print(safe(str(error)), file=sys.stderr)
        _leave(BAD_INPUT)
    except KeyboardInterrupt:
        _leave(130)


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


def _run(arguments: list[str]) -> int:
    if not arguments:  # what is started most waits for no parser
        return open_screen(RunOptions())
    import typer

    from .commands import app

    try:
        return int(app(standalone_mode=False) or 0)
    except typer.Abort:
        return 130
    except SystemExit:  # click's way out where nobody reads any more
        return 128 + signal.SIGPIPE
    except Exception as error:
        if not hasattr(error, "format_message"):  # click's own usage errors have it
            raise
        raise InputError(error.format_message()) from None
