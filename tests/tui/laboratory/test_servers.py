"""The app with a model on a server that thinks before it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.engine.engines import Engines
from syndisco_tui.engine.server import ServerEngine
from syndisco_tui.engine.server.known_servers import KnownServers
from tests.support.bench import OpenBench
from tests.support.people import people
from tests.support.scripted_engine import ScriptedEngine
from tests.support.scripted_server import Answer, Refused, Script, ScriptedServer


@pytest.fixture
def serve() -> Iterator[Any]:
    """Starts a server that follows a script; gives it, an engine and a setup for it."""
    servers: list[ScriptedServer] = []

    def serve(script: Script) -> tuple[ScriptedServer, Engines, DiscussionSetup]:
        server = ScriptedServer(script)
        server.start()
        servers.append(server)
        known = KnownServers(None)
        engine = Engines(ScriptedEngine, lambda: ServerEngine(lambda url: (url, ""), known))
        setup = DiscussionSetup.model_validate(
            {"personas": people("Ann", "Bob"), "conv_len": 2, "server": server.url}
        )
        return server, engine, setup

    yield serve
    for server in servers:
        server.stop()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_thinking_is_counted_and_shown_in_the_x_ray_alone(
    bench: OpenBench, serve: Any, size: tuple[int, int]
) -> None:
    pieces = ["<think>", "I should ", "be ", "rude.", "</think>", "No ", "way."]
    _, engine, setup = serve(lambda body, number: Answer(pieces, delay=0.08))
    async with bench(size, setup=setup, engine=engine) as at:
        await at.press("r")
        await at.until(lambda: "thinking" in at.text())
        seen = at.text()
        await at.until(lambda: "tokens" in at.text())
        await at.until_state("finished")
        assert "rude" not in seen + at.text()
        assert [record.entries[0].reasoning for record in at.records()] == ["I should be rude."]
        await at.press("3", "enter")
        await at.until(lambda: "I should be rude." in at.text())
        assert "quoted to nobody" in at.text()


async def test_a_busy_server_is_shown_until_it_answers_and_x_cancels(
    bench: OpenBench, serve: Any
) -> None:
    busy = Refused(429, headers={"retry-after": "60"})
    server, engine, setup = serve(lambda body, number: busy)
    async with bench(setup=setup, engine=engine) as at:
        await at.press("r")
        await at.until(lambda: "Next attempt in 60 s" in at.text())
        await at.press("x")
        await at.until_state("paused")
        assert "Next attempt" not in at.text()
        assert len(server.requests) == 1


async def test_nobody_listens_and_then_somebody_does(bench: OpenBench, serve: Any) -> None:
    server, engine, setup = serve(lambda body, number: Answer())
    server.stop()
    async with bench(setup=setup, engine=engine) as at:
        await at.press("r")
        await at.until(lambda: "Could not connect to" in at.toasts())
        assert server.url in at.toasts()
        server.start()
        await at.press("r")
        await at.until_state("finished")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_x_ray_has_what_the_server_refused_and_can_do(
    bench: OpenBench, serve: Any, size: tuple[int, int]
) -> None:
    def script(body: dict[str, Any], number: int) -> Answer | Refused:
        if "seed" in body:
            return Refused(400, "Unknown parameter: 'seed'")
        return Answer([{"reasoning_content": "Hm."}, "No way."])

    _, engine, setup = serve(script)
    async with bench(size, setup=setup, engine=engine) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("3", "enter")
        await at.until(lambda: "X-ray" in at.text())
        await at.press("end")
        await at.until(lambda: "refuses seed" in at.text())
        assert "sends thoughts as reasoning_content" in at.text()
    assert at.records()[0].engine["server_facts"] == [
        "refuses seed",
        "sends thoughts as reasoning_content",
    ]
