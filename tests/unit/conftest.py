"""Nothing of the user's is touched: every folder lies in the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syndisco_tui.settings import ENVIRONMENT_PREFIX


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
