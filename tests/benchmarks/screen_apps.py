"""The two apps that ``tests.benchmarks.screen`` drives in a terminal.

    python -m tests.benchmarks.screen_apps laboratory|static [--json FILE]

Both know three keys: f5 opens many messages, f6 streams a reply, word by word, without end, f7
streams messages as fast as they are shown and then writes the figures of memory to FILE.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import tempfile
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Message
from syndisco_tui.session import LiveSession, Opened, Posted, ReplyGrew, ReplyStarted, Runner
from syndisco_tui.store.personas import shipped_personas
from syndisco_tui.store.setups import read_setup
from syndisco_tui.tui.laboratory.screen import Folders, Laboratory
from syndisco_tui.tui.shell import app as ui_app
from syndisco_tui.tui.shell.app import SyndiscoApp
from syndisco_tui.tui.shell.themes import read_themes
from syndisco_tui.workspace.folders import DEMONSTRATION, SHIPPED_PERSONAS, SHIPPED_THEMES
from tests.support.scripted_engine import ScriptedEngine

MANY = int(os.environ.get("MANY", "10000"))
STREAMED = int(os.environ.get("STREAMED", "50000"))
TOKENS_A_SECOND = 40
_SENTENCE = "the work from home is calm but we miss our friends and some days do not end at all"
WORDS = tuple(_SENTENCE.split(" "))
"""No q and no z among them: these letters are typed to see them appear."""


def text(chance: random.Random, words: int = 60) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words))


def messages(names: tuple[str, ...]) -> tuple[Message, ...]:
    chance = random.Random(0)
    return tuple(
        Message(names[number % len(names)], f"{text(chance)} #{number}", "user", number)
        for number in range(MANY)
    )


def memory() -> int:
    """Resident memory in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class LaboratoryApp(SyndiscoApp):
    """The real app, its session behind a scripted engine, with the three keys."""

    CSS_PATH = Path(ui_app.__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "open_many", show=False, priority=True),
        Binding("f6", "stream", show=False, priority=True),
        Binding("f7", "stream_many", show=False, priority=True),
    ]

    def __init__(
        self, laboratory: Laboratory, session: LiveSession, folders: Folders, file: Path | None
    ) -> None:
        themes, _ = read_themes(SHIPPED_THEMES)
        super().__init__(lambda: laboratory, folders=folders, themes=themes)
        self._session = session
        self._the_laboratory = laboratory
        self._file = file
        self._many = messages(laboratory.setup.names)
        gc.collect()
        gc.freeze()

    def _open(self, entries: tuple[Message, ...]) -> None:
        record = DiscussionRecord("id", "2026-01-01", self._the_laboratory.setup, entries)
        self._session.events.put(Opened(record, Path("many.json")))

    def action_open_many(self) -> None:
        self._the_laboratory.transcript.focus()
        self._open(self._many)

    def action_stream(self) -> None:
        self._the_laboratory.transcript.focus()
        self._session.start(self._the_laboratory.setup)

    async def action_stream_many(self) -> None:
        self.run_worker(self._stream_many())

    async def _stream_many(self) -> None:
        self._many = ()
        self._open(())
        chance = random.Random(1)
        figures = []
        names = self._the_laboratory.setup.names
        for number in range(STREAMED + 1):
            name = names[number % len(names)]
            said = text(chance)
            self._session.events.put(ReplyStarted(name, "user", number))
            self._session.events.put(ReplyGrew(name, said[:150], 30, 100, 40.0))
            self._session.events.put(Posted(Message(name, said, "user", number), 40.0))
            if number % 100 == 0:
                await asyncio.sleep(0)
                while not self._session.events.empty():
                    await asyncio.sleep(0.005)
            if number % 5000 == 0:
                figures.append({"messages": number, "bytes": memory()})
        if self._file:
            self._file.write_text(json.dumps(figures))


class StaticApp(App[None]):
    """What anyone would write first: a widget a message."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "open_many", show=False, priority=True),
        Binding("f6", "stream", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        yield VerticalScroll()
        yield Input()

    @property
    def pane(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)

    async def action_open_many(self) -> None:
        await self.pane.mount_all(
            Static(f"{message.name}\n{message.text}\n", markup=False)
            for message in messages(("Emma35", "Giannis"))
        )
        self.pane.focus()
        self.call_after_refresh(self.pane.scroll_end, animate=False)

    async def action_stream(self) -> None:
        self.query_one(Input).focus()
        self._chance = random.Random(2)
        await self._next_message()
        self.set_interval(1 / TOKENS_A_SECOND, self._next_word)

    async def _next_message(self) -> None:
        self._said = ""
        self._growing = Static("", markup=False)
        await self.pane.mount(self._growing)

    async def _next_word(self) -> None:
        self._said += f" {self._chance.choice(WORDS)}"
        self._growing.update(f"Emma35\n{self._said}\n")
        self.pane.scroll_end(animate=False)
        if len(self._said) > 600:
            await self._next_message()


def laboratory(file: Path | None) -> LaboratoryApp:
    chance = random.Random(3)
    replies = [text(chance, 120) for _ in range(50)]
    engine = ScriptedEngine(replies, delay=1 / TOKENS_A_SECOND)
    folder = Path(tempfile.mkdtemp())
    session = LiveSession(Runner(engine, folder))
    setup: DiscussionSetup = read_setup(DEMONSTRATION)
    setup = setup.model_copy(update={"conv_len": 200, "max_out_tokens": 200})
    personas = tuple(shipped_personas(SHIPPED_PERSONAS))
    folders = Folders.within(folder)
    lab = Laboratory(session, setup, personas, folders)
    return LaboratoryApp(lab, session, folders, file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("app", choices=["laboratory", "static"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    app = laboratory(options.json) if options.app == "laboratory" else StaticApp()
    app.run()
    if isinstance(app, SyndiscoApp) and app.crash:
        raise app.crash
    os._exit(0)
