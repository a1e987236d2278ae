"""Stop strings: texts that end a reply, found while it streams."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Passes text on up to the first stop string, holding back what may be the start of one."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.has_matched = False

    def push(self, text: str) -> str:
        """The part of the text so far that can be shown; sets ``has_matched`` at a stop string."""
        if self.has_matched or not text:
            return ""
        text = self._held + text
        starts = [start for stop in self._stop if (start := text.find(stop)) >= 0]
        if starts:
            self.has_matched, self._held = True, ""
            return text[: min(starts)]
        shown = len(text) - max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[shown:]
        return text[:shown]

    def flush(self) -> str:
        """The text still held back at the end of the reply."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """The length of the longest suffix of ``text`` that is a prefix of ``stop``."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
