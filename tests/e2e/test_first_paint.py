"""The first picture comes before torch, and soon."""

from __future__ import annotations

import subprocess
import sys

FIRST_PAINT = """
import sys, asyncio
sys.argv = ["syndisco-tui"]
import syndisco_tui.cli.main
from syndisco_tui.workspace.folders import DEMONSTRATION, Folders, SHIPPED_PERSONAS
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.session import LiveSession, Runner
from syndisco_tui.workspace.settings import load_settings
from syndisco_tui.store.personas import shipped_personas
from syndisco_tui.store.setups import read_setup
from syndisco_tui.tui.shell.app import SyndiscoApp
from syndisco_tui.tui.shell.run import read_themes
from syndisco_tui.workspace.folders import Folders
from syndisco_tui.tui.laboratory.screen import Laboratory

async def paint():
    folders = Folders.from_environment()
    folders.create()
    session = LiveSession(Runner(LocalEngine(folders.cache), folders.discussions))
    setup = read_setup(DEMONSTRATION)
    personas = tuple(shipped_personas(SHIPPED_PERSONAS))
    laboratory = Laboratory(session, setup, personas, folders)
    app = SyndiscoApp(lambda: laboratory, folders=folders)
    async with app.run_test() as pilot:
        await pilot.pause()
        print("Emma35" in app.export_screenshot())
        print(sorted({"torch", "transformers", "numpy"} & set(sys.modules)))
        later = {"syndisco_tui.analysis", "syndisco_tui.session.batch", "sqlite3", "markdown_it"}
        print(sorted(later & set(sys.modules)))

asyncio.run(paint())
"""


def test_the_first_paint_waits_for_neither_torch_nor_other_screens(home: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT], capture_output=True, text=True, env=home, timeout=60
    )
    assert done.stdout.split("\n")[:3] == ["True", "[]", "[]"], done.stderr
