"""Memory is full while a reply is made: once more with less, then a pause. Nothing is lost."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import Discussion, Persona, Shortened, rebuild_request
from syndisco_tui.engine.base import GenerationRequest, OutOfMemory
from syndisco_tui.headless.live import run_headless
from syndisco_tui.headless.replay import replay
from syndisco_tui.session import Condition, ErrorRaised, ReplyDropped, ReplyStarted
from syndisco_tui.store.discussion_format import from_json, to_json
from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.export.chat import replies
from syndisco_tui.store.inputs import InputError
from syndisco_tui.tui.transcript.blocks import block_of
from tests.support.live_session import SLOW, Live, changed
from tests.support.scripted_engine import ScriptedEngine

FULL = "The memory is full: shorten the history or the reply, or repeat fewer at once."


def quoted(request: GenerationRequest) -> int:
    """How many messages the prompt quotes."""
    return request.chat[-1].content.count(" posted:") - 1


class Memory:
    """An engine's memory: holds prompts of so many messages and replies of so many tokens.

    What a reply says follows from the request alone.
    """

    def __init__(self, *, messages: int = 1000, tokens: int = 1000, lasts: int = 1000) -> None:
        self.messages, self.tokens = messages, tokens
        self.lasts = lasts
        """So many replies; then another program takes nearly all of it."""

    def __call__(self, request: GenerationRequest) -> str:
        self.lasts -= 1
        if self.lasts < 0:
            self.tokens = 10
        if quoted(request) > self.messages or request.max_out_tokens > self.tokens:
            return OutOfMemory(FULL)  # type: ignore[return-value]
        return f"Seed {request.seed}, {quoted(request)} messages, {request.max_out_tokens} tokens."


Begin = Callable[..., Live]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    folder = tmp_path / "discussions"
    folder.mkdir()
    started: list[Live] = []

    def begin(memory: Memory, *, delay: float = 0.0, **fields: Any) -> Live:
        live = Live(ScriptedEngine(memory, delay=delay, load_steps=0), folder)
        started.append(live)
        live.session.start(changed(**{"max_out_tokens": 200, "conv_len": 6} | fields))
        return live

    yield begin
    for live in started:
        assert live.session.close()
        live.engine.close()


def test_the_retry_has_half_the_history_and_half_the_tokens(begin: Begin) -> None:
    live = begin(Memory(messages=3), history_context_len=None)
    live.until_state("finished")
    entries = live.record.entries
    # Turn 5 would quote four messages: two are quoted. Turn 6 would quote five.
    assert [entry.shortened for entry in entries[:4]] == [None] * 4
    assert entries[4].shortened == entries[5].shortened == Shortened(2, 100)
    assert "2 messages, 100 tokens" in entries[4].text
    told = [event.sentence for event in live.all(Condition) if event.cause == "memory"]
    limits = "with the last 2 messages and at most 100 tokens."
    assert told == [
        f"Memory was full: retrying the reply of Ann {limits}",
        "",
        f"Memory was full: retrying the reply of Bob {limits}",
        "",
    ]
    assert len(live.all(ReplyDropped)) == 2
    assert live.texts() == [entry.text for entry in entries]
    assert live.record.setup.max_out_tokens == 200  # what comes is asked for as it was wished
    assert not live.record.earlier_setups


def test_what_the_file_says_is_what_was_asked(begin: Begin) -> None:
    memory = Memory(messages=3)
    live = begin(memory, history_context_len=None)
    live.until_state("finished")
    record = live.record
    answered = [
        request
        for request in live.engine.requests
        if quoted(request) <= 3 and request.max_out_tokens <= 200
    ]
    asked = [rebuild_request(record, index) for index in range(6)]
    assert [each.request.chat for each in asked] == [request.chat for request in answered]
    assert [each.setup.max_out_tokens for each in asked] == [200] * 4 + [100] * 2
    assert [chat[:-1] for chat in replies(record)] == [request.chat for request in answered]
    out = io.StringIO()
    memory.messages = 1000  # whatever the memory is now
    assert replay(live.engine, record, out=out, err=io.StringIO()) == 0, out.getvalue()
    assert "6 replies: the same text throughout" in out.getvalue()


def test_a_second_failure_pauses_and_keeps_everything(begin: Begin) -> None:
    memory = Memory(lasts=2)
    live = begin(memory)
    assert live.until(ErrorRaised).sentence == FULL
    live.until_state("paused")
    said = live.texts()
    assert len(said) == 2
    assert [entry.text for entry in live.record.entries] == said
    assert live.record.status == "paused"
    assert live.all(Condition)[-1] == Condition("memory", "")
    assert live.engine.requests[-1].max_out_tokens == 100
    count = len(live.engine.requests)
    assert live.quiet()
    memory.tokens, memory.lasts = 1000, 1000  # the other program has ended
    live.session.run()
    live.until_state("finished")
    assert live.texts()[: len(said)] == said
    assert live.engine.requests[count].max_out_tokens == 200
    assert [entry.turn for entry in live.record.entries] == [1, 2, 3, 4, 5, 6]


def test_stopping_in_the_second_try_leaves_the_turn_open(begin: Begin) -> None:
    memory = Memory(tokens=100)
    live = begin(memory, delay=SLOW)
    live.until(Condition, lambda event: bool(event.sentence) and event.cause == "memory")
    live.until(ReplyStarted)
    live.session.stop()
    live.until_state("paused")
    assert live.all(Condition)[-1] == Condition("memory", "")
    assert live.record.entries == ()
    assert live.record.setup.max_out_tokens == 200


def test_without_anything_to_shorten_it_is_not_asked_again(begin: Begin) -> None:
    live = begin(Memory(tokens=0), max_out_tokens=1)
    live.until(ErrorRaised)
    live.until_state("paused")
    assert len(live.engine.requests) == 1


def test_each_session_has_its_own_retry(begin: Begin) -> None:
    live = begin(Memory(tokens=100))
    sibling_heard: list[object] = []
    sibling = live.session.sibling(sibling_heard.append)
    sibling.start(changed(conv_len=2, max_out_tokens=200, seed=9))
    live.until_state("finished")
    assert sibling.close()
    assert [e.shortened for e in live.record.entries]


def test_headless_reports_the_retry_and_continues(tmp_path: Path) -> None:
    live = Live(ScriptedEngine(Memory(tokens=100), load_steps=0), tmp_path)
    out, err = io.StringIO(), io.StringIO()
    setup = changed(conv_len=2, max_out_tokens=200)
    assert run_headless(live.session, setup, out=out, err=err) == 0
    assert err.getvalue().count("Memory was full: ") == 2
    assert "retrying the reply of Bob with no history" in err.getvalue()
    assert out.getvalue().count("100 tokens.") == 2
    live.engine.close()


class TestTheFile:
    def test_it_is_kept_and_shown(self, begin: Begin) -> None:
        live = begin(Memory(tokens=100), conv_len=2)
        live.until_state("finished")
        record = read_discussion(live.path)
        log = to_json(record)["logs"][1]
        assert log["shortened"] == {"history_context_len": 0, "max_out_tokens": 100}
        assert "shorter: memory was full" in block_of(record.entries[1]).tag

    @pytest.mark.parametrize(
        "wrong",
        [{"history_context_len": -1, "max_out_tokens": 1}, {"history_context_len": 0}, 3, [], ""],
    )
    def test_nonsense_is_refused(self, begin: Begin, wrong: object) -> None:
        live = begin(Memory(tokens=100), conv_len=1)
        live.until_state("finished")
        value = to_json(live.record)
        value["logs"][0]["shortened"] = wrong
        with pytest.raises(InputError, match="shortened"):
            from_json(value, "x.json")

    def test_the_next_request_has_the_limits_of_the_setup(self) -> None:
        setup = changed(personas=(Persona(username="Ann"), Persona(username="Bob")))
        discussion = Discussion(setup)
        request = discussion.next_request(0, Shortened(0, 5))
        assert request is not None
        assert request.shortened == Shortened(0, 5)
        plain = discussion.next_request()
        assert plain is not None
        assert plain.shortened is None
        assert plain.seed == request.seed
