"""The file of a discussion that grows: each entry is put into words once, not at every save.

Gives the very bytes of ``format.to_bytes``. What was saved before is taken over from the file it
stands in, so that neither time nor memory is spent on it. If that file is no longer as it was
written, everything is put into words anew.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..discussion import DiscussionRecord, Message
from ..discussion.participants import Speakers, speakers
from . import discussion_format as format

_NO_LOGS, _NO_SILENCES = '\n  "logs": []', '\n    "silences": []'
_AT_ONCE = 1 << 16


class GrowingFile:
    """Turns one record after another into a file's content."""

    def __init__(self) -> None:
        self._last: _Written | None = None
        self._next: _Written | None = None

    def parts(self, record: DiscussionRecord) -> Iterator[bytes]:
        """The content in pieces, to be written one after the other. Raises OSError."""
        self._next, entries = None, record.entries
        if self._last and not self._last.is_beginning_of(entries):
            self.close()
        last = self._last or _Written()
        new = entries[len(last.entries) :]
        # A key at this depth, after a line break of the layout: no text can look like it.
        spoke = speakers(new, last.spoke)
        frame = format.to_bytes(replace(record, entries=()), spoke).decode()
        start, _, rest = frame.partition(_NO_LOGS)
        middle, _, end = rest.partition(_NO_SILENCES)
        try:
            place = len(head := start.encode())
            yield head
            logs = yield from _listed("logs", 2, place, last.read(last.logs), _logs(new))
            yield (between := middle.encode())
            place = logs.stop + _end_length(logs, 2) + len(between)
            known, silences = last.read(last.silences), _silences(new, last.count)
            silent = yield from _listed("silences", 4, place, known, silences)
            yield (tail := end.encode())
        except OSError:
            self.close()  # whoever tries again takes nothing from there
            raise
        size = silent.stop + _end_length(silent, 4) + len(tail)
        count = last.count + sum(not entry.is_silence for entry in new)
        self._next = _Written(entries, count, spoke, logs, silent, size)

    def saved(self, path: Path) -> None:
        """All parts of the last record have become the file ``path``."""
        self.close()
        written, self._next = self._next, None
        if written is not None:
            with contextlib.suppress(OSError):  # then all is put into words again next time
                written.open(path)
                self._last = written

    def close(self) -> None:
        """Let the file go."""
        if self._last:
            self._last.close()
            self._last = None


@dataclass
class _Written:
    """A file that was written, and where its entries stand in it. At first there is none."""

    entries: Sequence[Message] = ()
    count: int = 0
    """How many entries are no silences."""
    spoke: Speakers = field(default_factory=dict)
    logs: range = range(0)
    silences: range = range(0)
    size: int = 0
    _descriptor: int = -1
    _stamp: tuple[int, int] = (0, 0)

    def open(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self._stamp = _stamp(self._descriptor)
        if self._stamp[0] != self.size:
            self.close()
            raise OSError(errno.EIO, "not as it was written", str(path))

    def close(self) -> None:
        os.close(self._descriptor)

    def is_beginning_of(self, entries: Sequence[Message]) -> bool:
        """Whether ``entries`` go on from here, and the file is still as it was written."""
        try:
            is_whole = _stamp(self._descriptor) == self._stamp
        except OSError:
            return False
        return is_whole and entries[: len(self.entries)] == self.entries

    def read(self, stretch: range) -> Iterator[bytes]:
        """What stands in a stretch of the file. Raises OSError."""
        place = stretch.start
        while place < stretch.stop:
            piece = os.pread(self._descriptor, min(_AT_ONCE, stretch.stop - place), place)
            if not piece:
                raise OSError(errno.EIO, "the saved file has become shorter")
            place += len(piece)
            yield piece


def _stamp(descriptor: int) -> tuple[int, int]:
    stat = os.fstat(descriptor)
    return stat.st_size, stat.st_mtime_ns


def _logs(entries: Iterable[Message]) -> Iterator[bytes]:
    return (_indented(format.entry_to_json(each), 4) for each in entries if not each.is_silence)


def _silences(entries: Iterable[Message], position: int) -> Iterator[bytes]:
    """``position`` is that of the first of the entries among what was said."""
    for entry in entries:
        if entry.is_silence:
            yield _indented({"position": position, **format.entry_to_json(entry)}, 6)
        else:
            position += 1


def _indented(value: object, spaces: int) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    margin = "\n" + " " * spaces  # line breaks of texts are written as \n: these are the layout's
    return (margin + text.replace("\n", margin)).encode("utf-8", errors="replace")


def _listed(
    key: str, spaces: int, place: int, known: Iterable[bytes], new: Iterable[bytes]
) -> Generator[bytes, None, range]:
    """A list that begins at ``place``. Returns where its values stand."""
    margin = "\n" + " " * spaces
    yield (head := f'{margin}"{key}": ['.encode())
    start = stop = place + len(head)
    for piece in known:
        stop += len(piece)
        yield piece
    for value in new:
        piece = b"," + value if stop > start else value
        stop += len(piece)
        yield piece
    yield f"{margin}]".encode() if stop > start else b"]"
    return range(start, stop)


def _end_length(values: range, spaces: int) -> int:
    return spaces + 2 if values else 1
