"""The laboratory on a fake terminal, with the scripted engine behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from syndisco_tui import paths
from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Persona
from syndisco_tui.session import LiveSession, State
from syndisco_tui.session.last_model import LastModelFile
from syndisco_tui.session.live import SILENCE
from syndisco_tui.store.discussions import newest_first, read_discussion
from syndisco_tui.store.personas import shipped_personas
from syndisco_tui.store.setups import read_setup
from syndisco_tui.ui.app import SyndiscoApp
from syndisco_tui.ui.places import Places
from syndisco_tui.ui.preferences import Preferences
from syndisco_tui.ui.screens.laboratory import Laboratory
from syndisco_tui.ui.themes import read_themes
from tests.scripted_engine import ScriptedEngine

REPLIES = (
    "Working from home gave me back two hours a day, but the evenings blur into work.",
    "Thank you both. Giannis, what would help you stop in the evening?",
    '""',
    "A closed door helps. When my shift ends I walk around the block, and the work is over.",
)


@dataclass
class Bench:
    """A running app and all that a test looks at."""

    app: SyndiscoApp
    laboratory: Laboratory
    pilot: Pilot[int]
    engine: ScriptedEngine
    session: LiveSession
    places: Places

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """All letters at once, as a terminal brings them that were typed ahead."""
        for letter in text:
            key = letter if letter.isalnum() else _character_to_key(letter)
            self.app.post_message(Key(key, letter))
        await self.pilot.pause()
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait for something to become true; fail with the screen's text if it does not."""
        for _ in range(int(seconds / 0.02)):
            if condition():
                await self.pilot.pause()
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"it did not come true; the screen shows:\n{self.text()}")

    async def run_until_somebody_speaks(self) -> None:
        """The reply in the making grows no further until ``engine.may_speak`` is set."""
        self.engine.may_speak.clear()
        await self.press("r")
        await self.until(lambda: "▌" in self.text())

    async def until_state(self, state: State) -> None:
        await self.until(lambda: self.laboratory.status.figures.state == state)

    def text(self) -> str:
        """The screen as plain text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def records(self) -> list[DiscussionRecord]:
        """What is on disk, newest first."""
        return [read_discussion(path) for path in newest_first(self.places.discussions)]

    def toasts(self) -> str:
        return "\n".join(str(notification.message) for notification in self.app._notifications)


OpenBench = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture(autouse=True)
def many_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake terminal is the same wherever the tests run; a test may take its colours away."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dates are shown in local time; here that is the same everywhere."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def demonstration() -> DiscussionSetup:
    return read_setup(paths.shipped_personas_folder() / "demonstration.toml")


@pytest.fixture
def bench(tmp_path: Path, demonstration: DiscussionSetup) -> OpenBench:
    """Opens the laboratory; what it saves stays in the test's own folder."""

    @asynccontextmanager
    async def opened(
        size: tuple[int, int] = (120, 40),
        *,
        setup: DiscussionSetup = demonstration,
        replies: tuple[str, ...] = REPLIES,
        delay: float = 0.0,
        start: bool = False,
        theme: str = "lamplight",
        personas: tuple[Persona, ...] | None = None,
        settings: str = "",
        flags: dict[str, object] | None = None,
        environment: dict[str, str] | None = None,
        silence: float = SILENCE,
        engine: ScriptedEngine | None = None,
        preload: bool = False,
    ) -> AsyncIterator[Bench]:
        places = Places(tmp_path / "discussions", tmp_path / "personas.json", tmp_path / "setups")
        places.discussions.mkdir(exist_ok=True)
        places.setups.mkdir(exist_ok=True)
        engine = engine or ScriptedEngine(replies, delay=delay)
        session = LiveSession(
            engine,
            places.discussions,
            silence=silence,
            last_model=LastModelFile(lambda: tmp_path / "last-model.json"),
        )
        if personas is None:
            personas = tuple(shipped_personas(paths.shipped_personas_folder()))
        laboratory = Laboratory(session, setup, personas, places, start=start, preload=preload)
        themes, faults = read_themes(paths.shipped_themes_folder())
        assert not faults
        file = tmp_path / "settings.toml"
        if settings:
            file.write_text(settings)
        preferences = Preferences(file, flags, environment or {})
        app = SyndiscoApp(lambda: laboratory, themes=themes, theme=theme, preferences=preferences)
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            yield Bench(app, laboratory, pilot, engine, session, places)
        session.close()
        engine.close()
        assert app.crash is None

    return opened
