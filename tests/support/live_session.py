"""A live session with the scripted engine, and all that was heard of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any, TypeVar

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Persona
from syndisco_tui.engine.base import GenerationRequest
from syndisco_tui.session import (
    LiveSession,
    Phase,
    Posted,
    Runner,
    SessionEvent,
    StateChanged,
)
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.scripted_engine import ScriptedEngine

Event = TypeVar("Event", bound=SessionEvent)

SETUP = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")),
    conv_len=4,
    seed=7,
    model="scripted",
)
SLOW = 0.03
"""Seconds a word: there is time to interfere with a reply."""


def changed(**fields: Any) -> DiscussionSetup:
    return SETUP.model_copy(update=fields)


def seed_as_reply(request: GenerationRequest) -> str:
    """A reply that tells whether the request was the same."""
    return f"I drew {request.seed} after {len(request.chat)} turns"


class Live:
    """A session and all that was heard of it."""

    def __init__(self, engine: ScriptedEngine, folder: Path, **options: Any) -> None:
        self.engine = engine
        self.folder = folder
        self.session = LiveSession(Runner(engine, folder, **options))
        self.heard: list[SessionEvent] = []

    def until(
        self,
        kind: type[Event],
        where: Callable[[Event], bool] = lambda _: True,
        *,
        within: float = 5,
    ) -> Event:
        """The next event of this kind."""
        deadline = time.monotonic() + within
        while True:
            try:
                event = self.session.events.get(timeout=max(0, deadline - time.monotonic()))
            except Empty:
                pytest.fail(f"no {kind.__name__} after {self.heard[-3:]}")
            self.heard.append(event)
            if isinstance(event, kind) and where(event):
                return event

    def until_state(self, state: Phase) -> StateChanged:
        return self.until(StateChanged, lambda event: event.state == state and not event.pausing)

    def quiet(self, seconds: float = 0.15) -> bool:
        """Whether nothing more is said, or asked of the engine, for a while."""
        asked = len(self.engine.requests)
        time.sleep(seconds)
        return self.session.events.empty() and len(self.engine.requests) == asked

    def all(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.heard if isinstance(event, kind)]

    def texts(self) -> list[str]:
        return [event.message.text for event in self.all(Posted)]

    @property
    def path(self) -> Path:
        return discussion_files(self.folder)[0]

    @property
    def record(self) -> DiscussionRecord:
        """What the newest file holds."""
        return read_discussion(self.path)


Begin = Callable[..., Live]
