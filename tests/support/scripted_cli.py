"""The real command line with the scripted engine in the model's place.

``python -m tests.support.scripted_cli run …``; ``SCRIPT`` holds the engine's options as JSON.
"""

from __future__ import annotations

import json
import os

from syndisco_tui.cli.main import main
from syndisco_tui.engine import local
from tests.support.scripted_engine import ScriptedEngine


def make_engine(*_: object, **__: object) -> ScriptedEngine:
    return ScriptedEngine(**json.loads(os.environ.get("SCRIPT", "{}")))


if __name__ == "__main__":
    local.LocalEngine = make_engine  # type: ignore[assignment, misc]
    main()
