"""The real app on a fake terminal, over the tests' scripted engine: keys in, pictures out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.session import LiveSession, Phase, Runner
from syndisco_tui.store.personas import shipped_personas
from syndisco_tui.tui.laboratory.screen import Laboratory
from syndisco_tui.tui.shell.app import SyndiscoApp
from syndisco_tui.tui.shell.themes import read_themes
from syndisco_tui.workspace.folders import SHIPPED_PERSONAS, SHIPPED_THEMES, Folders
from syndisco_tui.workspace.settings import UserSettings
from tests.support.scripted_engine import ScriptedEngine

BEGIN = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)


class Clock:
    """Seven seconds pass between two looks at it."""

    def __init__(self) -> None:
        self._now = BEGIN

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=7)
        return self._now


class Studio:
    """An app, the keys that are pressed in it, and pictures of it."""

    def __init__(
        self, pilot: Pilot[int], laboratory: Laboratory, session: LiveSession, folders: Folders
    ) -> None:
        self.pilot = pilot
        self.laboratory = laboratory
        self.session = session
        self.folders = folders

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause(0.1)

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(1500):
            if condition():
                return
            await asyncio.sleep(0.02)
        raise TimeoutError("the app does not come to where a picture is to be taken")

    def shows(self, phase: Phase, messages: int) -> bool:
        """Whether the laboratory is in ``phase`` with so many messages, silences included."""
        lines = self.laboratory.transcript.lines
        return self.laboratory.view.phase == phase and len(lines.entries) == messages

    async def until_shown(self, phase: Phase, messages: int) -> None:
        await self.until(lambda: self.shows(phase, messages))

    def speaks(self, name: str, turn: int, tokens: int = 0) -> bool:
        """Whether ``name`` has generated so many tokens in a turn."""
        view = self.laboratory.view
        speaking = view.speaking
        is_speaking = speaking is not None and (speaking.name, speaking.turn) == (name, turn)
        return is_speaking and view.reply_tokens >= tokens

    def picture(self) -> str:
        """What the terminal shows, as SVG."""
        svg = self.pilot.app.export_screenshot(title="syndisco-tui")
        # some renderers would drop the spaces that a run of text begins with
        return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)


def personas_by_name() -> dict[str, Persona]:
    return {persona.name: persona for persona in shipped_personas(SHIPPED_PERSONAS)}


@asynccontextmanager
async def studio(
    folder: Path,
    engine: ScriptedEngine,
    setup: DiscussionSetup,
    personas: tuple[Persona, ...],
    size: tuple[int, int],
) -> AsyncIterator[Studio]:
    """The app in a terminal of ``size``, its files in ``folder``; ``personas`` are in its list."""
    folders = Folders.within(folder)
    folders.discussions.mkdir()
    session = LiveSession(Runner(engine, folders.discussions, clock=Clock()))
    laboratory = Laboratory(session, setup, personas, folders)
    themes, _ = read_themes(SHIPPED_THEMES)
    app = SyndiscoApp(
        lambda: laboratory,
        folders=folders,
        themes=themes,
        theme="lamplight",
        user_settings=UserSettings(folder / "settings.toml"),
    )
    async with app.run_test(size=size) as pilot:
        yield Studio(pilot, laboratory, session, folders)
    session.close()
    engine.close()
