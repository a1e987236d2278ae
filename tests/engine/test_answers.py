"""Replies restricted to a few answers: the likeliest whole answer, with its probability."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import Chunk, Finished, GenerationRequest, Sampling, Started
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.decoding.answers import AnswerProbabilities, AnswerTree
from syndisco_tui.engine.local.tokenization.chat_tokenizer import ChatTokenizer
from tests.support.tiny_models import read_model

CHAT = (
    ChatMessage("system", "You rate comments. Answer with a number from 1 to 10."),
    ChatMessage("user", "You are all idiots.\nYour annotation:"),
)
TEN = tuple(map(str, range(1, 11)))
WORDS = ("toxic", "not toxic", "not at all toxic", "cannot say")


def request(answers: tuple[str, ...], temperature: float = 0.0, seed: int = 0) -> GenerationRequest:
    return GenerationRequest(CHAT, 5, Sampling(temperature, 1, 0, 1), seed, answers=answers)


def by_hand(model: Any, tokenizer: Any, answers: tuple[str, ...]) -> dict[str, float]:
    """Probabilities of whole answers, each with a forward pass of its own, as the module says."""
    prompt = ChatTokenizer(tokenizer).ids(CHAT)
    spelled = {
        answer: {
            tuple(tokenizer.encode(text, add_special_tokens=False))
            for text in (answer, f" {answer}")
        }
        for answer in answers
    }
    everything = {ids for each in spelled.values() for ids in each}
    totals = {}
    for answer, spellings in spelled.items():
        total = 0.0
        for ids in spellings:
            goes_on = any(other != ids and other[: len(ids)] == ids for other in everything)
            path = [*ids, 2] if goes_on else list(ids)
            with torch.inference_mode():
                logits = model(torch.tensor([[*prompt, *path]])).logits[0].float()
            logged = torch.log_softmax(logits, -1)
            steps = range(len(prompt) - 1, len(prompt) - 1 + len(path))
            total += math.exp(sum(float(logged[n, t]) for n, t in zip(steps, path, strict=True)))
        totals[answer] = total
    whole = sum(totals.values())
    return {answer: total / whole for answer, total in totals.items()}


@pytest.mark.parametrize("answers", [TEN[:5], TEN, WORDS])
def test_probabilities_are_those_of_whole_answers(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path, answers: tuple[str, ...]
) -> None:
    expected = by_hand(*read_model(tiny_folder), answers)
    events: list[Any] = []
    engine = engine_for(tiny_folder)
    generation = engine.submit(request(answers), events.append)
    result = generation.result(60)
    assert result.answer_probabilities == pytest.approx(expected, abs=1e-5)
    assert list(result.answer_probabilities) == list(answers)
    assert sum(result.answer_probabilities.values()) == pytest.approx(1)
    assert result.text == max(expected, key=lambda answer: expected[answer])
    assert [type(event) for event in events] == [Started, Chunk, Finished]
    assert result.prompt_tokens == events[0].prompt_tokens > 10


def test_the_same_among_other_replies(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path
) -> None:
    engine = engine_for(tiny_folder)
    alone = engine.submit(request(TEN)).result(60)
    ordinary = GenerationRequest(CHAT, 20, Sampling(), 3)
    before = engine.submit(ordinary).result(60)
    asked = [engine.submit(request(TEN)) for _ in range(3)]
    other = engine.submit(ordinary)
    results = [each.result(60) for each in (*asked, engine.submit(request(TEN)))]
    assert {each.text for each in results} == {alone.text}
    assert all(each.answer_probabilities == alone.answer_probabilities for each in results)
    assert other.result(60).text == before.text


def test_drawn_with_the_models_probabilities(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path
) -> None:
    engine = engine_for(tiny_folder)
    asked = [engine.submit(request(TEN[:3], 1.0, seed)) for seed in range(400)]
    results = [each.result(60) for each in asked]
    expected = results[0].answer_probabilities
    for answer, probability in expected.items():
        share = sum(each.text == answer for each in results) / len(results)
        assert share == pytest.approx(probability, abs=0.1)
    again = engine.submit(request(TEN[:3], 1.0, 17)).result(60)
    assert again.text == results[17].text


def test_prompts_that_are_read_together(tiny_folder: Path) -> None:
    model, tokenizer = read_model(tiny_folder)
    tree = AnswerTree()
    for answer in TEN[:5]:
        tree.add(tokenizer.encode(answer, add_special_tokens=False), answer)
    assert tree.is_flat
    probabilities = AnswerProbabilities(model, {2})
    prompts = [tokenizer.encode(text) for text in ("Hello", "How are you all today?", "No.")]
    together = probabilities.of_several(prompts, [tree] * 3)
    for prompt, row in zip(prompts, together, strict=True):
        assert row == pytest.approx(probabilities.of(prompt, tree), abs=1e-4)


def test_without_a_cache_the_same(tiny_folder: Path) -> None:
    model, tokenizer = read_model(tiny_folder)
    tree = AnswerTree()
    for answer in WORDS:
        tree.add(tokenizer.encode(answer, add_special_tokens=False), answer)
    probabilities, prompt = AnswerProbabilities(model, {2}), tokenizer.encode("How is this?")
    expected = probabilities.of(prompt, tree)
    probabilities._call = None
    assert probabilities.of(prompt, tree) == pytest.approx(expected, abs=1e-4)


def test_a_cancelled_one_ends(engine_for: Callable[[Path], LocalEngine], tiny_folder: Path) -> None:
    engine = engine_for(tiny_folder)
    asked = [engine.submit(request(WORDS)) for _ in range(20)]
    asked[-1].cancel()
    assert asked[-1].result(60).finish_reason == "cancelled"
    alone = engine.submit(request(WORDS))
    alone.cancel()
    assert alone.result(60).finish_reason in ("cancelled", "stop")
    assert asked[0].result(60).text in WORDS


def test_what_prompts_have_in_common_is_read_once(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path
) -> None:
    long = ChatMessage("system", "You rate comments. " * 20)
    engine = engine_for(tiny_folder)
    decoder: Any = engine._decoder

    def rate(text: str) -> dict[str, float]:
        chat = (long, ChatMessage("user", text))
        asked = GenerationRequest(chat, 5, Sampling(0.0, 1, 0, 1), answers=TEN[:5])
        return engine.submit(asked).result(60).answer_probabilities

    first = rate("You are all idiots.")
    rate("Hello.")
    assert rate("You are all idiots.") == first
    prefixes = decoder._probabilities._prefixes
    assert any(len(ids) > 60 for ids in prefixes)
    prefixes.clear()
    decoder._beginnings = {long.content: []}
    assert rate("You are all idiots.") == pytest.approx(first, abs=1e-5)
    decoder._beginnings.clear()
