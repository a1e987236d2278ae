"""Copying from a terminal that may be far away: its own clipboard, tmux's buffer, or a file.

The terminal is asked by OSC 52 (xterm, "Control Sequences", operating system commands), which
crosses SSH; tmux drops it by default, but ``tmux load-buffer -w`` reaches the terminal outside.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ...text import safe
from ...workspace.folders import write_output

MOST_BYTES = 74_994
"""What xterm and those that follow it take: 100,000 bytes of the sequence, in base64."""
_SCREEN_PIECE = 240
"""Bytes that GNU screen passes on in one string."""
_TMUX_SECONDS = 2.0
_WITHOUT_CLIPBOARD = ("", "dumb", "linux")


def osc52(text: str, *, in_screen: bool = False) -> str:
    """The sequence that puts ``text`` into the terminal's clipboard, past GNU screen if need be."""
    encoded = base64.b64encode(text.encode()).decode()
    sequence = f"\x1b]52;c;{encoded}\x07"
    if not in_screen:
        return sequence
    pieces = range(0, len(sequence), _SCREEN_PIECE)
    return "".join(f"\x1bP{sequence[start : start + _SCREEN_PIECE]}\x1b\\" for start in pieces)


def load_tmux_buffer(text: str) -> bool:
    """Give ``text`` to tmux, and through it to the terminal outside. False if that failed."""
    for flags in (["-w"], []):  # tmux before 3.2 has no -w
        command = ["tmux", "load-buffer", *flags, "-"]
        try:
            done = subprocess.run(
                command, input=text.encode(), capture_output=True, timeout=_TMUX_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False


def copy(
    text: str,
    what: str,
    *,
    write: Callable[[str], object] | None,
    environment: Mapping[str, str],
    file: Path,
    tmux: Callable[[str], bool] = load_tmux_buffer,
) -> str:
    """Copy ``text`` every way that may work. Returns the sentence that says which way it went.

    ``write`` takes what goes to the terminal; None where there is none. ``what`` begins the
    sentence. ``file`` (mode 0600) gets the text where nothing else is to be relied upon.
    Raises InputError if only the file was left and it cannot be written.
    """
    text = safe(text)
    too_long = len(text.encode()) > MOST_BYTES
    ways = []
    in_tmux = bool(environment.get("TMUX"))
    tmux_has_it = in_tmux and tmux(text)
    if tmux_has_it:
        ways.append("tmux's buffer")
    terminal = environment.get("TERM", "")
    if write is not None and terminal not in _WITHOUT_CLIPBOARD and not too_long:
        write(osc52(text, in_screen=bool(environment.get("STY")) and not in_tmux))
        if not in_tmux or tmux_has_it:
            ways.append("the terminal's clipboard")
    if ways:
        short_of = "; it is too long for the terminal's clipboard" if too_long and write else ""
        return f"{what} copied to {' and '.join(ways)}{short_of}."
    write_output(file, text.encode())
    reason = "it is too long for the clipboard" if too_long and write else "there is no clipboard"
    if in_tmux:
        reason = "tmux did not take it"
    return f"{what} copied to {file}: {reason} here."
