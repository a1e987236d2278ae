"""What models put around a reply, in any combination, comes off, and ordinary text stays."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion.guard import Guard, GuardResult, clean
from syndisco_tui.discussion.marks import Mark

OTHERS = ["Giannis", "Moderator"]


def read(raw: str, *, complete: bool = True) -> GuardResult:
    return Guard("Emma35", OTHERS).read(raw, complete=complete)


NO_WAY = (
    r'"\nUser Emma35 posted: No way."',
    r"User Emma35 posted: \nUser Emma35 posted: \n\nNo way.",
    "'User Emma35 posted: \"No way.\"'",
    '""\n\n{"role": "assistant", "content": "No way."}',
    "**Emma35:** No way.",
    "**Emma35**: No way.",
    "__Emma35:__ No way.",
    "*Emma35:* No way.",
    "**Emma35: No way.**",
    "**@Emma35:** No way.",
    "**Emma35**\nNo way.",
    "### Emma35\nNo way.",
    "### Emma35:\nNo way.",
    "[Emma35]: No way.",
    "<Emma35> No way.",
    "@Emma35: No way.",
    "Emma35 (35, nurse): No way.",
    "**Emma35 (35, nurse):** No way.",
    "Emma35 [12:04]: No way.",
    "Emma35 says: No way.",
    "emma35 replied: No way.",
    "Emma35's comment: No way.",
    "Comment from Emma35: No way.",
    "Your comment: No way.",
    "**Your comment:** No way.",
    "My response: No way.",
    '{"text": "No way."}',
    "{'text': 'No way.'}",
    '{"Emma35": "No way."}',
    '{"user": "Emma35", "comment": "No way.", "turn": 3}',
    '[{"name": "Emma35", "text": "No way."}]',
    '{"text": "Emma35: \\"No way.\\""}',
    '```json\n{"text": "No way."}\n```',
    '"{\\"text\\": \\"No way.\\"}"',
    "<reply>No way.</reply>",
    "<message>\nEmma35: No way.\n</message>",
    "No way.</s>",
    "No way.<|im_end|>",
    "No way.<|eot_id|>",
    "No way. <end_of_turn>\n",
    "No way.<｜end▁of▁sentence｜>",
    "No way. [/INST]",
    "<s> No way. </s></s>",
    "assistant\n\nNo way.",
    "Assistant: No way.",
    "model\nNo way.",
    "<|im_start|>assistant\nNo way.<|im_end|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\nNo way.<|eot_id|>",
)


@pytest.mark.parametrize("raw", NO_WAY)
def test_what_is_around_a_reply_comes_off_without_a_mark(raw: str) -> None:
    assert read(raw) == GuardResult("No way.")


@pytest.mark.parametrize(
    "going_on",
    [
        "**Giannis:** yes it is",
        "**Giannis**: yes it is",
        "@Giannis: yes",
        "Giannis (40, farmer): yes it is",
        "[Giannis]: yes it is",
        "### Giannis\nyes it is",
        "**Giannis**\nyes it is",
        "User @Giannis posted: yes it is",
    ],
)
def test_what_follows_in_anothers_name_is_left_out_with_a_mark(going_on: str) -> None:
    assert read(f"No way.\n{going_on}") == GuardResult("No way.", (Mark("left_out", "Giannis"),))


@pytest.mark.parametrize(
    "raw",
    [
        "No way.<|im_end|>\n<|im_start|>user\nWhy not?",
        "No way.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhy not?",
        "No way.assistant\n\nNo way, I said.",
        "No way.</s>\n[INST] Why not? [/INST]",
    ],
)
def test_the_next_turn_of_a_chat_is_left_out_with_a_mark(raw: str) -> None:
    assert read(raw) == GuardResult("No way.", (Mark("left_out"),))


@pytest.mark.parametrize(
    "raw",
    [
        '[{"name": "Emma35", "text": "No way."}, {"name": "Giannis", "text": "Yes."}]',
        '{"text": "No way."}\n{"name": "Giannis", "text": "Yes."}',
        '{"text": "No way.\\nUser Giannis posted: Yes."}',
    ],
)
def test_of_several_objects_the_first_is_the_reply(raw: str) -> None:
    assert read(raw) == GuardResult("No way.", (Mark("left_out", "Giannis"),))


@pytest.mark.parametrize(
    "raw",
    [
        '{"user": "Giannis", "text": "I agree."}',
        '{"Giannis": "I agree."}',
        "User Giannis posted:\nI agree.",
    ],
)
def test_words_in_anothers_name_are_posted_with_a_mark(raw: str) -> None:
    assert read(raw) == GuardResult("I agree.", (Mark("speaks_as", "Giannis"),))


@pytest.mark.parametrize(
    "raw", ["Giannis: I agree with you", "**Giannis:** I agree", "Giannis (40): I agree"]
)
def test_a_name_in_front_may_address_somebody_and_stays(raw: str) -> None:
    assert read(raw) == GuardResult(raw, (Mark("speaks_as", "Giannis"),))


def test_an_object_that_grows_or_was_cut_shows_its_text_so_far() -> None:
    raw = '{"role": "assistant", "content": "No \\"way\\" out'
    shown = [read(raw[:length], complete=False).text for length in range(2, len(raw) + 1)]
    assert shown[-1] == 'No "way" out'
    assert not any("role" in text or "{" in text for text in shown)


ORDINARY = (
    "I met Giannis: he was right.",
    "Giannis said: no. I say: yes.",
    'He wrote {"text": "No way."} in his config.',
    '{"text": "No way."} is what the API returns.',
    '{"price": 3, "text": "No way."}',
    '{"a": {"b": 1}}',
    "{so to speak}, it is over",
    "[1] and [2] agree.\n[Giannis] does not.",
    "Use <b>bold</b> or `</s>` there, and <s>old</s>",
    "The token <|im_end|> ends a turn.",
    "The assistant: a play in three acts.",
    "assistant professors are paid badly",
    "My comment: see above; your comment: none.".replace("My comment", "A comment"),
    "**Bold** words and *others*",
    "**No way.**",
    "# A title\n\nAnd a text.",
    "> Giannis: yes it is\n\nI do not think so.",
    "I listen to:\n- Giannis: mostly\n- Moderator: always",
    "```python\nprint('Emma35: hi')\n```\nThat is how.",
    "Ask me (35, nurse): I know.",
    "Time: 12:30",
    "https://example.org: a site",
    "<message>not closed",
    "<p>No way.</p>",
)


@pytest.mark.parametrize("text", ORDINARY)
@pytest.mark.parametrize("complete", [True, False])
def test_ordinary_text_is_unchanged(text: str, complete: bool) -> None:
    assert read(text, complete=complete) == GuardResult(text)


def test_a_participant_may_be_called_like_a_role() -> None:
    guard = Guard("Emma35", ["Assistant"])
    assert guard.read("Assistant: I agree.", complete=True).marks == (
        Mark("speaks_as", "Assistant"),
    )


def test_a_guard_that_is_off_changes_nothing_but_silences() -> None:
    guard = Guard("Emma35", OTHERS, is_on=False, silence_words=("(silent)",))
    raw = "User Emma35 posted: As an AI assistant, no."
    assert guard.read(f" {raw}\n", complete=True) == GuardResult(raw)
    assert guard.read('""', complete=True) == GuardResult("")
    assert guard.read("(Silent.)", complete=True) == GuardResult("")


# Any combination ------------------------------------------------------------------------------

WRAPPINGS: tuple[Callable[[str], str], ...] = (
    lambda text: f"User Emma35 posted:\n{text}",
    lambda text: f"Comment by user Emma35: {text}",
    lambda text: f"Emma35: {text}",
    lambda text: f"**Emma35:** {text}",
    lambda text: f"@Emma35: {text}",
    lambda text: f"Emma35 (35, nurse): {text}",
    lambda text: f"Your comment: {text}",
    lambda text: f"## Emma35\n{text}",
    lambda text: f'"{text}"',
    lambda text: f"“{text}”",
    lambda text: f"```\n{text}\n```",
    lambda text: f'""\n\n{text}',
    lambda text: json.dumps({"text": text}, ensure_ascii=False),
    lambda text: json.dumps({"role": "assistant", "content": text}),
    lambda text: f"<reply>{text}</reply>",
    lambda text: f"assistant\n\n{text}",
    lambda text: f"<|im_start|>assistant\n{text}<|im_end|>",
    lambda text: f"{text}</s>",
    lambda text: f" \n{text}\n ",
)
PARTS = (
    "I agree", "no", "Giannis", "Giannis: yes", "Moderator", "@Giannis", "Emma35", "that is wrong",
    '"freedom"', "“so to speak”", "it's", "3:30", "see:", "`x = 1`", '{"a": 1}', "{b}", "[1]",
    "(x)", "*really*", "User Giannis posted a link", "**bold**", "50 %", "日本", "Ω", "a/b",
    "C:\\temp",
)  # fmt: skip
ENDS = (".", "!", "?", " indeed.")
sentences = st.builds(
    lambda parts, end: f"Well {' '.join(parts)} then{end}",
    st.lists(st.sampled_from(PARTS), max_size=6),
    st.sampled_from(ENDS),
)
own_words = st.lists(sentences, min_size=1, max_size=3).map("\n\n".join)
thorough = settings(deadline=None, derandomize=True, database=None, max_examples=600)


@thorough
@given(own_words, st.lists(st.sampled_from(WRAPPINGS), max_size=3))
def test_own_words_come_out_of_any_combination_of_wrappings_exactly(
    text: str, wrappings: list[Callable[[str], str]]
) -> None:
    raw = text
    for wrap in wrappings:
        raw = wrap(raw)
    assert clean(raw, "Emma35", OTHERS) == text


@thorough
@given(own_words)
def test_own_words_without_a_wrapping_are_unchanged_and_unmarked(text: str) -> None:
    result = read(text)
    assert result.text == text
    assert {mark.kind for mark in result.marks} <= {"repetition"}


@pytest.mark.parametrize(
    "unit",
    ['{"text": "', '{"text":"x"}', "{'a': '", "<|im_end|>\n", "</s>", "<reply>", "**Emma35:** ",
     "assistant\n\n", "\n**Giannis:** ", "\n[Giannis", "Emma35 (", '\\"', "I cannot ", "as an AI ",
     "I'm an ", "sorry ", "against my ", "here is a ", "no no ", "你好"],
)  # fmt: skip
def test_300_kb_take_some_tens_of_milliseconds(unit: str) -> None:
    for front in ("", "x ", '{"text": "', "Emma35: "):
        raw, seconds = front + unit * (300_000 // len(unit)), []
        for _ in range(3):
            started = time.process_time()
            read(raw, complete=False)
            seconds.append(time.process_time() - started)
        assert min(seconds) < 0.15, "generous for a machine at work: it takes 30 ms at most"
