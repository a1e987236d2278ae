"""How many of many files are done, on standard error where somebody is watching."""

from __future__ import annotations

import sys

from .status_line import StatusLine, progress_bar

SHOWS_PER_SECOND = 10


class Counter:
    """Counts up to ``total``. Draws nothing for one alone."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._line = StatusLine(sys.stderr, interval=1 / SHOWS_PER_SECOND)

    def show(self, done: int) -> None:
        """``done`` of them are done."""
        if self._total > 1:
            self._line.show(f"{progress_bar(done, self._total)} {done} of {self._total}")

    def clear(self) -> None:
        """Make room for a line."""
        self._line.clear()
