"""The real command line with a fast fake engine whose words follow from the request alone."""

from __future__ import annotations

import sys
import types

from syndisco_tui.cli.main import main
from syndisco_tui.engine.base import GenerationRequest
from tests.support.scripted_engine import ScriptedEngine


def reply(request: GenerationRequest) -> str:
    """Some words that no other seed or history gets."""
    said = sum(len(turn.content) for turn in request.chat)
    return f"I drew {request.seed} and have read {said} characters so far."


def make_engine(*_: object, **__: object) -> ScriptedEngine:
    return ScriptedEngine(reply, delay=0.0005, load_steps=0)


if __name__ == "__main__":
    stage = types.ModuleType("syndisco_tui.engine.local")
    stage.LocalEngine = make_engine  # type: ignore[attr-defined]
    sys.modules[stage.__name__] = stage
    main()
