"""Loading engines in tests."""

from __future__ import annotations

import os
from queue import SimpleQueue

from syndisco_tui.engine.base import Loaded, LoadEvent, LoadFailed
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.model import ModelSpec

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
"""Whether this process is a worker of pytest-xdist."""
THREADS = 1 if IS_WORKER else os.cpu_count() or 1
"""Threads of an engine; workers share the cores."""


def load(engine: LocalEngine, spec: ModelSpec) -> Loaded | LoadFailed:
    """Load ``spec`` and wait until it is loaded or has failed."""
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(spec, events.put)
    while True:
        event = events.get(timeout=300)
        if isinstance(event, (Loaded, LoadFailed)):
            return event
