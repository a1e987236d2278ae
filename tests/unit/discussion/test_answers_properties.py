"""Whatever a model answers: the value is on the scale and stands in the text, or there is none."""

from __future__ import annotations

import json

from hypothesis import assume, given
from hypothesis import strategies as st

from syndisco_tui.discussion.scales import ChoiceScale, IntegerScale

PLAIN = st.text(st.characters(categories=["L", "P", "Z"]), max_size=30)
"""Words without numbers."""
_NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "twenty", "teen"),
)


@st.composite
def scales(draw: st.DrawFn) -> IntegerScale:
    low = draw(st.integers(-50, 50))
    return IntegerScale.model_validate({"from": low, "to": low + draw(st.integers(1, 60))})


@st.composite
def choices(draw: st.DrawFn) -> ChoiceScale:
    words = st.text(st.characters(categories=["L"]), min_size=1, max_size=12)
    several = st.lists(words, min_size=2, max_size=6, unique_by=lambda word: word.casefold())
    return ChoiceScale(choices=tuple(draw(several)))


@given(scales(), st.text(max_size=200))
def test_no_text_gives_a_number_off_the_scale(scale: IntegerScale, text: str) -> None:
    value = scale.read(text)
    assert value is None or scale.low <= value <= scale.high


@given(choices(), st.text(max_size=200))
def test_no_text_gives_another_choice(scale: ChoiceScale, text: str) -> None:
    value = scale.read(text)
    assert value is None or value in scale.choices


@given(scales(), st.data())
def test_every_answer_of_a_scale_is_read(scale: IntegerScale, data: st.DataObject) -> None:
    number = data.draw(st.integers(scale.low, scale.high))
    framed = data.draw(
        st.sampled_from(
            ("{}", " {}\n", "{}.", "**{}**", "Answer: {}", "```json\n{{\"answer\": {}}}\n```",
             "{{\"answer\": \"{}\"}}")
        )
    )  # fmt: skip
    assert scale.read(framed.format(number)) == number


@given(choices(), st.data())
def test_every_choice_is_read(scale: ChoiceScale, data: st.DataObject) -> None:
    choice = data.draw(st.sampled_from(scale.choices))
    for text in (choice, f" {choice}.\n", choice.upper(), json.dumps({"label": choice})):
        if text.casefold().strip(" .\n") == choice.casefold() or text.startswith("{"):
            assert scale.read(text) == choice


@given(scales(), st.data())
def test_a_number_off_the_scale_is_never_clamped(scale: IntegerScale, data: st.DataObject) -> None:
    number = data.draw(st.integers(-(10**6), scale.low - 1) | st.integers(scale.high + 1, 10**6))
    for text in (str(number), f"Answer: {number}", json.dumps({"answer": number})):
        assert scale.read(text) is None


@given(scales(), st.data(), PLAIN)
def test_of_two_numbers_in_a_sentence_none_is_chosen(
    scale: IntegerScale, data: st.DataObject, words: str
) -> None:
    assume(not any(word in words.casefold() for word in _NUMBER_WORDS))
    one = data.draw(st.integers(scale.low, scale.high))
    other = data.draw(st.integers(scale.low, scale.high))
    assume(one != other)
    assert scale.read(f"It may be {one}, {words} or {other}") is None
