"""SynDisco's own tests of turn managers and jobs pass on this project, under SynDisco's names.

They are not copied here. Where SYNDISCO_TESTS names a folder with SynDisco 2.2.1's ``tests`` and
SynDisco is installed, they are run; CONTRIBUTING.md says how to get both.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT

FOLDER = os.environ.get("SYNDISCO_TESTS", "")


@pytest.mark.skipif(not FOLDER, reason="SYNDISCO_TESTS does not name a folder of SynDisco's tests")
@pytest.mark.skipif(not importlib.util.find_spec("syndisco"), reason="SynDisco is not installed")
@pytest.mark.parametrize("name", ["test_turn_managers.py", "test_jobs.py"])
def test_they_pass(name: str) -> None:
    paths = [str(ROOT / "tests" / "support"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "as_syndisco", name],
        cwd=Path(FOLDER),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed
    assert int(passed[1]) > 30
