"""A model that is slower than it could be is said: on standard error, in the file, at a replay."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.headless import run_headless
from syndisco_tui.headless.repeat import run_repeat
from syndisco_tui.headless.replay import replay
from syndisco_tui.session import Condition, LiveSession, Runner
from syndisco_tui.session.batch import Batch
from syndisco_tui.session.batch_run import repeated
from syndisco_tui.session.model_path import slower_path, slower_path_then
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.scripted_engine import ScriptedEngine

SETUP = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")), conv_len=2, model="scripted"
)
REASON = "its cache argument is not known"
SENTENCE = f"scripted runs one discussion at a time: {REASON}."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "discussions"
    folder.mkdir()
    return folder


def slow_engine(path: str = "generate", reason: str = REASON) -> ScriptedEngine:
    engine = ScriptedEngine(["Hello.", "Hi."])
    engine.path, engine.path_reason = path, reason
    return engine


@pytest.mark.parametrize(
    ("path", "reason", "sentence"),
    [
        ("slots", "", ""),
        ("generate", "no cache.", "Qwen3-0.6B runs one discussion at a time: no cache."),
        ("batch", "no cache", "Qwen3-0.6B reads every prompt from its beginning: no cache."),
        ("new", "no cache", "Qwen3-0.6B does not run on the fastest path: no cache."),
        ("generate", "a\x1b[2J\nb", "Qwen3-0.6B runs one discussion at a time: a␛[2J b."),
    ],
)
def test_a_slower_path_is_a_sentence(path: str, reason: str, sentence: str) -> None:
    assert slower_path("Qwen/Qwen3-0.6B", path, reason) == sentence


def test_of_a_run_that_is_over() -> None:
    sentence = slower_path_then("Qwen/Qwen3-0.6B", "generate", "no cache")
    assert sentence == "Qwen3-0.6B ran one discussion at a time (no cache)"
    assert slower_path_then("Qwen/Qwen3-0.6B", "slots", "") == ""


def test_a_run_says_it_once_and_the_file_keeps_it(folder: Path) -> None:
    engine, err = slow_engine(), StringIO()
    status = run_headless(LiveSession(Runner(engine, folder)), SETUP, out=StringIO(), err=err)
    engine.close()
    assert status == 0
    assert err.getvalue().splitlines().count(SENTENCE) == 1
    saved = read_discussion(discussion_files(folder)[0]).engine
    assert (saved["path"], saved["path_reason"]) == ("generate", REASON)


def test_resume_says_it_once(folder: Path) -> None:
    engine = slow_engine()
    session = LiveSession(Runner(engine, folder))
    session.start(SETUP, step=True)
    while getattr(session.events.get(timeout=5), "state", "") != "paused":
        pass
    assert session.close()
    err = StringIO()
    path = discussion_files(folder)[0]
    assert run_headless(LiveSession(Runner(engine, folder)), path, out=StringIO(), err=err) == 0
    engine.close()
    assert err.getvalue().splitlines().count(SENTENCE) == 1


def test_many_at_once_say_it_once(folder: Path) -> None:
    engine, err = slow_engine(), StringIO()
    batch = Batch(
        lambda listener: LiveSession(Runner(engine, folder), listener), repeated(SETUP, 3)
    )
    assert run_repeat(batch, out=StringIO(), err=err) == 0
    engine.close()
    assert err.getvalue().splitlines().count(SENTENCE) == 1


def test_the_fastest_path_says_nothing_and_the_file_says_so(folder: Path) -> None:
    engine, err = slow_engine("slots", ""), StringIO()
    run_headless(LiveSession(Runner(engine, folder)), SETUP, out=StringIO(), err=err)
    engine.close()
    assert "at a time" not in err.getvalue()
    assert read_discussion(discussion_files(folder)[0]).engine["path_reason"] == ""


def test_it_holds_until_another_model_is_loaded(folder: Path) -> None:
    engine = slow_engine()
    session = LiveSession(Runner(engine, folder))
    session.load(SETUP)
    sentences = [_next_about_speed(session)]
    engine.path, engine.path_reason = "slots", ""
    session.load(SETUP.model_copy(update={"model": "faster"}))
    sentences.append(_next_about_speed(session))
    assert session.close()
    engine.close()
    assert sentences == [SENTENCE, ""]


def _next_about_speed(session: LiveSession) -> str:
    while True:
        event = session.events.get(timeout=5)
        if isinstance(event, Condition) and event.cause == "speed":
            return event.sentence


def test_a_replay_says_both_paths_and_minds_no_older_file(folder: Path) -> None:
    engine = slow_engine("slots", "")
    run_headless(LiveSession(Runner(engine, folder)), SETUP, out=StringIO(), err=StringIO())
    engine.close()
    record = read_discussion(discussion_files(folder)[0])
    older = {key: value for key, value in record.engine.items() if key != "path_reason"}

    engine, err = slow_engine(), StringIO()
    assert replay(engine, replace(record, engine=older), out=StringIO(), err=err) == 0
    engine.close()
    lines = err.getvalue().splitlines()
    assert SENTENCE in lines
    other = "The discussion was made with other path (slots, now generate): the text may differ."
    assert other in lines

    engine, err = slow_engine("slots", ""), StringIO()
    replay(engine, replace(record, engine=older), out=StringIO(), err=err)
    engine.close()
    assert "other" not in err.getvalue()
