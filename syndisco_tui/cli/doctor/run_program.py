"""Asking another program, for a short time."""

from __future__ import annotations

import subprocess


def answer_of(*command: str, seconds: float = 2.0) -> str | None:
    """What ``command`` prints; None if it is not there, fails, or says nothing in time."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
