"""The file of a discussion that grows: each entry is put into words once, not at every save.

Gives the very bytes of ``format.to_bytes``. At thousands of messages that is the difference
between a save that nobody notices and one that holds up the next turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from ..discussion import DiscussionRecord, Message
from . import format

_NO_LOGS, _NO_SILENCES = '\n  "logs": []', '\n    "silences": []'


class GrowingFile:
    """Turns one record after another into a file's content; remembers the entries' text."""

    def __init__(self) -> None:
        self._entries: tuple[Message, ...] = ()
        self._logs: list[bytes] = []
        self._silences: list[bytes] = []

    def parts(self, record: DiscussionRecord) -> Iterator[bytes]:
        """The content in pieces, to be written one after the other."""
        self._take(record.entries)
        # A key at this depth, after a line break of the layout: no text can look like it.
        frame = format.to_bytes(replace(record, entries=())).decode()
        start, _, rest = frame.partition(_NO_LOGS)
        middle, _, end = rest.partition(_NO_SILENCES)
        yield start.encode()
        yield from _listed("logs", self._logs, 2)
        yield middle.encode()
        yield from _listed("silences", self._silences, 4)
        yield end.encode()

    def _take(self, entries: tuple[Message, ...]) -> None:
        known = self._entries
        same = len(known)
        if entries[:same] != known:  # quick: tuples compare the same objects by identity
            same, self._logs, self._silences = 0, [], []
        for entry in entries[same:]:
            if entry.is_silence:
                silence = {"position": len(self._logs), **format.entry_to_json(entry)}
                self._silences.append(_indented(silence, 6))
            else:
                self._logs.append(_indented(format.entry_to_json(entry), 4))
        self._entries = entries


def _indented(value: object, spaces: int) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    margin = "\n" + " " * spaces  # line breaks of texts are written as \n: these are the layout's
    return (margin + text.replace("\n", margin)).encode("utf-8", errors="replace")


def _listed(key: str, values: list[bytes], spaces: int) -> Iterator[bytes]:
    margin = "\n" + " " * spaces
    yield f'{margin}"{key}": ['.encode()
    for number, value in enumerate(values):
        if number:
            yield b","
        yield value
    yield f"{margin}]".encode() if values else b"]"
