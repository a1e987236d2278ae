"""Lines to those who read along: what is being done goes on though nobody does."""

from __future__ import annotations

import os
from io import TextIOWrapper
from typing import TextIO


def forgive_encoding(*streams: TextIO) -> None:
    """A model says what no terminal's encoding foresaw: a question mark is better than an end."""
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def tell(line: str, stream: TextIO) -> None:
    """Print a line. Where its reader has gone, it and all that follow go nowhere."""
    try:
        print(line, file=stream, flush=True)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
