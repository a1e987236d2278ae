"""The library: a summary of every saved discussion, with their words to search, cached.

The files are the truth. The cache holds what was read of each, with its size and time of change,
and can be deleted at any moment.
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
from typing import Any

from ..text import search_key
from .lock import has_writer
from .matching_line import matching_line
from .summary import Summary, summarize_file

CACHE_VERSION = 7
"""Of the tables and of what summaries hold; a cache of another version is deleted."""
FIRST_SLICE = 60
"""Entries in the first slice of the list: a page."""
SLICE_SECONDS = 0.1
BUSY_SECONDS = 1.0
"""How long to wait for another process that writes the cache."""

_TABLES = """
DROP TABLE IF EXISTS summaries;
DROP TABLE IF EXISTS words;
CREATE TABLE summaries (name TEXT PRIMARY KEY, size INTEGER, changed INTEGER, summary TEXT);
CREATE TABLE words (name TEXT PRIMARY KEY, words BLOB, text BLOB);
"""


@dataclass(frozen=True)
class LibraryEntry:
    """A file of the library. ``has_writer``: a running process is writing it."""

    path: Path
    summary: Summary
    has_writer: bool = False


@dataclass(frozen=True)
class _File:
    name: str
    size: int
    changed: int
    """Nanoseconds."""
    is_locked: bool

    @property
    def stamp(self) -> tuple[int, int]:
        """Differs if the content differs."""
        return self.size, self.changed


_Summarized = tuple[_File, Summary, str]
"""A file, its summary and its words."""


class Library:
    """The discussions in ``folder``, with what was read of them cached in the file ``cache``.

    Every method may be called from any thread; those that read many files take seconds.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder = folder
        self._cache = cache
        self._lock = threading.Lock()
        self._database = _opened(cache)
        self._is_closed = False
        self._read: dict[str, tuple[_File, Summary]] = {}

    def close(self) -> None:
        """Close the cache. Calls that still run on other threads return without results."""
        with self._lock:
            self._is_closed = True
            self._database.close()

    def entries(self) -> Iterator[list[LibraryEntry]]:
        """Every discussion, newest first, in slices that come as soon as their files are read."""
        files = self._files()
        self._forget_all_but({file.name for file in files})
        has_new_files = any(file.name not in self._read for file in files)
        cached = self._cached_summaries(files) if has_new_files else {}
        previous, self._read = self._read, {}
        entries: list[LibraryEntry] = []
        unsaved: list[_Summarized] = []
        slice_at = 0.0
        for file in files:
            path = self._folder / file.name
            summary = _parsed(cached.get(file.name))
            if file.name in previous and previous[file.name][0].stamp == file.stamp:
                summary = previous[file.name][1]
            if summary is None:
                summary, words = summarize_file(path)
                unsaved.append((file, summary, words))
            self._read[file.name] = file, summary
            entries.append(LibraryEntry(path, summary, file.is_locked and has_writer(path)))
            is_page = not slice_at and len(entries) == FIRST_SLICE
            if is_page or (slice_at and time.monotonic() - slice_at >= SLICE_SECONDS):
                self._save(unsaved)
                yield entries
                entries, unsaved, slice_at = [], [], time.monotonic()
        self._save(unsaved)
        yield entries

    def ids(self) -> set[str]:
        """The ids of all readable discussions."""
        return {
            entry.summary.id
            for entries in self.entries()
            for entry in entries
            if entry.summary.status != "unreadable"
        }

    def matching(self, words: str) -> set[str] | None:
        """The names of the files that contain all of ``words``; None if there are no words.

        Titles, participants' names, models and all messages are searched.
        """
        terms = search_key(words).split()
        if not terms:
            return None
        condition = " AND ".join("instr(words, ?)" for _ in terms)
        query = f"SELECT name FROM words WHERE {condition}"
        return {name for (name,) in self._query(query, [_utf_8(term) for term in terms])}

    def matching_lines(self, names: Iterable[str], words: str) -> dict[str, str]:
        """By file name, the message that contains most of ``words``."""
        lines: dict[str, str] = {}
        for name in names:
            for (text,) in self._query("SELECT text FROM words WHERE name = ?", [name]):
                if line := matching_line(text.decode(), words):
                    lines[name] = line
        return lines

    def note_error(self, path: Path, error: str) -> LibraryEntry:
        """List ``path`` as unreadable until the file changes, because opening it failed.

        Returns its new entry.
        """
        file = next((file for file in self._files() if file.name == path.name), None)
        summary, words = summarize_file(path)
        summary = replace(summary, status="unreadable", error=error.removeprefix(f"{path}: "))
        if file is not None:
            self._read[file.name] = file, summary
            self._save([(file, summary, words)])
        return LibraryEntry(path, summary, has_writer(path))

    def changed_at(self) -> int:
        """Grows whenever a file in the folder is written, created or moved (nanoseconds)."""
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0

    def _files(self) -> list[_File]:
        """The discussion files, newest first: their names begin with the time."""
        files: list[_File] = []
        try:
            with os.scandir(self._folder) as scan:
                entries_by_name = {entry.name: entry for entry in scan}
        except OSError:
            return []
        for name in sorted(entries_by_name, reverse=True):
            if name.endswith(".json") and not name.startswith("."):
                with contextlib.suppress(OSError):
                    stat = entries_by_name[name].stat()
                    is_locked = f".{name}.lock" in entries_by_name
                    files.append(_File(name, stat.st_size, stat.st_mtime_ns, is_locked))
        return files

    # The cache ---------------------------------------------------------------------------------

    def _query(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query; none if the cache is damaged, which is then created anew."""
        try:
            with self._lock:
                return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            with self._lock:
                is_busy = isinstance(error, sqlite3.OperationalError)
                if not self._is_closed and not is_busy:
                    self._database.close()
                    self._cache.unlink(missing_ok=True)
                    self._database = _opened(self._cache)
            return []

    def _cached_summaries(self, files: Sequence[_File]) -> dict[str, str]:
        """The summaries of files that have not changed since."""
        stamps = {file.name: file.stamp for file in files}
        rows = self._query("SELECT name, size, changed, summary FROM summaries")
        return {
            str(name): str(summary)
            for name, *stamp, summary in rows
            if stamps.get(str(name)) == tuple(stamp)
        }

    def _save(self, summarized: Sequence[_Summarized]) -> None:
        summaries = [
            (file.name, *file.stamp, _utf_8(summary.to_text()).decode())
            for file, summary, _ in summarized
        ]
        words = [
            (file.name, _utf_8(search_key(text)), _utf_8(text)) for file, _, text in summarized
        ]
        with self._lock, contextlib.suppress(sqlite3.Error), self._database:
            insert = "INSERT OR REPLACE INTO"
            self._database.executemany(f"{insert} summaries VALUES (?, ?, ?, ?)", summaries)
            self._database.executemany(f"{insert} words VALUES (?, ?, ?)", words)

    def _forget_all_but(self, names: set[str]) -> None:
        """Leave nothing of deleted files in the cache."""
        with self._lock, contextlib.suppress(sqlite3.Error), self._database:
            cached = {name for (name,) in self._database.execute("SELECT name FROM summaries")}
            deleted = [(name,) for name in cached - names]
            for table in ("summaries", "words"):
                self._database.executemany(f"DELETE FROM {table} WHERE name = ?", deleted)


def _utf_8(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")


def _parsed(summary: str | None) -> Summary | None:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return Summary.from_text(summary) if summary else None
    return None


def _opened(cache: Path) -> sqlite3.Connection:
    """The cache's database; one in memory if the file cannot be used."""
    for _ in range(2):
        try:
            cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(cache, os.O_RDWR | os.O_CREAT, 0o600))
            return _prepared(sqlite3.connect(cache, timeout=BUSY_SECONDS, check_same_thread=False))
        except (sqlite3.OperationalError, OSError):
            break  # busy, or not writable
        except sqlite3.DatabaseError:
            cache.unlink(missing_ok=True)
    return _prepared(sqlite3.connect(":memory:", check_same_thread=False))


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("PRAGMA synchronous = OFF")  # a torn file is detected and created anew
    database.execute("PRAGMA secure_delete = ON")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != CACHE_VERSION:
        database.executescript(f"BEGIN;{_TABLES}PRAGMA user_version = {CACHE_VERSION};COMMIT;")
    return database
