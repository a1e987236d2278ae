"""Sessions on servers: waits, broken streams and reasoning, down to the saved file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup
from syndisco_tui.engine.engines import Engines
from syndisco_tui.engine.server import ServerEngine
from syndisco_tui.engine.server.known_servers import KnownServers
from syndisco_tui.session import LiveSession, Runner, SessionEvent
from syndisco_tui.session.events import Condition, ErrorRaised, ReplyGrew
from syndisco_tui.store.discussions import read_discussion
from tests.support.people import people
from tests.support.scripted_engine import ScriptedEngine
from tests.support.scripted_server import Answer, Refused, Script, ScriptedServer


class Run:
    """One discussion of two on a scripted server, from start to end."""

    def __init__(self, script: Script, folder: Path) -> None:
        self.server = ScriptedServer(script)
        self.server.start()
        known = KnownServers(None)
        self.engine = Engines(ScriptedEngine, lambda: ServerEngine(lambda url: (url, ""), known))
        self.events: list[SessionEvent] = []
        self.session = LiveSession(Runner(self.engine, folder), self.events.append)

    def start(self, **options: Any) -> None:
        setup = {"personas": people("Ann", "Bob"), "conv_len": 2, "server": self.server.url}
        self.session.start(DiscussionSetup.model_validate(setup | options))

    def ended(self) -> DiscussionRecord:
        """The record once it is no longer running."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            record = self.session.record
            if record is not None and record.status in ("finished", "paused"):
                return record
            time.sleep(0.01)
        raise AssertionError(self.events[-5:])

    @property
    def errors(self) -> list[str]:
        return [event.sentence for event in self.events if isinstance(event, ErrorRaised)]

    def close(self) -> None:
        self.session.close()
        self.engine.close()
        self.server.stop()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Any]:
    """Starts runs on scripts."""
    runs: list[Run] = []

    def run(script: Script) -> Run:
        runs.append(Run(script, tmp_path))
        return runs[-1]

    yield run
    for each in runs:
        each.close()


def test_reasoning_is_kept_and_is_in_nobody_s_prompt(run: Any, tmp_path: Path) -> None:
    pieces = ["<think>", "I should ", "be rude.", "</think>", "No ", "way."]
    at = run(lambda body, number: Answer(pieces, delay=0.05))
    at.start()
    record = at.ended()
    assert [entry.text for entry in record.entries] == ["No way.", "No way."]
    assert [entry.reasoning for entry in record.entries] == ["I should be rude."] * 2
    saved = read_discussion(next(tmp_path.glob("*.json")))
    assert [entry.reasoning for entry in saved.entries] == ["I should be rude."] * 2
    assert saved.engine["server"] == at.server.url
    assert saved.engine["exact"] is False
    assert "rude" not in str(at.server.requests)
    grown = [event for event in at.events if isinstance(event, ReplyGrew)]
    assert not any("rude" in event.text for event in grown)
    assert any(event.reasoning_tokens and not event.text for event in grown)


def test_a_stream_that_breaks_makes_one_message(run: Any) -> None:
    def script(body: dict[str, Any], number: int) -> Answer:
        whole = Answer(("No ", "way ", f"{body['seed'] % 10}."))
        return Answer(whole.pieces, breaks_after=2) if number == 1 else whole

    at = run(script)
    at.start(conv_len=3)
    record = at.ended()
    assert len(record.entries) == 3
    assert len(at.server.requests) == 4
    assert at.server.requests[1]["seed"] == at.server.requests[2]["seed"]
    assert all(entry.text.startswith("No way ") for entry in record.entries)


def test_a_busy_server_is_said_while_it_is_waited_for(run: Any) -> None:
    busy = Refused(429, headers={"retry-after": "0.4"})
    at = run(lambda body, number: busy if number in (1, 2) else Answer())
    at.start()
    assert at.ended().status == "finished"
    said = [event for event in at.events if isinstance(event, Condition)]
    assert [bool(event.sentence) for event in said if event.cause == "server"] == [True, False]
    assert "is busy (429). Next attempt in 1 s." in said[0].sentence


def test_a_server_that_dies_pauses_with_a_sentence_and_goes_on_where_it_was(run: Any) -> None:
    at = run(lambda body, number: Answer(("word ",) * 40, delay=0.02))
    at.start(conv_len=3)
    while len(at.server.requests) < 2:
        time.sleep(0.01)
    time.sleep(0.2)
    at.server.stop()
    time.sleep(0.8)
    at.server.start()
    record = at.ended()
    assert record.status == "finished"
    assert [entry.turn for entry in record.entries] == [1, 2, 3]
    assert {entry.text for entry in record.entries} == {("word " * 40).strip()}


class TestEmptyReplies:
    def test_nothing_is_asked_for_again_with_another_seed(self, run: Any) -> None:
        at = run(lambda body, number: Answer(() if number in (0, 1) else ("Yes.",)))
        at.start()
        record = at.ended()
        assert [(entry.text, entry.attempt) for entry in record.entries] == [
            ("Yes.", 2), ("Yes.", 0),
        ]  # fmt: skip
        assert len({request["seed"] for request in at.server.requests[:3]}) == 3

    def test_three_times_nothing_is_a_silence_that_says_so(self, run: Any) -> None:
        at = run(lambda body, number: Answer(() if number < 3 else ("Yes.",)))
        at.start()
        silence, message = at.ended().entries
        assert silence.is_silence
        assert silence.notes == ("the model returned nothing 3 times",)
        assert message.text == "Yes."

    def test_a_chosen_silence_is_taken_at_once(self, run: Any) -> None:
        at = run(lambda body, number: Answer(('""',)))
        at.start()
        assert all(entry.is_silence and not entry.notes for entry in at.ended().entries)
        assert len(at.server.requests) == 2

    def test_all_reasoning_gets_more_room_once_and_then_pauses(self, run: Any) -> None:
        deltas = [{"reasoning": "hm "}] * 5
        at = run(lambda body, number: Answer(deltas, finish="length"))
        at.start(max_out_tokens=100)
        record = at.ended()
        assert record.status == "paused"
        assert not record.entries
        assert [request["max_tokens"] for request in at.server.requests] == [100, 300]
        assert "Ann used all 5 tokens for reasoning. Raise max_reasoning_tokens" in at.errors[0]
        assert record.error == at.errors[0]
