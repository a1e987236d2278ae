"""How many of many files are done, on standard error where somebody is watching."""

from __future__ import annotations

import sys
import time

from .printer import progress_bar

SHOWS_PER_SECOND = 10


class Counter:
    """Counts up to ``total``. Draws nothing where standard error is no terminal."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._is_watched = sys.stderr.isatty() and total > 1
        self._shown_at = 0.0

    def show(self, done: int) -> None:
        """``done`` of them are done."""
        now = time.monotonic()
        if self._is_watched and now - self._shown_at >= 1 / SHOWS_PER_SECOND:
            self._shown_at = now
            sys.stderr.write(f"\r\x1b[K{progress_bar(done, self._total)} {done} of {self._total}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Make room for a line."""
        if self._is_watched and self._shown_at:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
