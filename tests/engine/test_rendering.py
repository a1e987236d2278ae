"""A prompt shown as the model reads it, by the engine, while it decodes and without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    EngineError,
    GenerationRequest,
    RenderedPrompt,
)
from syndisco_tui.engine.local import LocalEngine

CHAT = (ChatMessage("system", "Be brief."), ChatMessage("user", "Hello."))


def rendered(
    engine: LocalEngine, chat: Sequence[ChatMessage] = CHAT
) -> RenderedPrompt | EngineError:
    answers: SimpleQueue[RenderedPrompt | EngineError] = SimpleQueue()
    engine.render(GenerationRequest(chat, max_out_tokens=1), answers.put)
    return answers.get(timeout=60)


@pytest.mark.model
def test_the_count_is_that_of_the_prompt(starter_engine: LocalEngine) -> None:
    shown = rendered(starter_engine)
    assert isinstance(shown, RenderedPrompt)
    result = starter_engine.submit(GenerationRequest(CHAT, max_out_tokens=1)).result(60)
    assert shown.tokens == result.prompt_tokens
    assert "<|im_start|>user\nHello.<|im_end|>" in shown.text


@pytest.mark.model
def test_it_is_answered_while_a_reply_is_made(starter_engine: LocalEngine) -> None:
    generation = starter_engine.submit(GenerationRequest(CHAT, max_out_tokens=400, seed=3))
    next(iter(generation))
    assert isinstance(rendered(starter_engine), RenderedPrompt)
    assert not generation.is_done
    generation.cancel()
    generation.result(60)


@pytest.mark.model
def test_a_chat_that_is_refused_is_one_sentence(starter_engine: LocalEngine) -> None:
    assert str(rendered(starter_engine, ())).startswith("The prompt is empty")


def test_without_a_model_it_says_so(tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path)
    assert str(rendered(engine)) == "No model is loaded: load one, then try again."
    engine.close()
    assert isinstance(rendered(engine), EngineError)
