"""The terminal: what it can draw, and where what is copied goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from ...workspace.terminals import is_unable
from .check import Check, CheckFunction
from .run_program import answer_of

NARROWEST, LOWEST = 60, 20
"""The least that the screen is made for, in cells."""


def kind() -> Iterator[Check]:
    """``TERM``, and whether there is a terminal at all."""
    name = os.environ.get("TERM", "")
    where = " over SSH" if os.environ.get("SSH_CONNECTION") else ""
    if is_unable():
        yield Check(
            "terminal",
            f"TERM={name}",
            "at fault",
            "It cannot show the app. Use another terminal, or syndisco-tui run.",
        )
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Check("terminal", f"{name or 'no TERM'}{where}; this output is redirected")
    elif not name:
        yield Check(
            "terminal",
            "TERM is not set",
            "could be better",
            "Set it to what your terminal is, such as TERM=xterm-256color.",
        )
    else:
        yield Check("terminal", f"{name}{where}")


def size() -> Iterator[Check]:
    """Columns and rows."""
    for stream in (sys.stdout, sys.stdin, sys.stderr):
        try:
            width, height = os.get_terminal_size(stream.fileno())
        except (OSError, ValueError):
            continue
        if width < NARROWEST or height < LOWEST:
            advice = f"Make it at least {NARROWEST}×{LOWEST}, or choose a smaller font."
            yield Check("size", f"{width}×{height}", "could be better", advice)
        else:
            yield Check("size", f"{width}×{height}")
        return


def colours() -> Iterator[Check]:
    """How many colours the screen will use: decided as Textual decides it."""
    from rich.console import Console

    names = {"truecolor": "16 million", "256": "256", "standard": "16"}
    if "NO_COLOR" in os.environ:
        yield Check("colours", "off (NO_COLOR); greys and text styles are used")
        return
    system = Console(force_terminal=True, legacy_windows=False).color_system
    count = names.get(system or "", "none")
    if system in ("truecolor", "256"):
        yield Check("colours", count)
    else:
        advice = "If your terminal has more: set COLORTERM=truecolor or TERM=xterm-256color."
        yield Check("colours", count, "could be better", advice)


def letters() -> Iterator[Check]:
    """Whether all of Unicode can be written."""
    encoding = (sys.stdout.encoding or "ascii").lower()
    place = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if encoding.replace("-", "") == "utf8":
        yield Check("letters", f"UTF-8 ({place})" if place else "UTF-8")
    else:
        advice = "Set LANG=C.UTF-8 (or another UTF-8 locale) before starting."
        yield Check("letters", f"{encoding} ({place})", "could be better", advice)


def clipboard() -> Iterator[Check]:
    """Which way a copied text goes, and whether tmux lets it through."""
    if not os.environ.get("TMUX"):
        if os.environ.get("STY"):
            advice = "GNU screen does not pass copied text to the terminal; tmux does."
            yield Check("clipboard", "GNU screen", "could be better", advice)
        else:
            yield Check("clipboard", "through the terminal (OSC 52)")
        return
    version = answer_of("tmux", "-V") or "tmux"
    setting = answer_of("tmux", "show-options", "-gsv", "set-clipboard")
    setting = setting or answer_of("tmux", "show-options", "-gv", "set-clipboard")
    if setting is None:
        yield Check("tmux", f"{version} does not answer", "could be better")
    elif setting == "off":
        yield Check(
            "tmux",
            f"{version}, set-clipboard off",
            "could be better",
            "Copied text stays in tmux's buffer: to pass it on, put “set -s set-clipboard on” in "
            "~/.tmux.conf.",
        )
    else:
        yield Check("tmux", f"{version}, set-clipboard {setting}")
    yield Check("clipboard", "tmux's buffer, and through the terminal (OSC 52)")


CHECKS: tuple[CheckFunction, ...] = (kind, size, colours, letters, clipboard)
