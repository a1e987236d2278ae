"""Nothing of the user's is touched: every folder lies in the test's own. And sessions to test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.workspace.settings import ENVIRONMENT_PREFIX
from tests.support.live_session import SETUP, Begin, Live
from tests.support.scripted_engine import ScriptedEngine


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's user keeps everything."""
    home = tmp_path / "home"
    home.mkdir()
    for kind in ("DATA", "CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where this test saves discussions."""
    folder = tmp_path / "discussions"
    folder.mkdir()
    return folder


@pytest.fixture
def begin(folder: Path) -> Iterator[Begin]:
    """Starts sessions; ``setup=None`` only opens one."""
    started: list[Live] = []

    def begin(
        replies: Any = None,
        *,
        setup: DiscussionSetup | None = SETUP,
        step: bool = False,
        delay: float = 0.0,
        load_steps: int = 0,
        **options: Any,
    ) -> Live:
        engine = ScriptedEngine(replies, delay=delay, load_steps=load_steps)
        live = Live(engine, folder, **options)
        started.append(live)
        if setup is not None:
            live.session.start(setup, step=step)
        return live

    yield begin
    for live in started:
        assert live.session.close()
        live.engine.close()
