"""The last line of a terminal, written over again and again: how far something has come."""

from __future__ import annotations

import os
import time
import unicodedata
from typing import TextIO

from ..workspace.terminals import can_rewrite_lines

BAR_WIDTH = 20
_CLEAR = "\r\x1b[K"


class StatusLine:
    """Draws on ``stream`` where that is a terminal which can, and does nothing elsewhere.

    ``interval``: seconds between two drawings, at least.
    """

    def __init__(self, stream: TextIO, *, interval: float = 0.0) -> None:
        self.is_shown = can_rewrite_lines(stream)
        self._stream = stream
        self._interval = interval
        self._drawn_at = 0.0
        self._is_drawn = False

    def show(self, text: str) -> None:
        """Put ``text`` in the place of the last one, cut to the terminal's width."""
        now = time.monotonic()
        if self.is_shown and now - self._drawn_at >= self._interval:
            self._drawn_at, self._is_drawn = now, True
            self._stream.write(f"{_CLEAR}{self._clipped(text)}")
            self._stream.flush()

    def clear(self) -> None:
        """Make room for a line."""
        if self._is_drawn:
            self._is_drawn = False
            self._stream.write(_CLEAR)
            self._stream.flush()

    def _clipped(self, text: str) -> str:
        """A line that wraps could not be written over."""
        try:
            room = os.get_terminal_size(self._stream.fileno()).columns - 1
        except (OSError, ValueError):
            return text
        if room <= 0:
            return text
        for end, character in enumerate(text):
            room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
            if room < 0:
                return text[:end]
        return text


def progress_bar(done: float, total: float) -> str:
    """A bar of ``BAR_WIDTH`` characters."""
    filled = round(BAR_WIDTH * min(1.0, done / total)) if total else 0
    return f"{'━' * filled}{'╌' * (BAR_WIDTH - filled)}"
