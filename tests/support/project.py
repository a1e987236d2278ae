"""Where the project lies, and how a test starts a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def python(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh interpreter, to its end."""
    options = {"capture_output": True, "text": True, "timeout": 20, "cwd": ROOT} | options
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], **options)


def start_python(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """Start ``code`` in a fresh interpreter; its standard output can be read."""
    options = {"stdout": subprocess.PIPE, "text": True, "cwd": ROOT} | options
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], **options)
