"""The way out when nobody pressed a key: HUP, TERM, INT. Saves, restores the terminal, leaves."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable
from types import FrameType

_RESTORE = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l"  # mouse
    "\x1b[?2004l\x1b[?1004l\x1b[<u"  # bracketed paste, focus, kitty keys
    "\x1b[0m\x1b[?25h\x1b[?1049l"  # style, cursor, alternate screen
)
_TRIES, _MOMENT = 50, 0.005
"""How often, and for how many seconds each, room is made in a terminal that reads nothing."""
DEADLINE = 3.0
"""Seconds after which the process goes, saved or not."""


def leave_on_signals(save: Callable[[], object]) -> Callable[[], None]:
    """From now on HUP, TERM and INT call ``save`` and end the process with status 128 + n.

    Gives back what is to be called when somebody leaves in the usual way: if the process has not
    ended of itself ``DEADLINE`` seconds later, because a thread hangs on a disk or in a kernel,
    it goes all the same.

    Textual dies of HUP and TERM without saving, and an asyncio handler does not run while the
    loop is blocked by a terminal that reads nothing; hence signal handlers and a thread.
    """
    terminal = _terminal_state()
    leaving = threading.Event()

    def go(number: int) -> None:
        watchdog = threading.Timer(DEADLINE, os._exit, (128 + number,))
        watchdog.daemon = True
        watchdog.start()
        with contextlib.suppress(Exception):
            save()
        _restore(terminal)
        os._exit(128 + number)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if not leaving.is_set():
            leaving.set()
            threading.Thread(target=go, args=(number,), daemon=True).start()

    def end() -> None:
        _restore(terminal)
        os._exit(0)

    def leave_in_time() -> None:
        watchdog = threading.Timer(DEADLINE, end)
        watchdog.daemon = True
        watchdog.start()

    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    signal.signal(signal.SIGURG, lambda *_: None)  # see _take_the_picture_back
    return leave_in_time


def _terminal_state() -> tuple[int, list[object]] | None:
    try:
        descriptor = sys.__stdin__.fileno() if sys.__stdin__ else 0
        return descriptor, termios.tcgetattr(descriptor)
    except (OSError, ValueError, termios.error):
        return None


def _write_whole(descriptor: int, content: bytes) -> bool:
    try:
        return os.write(descriptor, content) == len(content)
    except BlockingIOError:
        return False


def _take_the_picture_back(descriptor: int) -> None:
    """The terminal reads nothing: what is on its way to it is thrown away.

    A thread that waits for it in the midst of a frame holds the line. A signal makes it go on,
    and the rest of its frame goes nowhere.
    """
    if sys.__stderr__ is not None and sys.__stderr__.fileno() not in (0, 1, 2):  # the screen's own
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stderr__.fileno())
        os.close(nowhere)
    for thread in threading.enumerate():
        if thread.ident not in (None, threading.get_ident()):
            signal.pthread_kill(thread.ident, signal.SIGURG)
    time.sleep(_MOMENT)
    termios.tcflush(descriptor, termios.TCOFLUSH)


def _restore(terminal: tuple[int, list[object]] | None) -> None:
    if terminal is None:
        return
    descriptor, attributes = terminal
    with contextlib.suppress(OSError, termios.error):
        os.set_blocking(descriptor, False)  # a terminal that is gone or stuck must not hold us
        for _ in range(_TRIES):
            if _write_whole(descriptor, _RESTORE.encode()):
                break
            _take_the_picture_back(descriptor)
    with contextlib.suppress(OSError, termios.error):
        os.set_blocking(descriptor, True)
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)  # type: ignore[arg-type]
