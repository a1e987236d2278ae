"""Looks at processes that are running: what their arguments say, for everybody to read."""

from __future__ import annotations

import threading
from pathlib import Path


class ArgumentsOfChildren:
    """While it lasts, the arguments of process ``pid`` and of all that come from it.

    ``lines`` are command lines, their parts separated by NUL, each once.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.lines: set[bytes] = set()
        self.looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> ArgumentsOfChildren:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.looks += 1
            for pid in self._family():
                try:
                    self.lines.add(Path(f"/proc/{pid}/cmdline").read_bytes())
                except OSError:  # it has gone meanwhile
                    continue
            if self._over.wait(0.03):
                return

    def _family(self) -> set[int]:
        parents: dict[int, int] = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(status.parent.name)] = int(fields[1])
        family, grew = {self._pid}, True
        while grew:
            more = {pid for pid, parent in parents.items() if parent in family} - family
            family |= more
            grew = bool(more)
        return family
