"""Two participants with two models, the starter and one on a server: on the screen and without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.scripted_server import Answer, ScriptedServer
from tests.support.terminal import OpenTerminal

pytestmark = pytest.mark.model

SETUP = """
conv_len = 4
max_out_tokens = 12
model = "starter"

[[personas]]
username = "Ann"

[[personas]]
username = "Giannis"

[models]
Giannis = {{server = "{url}"}}
"""
WORDS = ["I", "speak", "from", "far", "away", "and", "take", "my", "time", "to", "say", "so."]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    pieces = [f"{word} " for word in WORDS]
    with ScriptedServer(lambda body, n: Answer(pieces, delay=0.05), models=("far/model",)) as far:
        yield far


@pytest.fixture
def setup(home: dict[str, str], starter_cache: Path, tmp_path: Path, server: ScriptedServer) -> str:
    cache = Path(home["XDG_CACHE_HOME"])
    cache.mkdir()
    (cache / "syndisco-tui").symlink_to(starter_cache)
    file = tmp_path / "setup.toml"
    file.write_text(SETUP.format(url=server.url))
    return str(file)


def check(discussions: Path, server: ScriptedServer) -> None:
    record = read_discussion(discussion_files(discussions)[0])
    assert record.status == "finished"
    models = {entry.name: entry.model for entry in record.entries}
    assert models == {"Ann": "SmolLM2-135M-Instruct", "Giannis": "far/model"}
    assert [entry.text for entry in record.entries if entry.name == "Giannis"] == [
        " ".join(WORDS)
    ] * 2
    assert record.setup.models["Giannis"].model == "far/model"
    assert record.engine["participants"]["Giannis"]["server"] == server.url
    quoted = "".join(message["content"] for message in server.requests[-1]["messages"])
    assert record.entries[0].text in quoted, "each reads what the other's model said"


def test_run_streams_both(
    home: dict[str, str], setup: str, discussions: Path, server: ScriptedServer
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "syndisco_tui", "run", setup],
        env=os.environ | home,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert "SmolLM2-135M-Instruct on cpu" in result.stderr
    assert f"far/model on {server.url}" in result.stderr
    assert "Giannis:\nI speak from far away" in result.stdout
    check(discussions, server)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_the_app_shows_who_speaks_with_what(
    terminal: OpenTerminal,
    setup: str,
    discussions: Path,
    server: ScriptedServer,
    size: tuple[int, int],
) -> None:
    window = terminal("-m", "syndisco_tui", "--setup", setup, "--start", size=size)
    window.wait("I speak from far", 90)
    window.wait("finished", 90)
    window.press("1")
    window.wait("model", 10)
    assert "starter" in window.text()
    check(discussions, server)
    window.press("q")
    assert window.exit_status() == 0
