"""A request gives the same tokens alone, in any batch, and with a cached prefix."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import Generation, GenerationRequest, Sampling
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.tokenization.chat_tokenizer import ChatTokenizer
from tests.support.reference import random_request, reference_reply
from tests.support.tiny_models import read_model

GREEDY = Sampling(temperature=0.0, repetition_penalty=1.0)


def compare(generation: Generation, model: Any, tokenizer: Any) -> None:
    result = generation.result(120)
    expected = reference_reply(model, tokenizer, generation.request)
    assert result.token_ids == expected.token_ids, generation.request
    assert result.text == expected.text
    assert result.finish_reason == expected.finish_reason


@pytest.mark.parametrize(
    ("folder", "count"),
    [
        ("tiny_folder", 10),
        ("grid_folder", 20),
        pytest.param("grid_folder", 200, marks=pytest.mark.campaign),
    ],
)
def test_random_requests_among_cancelled_ones(
    engine_for: Callable[[Path], LocalEngine],
    folder: str,
    count: int,
    request: pytest.FixtureRequest,
) -> None:
    model_folder = request.getfixturevalue(folder)
    engine, (model, tokenizer) = engine_for(model_folder), read_model(model_folder)
    rng = random.Random(1)
    compared: list[Generation] = []
    while len(compared) < count:
        wave = [engine.submit(random_request(rng, 40)) for _ in range(rng.choice([1, 3, 8, 30]))]
        to_cancel = [engine.submit(random_request(rng, 200)) for _ in range(rng.randint(0, 3))]
        if rng.random() < 0.5:  # so that others are cancelled while they decode
            wave[0].result(60)
        for generation in to_cancel:
            generation.cancel()
        if rng.random() < 0.5:  # so that the next wave joins while this one decodes
            wave[-1].result(60)
        compared += wave
    for generation in compared:
        compare(generation, model, tokenizer)
    assert sum(generation.result().cached_tokens > 0 for generation in compared) > count // 4
    assert {generation.result().finish_reason for generation in compared} == {"stop", "length"}


def test_the_starter_batched_and_alone(
    starter_engine: LocalEngine, starter_model: tuple[Any, Any]
) -> None:
    rng = random.Random(2)
    requests = [random_request(rng, 24) for _ in range(10)]
    batched = [starter_engine.submit(request) for request in requests]
    for generation in batched:
        compare(generation, *starter_model)
    for generation in batched[:4]:  # alone, and then with the whole prompt in the cache
        alone, warm = (starter_engine.submit(generation.request).result(60) for _ in range(2))
        assert alone.token_ids == warm.token_ids == generation.result().token_ids
        assert warm.cached_tokens == warm.prompt_tokens - 1


def test_greedy_equals_transformers_generate(
    starter_engine: LocalEngine, starter_model: tuple[Any, Any]
) -> None:
    model, tokenizer = starter_model
    chat = (
        ChatMessage("system", "You are Emma35."),
        ChatMessage("user", "Should cities ban cars?"),
    )
    ids = torch.tensor([ChatTokenizer(tokenizer).ids(chat)])
    generated = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=40,
        do_sample=False,
        repetition_penalty=1.2,
    )[0, ids.shape[1] :].tolist()
    sampling = Sampling(temperature=0.0, repetition_penalty=1.2)
    result = starter_engine.submit(GenerationRequest(chat, 40, sampling)).result(60)
    assert list(result.token_ids) == [token for token in generated if token != 2]


def test_each_seed_gives_its_own_reply(starter_engine: LocalEngine) -> None:
    chat = (ChatMessage("user", "Tell me something."),)
    replies = [
        starter_engine.submit(GenerationRequest(chat, 12, Sampling(), seed=seed))
        for seed in (1, 2, 3, 1)
    ]
    ids = [reply.result(60).token_ids for reply in replies]
    assert ids[0] == ids[3]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("changed", ["first token", "last token", "longer", "shorter"])
def test_a_cached_prefix_is_compared_by_tokens(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path, changed: str
) -> None:
    engine, (model, tokenizer) = engine_for(tiny_folder), read_model(tiny_folder)
    content_before = "one two three four five six seven eight nine ten"
    other = {
        "first token": content_before.replace("one", "none"),
        "last token": content_before.replace("ten", "eleven"),
        "longer": content_before + " eleven twelve",
        "shorter": content_before.replace(" nine ten", ""),
    }[changed]
    for content in (content_before, other, content_before):
        request = GenerationRequest((ChatMessage("user", content),), 20, Sampling(), seed=4)
        compare(engine.submit(request), model, tokenizer)


def test_a_reply_goes_on_into_the_next_prompt(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path
) -> None:
    """A reply that is quoted back as the assistant's own is in the cache already."""
    engine = engine_for(tiny_folder)
    first = (ChatMessage("user", "hello"),)
    reply = engine.submit(GenerationRequest(first, 10, GREEDY)).result(60)
    chat = (*first, ChatMessage("assistant", reply.text), ChatMessage("user", "and then?"))
    after = engine.submit(GenerationRequest(chat, 3, GREEDY)).result(60)
    assert after.cached_tokens > reply.prompt_tokens
