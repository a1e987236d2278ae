"""A batch without a front end: what its sessions say is taken for the right run."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.session import LiveSession, Runner
from syndisco_tui.session.batch import Batch
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.scripted_engine import ScriptedEngine

SETUP = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")), conv_len=3, model="scripted"
)


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_events_from_before_a_stop_do_not_stop_the_continued_batch(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    engine.may_speak.clear()
    batch = Batch(partial(LiveSession, Runner(engine, tmp_path)), [SETUP])
    wait_for(lambda: bool(engine.requests))  # nothing is drained: the first reply has begun
    batch.stop()
    wait_for(lambda: read_discussion(discussion_files(tmp_path)[0]).status == "paused")
    engine.may_speak.set()
    batch.go_on()

    def is_over() -> bool:
        batch.drain()
        return batch.is_over

    wait_for(is_over)
    assert batch.is_finished
    assert len(discussion_files(tmp_path)) == 1
    batch.close()
    engine.close()
