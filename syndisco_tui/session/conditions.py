"""What stays wrong for a while, and when it is over: said once each."""

from __future__ import annotations

import shutil
from pathlib import Path

from .events import Cause, Condition, Tell

LOW_SPACE = 500_000_000
"""Bytes free on the disk below which it is said."""


class Conditions:
    """Tells of each cause when its sentence changes."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._said: dict[Cause, Condition] = {}

    def say(self, cause: Cause, sentence: str, where: str = "") -> None:
        """From now on ``sentence`` holds; an empty one: no longer."""
        condition = Condition(cause, sentence, where if sentence else "")
        if self._said.get(cause, Condition(cause, "")) != condition:
            self._said[cause] = condition
            self._tell(condition)

    def over(self, cause: Cause) -> None:
        self.say(cause, "")


def low_space(folder: Path) -> str:
    """A sentence where the disk of ``folder`` is nearly full, else nothing."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # saving will say it better
        return ""
    if free >= LOW_SPACE:
        return ""
    return f"Only {free / 1e6:.0f} MB are free where discussions are saved: make room."
