"""Engines as tests use them: loaded, and waited for."""

from __future__ import annotations

import os
from queue import SimpleQueue

from syndisco_tui.engine.base import Loaded, LoadEvent, LoadFailed, ModelSpec
from syndisco_tui.engine.local import LocalEngine

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
"""Whether this process is one of several that run the tests."""
THREADS = 1 if IS_WORKER else os.cpu_count() or 1
"""The threads of an engine: several workers' engines must not fight over the cores."""


def load(engine: LocalEngine, spec: ModelSpec) -> Loaded | LoadFailed:
    """Load ``spec`` and wait for how it ends."""
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(spec, events.put)
    while True:
        event = events.get(timeout=300)
        if isinstance(event, (Loaded, LoadFailed)):
            return event
