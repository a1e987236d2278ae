"""The library: a summary of every saved discussion, and their words, kept between starts.

The files are the truth. What is kept (SQLite, in the cache folder) is what was read of each, by
its size and time of change; it can be thrown away at any moment.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..text import search_key
from .lock import has_writer
from .matching_line import matching_line
from .summary import Summary, summarize_file

LAYOUT = 5
"""Of the kept summaries, and how they are made; another one than this is thrown away."""
FIRST_SLICE = 60
"""Files looked at before the first of them are told of: a page of the list."""
SLICE_SECONDS = 0.1
PATIENCE = 1.0
"""Seconds to wait for another process that writes the cache."""


@dataclass(frozen=True)
class LibraryEntry:
    """One file of the library. ``has_writer``: a living process is writing it."""

    path: Path
    summary: Summary
    has_writer: bool = False


@dataclass(frozen=True)
class _File:
    name: str
    size: int
    changed: int
    is_locked: bool

    @property
    def stamp(self) -> tuple[int, int]:
        """Another one means another content."""
        return self.size, self.changed


class Library:
    """The discussions of ``folder``, with what is known of them kept in ``cache``.

    Every method may be called from any thread; the longer ones belong off the screen's.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder = folder
        self._cache = cache
        self._lock = threading.Lock()
        self._database = _opened(cache)
        self._is_closed = False
        self._read: dict[str, tuple[_File, Summary]] = {}

    def close(self) -> None:
        """Whatever is still under way on another thread finds nothing more."""
        with self._lock:
            self._is_closed = True
            self._database.close()

    def entries(self) -> Iterator[list[LibraryEntry]]:
        """Every discussion, newest first, in slices; those that are known come at once."""
        files = self._files()
        self._forget_others(file.name for file in files)
        is_new = any(file.name not in self._read for file in files)
        known = self._known(files) if is_new else {}
        before, self._read = self._read, {}
        slice_: list[LibraryEntry] = []
        fresh: list[tuple[_File, Summary, str]] = []
        told_at = 0.0
        for file in files:
            path = self._folder / file.name
            summary = _understood(known.get(file.name))
            if file.name in before and before[file.name][0].stamp == file.stamp:
                summary = before[file.name][1]
            if summary is None:
                summary, words = summarize_file(path)
                fresh.append((file, summary, words))
            self._read[file.name] = file, summary
            slice_.append(LibraryEntry(path, summary, file.is_locked and has_writer(path)))
            first_page = not told_at and len(slice_) == FIRST_SLICE
            if first_page or (told_at and time.monotonic() - told_at >= SLICE_SECONDS):
                self._keep(fresh)
                yield slice_
                slice_, fresh, told_at = [], [], time.monotonic()
        self._keep(fresh)
        yield slice_

    def ids(self) -> set[str]:
        """The ids of all that can be read: of a damaged one a whole copy may be imported."""
        return {
            entry.summary.id
            for slice_ in self.entries()
            for entry in slice_
            if entry.summary.status != "unreadable"
        }

    def matching(self, words: str) -> set[str] | None:
        """The names of the files in which every one of ``words`` occurs; None for no words.

        Words are looked for in titles, participants' names, models and all that was said.
        """
        wanted = search_key(words).split()
        if not wanted:
            return None
        where = " AND ".join("instr(words, ?)" for _ in wanted)
        query = f"SELECT name FROM words WHERE {where}"
        try:
            with self._lock:
                found = self._database.execute(query, [_as_bytes(word) for word in wanted])
                return {name for (name,) in found}
        except sqlite3.Error as error:
            self._mend(error)
            return set()

    def note_error(self, path: Path, error: str) -> LibraryEntry:
        """List ``path`` with ``fault`` until the file changes: it was tried, and not opened.

        Returns the entry that takes the place of the one in the list.
        """
        file = next((file for file in self._files() if file.name == path.name), None)
        summary, words = summarize_file(path)
        summary = replace(summary, status="unreadable", error=error.removeprefix(f"{path}: "))
        if file is not None:
            self._read[file.name] = file, summary
            self._keep([(file, summary, words)])
        return LibraryEntry(path, summary, has_writer(path))

    def matching_lines(self, names: Iterable[str], words: str) -> dict[str, str]:
        """Of each file the message in which most of ``words`` occur, if there is one."""
        lines: dict[str, str] = {}
        query = "SELECT text FROM words WHERE name = ?"
        for name in names:
            try:
                with self._lock:
                    row = self._database.execute(query, (name,)).fetchone()
            except sqlite3.Error as error:
                self._mend(error)
                break
            if row and (line := matching_line(row[0].decode(), words)):
                lines[name] = line
        return lines

    def changed_at(self) -> int:
        """Grows whenever a file of the folder is written, made or moved (nanoseconds)."""
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0

    # What is kept ------------------------------------------------------------------------------

    def _files(self) -> list[_File]:
        """The files there are; their names begin with the time."""
        files: list[_File] = []
        names: set[str] = set()
        with contextlib.suppress(OSError), os.scandir(self._folder) as found:
            for entry in found:
                names.add(entry.name)
                if entry.name.endswith(".json") and not entry.name.startswith("."):
                    with contextlib.suppress(OSError):
                        stat = entry.stat()
                        files.append(_File(entry.name, stat.st_size, stat.st_mtime_ns, False))
        files = [
            _File(file.name, file.size, file.changed, f".{file.name}.lock" in names)
            for file in files
        ]
        return sorted(files, key=lambda file: file.name, reverse=True)

    def _known(self, files: Sequence[_File]) -> dict[str, str]:
        """The kept summaries of those that have not changed since."""
        stamps = {file.name: file.stamp for file in files}
        try:
            with self._lock:
                rows = self._database.execute("SELECT name, size, changed, summary FROM summaries")
                return {name: text for name, *stamp, text in rows if stamps.get(name) == (*stamp,)}
        except sqlite3.Error as error:
            self._mend(error)
            return {}

    def _mend(self, error: sqlite3.Error) -> None:
        """Where what is kept is damaged, throw it away; that it is busy is no damage."""
        with self._lock:
            if self._is_closed or isinstance(error, sqlite3.OperationalError):
                return
            self._database.close()
            self._cache.unlink(missing_ok=True)
            self._database = _opened(self._cache)

    def _keep(self, fresh: Iterable[tuple[_File, Summary, str]]) -> None:
        rows = list(fresh)
        with self._lock, contextlib.suppress(sqlite3.Error), self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)",
                [
                    (file.name, file.size, file.changed, _as_bytes(summary.to_text()).decode())
                    for file, summary, _ in rows
                ],
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO words VALUES (?, ?, ?)",
                [
                    (file.name, _as_bytes(search_key(words)), _as_bytes(words))
                    for file, _, words in rows
                ],
            )

    def _forget_others(self, names: Iterable[str]) -> None:
        """What was deleted leaves nothing behind."""
        present = set(names)
        with self._lock, contextlib.suppress(sqlite3.Error), self._database:
            kept = {name for (name,) in self._database.execute("SELECT name FROM summaries")}
            gone = [(name,) for name in kept - present]
            for table in ("summaries", "words"):
                self._database.executemany(f"DELETE FROM {table} WHERE name = ?", gone)


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")


def _understood(text: str | None) -> Summary | None:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return Summary.from_text(text) if text else None
    return None


def _opened(cache: Path) -> sqlite3.Connection:
    """The kept summaries, or an empty memory where the file is of no use."""
    for _ in range(2):
        try:
            cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(cache, os.O_RDWR | os.O_CREAT, 0o600))
            return _prepared(sqlite3.connect(cache, timeout=PATIENCE, check_same_thread=False))
        except (sqlite3.OperationalError, OSError):
            break  # busy, or not to be had
        except sqlite3.DatabaseError:
            cache.unlink(missing_ok=True)
    return _prepared(sqlite3.connect(":memory:", check_same_thread=False))


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("PRAGMA synchronous = OFF")  # a torn file is found out and made again
    database.execute("PRAGMA secure_delete = ON")
    (layout,) = database.execute("PRAGMA user_version").fetchone()
    with database:
        if layout != LAYOUT:
            database.execute("DROP TABLE IF EXISTS summaries")
            database.execute("DROP TABLE IF EXISTS words")
            database.execute(
                "CREATE TABLE summaries "
                "(name TEXT PRIMARY KEY, size INTEGER, changed INTEGER, summary TEXT)"
            )
            database.execute("CREATE TABLE words (name TEXT PRIMARY KEY, words BLOB, text BLOB)")
            database.execute(f"PRAGMA user_version = {LAYOUT}")
    return database
