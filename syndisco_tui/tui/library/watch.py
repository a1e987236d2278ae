"""Lists every saved discussion, off the screen's thread, and then whatever has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event

from textual.message import Message

from ...workspace.folders import Folders
from ...workspace.library import Library, LibraryEntry

LOOKS_PER_SECOND = 1
LOOKS_UNASKED = 5
"""Looks after which the files are gone through though the folder looks unchanged: a process
that was killed changes nothing."""


LINES_SHOWN = 300
"""Discussions of which the matching line is looked up."""


class Listed(Message):
    """Discussions that are there; with ``is_all`` there are no others."""

    def __init__(self, entries: Sequence[LibraryEntry], *, is_all: bool, is_done: bool) -> None:
        super().__init__()
        self.entries = entries
        self.is_all = is_all
        self.is_done = is_done


class Matched(Message):
    """The files in which ``words`` occur; None is all of them.

    ``lines`` holds of the newest of them, by name, the message that matched.
    """

    def __init__(
        self, words: str, names: set[str] | None, lines: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.words = words
        self.names = names
        self.lines = lines or {}


class LibraryWatch:
    """Watches the library of ``folders``; ``tell`` may be called on any thread."""

    def __init__(self, folders: Folders, tell: Callable[[Message], object]) -> None:
        self._folders = folders
        self._tell = tell
        self._library: Library | None = None
        self._left = Event()
        self._look_requested = Event()

    @property
    def has_begun(self) -> bool:
        """Whether there is something to search in."""
        return self._library is not None

    @property
    def is_left(self) -> bool:
        return self._left.is_set()

    def look_soon(self) -> None:
        """A file has changed: do not wait until that is noticed."""
        self._look_requested.set()

    def leave(self) -> None:
        """End soon."""
        self._left.set()
        self._look_requested.set()

    def watch(self) -> None:
        """List everything, then whatever has changed, until it is left."""
        library = self._library = Library(self._folders.discussions, self._folders.library_cache)
        try:
            self._watch(library)
        finally:
            library.close()

    def _watch(self, library: Library) -> None:
        changed_at = library.changed_at()
        before: list[LibraryEntry] = []
        for slice_ in library.entries():
            before += slice_
            self._tell(Listed(slice_, is_all=False, is_done=False))
            if self.is_left:
                break
        self._tell(Listed((), is_all=False, is_done=True))
        looks = 0
        while not self.is_left:
            is_requested = self._look_requested.wait(1 / LOOKS_PER_SECOND)
            self._look_requested.clear()
            looks += 1
            latest = library.changed_at()
            if is_requested or latest != changed_at or looks >= LOOKS_UNASKED:
                changed_at, looks = latest, 0
                entries = [entry for slice_ in library.entries() for entry in slice_]
                if entries != before:
                    before = entries
                    self._tell(Listed(entries, is_all=True, is_done=True))

    def search(self, words: str) -> None:
        """Tell which files have all of ``words``."""
        library = self._library
        names = library.matching(words) if library else None
        newest = sorted(names or (), reverse=True)[:LINES_SHOWN]
        lines = library.matching_lines(newest, words) if library else {}
        self._tell(Matched(words, names, lines))
