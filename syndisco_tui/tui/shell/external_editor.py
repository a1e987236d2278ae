"""The user's own editor on a text: the screen steps aside, and comes back when it ends."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textual.app import App, SuspendNotSupported

FALLBACK = "vi"
"""The editor where none is named, as for git."""
_NONE_THERE = (
    "$VISUAL and $EDITOR are not set, and vi is not installed: quit, enter “export EDITOR=nano” "
    "(or the editor you like) and start again."
)


class NoEditor(Exception):
    """The editor cannot be started, or ended with an error: one sentence."""


def editor_command() -> list[str]:
    """What ``$VISUAL``, or else ``$EDITOR``, names, with its options; else vi.

    Raises NoEditor.
    """
    for variable in ("VISUAL", "EDITOR"):
        try:
            command = shlex.split(os.environ.get(variable, ""))
        except ValueError:
            raise NoEditor(f"${variable} has a quotation mark that is not closed.") from None
        if command:
            return command
    if shutil.which(FALLBACK):
        return [FALLBACK]
    raise NoEditor(_NONE_THERE)


def draft(text: str, *, suffix: str) -> Path:
    """A temporary file with ``text`` in it, for its owner's eyes only. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix="syndisco-", suffix=suffix)  # mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return Path(name)


def edit_in_terminal(app: App[object], command: list[str], file: Path) -> None:
    """Give the terminal to ``command`` with ``file`` until it ends. Raises NoEditor."""
    fault = ""
    try:
        with app.suspend(), _interrupts_are_the_editors():
            fault = _ended_with(command, file)  # it must not raise: the screen would not come back
    except SuspendNotSupported:
        fault = "This terminal cannot run another program; press e to edit in the app."
    if fault:
        raise NoEditor(fault)


def _ended_with(command: list[str], file: Path) -> str:
    name = Path(command[0]).name
    try:
        # While the screen is up, descriptor 1 is a log file: the terminal is elsewhere.
        terminal = sys.__stdout__
        ended = subprocess.run([*command, str(file)], stdout=terminal, stderr=terminal, check=False)
    except OSError as error:
        reason = error.strerror or str(error)
        return f"The editor “{name}” cannot be started: {reason}."
    status = ended.returncode
    return f"The editor “{name}” ended with status {status}." if status else ""


@contextmanager
def _interrupts_are_the_editors() -> Iterator[None]:
    """Ctrl+C in the editor must not end us; a function, since to ignore would be inherited."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
