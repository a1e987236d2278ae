"""What the terminal can do: draw a screen, or at least write over a line."""

from __future__ import annotations

import os
from typing import TextIO

UNABLE = ("dumb", "unknown")
"""Values of ``TERM`` with which nothing can be drawn."""


def is_unable() -> bool:
    """Whether ``TERM`` names a terminal that obeys no escape sequence."""
    return os.environ.get("TERM", "").lower() in UNABLE


def can_rewrite_lines(stream: TextIO) -> bool:
    """Whether what is written to ``stream`` may move the cursor back: no file, no dumb terminal."""
    return stream.isatty() and not is_unable()
