"""The laboratory on a fake terminal: what tests press, and what they see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from syndisco_tui.discussion import DiscussionRecord
from syndisco_tui.session import LiveSession, Phase
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.tui.laboratory.screen import Laboratory
from syndisco_tui.tui.shell.app import SyndiscoApp
from syndisco_tui.workspace.folders import Folders
from syndisco_tui.workspace.settings import Settings
from tests.support.scripted_engine import ScriptedEngine

SIZES = [(120, 40), (80, 24), (60, 20)]
"""Columns and lines: roomy, usual, small."""
TINY = [(1, 1), (20, 5)]
"""Sizes that nothing fits into."""

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
    folders: Folders

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def press_ahead(self, *keys: str) -> None:
        """All keys at once; what they do is drawn once."""
        for key in keys:
            letter = key if len(key) == 1 else None
            self.app.post_message(Key(key, letter))
        await self.pilot.pause()
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

    async def until_state(self, state: Phase) -> None:
        await self.until(lambda: self.laboratory.view.phase == state)

    def text(self) -> str:
        """The screen as plain text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def records(self) -> list[DiscussionRecord]:
        """What is on disk, newest first."""
        return [read_discussion(path) for path in discussion_files(self.folders.discussions)]

    def toasts(self) -> str:
        return "\n".join(str(notification.message) for notification in self.app._notifications)


OpenBench = Callable[..., AbstractAsyncContextManager[Bench]]


async def finished(at: Bench) -> None:
    await at.press("r")
    await at.until_state("finished")
    await at.press("3")
    await at.until(lambda: at.app.focused is at.laboratory.transcript)


def at_setting(key: str) -> list[str]:
    """The keys that lead to a setting's row."""
    return ["comma", *["down"] * list(Settings.model_fields).index(key)]


def line_of(at: Bench, title: str) -> str:
    """The line of the screen that holds ``title``."""
    return next(line for line in at.text().splitlines() if f" {title} " in line)
