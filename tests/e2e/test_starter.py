"""The main job, as a newcomer does it: a real terminal, the real starter model, real files."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionRecord
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.terminal import OpenTerminal

pytestmark = pytest.mark.model

SETUP = """
conv_len = 4
max_out_tokens = 12
turn_manager = "RoundRobin"
model = "starter"
persona_file = "{personas}"
moderator = "Moderator"
seed_opinions = ["Is tea better than coffee?"]
seed_opinion_usernames = ["Emma35"]
"""


class Watcher(threading.Thread):
    """Reads the newest discussion over and over; keeps what was not valid."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._over = threading.Event()
        self.reads = 0
        self.faults: list[str] = []

    def run(self) -> None:
        while not self._over.wait(0.02):
            for path in discussion_files(self._folder)[:1] if self._folder.exists() else []:
                try:
                    json.loads(path.read_text())
                    read_discussion(path)
                    self.reads += 1
                except Exception as error:
                    self.faults.append(repr(error))

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def app(home: dict[str, str], starter_cache: Path, tmp_path: Path) -> tuple[str, ...]:
    """The command that opens the app with a short discussion and the starter at hand."""
    cache = Path(home["XDG_CACHE_HOME"])
    cache.mkdir()
    (cache / "syndisco-tui").symlink_to(starter_cache)
    personas = Path(__file__).resolve().parents[2] / "personas" / "demonstration.json"
    setup = tmp_path / "setup.toml"
    setup.write_text(SETUP.format(personas=personas))
    return ("-m", "syndisco_tui", "--setup", str(setup))


def only(discussions: Path) -> DiscussionRecord:
    (path,) = discussion_files(discussions)
    return read_discussion(path)


def test_start_pause_edit_go_on_quit_and_resume(
    terminal: OpenTerminal, app: tuple[str, ...], discussions: Path
) -> None:
    watcher = Watcher(discussions)
    watcher.start()

    began = time.monotonic()
    window = terminal(*app, "--start")
    window.wait("1 Personas", 10)
    window.wait("▎ Giannis", 60)
    window.wait("▎ Moderator  moderator", 60)
    first_words = time.monotonic() - began
    window.press("p")
    window.wait("paused", 60)

    window.press("1", "Home", "Down", "e")
    window.wait("What the model is told")
    window.press(*["Tab"] * 9)
    window.type("mood: furious")
    window.wait('"mood": "furious"')
    window.press("C-s")
    window.press("r")
    window.wait("speaking", 30)
    window.wait(lambda text: only(discussions).turns_taken >= 3, 90)
    if "speaking" in window.text():
        window.press("q")
        window.wait("Quit?")
        window.press("y")
    else:
        window.press("q")
    assert window.exit_status() == 0
    left = only(discussions)
    assert left.status in ("paused", "finished")

    again = terminal(*app)
    again.wait("resume at turn")
    again.press("R")
    again.wait("finished", 120)
    again.press("q")
    assert again.exit_status() == 0
    watcher.stop()

    record = only(discussions)
    assert record.status == "finished"
    assert record.turns_taken == 4
    assert record.entries[: len(left.entries)] == left.entries
    assert {entry.name for entry in record.messages} >= {"Emma35", "Giannis"}
    prompts = [entry.prompt for entry in record.entries if entry.name == "Giannis"]
    assert any('"mood": "furious"' in prompt for prompt in prompts)
    assert record.earlier_setups
    assert all(entry.completion_tokens for entry in record.entries if entry.is_prompted)
    assert record.engine["device"] == "cpu"
    assert watcher.reads > 10
    assert not watcher.faults
    assert first_words < 60
