"""Batches on servers: one that cannot be used stops what needs it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.engine.engines import Engines
from syndisco_tui.engine.server import ServerEngine
from syndisco_tui.engine.server.known_servers import KnownServers
from syndisco_tui.headless.repeat import run_repeat
from syndisco_tui.session import LiveSession, Runner
from syndisco_tui.session.batch import Batch
from syndisco_tui.session.batch_run import repeated
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.people import people
from tests.support.scripted_engine import ScriptedEngine
from tests.support.scripted_server import Answer, Refused, Script, ScriptedServer


@pytest.fixture
def serve() -> Iterator[Any]:
    """Starts servers that follow scripts."""
    servers: list[ScriptedServer] = []

    def serve(script: Script, **options: Any) -> ScriptedServer:
        servers.append(ScriptedServer(script, **options))
        servers[-1].start()
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


def setups(count: int, *servers: ScriptedServer, **options: Any) -> list[DiscussionSetup]:
    fields = {"personas": people("Ann", "Bob"), "conv_len": 2, "server": [s.url for s in servers]}
    return list(repeated(DiscussionSetup.model_validate(fields | options), count))


def run(folder: Path, sources: list[Any], **options: Any) -> tuple[int, str]:
    known = KnownServers(None)
    engine = Engines(
        ScriptedEngine, lambda: ServerEngine(lambda url: (url, ""), known, patience=1.0)
    )
    batch = Batch(partial(LiveSession, Runner(engine, folder)), sources, **options)
    err = StringIO()
    status = run_repeat(batch, out=StringIO(), err=err)
    engine.close()
    return status, err.getvalue()


def records(folder: Path) -> list[Any]:
    return [read_discussion(path) for path in discussion_files(folder)]


def good(body: dict[str, Any], number: int) -> Answer:
    return Answer(("Fine.",))


def test_a_key_that_ends_stops_its_server_s_discussions_with_one_sentence(
    serve: Any, folder: Path
) -> None:
    ended = serve(lambda body, number: Answer() if number < 3 else Refused(401, "expired"))
    other = serve(good)
    sources = [*setups(12, ended), *setups(12, other, seed=100)]
    status, err = run(folder, sources, max_in_flight=6)
    assert status == 1
    assert err.count("rejected the API key (401)") <= 2, "at once, and in the end"
    assert "12 of 24 discussions finished" in err
    assert len(ended.requests) < 3 + 7, "those that wait are not begun"
    saved = records(folder)
    assert sum(record.status == "finished" for record in saved) == 12
    stopped = [record for record in saved if record.status == "paused"]
    assert all("401" in record.error for record in stopped)

    ended.script = good
    paths = [path for path in discussion_files(folder) if read_discussion(path) in stopped]
    assert run(folder, paths)[0] == 0
    assert all(record.status == "finished" for record in records(folder))


def test_a_server_that_was_never_there_ends_with_3_and_one_sentence(
    serve: Any, folder: Path
) -> None:
    server = serve(good)
    server.stop()
    status, err = run(folder, setups(20, server))
    server.start()
    assert (status, err.count("Could not connect to")) == (3, 1)
    assert not records(folder)


def test_a_server_that_was_never_there_stops_no_other(serve: Any, folder: Path) -> None:
    gone, other = serve(good), serve(good)
    gone.stop()
    status, err = run(folder, [*setups(4, gone), *setups(4, other, seed=50)])
    gone.start()
    assert status == 1
    assert sum(record.status == "finished" for record in records(folder)) == 4
    assert "4 of 8 discussions finished" in err


def test_a_server_that_dies_hands_its_discussions_to_the_others(serve: Any, folder: Path) -> None:
    def dies(body: dict[str, Any], number: int) -> Answer:
        if number == 5:
            dying._loop.call_soon(dying._server.close)
            for writer in list(dying._connections):
                writer.transport.abort()
        return Answer(("Fine.",), delay=0.02)

    dying, other = serve(dies), serve(good)
    status, err = run(folder, setups(16, dying, other, conv_len=6), max_in_flight=8)
    assert status == 0
    assert f"{dying.url} does not answer; the other servers go on." in err
    for record in records(folder):
        assert [entry.turn for entry in record.entries] == [1, 2, 3, 4, 5, 6]
        assert {entry.text for entry in record.entries} == {"Fine."}


def test_a_server_that_dies_for_good_leaves_everything_to_be_resumed(
    serve: Any, folder: Path
) -> None:
    server = serve(lambda body, number: Answer(("Fine.",), delay=0.05))
    sources = setups(6, server, conv_len=4)

    def dies(body: dict[str, Any], number: int) -> Answer:
        if number == 10:
            server._loop.call_soon(server._server.close)
            for writer in list(server._connections):
                writer.transport.abort()
        return Answer(("Fine.",), delay=0.05)

    server.script = dies
    status, err = run(folder, sources)
    assert status == 1
    assert "Could not connect to" in err
    server.stop()
    server.start()
    assert run(folder, discussion_files(folder))[0] == 0
    for record in records(folder):
        assert [entry.turn for entry in record.entries] == [1, 2, 3, 4]
