"""The real command line with the scripted engine in the model's place.

``python -m tests.support.scripted_cli run …``; ``SCRIPT`` holds the engine's options as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import types

from syndisco_tui.cli import main
from tests.support.scripted_engine import ScriptedEngine


def make_engine(*_: object, **__: object) -> ScriptedEngine:
    return ScriptedEngine(**json.loads(os.environ.get("SCRIPT", "{}")))


if __name__ == "__main__":
    stage = types.ModuleType("syndisco_tui.engine.local")
    stage.LocalEngine = make_engine  # type: ignore[attr-defined]
    sys.modules[stage.__name__] = stage
    main()
