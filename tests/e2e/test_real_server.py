"""A server that others wrote, with the starter on it: live, in a batch, and killed on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionRecord
from syndisco_tui.engine.local.loading.starter import STARTER
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.project import ROOT
from tests.support.real_server import RealServer
from tests.support.terminal import OpenTerminal

pytestmark = pytest.mark.model

SETUP = """
conv_len = {turns}
max_out_tokens = {tokens}
turn_manager = "RoundRobin"
persona_file = "{personas}"
server = "{url}"
model = "{model}"
"""


@pytest.fixture(scope="module")
def server(starter_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    server = RealServer(starter_cache / STARTER, tmp_path_factory.mktemp("server"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


def setup_file(folder: Path, server: RealServer, *, turns: int, tokens: int) -> str:
    personas = ROOT / "personas" / "demonstration.json"
    path = folder / "setup.toml"
    fields = {"turns": turns, "tokens": tokens, "url": server.url, "model": server.model}
    path.write_text(SETUP.format(personas=personas, **fields))
    return str(path)


def records(folder: Path) -> list[DiscussionRecord]:
    return [read_discussion(path) for path in discussion_files(folder)]


def test_live_in_the_app(
    terminal: OpenTerminal, server: RealServer, discussions: Path, tmp_path: Path
) -> None:
    setup = setup_file(tmp_path, server, turns=2, tokens=8)
    window = terminal("-m", "syndisco_tui", "--setup", setup, "--start")
    window.wait("▎ Giannis", 60)
    window.wait("finished", 60)
    window.press("q")
    assert window.exit_status() == 0
    (record,) = records(discussions)
    assert [entry.turn for entry in record.entries if entry.role == "user"] == [1, 2]
    assert all(entry.text and entry.completion_tokens for entry in record.messages)
    assert (record.engine["server"], record.engine["exact"]) == (server.url, False)
    assert "top_k" in record.engine["left_out"], "it takes no top_k, and says so"


def test_a_batch_of_eight(
    server: RealServer, home: dict[str, str], discussions: Path, tmp_path: Path
) -> None:
    setup = setup_file(tmp_path, server, turns=1, tokens=4)
    command = [sys.executable, "-m", "syndisco_tui", "run", setup, "--repeat", "8"]
    done = subprocess.run(command, env=home, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "8 of 8 discussions finished" in done.stderr
    assert sorted(done.stdout.split()) == sorted(map(str, discussion_files(discussions)))
    saved = records(discussions)
    assert len({record.setup.seed for record in saved}) == 8
    assert all(record.status == "finished" for record in saved)


def test_killed_within_a_reply_and_started_again(
    terminal: OpenTerminal, server: RealServer, discussions: Path, tmp_path: Path
) -> None:
    setup = setup_file(tmp_path, server, turns=3, tokens=24)
    window = terminal("-m", "syndisco_tui", "--setup", setup, "--start")
    window.wait(lambda text: bool(records(discussions)) and _turns(discussions) == [1], 60)
    window.wait("speaking", 30)
    server.kill()
    window.wait("does not answer", 30)
    before = records(discussions)[0].entries
    server.start()
    window.wait("finished", 120)
    window.press("q")
    assert window.exit_status() == 0
    (record,) = records(discussions)
    assert _turns(discussions) == [1, 2, 3], "no message is lost, none is there twice"
    assert record.entries[: len(before)] == before
    assert record.status == "finished"
    assert not record.error


def _turns(folder: Path) -> list[int]:
    (record,) = records(folder)
    return [entry.turn for entry in record.entries if entry.role == "user"]
