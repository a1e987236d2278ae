"""What the environment holds stays there: not in output, files, logs or arguments.

And what the app makes is its user's alone, whatever the umask.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syndisco_tui.discussion import Discussion, DiscussionRecord, Persona, Reply
from syndisco_tui.engine.local.loading import starter
from syndisco_tui.store.discussions import DiscussionFile, discussion_files
from syndisco_tui.store.library import Library
from syndisco_tui.store.personas import write_personas
from syndisco_tui.store.setups import write_setup
from syndisco_tui.tui.shell.clipboard import copy
from syndisco_tui.tui.shell.external_editor import draft
from syndisco_tui.tui.shell.log import output_to
from syndisco_tui.workspace.discussions import Trash
from syndisco_tui.workspace.exporting import export_to_folder
from syndisco_tui.workspace.folders import Folders
from syndisco_tui.workspace.personas import PersonaSets
from syndisco_tui.workspace.settings import save_setting
from tests.support.live_session import SETUP
from tests.support.processes import ArgumentsOfChildren
from tests.support.project import ROOT

CANARIES = {"HF_TOKEN": "hf_CANARYofTheHub123", "EXAMPLE_API_KEY": "sk-CANARYofSomebody456"}

FAILURES: dict[str, tuple[list[str], dict[str, str]]] = {
    "a run that ends well": (["run", "--turns", "2"], {}),
    "no such model": (["run", "--model", "nowhere"], {}),
    "an engine that fails": (["run"], {"SCRIPT": '{"replies": ["one"], "load_steps": "x"}'}),
    "no such setup": (["run", "nowhere.toml"], {}),
    "a broken setup": (["run", "broken.toml"], {}),
    "a broken setting": (["run"], {"SYNDISCO_TUI_THREADS": "many"}),
    "an unknown setting": (["run"], {"SYNDISCO_TUI_THREDS": "1"}),
    "a wrong option": (["run", "--turns", "few"], {}),
    "an option nobody knows": (["run", "--hf-token"], {}),
    "no terminal": ([], {}),
    "a folder that cannot be made": (["run"], {"XDG_DATA_HOME": "/dev/null/x"}),
    "a discussion that is none": (["resume", "broken.toml"], {}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_canary_sings(tmp_path: Path, home: Path, failure: str) -> None:
    arguments, environment = FAILURES[failure]
    (tmp_path / "broken.toml").write_text("conv_len = ")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.scripted_cli", *arguments],
        cwd=tmp_path,
        env={**os.environ, **CANARIES, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        umask=0,
    )
    with ArgumentsOfChildren(process.pid) as arguments_seen:
        told, _ = process.communicate(timeout=30)
    assert arguments_seen.looks
    assert (process.returncode == 0) == (failure == "a run that ends well"), told
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for canary in CANARIES.values():
        assert canary.encode() not in told
        assert not [line for line in arguments_seen.lines if canary.encode() in line]
        assert not [path for path in files if canary.encode() in path.read_bytes()]
    own = [path for path in home.rglob("*") if "syndisco-tui" in path.parts]
    for path in own:
        wanted = 0o700 if path.is_dir() else 0o600
        assert oct(stat.S_IMODE(path.stat().st_mode)) == oct(wanted), path


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=lambda umask: f"{umask:03o}")
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_every_folder_and_every_file_is_private(home: Path, tmp_path: Path) -> None:
    """All that the app writes on its own, made by its own hands and then walked through."""
    folders = Folders.from_environment()
    folders.create()
    discussion = Discussion(SETUP)
    request = discussion.next_request()
    assert request is not None
    discussion.post(request, Reply("Hello."))
    began = datetime(2026, 3, 4, tzinfo=UTC)
    record = DiscussionRecord("1", began.isoformat(), SETUP, discussion.entries, "paused")
    for _ in range(2):
        file = DiscussionFile.create(folders.discussions, began)
        file.write(record)
        file.close()
    Trash(folders.discussions).discard(discussion_files(folders.discussions)[:1])
    (path,) = discussion_files(folders.discussions)
    library = Library(folders.discussions, folders.library_cache)
    assert [entry for part in library.entries() for entry in part]
    export_to_folder(folders.exports, [path], "markdown")
    people = [Persona(username="Ann")]
    write_personas(folders.personas_file, people)
    PersonaSets(folders.persona_sets).save("mine", people)
    folders.setups.mkdir(mode=0o700)
    write_setup(folders.setups / "mine.toml", SETUP)
    save_setting(folders.settings_file, "theme", "daylight")
    copy("text", "It", write=None, environment={}, file=folders.copied_file)
    with output_to(folders.log_file):
        print("something that a library says")
    with starter._process_lock(folders.cache / ".lock", lambda _: None, lambda: False):
        pass
    letter = draft("text", suffix=".json")
    found = [home / "data" / "syndisco-tui", *(home / "data" / "syndisco-tui").rglob("*"), letter]
    for kind in ("config", "cache", "state"):
        found += (home / kind / "syndisco-tui").rglob("*")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in found}
    letter.unlink()
    library.close()
    wrong = {str(path): oct(mode) for path, mode in modes.items() if mode not in (0o600, 0o700)}
    assert not wrong
    names = {path.name for path in found}
    assert names >= {"discussions", "trash", "exports", "personas", "setups", "themes", "log"}
    assert names >= {"library.sqlite", "settings.toml", "personas.json", "mine.json", "mine.toml"}
    assert names >= {"syndisco-tui.log", "copied.txt", path.name, path.with_suffix(".md").name}
    assert all(mode == 0o700 for path, mode in modes.items() if path in {p.parent for p in found})
