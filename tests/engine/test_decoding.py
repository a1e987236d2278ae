"""How replies begin, stream, end and fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    Chunk,
    EngineError,
    Failed,
    Finished,
    GenerationEvent,
    GenerationRequest,
    Sampling,
    Started,
)
from syndisco_tui.engine.local import LocalEngine

CHAT = (ChatMessage("system", "You are Emma35."), ChatMessage("user", "Should cities ban cars?"))


def request(tokens: int = 30, stop: tuple[str, ...] = (), chat=CHAT, seed: int = 1):  # type: ignore[no-untyped-def]
    return GenerationRequest(chat, tokens, Sampling(), seed, stop)


def test_events_come_in_order_and_chunks_join_to_the_text(starter_engine: LocalEngine) -> None:
    events: SimpleQueue[GenerationEvent] = SimpleQueue()
    generation = starter_engine.submit(request(), events.put)
    result = generation.result(60)
    got = [events.get() for _ in range(events.qsize())]
    assert isinstance(got[0], Started)
    assert got[0].prompt_tokens == result.prompt_tokens
    chunks = got[1:-1]
    assert all(isinstance(event, Chunk) for event in chunks)
    assert "".join(event.text for event in chunks if isinstance(event, Chunk)) == result.text
    assert got[-1] == Finished(generation, result)
    assert result.completion_tokens == len(result.token_ids) == 30
    assert 0 < result.time_to_first_token < result.seconds


def test_a_stop_string_across_tokens_ends_the_reply(starter_engine: LocalEngine) -> None:
    whole = starter_engine.submit(request(40)).result(60)
    cut = len(whole.text) // 2
    stop = whole.text[cut : cut + 9]  # several tokens, from the middle of one to that of another
    generation = starter_engine.submit(request(40, stop=(stop, "never said")))
    assert "".join(generation) == whole.text[: whole.text.index(stop)]
    assert generation.result().finish_reason == "stop"
    assert generation.result().completion_tokens < whole.completion_tokens


def test_cancel_takes_effect_within_one_token(starter_engine: LocalEngine) -> None:
    events: SimpleQueue[GenerationEvent] = SimpleQueue()
    generation = starter_engine.submit(request(500), events.put)
    tokens = 0
    while tokens < 5:
        event = events.get(timeout=60)
        tokens = event.tokens if isinstance(event, Chunk) else 0
    generation.cancel()
    result = generation.result(5)
    assert result.finish_reason == "cancelled"
    assert tokens <= result.completion_tokens <= tokens + 2
    uncut = starter_engine.submit(request(result.completion_tokens)).result(60)
    assert uncut.text.startswith(result.text)


def test_cancelled_before_it_began(starter_engine: LocalEngine) -> None:
    first = starter_engine.submit(request(20))
    second = starter_engine.submit(request(20))
    second.cancel()
    assert second.result(30).finish_reason == "cancelled"
    assert first.result(30).finish_reason == "length"


def test_a_new_request_joins_while_others_decode(starter_engine: LocalEngine) -> None:
    long = starter_engine.submit(request(120))
    next(iter(long))
    short = starter_engine.submit(request(3, seed=2))
    short.result(30)
    assert not long.is_done
    long.cancel()


def test_one_token_is_a_reply(starter_engine: LocalEngine) -> None:
    assert starter_engine.submit(request(1)).result(30).completion_tokens == 1


@pytest.mark.parametrize(
    ("chat", "sentence"),
    [
        ((), r"^The prompt is empty: .*\.$"),
        (
            (ChatMessage("user", "word " * 600),),
            r"^The prompt has 6\d\d tokens and the model reads fewer than 512: shorten .*\.$",
        ),
    ],
)
def test_a_refused_prompt_fails_with_one_sentence_and_the_engine_goes_on(
    engine_for: Callable[[Path], LocalEngine],
    tiny_folder: Path,
    chat: tuple[ChatMessage, ...],
    sentence: str,
) -> None:
    engine = engine_for(tiny_folder)
    events: SimpleQueue[GenerationEvent] = SimpleQueue()
    generation = engine.submit(request(chat=chat), events.put)
    with pytest.raises(EngineError, match=sentence):
        generation.result(30)
    assert isinstance(events.get(), Failed)
    assert engine.submit(request(3)).result(30).completion_tokens == 3


def test_a_reply_ends_where_the_context_does(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path
) -> None:
    chat = (ChatMessage("user", "word " * 450),)
    result = engine_for(tiny_folder).submit(request(500, chat=chat)).result(60)
    assert result.prompt_tokens + result.completion_tokens <= 512
    assert result.finish_reason in ("length", "stop")


def test_without_a_model_a_request_fails(tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path)
    with pytest.raises(EngineError, match=r"^No model is loaded: "):
        engine.submit(request()).result(10)
    engine.close()


def test_close_cancels_what_runs(starter_cache: Path, tiny_folder: Path) -> None:
    from syndisco_tui.engine.model import ModelSpec
    from tests.support.engines import load

    engine = LocalEngine(starter_cache)
    load(engine, ModelSpec(str(tiny_folder)))
    running = [engine.submit(request(400, seed=seed)) for seed in range(3)]
    next(iter(running[0]))
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 2
    assert {generation.result(1).finish_reason for generation in running} <= {"cancelled", "stop"}
    with pytest.raises(EngineError):
        engine.submit(request()).result(1)


def test_requests_that_begin_alike_are_read_once(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path
) -> None:
    """Many discussions of one setup: the shared prefix of their prompts is read once and copied."""
    chat = (ChatMessage("system", "You are Emma35. " * 20), ChatMessage("user", "Go."))
    together = [engine_for(tiny_folder).submit(request(5, chat=chat, seed=i)) for i in range(6)]
    results = [generation.result(60) for generation in together]
    assert all(result.cached_tokens == result.prompt_tokens - 1 for result in results[1:])
