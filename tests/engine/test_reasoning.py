"""Local models that reason: switched by their templates, told apart, ended in time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    Chunk,
    Generation,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    Retracted,
    Sampling,
)
from syndisco_tui.engine.local.decoding.decoder import Decoder, InputProcessor
from syndisco_tui.engine.local.decoding.factory import decoder_for
from syndisco_tui.engine.local.decoding.slot_decoder import SlotDecoder
from syndisco_tui.engine.local.runners.batch_runner import BatchRunner
from syndisco_tui.engine.local.runners.cuda_graphs import StaticSteps
from syndisco_tui.engine.local.runners.llama_runner import LlamaRunner
from syndisco_tui.engine.local.runners.probe import Support
from syndisco_tui.engine.local.tokenization.chat_tokenizer import ChatTokenizer
from tests.support.reasoning_families import (
    FAMILIES,
    MESSAGES,
    OPEN,
    WITH_TAGS,
    Family,
    endless,
    family_tokenizer,
    model_of,
)
from tests.support.scripted_model import CONTEXT

CHAT = (ChatMessage("system", "You are Emma35."), ChatMessage("user", "Cars?"))
GREEDY = Sampling(temperature=0.0)


def request(**changes: Any) -> GenerationRequest:
    return replace(GenerationRequest(CHAT, 40, GREEDY), **changes)


DECODERS = ("slots", "static", "batch", "generate")


def decoder_of(kind: str, model: Any, tokenizer: Any) -> Decoder:
    inputs = InputProcessor(tokenizer, eos=[2], context_length=CONTEXT)
    if kind == "static":
        runner = LlamaRunner(model)
        return SlotDecoder(runner, inputs, budget=1 << 30, static=StaticSteps(runner, None))
    runners = {"slots": LlamaRunner, "batch": BatchRunner, "generate": lambda _: None}
    return decoder_for(model, Support(runners[kind](model)), inputs)


def run(decoder: Decoder, *requests: GenerationRequest) -> list[GenerationResult]:
    generations = [Generation(one) for one in requests]
    for generation in generations:
        decoder.submit(generation)
    while decoder.busy:
        decoder.step()
    return [generation.result(1) for generation in generations]


@pytest.fixture(params=FAMILIES)
def family(request: Any) -> Family:
    return FAMILIES[request.param]


@pytest.mark.parametrize("reasoning", ["auto", "on", "off"])
def test_the_template_switches(tiny_folder: Path, family: Family, reasoning: Any) -> None:
    chat = ChatTokenizer(family_tokenizer(tiny_folder, family))
    assert chat.switches.fields == family.fields
    prompt = chat.prompt(request(reasoning=reasoning))
    assert bool(prompt.notes) is (reasoning == "on" and "on" not in family.fields)
    if expected := (family.prompts or {}).get(reasoning):
        assert chat._decode(prompt.ids).endswith(expected)


def test_effort(tiny_folder: Path) -> None:
    oss = ChatTokenizer(family_tokenizer(tiny_folder, FAMILIES["gpt-oss"]))
    high = oss.rendered(request(reasoning_effort="high"))
    assert "Reasoning: high" in high.text
    assert not oss.prompt(request(reasoning_effort="high")).notes
    qwen = ChatTokenizer(family_tokenizer(tiny_folder, FAMILIES["qwen3"]))
    (note,) = qwen.prompt(request(reasoning_effort="high")).notes
    assert note == "the model's chat template has no reasoning effort “high”"


def test_levels_that_a_template_refuses(tiny_folder: Path) -> None:
    family = Family(
        "{% if reasoning_effort is defined and reasoning_effort not in ['none', 'low', 'high'] %}"
        "{{ raise_exception('no') }}{% endif %}[{{ reasoning_effort }}]" + MESSAGES + OPEN
        + "{% endif %}",
        {}, {},
    )  # fmt: skip
    chat = ChatTokenizer(family_tokenizer(tiny_folder, family))
    assert chat.switches.fields == ("on", "off", "effort")
    assert chat.rendered(request(reasoning="off")).text.startswith("[none]")
    assert chat.prompt(request(reasoning_effort="medium")).notes


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("name", WITH_TAGS)
def test_thoughts_are_told_from_speech(tiny_folder: Path, name: str, kind: str) -> None:
    """Greedy and sampled, alone and beside each other."""
    model, tokenizer = model_of(tiny_folder, FAMILIES[name])
    decoder = decoder_of(kind, model, tokenizer)
    requests = [
        request(reasoning="on", sampling=sampling, seed=seed, stop=(" should", "ever"))
        for seed, sampling in enumerate((GREEDY, Sampling(), Sampling(top_k=0), Sampling()))
    ]
    together = run(decoder, *requests)
    for one, result in zip(requests, together, strict=True):
        (alone,) = run(decoder, one)
        assert alone.token_ids == result.token_ids
        assert result.text == "No way."
        assert result.reasoning.strip() in ("I should be short", "I should be kind")
        assert result.finish_reason == "stop"
        assert 0 < result.reasoning_tokens < result.completion_tokens


def test_a_thought_never_shows_as_speech(tiny_folder: Path, family: Family) -> None:
    model, tokenizer = model_of(tiny_folder, family)
    events: SimpleQueue[GenerationEvent] = SimpleQueue()
    decoder = decoder_of("slots", model, tokenizer)
    decoder.submit(Generation(request(reasoning="on"), events.put))
    while decoder.busy:
        decoder.step()
    seen = [events.get() for _ in range(events.qsize())]
    chunks = [event for event in seen if isinstance(event, Chunk)]
    assert not any(isinstance(event, Retracted) for event in seen)
    assert "should" not in "".join(chunk.text for chunk in chunks)
    thinking = [chunk.reasoning_tokens for chunk in chunks if not chunk.text]
    assert thinking == sorted(thinking)
    assert len(thinking) >= 4  # so that it can be said how far it is


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("name", WITH_TAGS)
def test_a_thought_that_has_used_its_tokens_is_ended(
    tiny_folder: Path, name: str, kind: str
) -> None:
    family = FAMILIES[name]
    model, tokenizer = model_of(tiny_folder, family, **endless(family))
    decoder = decoder_of(kind, model, tokenizer)
    requests = [
        request(reasoning="on", max_reasoning_tokens=12 + seed, sampling=sampling, seed=seed)
        for seed, sampling in enumerate((GREEDY, Sampling(), Sampling(), Sampling(top_k=0)))
    ]
    together = run(decoder, *requests)
    for one, result in zip(requests, together, strict=True):
        (alone,) = run(decoder, one)
        assert alone.token_ids == result.token_ids
        assert (result.text, result.finish_reason) == ("No way.", "stop")
        limit = one.max_reasoning_tokens
        assert limit <= result.reasoning_tokens <= limit + 8
        assert result.notes[-1] == f"its reasoning was ended after {limit} tokens"
    others = {decoder_of(other, model, tokenizer) for other in DECODERS if other != kind}
    sampled = requests[1]
    assert {run(other, sampled)[0].token_ids for other in others} == {together[1].token_ids}


@pytest.mark.parametrize("kind", DECODERS)
def test_channels(tiny_folder: Path, kind: str) -> None:
    """gpt-oss: what ends a message ends a thought too, and the reply after the final channel."""
    family = FAMILIES["gpt-oss"]
    again = {
        "<|channel|>": [" analysis", " final"], " final": ["<|message|>"], "<|message|>": ["No"],
        ".": ["<|end|>"], "<|end|>": ["<|start|>"], "<|start|>": ["ant"],
    }  # fmt: skip
    model, tokenizer = model_of(tiny_folder, family, **again)
    requests = [request(sampling=Sampling(), seed=seed, max_out_tokens=60) for seed in range(6)]
    results = run(decoder_of(kind, model, tokenizer), *requests)
    thoughts = {result.reasoning for result in results}
    assert {(result.text, result.finish_reason) for result in results} == {("No way.", "stop")}
    assert {"", "No way."} <= thoughts
    assert thoughts <= {"No way." * times for times in range(5)}


@pytest.mark.parametrize("kind", DECODERS)
def test_a_channel_that_has_used_its_tokens_is_ended(tiny_folder: Path, kind: str) -> None:
    family = FAMILIES["gpt-oss"]
    model, tokenizer = model_of(tiny_folder, family, **endless(family))
    (result,) = run(
        decoder_of(kind, model, tokenizer), request(max_reasoning_tokens=9, max_out_tokens=3)
    )
    assert result.notes == ("its reasoning was ended after 9 tokens",)
    text = tokenizer.decode(result.token_ids)
    assert "<|end|><|start|>assistant<|channel|>final<|message|>" in text
    assert (result.text, result.finish_reason) == ("I should be", "length")


@pytest.mark.parametrize("kind", DECODERS)
def test_all_tokens_used_for_reasoning(tiny_folder: Path, kind: str) -> None:
    """Without a limit of their own, thoughts and speech share ``max_out_tokens``."""
    family = FAMILIES["qwen3"]
    model, tokenizer = model_of(tiny_folder, family, **endless(family))
    (result,) = run(decoder_of(kind, model, tokenizer), request(max_out_tokens=20))
    assert (result.text, result.finish_reason) == ("", "length")
    assert result.completion_tokens == result.reasoning_tokens == 20
    assert result.reasoning.startswith(" I should be")


def test_where_the_context_is_short_room_for_speech_is_left(tiny_folder: Path) -> None:
    family = FAMILIES["qwen3"]
    model, tokenizer = model_of(tiny_folder, family, **endless(family))
    (result,) = run(
        decoder_of("slots", model, tokenizer), request(max_reasoning_tokens=5000, max_out_tokens=50)
    )
    assert result.text == "No way."
    assert result.prompt_tokens + result.completion_tokens <= CONTEXT


def test_only_a_thought_is_an_empty_reply(tiny_folder: Path) -> None:
    model, tokenizer = model_of(tiny_folder, FAMILIES["qwen3"], **{"</think>": [""]})
    (result,) = run(decoder_of("slots", model, tokenizer), request())
    assert (result.text, result.finish_reason) == ("", "stop")
    assert result.reasoning


def test_two_thoughts_in_one_reply(tiny_folder: Path) -> None:
    """The second one is ended at once where the first has used all tokens."""
    family = FAMILIES["qwen3"]
    twice = {" way": ["<think>"], "<think>": [" I"], "\n\n": ["No"]}
    model, tokenizer = model_of(tiny_folder, family, **twice)
    (result,) = run(
        decoder_of("slots", model, tokenizer), request(max_reasoning_tokens=7, max_out_tokens=6)
    )
    assert "think" not in result.text
    assert result.text.split() == ["No", "way"] * (len(result.text.split()) // 2)
    assert result.reasoning.count("should") == 1


@pytest.mark.parametrize("cancelled_at", [5, 20])
@pytest.mark.parametrize("kind", DECODERS)
def test_cancelled_in_a_thought_and_after_it_was_ended(
    tiny_folder: Path, kind: str, cancelled_at: int
) -> None:
    family = FAMILIES["qwen3"]
    model, tokenizer = model_of(tiny_folder, family, **endless(family), **{" way": ["No"]})
    decoder = decoder_of(kind, model, tokenizer)

    def hear(event: GenerationEvent) -> None:
        if isinstance(event, Chunk) and event.tokens == cancelled_at:
            generation.cancel()

    generation = Generation(request(max_reasoning_tokens=10), hear)
    decoder.submit(generation)
    while decoder.busy:
        decoder.step()
    result = generation.result(1)
    assert result.finish_reason == "cancelled"
    assert cancelled_at <= result.completion_tokens <= cancelled_at + 2
    assert result.text.startswith("No way" if cancelled_at == 20 else "")
    assert bool(result.text) is (cancelled_at == 20)


def test_many_whose_thoughts_are_ended_at_different_times(
    tiny_folder: Path,
) -> None:
    family = FAMILIES["qwen3"]
    model, tokenizer = model_of(tiny_folder, family, **endless(family))
    requests = [
        request(max_reasoning_tokens=4 + 3 * seed, sampling=Sampling(), seed=seed)
        for seed in range(20)
    ]
    results = {kind: run(decoder_of(kind, model, tokenizer), *requests) for kind in DECODERS}
    assert {result.text for result in results["slots"]} == {"No way."}
    for kind in DECODERS:
        assert [r.token_ids for r in results[kind]] == [r.token_ids for r in results["slots"]]
