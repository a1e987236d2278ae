"""The command line, as a process of its own where there is no terminal."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.project import ROOT

COMMAND = [sys.executable, "-c", "from syndisco_tui.cli.main import main; main()"]
SCRIPTED = [sys.executable, "-m", "tests.support.scripted_cli"]


def call(
    *arguments: object, command: list[str] = COMMAND, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command where there is no terminal."""
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
    )


def refusal(*arguments: object, **environment: str) -> str:
    """The sentence with which the command refuses."""
    result = call(*arguments, **environment)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
    return result.stderr.strip()
