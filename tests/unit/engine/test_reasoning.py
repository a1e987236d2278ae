"""Reasoning is told from speech, in every family's tags, however the reply is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.engine.reasoning import ReasoningSplitter, closing_text, is_tag_token, opened_tag

CASES = {
    "<think>\nI should be rude.\n</think>\n\nNo way.": ("No way.", "\nI should be rude.\n"),
    "I should be rude.\n</think>\n\nNo way.": ("No way.", "I should be rude.\n"),
    "<think>I should be": ("", "I should be"),
    "<THINK>hm</Think>No way.": ("No way.", "hm"),
    "[THINK]hm[/THINK]No way.": ("No way.", "hm"),
    "<thought>hm</thought>No way.": ("No way.", "hm"),
    "◁think▷hm◁/think▷No way.": ("No way.", "hm"),
    "<seed:think>hm</seed:think>No way.": ("No way.", "hm"),
    "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>No way.<|END_RESPONSE|>": (
        "No way.",
        "hm",
    ),
    "<think>hm</think><answer>No way.</answer>": ("No way.", "hm"),
    "<|channel|>analysis<|message|>We<|end|><|start|>assistant<|channel|>final<|message|>"
    "No way.<|return|>": ("No way.", "We"),
    "<|channel|>commentary to=x <|constrain|>json<|message|>a<|end|>"
    "<|start|>assistant<|channel|>final<|message|>No.": ("No.", "a"),
    "analysisWe need it.assistantfinalNo way.": ("No way.", "We need it."),
    "analysis of data is fun": ("analysis of data is fun", ""),
    "analysis": ("analysis", ""),
    "<think>a</think>Hi.\n<think>b</think>\nMore.": ("Hi.\n\nMore.", "ab"),
    "<think></think>No way.": ("No way.", ""),
    "I said <think> once.": ("I said <think> once.", ""),
    "Read <answer> first.": ("Read <answer> first.", ""),
    "No way <3 [x] a < b": ("No way <3 [x] a < b", ""),
    "<|inner_prefix|>hm<|inner_suffix|>No way.": ("No way.", "hm"),
    "<|channel>thought\nhm<channel|>No way.": ("No way.", "\nhm"),
    "<think>hm</think><response>No way.</response>": ("No way.", "hm"),
    "Here is my thought process: hm Here is my response: No way.": ("No way.", " hm "),
    "Here is my thought: no.": ("Here is my thought: no.", ""),
    "İstanbul\n<think>x</think>y": ("İstanbul\ny", "x"),
    "": ("", ""),
}


def split(pieces: list[str], *, in_reasoning: bool = False) -> tuple[str, str]:
    """What a listener has put together from ``pieces``; the splitter says the same."""
    splitter = ReasoningSplitter(in_reasoning=in_reasoning)
    speech = reasoning = ""
    for part in [*map(splitter.feed, pieces), splitter.finish()]:
        speech = part.speech if part.retracted else speech + part.speech
        reasoning = part.reasoning if part.retracted else reasoning + part.reasoning
    assert (speech, reasoning) == (splitter.speech, splitter.reasoning)
    return speech, reasoning


@pytest.mark.parametrize("reply", CASES)
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_every_form_in_pieces_of_any_size(reply: str, size: int) -> None:
    pieces = [reply[start : start + size] for start in range(0, len(reply), size)]
    assert split(pieces) == CASES[reply]


def test_a_tag_that_the_template_opened() -> None:
    assert opened_tag("<|im_start|>assistant\n<think>\n") == "<think>"
    assert opened_tag("[/INST][THINK]") == "[THINK]"
    assert opened_tag("<|im_start|>assistant\n<think>\n\n</think>\n\n") == ""
    assert split(["hm</think>No way."], in_reasoning=True) == ("No way.", "hm")
    assert split(["<think>hm</think>No way."], in_reasoning=True) == ("No way.", "hm")


def test_speech_that_turns_out_to_be_reasoning_is_retracted_once() -> None:
    splitter = ReasoningSplitter()
    assert splitter.feed("I should be rude.").speech == "I should be rude."
    late = splitter.feed("</think>No way.")
    assert late.retracted
    assert splitter.closed_unopened
    assert not splitter.feed("</think> Never.").retracted
    assert splitter.speech == "No way. Never."


@pytest.mark.parametrize(
    "reply",
    [
        "<think>hm",
        "[THINK]hm",
        "<|START_THINKING|>hm",
        "<|inner_prefix|>hm",
        "<|channel>thought\nhm",
        "<|channel|>analysis<|message|>hm",
        "<|channel|>analysis<|message|>hm<|end|>",
        "Here is my thought process: hm",
    ],
)
def test_what_closes_a_thought_is_followed_by_speech(reply: str) -> None:
    splitter = ReasoningSplitter()
    splitter.feed(reply)
    splitter.feed(splitter.closing)
    assert (splitter.in_reasoning, splitter.closing, splitter.speech) == (False, "", "")
    splitter.feed("No way.")
    splitter.finish()
    assert splitter.speech == "No way."


def test_a_tag_that_is_one_token_counts_in_the_middle_of_a_line() -> None:
    splitter = ReasoningSplitter()
    for piece, is_tag in [("Hi. ", False), ("<think>", True), ("b", False), ("</think>", True)]:
        splitter.feed(piece, is_tag=is_tag)
    assert (splitter.speech, splitter.reasoning) == ("Hi. ", "b")


def test_which_special_tokens_are_tags() -> None:
    assert closing_text("[THINK]") == "[/THINK]"
    assert is_tag_token("</think>", ())
    assert is_tag_token("<|channel>", ())
    assert not is_tag_token("<|im_end|>", ())
    assert not is_tag_token("<|end|>", {"<|end|>"})  # of Phi
    assert is_tag_token("<|end|>", {"<|end|>", "<|channel|>", "<|message|>"})


PIECES = [
    *"abA <>/[]|\n", "<think>", "</think>", "nk>", "<|channel|>", "<|message|>", "final",
    "analysis", "assistantfinal",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)))
def test_how_a_reply_is_cut_makes_no_difference(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert split(pieces) == split([whole]) == split(list(whole))


@given(st.text(alphabet=st.characters(blacklist_characters="<[◁:")))
def test_nothing_is_lost_where_there_are_no_tags(text: str) -> None:
    speech, reasoning = split(list(text))
    assert speech == text or (text.lstrip().startswith("analysis") and reasoning)
