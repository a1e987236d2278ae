"""Parses the bytes of an event stream into JSON objects, tolerating malformed streams."""

from __future__ import annotations

import json
from typing import Any

import orjson

DONE = b"[DONE]"


class EventReader:
    """Reads one stream. Comments, empty events and fields other than ``data`` are ignored.

    An object may be cut anywhere, lack ``data:``, or follow without an empty line. Bytes that are
    not UTF-8 become U+FFFD.
    """

    def __init__(self) -> None:
        self.is_done = False
        """Whether the server has said that nothing more comes."""
        self.unreadable = 0
        """How many events were no JSON objects."""
        self._rest = b""
        """The beginning of a line."""
        self._begun = b""
        """The beginning of an object that goes on in the next line of the same event."""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Feed the bytes that have arrived; returns the objects that they complete."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        return self._objects(lines)

    def finish(self) -> list[dict[str, Any]]:
        """Note the end of the stream; returns objects that no line end followed."""
        line, self._rest = self._rest, b""
        return self._objects([line, b""])

    def _objects(self, lines: list[bytes]) -> list[dict[str, Any]]:
        objects: list[dict[str, Any]] = []
        for line in lines:
            if self.is_done:
                break
            if line.startswith(b"data:"):
                payload = line[5:].strip()
            elif line.startswith(b"{"):
                payload = line.strip()
            else:
                self._end_event(line)
                continue
            if payload == DONE:
                self._end_event(b"")
                self.is_done = True
            elif payload:
                self._take(payload, objects)
        return objects

    def _take(self, payload: bytes, objects: list[dict[str, Any]]) -> None:
        whole = self._begun + payload
        value = parsed(whole)
        if isinstance(value, dict):
            objects.append(value)
            self._begun = b""
        elif self._begun and isinstance(value := parsed(payload), dict):
            self.unreadable += 1
            objects.append(value)
            self._begun = b""
        else:
            self._begun = whole

    def _end_event(self, line: bytes) -> None:
        """End an event at an empty line; an incomplete object in it counts as unreadable."""
        if self._begun and not line.strip():
            self.unreadable += 1
            self._begun = b""


def parsed(payload: bytes) -> Any:
    """The JSON value of some bytes, or None; its strings may hold lone surrogates."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
