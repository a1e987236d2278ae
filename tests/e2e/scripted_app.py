"""The app in a terminal with the scripted engine: ``python -m tests.e2e.scripted_app``."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from syndisco_tui import paths
from syndisco_tui.session import LiveSession
from syndisco_tui.settings import load_settings
from syndisco_tui.store.setups import read_setup
from syndisco_tui.ui.run import run_screen
from syndisco_tui.ui.screens import laboratory
from tests.scripted_engine import ScriptedEngine


def _crash(_laboratory: object) -> None:
    key = os.environ["HF_TOKEN"]  # a secret among the local variables of every frame
    print(f"a library prints something {len(key)} characters long")
    raise RuntimeError("something broke")


def _hold_its_breath(engine: ScriptedEngine, while_there: Path) -> None:
    """The engine says nothing further while this file is there: a terminal's way to it."""
    while True:
        if while_there.exists():
            engine.may_speak.clear()
        else:
            engine.may_speak.set()
        time.sleep(0.02)


if __name__ == "__main__":
    if "HANGING_DISK" in os.environ:
        laboratory.unfinished = lambda _folder: time.sleep(60)  # type: ignore[assignment]
    if "CRASH" in os.environ:
        laboratory.Laboratory.action_save_setup = _crash  # type: ignore[method-assign]
    engine = ScriptedEngine(delay=float(os.environ.get("WORD_SECONDS", "0.02")))
    if breath := os.environ.get("HOLDS_ITS_BREATH_WHILE"):
        threading.Thread(target=_hold_its_breath, args=(engine, Path(breath)), daemon=True).start()
    session = LiveSession(engine, paths.discussions_folder())
    setup = read_setup(paths.shipped_personas_folder() / "demonstration.toml")
    settings = load_settings(paths.settings_file(), {}, {})
    os._exit(run_screen(session, settings, setup, start="--start" in sys.argv))
