"""A discussion without a screen: messages to standard output, progress to standard error."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from queue import Empty
from typing import TextIO

from ..discussion import DiscussionSetup
from ..session import (
    Closed,
    Condition,
    ErrorRaised,
    LiveSession,
    Opened,
    SessionEvent,
    StateChanged,
)
from ..workspace.discussions import read_discussion
from ..workspace.exit_status import BAD_INPUT, FINISHED, NO_MODEL
from ..workspace.folders import write_output
from ..workspace.inputs import InputError
from .output import forgive_encoding
from .printer import Printer
from .signals import caught_signals

TO_STDOUT = Path("-")


def run_headless(
    session: LiveSession,
    begin: DiscussionSetup | Path,
    *,
    output: Path | None = None,
    change: Callable[[DiscussionSetup], DiscussionSetup] | None = None,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Run a setup or a saved discussion to its end. Returns the exit status.

    ``output`` is another file for the finished JSON; ``-`` prints it instead of the messages.
    ``change`` gives the setup with which a saved discussion continues.
    """
    out, err = out or sys.stdout, err or sys.stderr
    forgive_encoding(out, err)
    printer = Printer(None if output == TO_STDOUT else out, err)
    with caught_signals() as received:
        try:
            if isinstance(begin, Path):
                _resume(session, begin, change)
            else:
                session.start(begin)
            status = _follow(session, printer.show, received)
        except OSError as error:  # nobody reads the output; the discussion is saved
            status = 128 + signal.SIGPIPE if isinstance(error, BrokenPipeError) else 1
            printer.lose_output()
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        finally:
            session.close()
    if printer.path is None:
        return status
    if output is not None and status == FINISHED:
        _deliver(printer.path, output, out)
    if output != TO_STDOUT:
        with contextlib.suppress(OSError):
            printer.end(status)
    return status


def _resume(
    session: LiveSession,
    path: Path,
    change: Callable[[DiscussionSetup], DiscussionSetup] | None,
) -> None:
    setup = read_discussion(path).setup if change else None
    if change is None or setup is None or (changed := change(setup)) == setup:
        session.resume(path)
        return
    session.resume(path, run=False)
    session.change_setup(changed)
    session.run()


def _follow(session: LiveSession, show: Callable[[SessionEvent], None], received: list[int]) -> int:
    """Show events until the discussion ends, something fails or a signal comes."""
    is_open = False
    while not received:
        try:
            event = session.events.get(timeout=0.1)
        except Empty:
            continue
        show(event)
        if isinstance(event, Closed):
            break
        if isinstance(event, Opened):
            is_open = True
        if isinstance(event, Condition) and event.sentence:
            if event.cause == "saving" and not is_open:
                return BAD_INPUT
            if event.cause == "engine":
                return 1
        if isinstance(event, ErrorRaised):
            return NO_MODEL if event.fatal else BAD_INPUT if not is_open else 1
        if isinstance(event, StateChanged) and event.state == "finished":
            return FINISHED
    return 128 + received[0] if received else 1


def _deliver(path: Path, output: Path, out: TextIO) -> None:
    try:
        content = path.read_bytes()
        if output == TO_STDOUT:
            _write_json(out, content)
        else:
            write_output(output, content)
    except (OSError, InputError) as error:
        reason = str(error)
        if isinstance(error, OSError):
            reason = f"{output}: cannot be written: {error.strerror}"
        raise InputError(f"{reason}; the discussion is in {path}") from None


def _write_json(out: TextIO, content: bytes) -> None:
    """JSON is UTF-8, whatever the terminal speaks."""
    if isinstance(out, TextIOWrapper):
        out.flush()
        left = memoryview(content)
        while left:  # an unbuffered stream may take a part only
            left = left[out.buffer.write(left) :]
        out.buffer.flush()
    else:
        out.write(content.decode())
