"""Folders of their own for the processes that these tests start."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.support.terminal import OpenTerminal, Terminal


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of the user's is touched."""
    folders = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("DATA", "CONFIG", "STATE")}
    return {
        **folders,
        "XDG_CACHE_HOME": str(tmp_path / "CACHE"),
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "COLORTERM": "truecolor",
        "PYTHONPATH": str(ROOT),
        **{key: os.environ[key] for key in os.environ if key.startswith("PIP_")},
    }


@pytest.fixture
def discussions(home: dict[str, str]) -> Path:
    """Where these processes save discussions."""
    return Path(home["XDG_DATA_HOME"]) / "syndisco-tui" / "discussions"


@pytest.fixture
def terminal(home: dict[str, str], tmp_path: Path) -> Iterator[OpenTerminal]:
    """Opens terminals, and closes them after the test."""
    if shutil.which("tmux") is None:
        pytest.fail("The terminal tests need tmux: install it and run them again.")
    opened: list[Terminal] = []

    def open_terminal(*command: str, size: tuple[int, int] = (120, 40)) -> Terminal:
        exit_file = tmp_path / f"exit-{len(opened)}"
        window = Terminal([sys.executable, *command], home, size=size, exit_file=exit_file)
        opened.append(window)
        return window

    yield open_terminal
    for window in opened:
        window.close()
