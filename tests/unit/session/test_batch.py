"""A batch without a front end: what its sessions say is taken for the right run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.session import LiveSession, Runner
from syndisco_tui.session.batch import Batch
from syndisco_tui.session.batch_run import repeated
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
    batch.resume()

    def is_over() -> bool:
        batch.drain()
        return batch.is_over

    wait_for(is_over)
    assert batch.is_finished
    assert len(discussion_files(tmp_path)) == 1
    batch.close()
    engine.close()


def test_many_discussions_share_one_thread_and_few_run_at_once(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    engine.may_speak.clear()
    threads = threading.active_count()
    new_session = partial(LiveSession, Runner(engine, tmp_path))
    batch = Batch(new_session, repeated(SETUP, 30), max_in_flight=4)
    most = 0

    def have_begun(count: int) -> bool:
        nonlocal most
        batch.drain()
        most = max(most, len(batch.open_files))
        return sum(run.path is not None for run in batch.runs) >= count

    wait_for(lambda: have_begun(4))
    assert threading.active_count() == threads + 1
    assert [run.state for run in batch.runs[4:]] == ["waiting"] * 26
    engine.may_speak.set()
    wait_for(lambda: have_begun(30) and batch.is_over)
    assert batch.is_finished
    assert most == 4
    batch.close()
    engine.close()


def test_stopping_leaves_those_that_wait_unbegun(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    engine.may_speak.clear()
    batch = Batch(
        partial(LiveSession, Runner(engine, tmp_path)), repeated(SETUP, 3), max_in_flight=1
    )
    wait_for(lambda: bool(engine.requests))
    batch.stop()
    wait_for(lambda: not batch.drain() and batch.has_ended)
    assert [run.state for run in batch.runs] == ["stopped", "missing", "missing"]
    engine.may_speak.set()
    batch.resume()
    wait_for(lambda: bool(batch.drain() or True) and batch.is_over)
    assert batch.is_finished
    batch.close()
    engine.close()


def test_without_a_model_those_that_wait_fail_as_well(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    setup = SETUP.model_copy(update={"model": "nowhere"})
    batch = Batch(
        partial(LiveSession, Runner(engine, tmp_path)), repeated(setup, 3), max_in_flight=1
    )
    wait_for(lambda: bool(batch.drain() or True) and batch.is_over)
    assert {run.state for run in batch.runs} == {"failed"}
    assert len({run.error for run in batch.runs}) == len(engine.loads) == 1
    batch.close()
    engine.close()
