"""Scripted servers with an engine that is opened on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.opened_servers import Opened
from tests.support.scripted_server import Script, ScriptedServer


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    """Starts servers that follow scripts, and opens an engine on them."""
    opened: list[Opened] = []

    def serve(
        *scripts: Script,
        known: Path | None = None,
        models: Any = ("tiny",),
        prefix: str = "/v1",
        **options: Any,
    ) -> Opened:
        servers = [ScriptedServer(script, models=models, prefix=prefix) for script in scripts]
        for server in servers:
            server.start()
        opened.append(Opened(servers, known, **options))
        return opened[-1]

    yield serve
    for each in opened:
        each.engine.close()
        for server in each.servers:
            server.stop()
