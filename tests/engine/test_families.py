"""Every family of models says what transformers' ``generate`` says, whatever runs beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from syndisco_tui.engine.base import Generation, GenerationRequest, Sampling
from syndisco_tui.engine.local.chat import ChatTokenizer
from syndisco_tui.engine.local.decoder import Decoder, Intake
from syndisco_tui.engine.local.decoders import decoder_of, path_of
from syndisco_tui.engine.local.probe import find_support
from tests.support.families import Family, build, installed
from tests.support.reference import ChatTurn

GREEDY = Sampling(temperature=0.0, repetition_penalty=1.0)
NEW_TOKENS = 12


@pytest.fixture(scope="module")
def tokenizer(starter_folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(starter_folder)


def request(words: int, tokens: int = NEW_TOKENS) -> GenerationRequest:
    text = " ".join(f"word {number * words}" for number in range(words))
    chat = (ChatTurn("system", "You are Emma35."), ChatTurn("user", text))
    return GenerationRequest(chat, tokens, GREEDY)


def generated(model: Any, tokenizer: Any, request: GenerationRequest) -> tuple[int, ...]:
    """What ``generate`` makes of it by itself, without what ends it."""
    ids = torch.tensor([ChatTokenizer(tokenizer).ids(request.chat)])
    made = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=request.max_out_tokens,
        do_sample=False,
        eos_token_id=2,
        pad_token_id=0,
    )
    tokens = made[0, ids.shape[1] :].tolist()
    return tuple(tokens[: tokens.index(2)] if 2 in tokens else tokens)


def finish(decoder: Decoder) -> None:
    while decoder.busy:
        decoder.advance()


@pytest.mark.parametrize("family", installed(), ids=lambda family: family.name)
def test_words_and_path(family: Family, tokenizer: Any) -> None:
    """Solo, then in a ragged batch of four that a fifth joins and from which one is cancelled."""
    model = build(family)
    support = find_support(model)
    assert path_of(support) == family.path, support.reason
    assert bool(support.reason) is (family.path != "slots")
    decoder = decoder_of(model, support, Intake(tokenizer, eos=[2], context_length=512))
    requests = [request(words) for words in (3, 12, 7, 20, 5)]
    expected = [generated(model, tokenizer, one) for one in requests]

    solo = Generation(requests[1])
    decoder.submit(solo)
    finish(decoder)
    assert solo.result(1).token_ids == expected[1]

    batch = [Generation(one) for one in requests[:4]]
    cancelled = Generation(request(9, tokens=200))
    for generation in (*batch[:2], cancelled, *batch[2:]):
        decoder.submit(generation)
    for _ in range(8):
        if decoder.busy:
            decoder.advance()
    joined = Generation(requests[4])
    decoder.submit(joined)
    decoder.advance()
    cancelled.cancel()
    finish(decoder)
    for generation, tokens in zip([*batch, joined], expected, strict=True):
        assert generation.result(1).token_ids == tokens
    assert cancelled.result(1).finish_reason in ("cancelled", "stop")
    cached = batch[1].result(1).cached_tokens
    assert cached == (solo.result(1).prompt_tokens - 1 if family.path == "slots" else 0)
