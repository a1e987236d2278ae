"""The app in a terminal with the scripted engine: ``python -m tests.support.scripted_app``."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from syndisco_tui.session import LiveSession, Runner
from syndisco_tui.store.setups import read_setup
from syndisco_tui.tui.laboratory import run_control
from syndisco_tui.tui.laboratory.screen import Laboratory
from syndisco_tui.tui.shell.run import run_screen
from syndisco_tui.workspace.folders import DEMONSTRATION, Folders
from syndisco_tui.workspace.settings import load_settings
from tests.support.scripted_engine import ScriptedEngine


def _crash(_laboratory: object) -> None:
    key = os.environ["HF_TOKEN"]  # a secret among the local variables of every frame
    print(f"a library prints something {len(key)} characters long")
    raise RuntimeError("something broke")


def _note_how_it_leaves(note: Path) -> None:
    """At the end write down, by this process's own clock, how long leaving took.

    Seconds from the signal, and seconds of computing in that time.
    """
    came: list[tuple[float, float]] = []
    really_set, really_exit = signal.signal, os._exit

    def set_handler(number: signal.Signals, handler: object) -> object:
        if number == signal.SIGURG:
            return really_set(number, handler)  # type: ignore[arg-type]

        def noting(received: int, frame: FrameType | None) -> None:
            came.append((time.monotonic(), time.process_time()))
            handler(received, frame)  # type: ignore[operator]

        return really_set(number, noting if callable(handler) else handler)  # type: ignore[arg-type]

    def leave(status: int) -> None:
        if came:
            wall, computing = time.monotonic() - came[0][0], time.process_time() - came[0][1]
            note.write_text(json.dumps({"seconds": wall, "computing": computing}))
        really_exit(status)

    signal.signal, os._exit = set_handler, leave  # type: ignore[assignment]


def _stuck(_request: object) -> str:
    threading.Event().wait()
    return ""


def _hold_its_breath(engine: ScriptedEngine, while_there: Path) -> None:
    """The engine says nothing further while this file is there: a terminal's way to it."""
    while True:
        if while_there.exists():
            engine.may_speak.clear()
        else:
            engine.may_speak.set()
        time.sleep(0.02)


if __name__ == "__main__":
    if "LEAVING_NOTE" in os.environ:
        _note_how_it_leaves(Path(os.environ["LEAVING_NOTE"]))
    if "HANGING_DISK" in os.environ:
        run_control.resumable_discussions = lambda _folder: time.sleep(60)  # type: ignore[assignment]
    if "CRASH" in os.environ:
        Laboratory.action_save_setup = _crash  # type: ignore[method-assign]
    engine = ScriptedEngine(
        _stuck if "STUCK" in os.environ else None,
        delay=float(os.environ.get("WORD_SECONDS", "0.02")),
        load_steps=int(os.environ.get("LOAD_STEPS", "2")),
    )
    if breath := os.environ.get("HOLDS_ITS_BREATH_WHILE"):
        threading.Thread(target=_hold_its_breath, args=(engine, Path(breath)), daemon=True).start()
    folders = Folders.from_environment()
    folders.create()
    session = LiveSession(Runner(engine, folders.discussions))
    setup = read_setup(DEMONSTRATION)
    settings = load_settings(folders.settings_file, {}, {})
    os._exit(run_screen(session, settings, setup, folders, start="--start" in sys.argv))
