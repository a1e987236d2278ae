"""Theme files are looked at once a second, on a thread of its own, and read when they change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from textual.message import Message
from textual.theme import Theme

from .themes import read_themes

SECONDS = 1.0

Stamps = dict[Path, tuple[int, int]]


class ThemesRead(Message):
    """Themes were read again: all of them, and a sentence for each faulty file that is new."""

    def __init__(self, themes: list[Theme], faults: list[str]) -> None:
        super().__init__()
        self.themes = themes
        self.faults = faults


class ThemeWatch:
    """Watches ``folders`` and tells when a theme in them was written, added or removed."""

    def __init__(
        self,
        folders: Iterable[Path],
        tell: Callable[[ThemesRead], object],
        seconds: float = SECONDS,
    ) -> None:
        self._folders = tuple(folders)
        self._tell = tell
        self._seconds = seconds
        self._stopped = threading.Event()
        self._stamps = self._look()

    def start(self) -> None:
        threading.Thread(target=self._watch, name="themes", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(self._seconds):
            before, self._stamps = self._stamps, self._look()
            written = {path for path, stamp in self._stamps.items() if before.get(path) != stamp}
            if self._stamps != before:
                themes, faults = read_themes(*self._folders)
                new = [fault for fault in faults if any(_is_about(fault, p) for p in written)]
                if not self._stopped.is_set():
                    self._tell(ThemesRead(themes, new))

    def _look(self) -> Stamps:
        """Every theme file's time of change, in nanoseconds, and size."""
        stamps: Stamps = {}
        for folder in self._folders:
            for path in folder.glob("*.toml"):
                try:
                    status = path.stat()
                except OSError:  # it was removed meanwhile
                    continue
                stamps[path] = (status.st_mtime_ns, status.st_size)
        return stamps


def _is_about(fault: str, path: Path) -> bool:
    return fault.startswith(f"{path}:")
