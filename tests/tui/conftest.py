"""The laboratory on a fake terminal, with the scripted engine behind it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.session import LiveSession, Runner
from syndisco_tui.session.last_model import LastModelFile
from syndisco_tui.session.runner import SILENCE
from syndisco_tui.store.personas import shipped_personas
from syndisco_tui.store.setups import read_setup
from syndisco_tui.tui.laboratory.screen import Laboratory
from syndisco_tui.tui.shell.app import SyndiscoApp
from syndisco_tui.tui.shell.themes import read_themes
from syndisco_tui.workspace.folders import DEMONSTRATION, SHIPPED_PERSONAS, SHIPPED_THEMES, Folders
from syndisco_tui.workspace.settings import UserSettings
from syndisco_tui.workspace.setups import LastSetup
from tests.support.bench import REPLIES, Bench, OpenBench
from tests.support.quick_pilot import make_pilot_quick
from tests.support.scripted_engine import ScriptedEngine


@pytest.fixture(autouse=True)
def many_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake terminal is the same wherever the tests run; a test may take its colours away."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def quick_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    make_pilot_quick(monkeypatch)


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
    return read_setup(DEMONSTRATION)


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
        keeps_setup: bool = False,
    ) -> AsyncIterator[Bench]:
        folders = Folders.within(tmp_path)
        folders.discussions.mkdir(exist_ok=True)
        folders.setups.mkdir(exist_ok=True)
        engine = engine or ScriptedEngine(replies, delay=delay)
        last_model = LastModelFile(tmp_path / "last-model.json")
        session = LiveSession(
            Runner(engine, folders.discussions, silence=silence, last_model=last_model)
        )
        if personas is None:
            personas = tuple(shipped_personas(SHIPPED_PERSONAS))
        last_setup = LastSetup(tmp_path / "setup.toml", {}) if keeps_setup else None
        laboratory = Laboratory(
            session,
            (last_setup and last_setup.read()) or setup,
            personas,
            folders,
            start=start,
            preload=preload,
            last_setup=last_setup,
        )
        themes, faults = read_themes(SHIPPED_THEMES)
        assert not faults
        file = tmp_path / "settings.toml"
        if settings:
            file.write_text(settings)
        user_settings = UserSettings(file, flags, environment or {})
        app = SyndiscoApp(
            lambda: laboratory,
            folders=folders,
            themes=themes,
            theme=theme,
            user_settings=user_settings,
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            yield Bench(app, laboratory, pilot, engine, session, folders)
        session.close()
        engine.close()
        assert app.crash is None

    return opened
