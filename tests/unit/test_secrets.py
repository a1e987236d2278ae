"""What the environment holds stays there: not in output, files, logs or arguments."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from .places import ROOT

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
        [sys.executable, "-m", "tests.unit.scripted_cli", *arguments],
        cwd=tmp_path,
        env={**os.environ, **CANARIES, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        umask=0,
    )
    told, _ = process.communicate(timeout=30)
    assert (process.returncode == 0) == (failure == "a run that ends well"), told
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for canary in CANARIES.values():
        assert canary.encode() not in told
        assert not [path for path in files if canary.encode() in path.read_bytes()]
    own = [path for path in home.rglob("*") if "syndisco-tui" in path.parts]
    for path in own:
        wanted = 0o700 if path.is_dir() else 0o600
        assert oct(stat.S_IMODE(path.stat().st_mode)) == oct(wanted), path
