"""Looks at every frame that the app would send to a terminal."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.widgets import Input, TextArea

from tests.support.hostile_text import forbidden

_SCROLLING = {"grab", "scroll_up", "scroll_down"}
"""What clicks on the parts of a scroll bar mean."""


class Frames:
    """What was wrong with the frames so far, and what they showed."""

    def __init__(self) -> None:
        self.count = 0
        self.faults: list[str] = []
        self._seen: set[tuple[str, object]] = set()
        self.actions: list[str] = []
        self.slowest: dict[str, float] = {}
        """Seconds of computing that the slowest layout or drawing of each screen took.

        Of this thread's computing: a machine that does other things as well changes little.
        """

    @property
    def shown(self) -> str:
        """All that was seen so far."""
        return "\n".join(text for text, _ in self._seen)

    def look(self, segments: Iterator[Segment], *, edited: bool) -> None:
        for text, style, control in segments:
            if (text, style) in self._seen:
                continue
            self._seen.add((text, style))
            if control:
                self.faults.append(f"a control segment: {control!r}")
            if found := forbidden(text, edited=edited):
                self.faults.append(f"{', '.join(found)} in {text[:80]!r}")
            if style and style.link:
                self.faults.append(f"a link to {style.link!r} in {text[:80]!r}")
            meta = style.meta if style else {}
            acting = {key: what for key, what in meta.items() if key.startswith("@")}
            if set(acting.values()) - _SCROLLING:
                self.faults.append(f"{acting!r} in {text[:80]!r}")


MEASURED: dict[tuple[str, str], float] = {}
"""Test and screen: the slowest layout or drawing, in seconds; of a test that is run again, the
fastest counts."""


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Frames]:
    """All frames of all apps, while it lasts."""
    frames = Frames()
    gc.collect()
    gc.freeze()  # as the app does: what other tests have left is not walked in the midst of a frame

    def display(app: App[Any], screen: Screen[Any], update: object) -> None:
        if isinstance(update, LayoutUpdate):
            strips = [strip for line in update.strips for strip in line]
        elif isinstance(update, ChopsUpdate):
            strips = [strip for chop in update.chops for strip in chop.values() if strip]
        else:
            assert update is None, f"an update that is not looked at: {update!r}"
            return
        frames.count += 1
        edited = any(isinstance(each, Input | TextArea) for each in screen.query("*"))
        frames.look((segment for strip in strips for segment in strip), edited=edited)

    def timed(name: str) -> None:
        original = getattr(Screen, name)

        def wrapper(screen: Screen[Any], *arguments: Any, **options: Any) -> Any:
            began = time.thread_time()
            try:
                return original(screen, *arguments, **options)
            finally:
                taken = time.thread_time() - began
                where = f"{type(screen).__name__}.{name}"
                frames.slowest[where] = max(taken, frames.slowest.get(where, 0.0))

        monkeypatch.setattr(Screen, name, wrapper)

    timed("_compositor_refresh")
    timed("_refresh_layout")
    monkeypatch.setattr(App, "_display", display)
    monkeypatch.setattr(
        App, "action_hostile", lambda *_: frames.actions.append("hostile"), raising=False
    )
    yield frames
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2].partition(" ")[0]
    for where, seconds in frames.slowest.items():
        MEASURED[test, where] = min(seconds, MEASURED.get((test, where), seconds))
