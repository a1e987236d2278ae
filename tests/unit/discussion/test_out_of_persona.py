"""Replies that are hardly the persona's: which are marked, and as what, and which are not."""

from __future__ import annotations

import pytest

from syndisco_tui.discussion import Discussion, DiscussionSetup, Reply
from syndisco_tui.discussion.guard import Guard
from syndisco_tui.discussion.marks import MARK_KINDS, MARK_MEANINGS, Mark, MarkKind
from tests.support.people import people

TWO = DiscussionSetup(personas=people("Emma35", "Giannis"), conv_len=4)


def marks_of(text: str) -> set[MarkKind]:
    guard = Guard("Emma35", ["Giannis", "Moderator"])
    return {mark.kind for mark in guard.read(text, complete=True).marks}


@pytest.mark.parametrize(
    "text",
    ["(silent)", "[no response]", "*stays silent*", "None", "N/A", "null", "…", "...", "-",
     "Emma35 remains silent.", "(Emma35 does not respond)", "(chooses not to comment)", "[empty]",
     "Nothing to add.", "No intervention needed.", "**No comment.**", "<silence>"],
)  # fmt: skip
def test_words_for_a_silence_are_marked(text: str) -> None:
    assert marks_of(text) == {"silence_words"}


@pytest.mark.parametrize(
    "text",
    ["Silence is golden.", "None of that is true.", "No response from them!", "I pass on that one",
     "👍", "No.", "Quiet, please!", "Nothing works here."],
)  # fmt: skip
def test_a_sentence_with_such_words_is_not(text: str) -> None:
    assert marks_of(text) == set()


@pytest.mark.parametrize("raw", ["(silent)", "Emma35: [No Response]", '"silent"', "**silent**"])
def test_a_setup_can_say_which_words_are_a_silence(raw: str) -> None:
    setup = TWO.model_copy(update={"silence_words": ("Silent.", "no response")})
    discussion = Discussion(setup)
    request = discussion.next_request()
    assert request
    message = discussion.post(request, Reply(raw))
    assert message.is_silence
    assert (message.raw_text, message.marks) == (raw, ())


@pytest.mark.parametrize(
    "text",
    [
        "Hello! As an AI assistant, how can I help you today?",
        "As an AI language model, I have no opinion on taxes.",
        "I'm just an AI, so I cannot vote.",
        "I am a large language model, trained by Someone.",
        "Is there anything else I can help you with?",
        "I don't have personal opinions, but there are two sides.",
        "Sure! Here's a possible response:\n\nI agree.",
        "Here is my comment: taxes are good.",
        "Certainly! Here is the reply in the style that you asked for.",
        "作为一个AI语言模型，我没有意见。",
    ],
)
def test_an_assistants_talk_is_marked(text: str) -> None:
    assert "assistant" in marks_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that request.",
        "I can’t assist with that.",
        "I cannot create content that promotes harm.",
        "I cannot provide a response that glorifies illegal activities.",
        "I apologize, but I am unable to engage in this.",
        "I must respectfully decline.",
        "I won't generate a hateful comment about them.",
        "Sorry, I can't do that.",
        "抱歉，我不能协助。",
        "Lo siento, pero no puedo ayudar con eso.",
    ],
)
def test_a_refusal_is_marked(text: str) -> None:
    assert "refusal" in marks_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "As an AI researcher, I worry about jobs.",
        "I am an AI engineer and I like it.",
        "AI is going to take our jobs, and I can't help but worry.",
        "I can't support this policy, sorry.",
        "Sorry, but you are wrong. I cannot agree.",
        "I can't help feeling that the mayor lies.",
        "How can I help my neighbours?",
        "I won't continue to pay for their mistakes.",
        "We must refuse to pay.",
        "That is against the guidelines of the forum.",
        "Here is what I think.",
        "Let me know if you need a ride.",
    ],
)
def test_a_persona_may_talk_of_all_that(text: str) -> None:
    assert marks_of(text) == set()


CHINESE = "你好，我觉得这个想法不错，我们可以继续讨论。"
GREEK = "Νομίζω ότι έχεις δίκιο, αλλά όχι σε όλα."
GERMAN = (
    "Ich bin nicht sicher, ob das so ist, und die Frage ist auch nicht, was wir auf dem Land sind."
)
ENGLISH = "I think that it is not the right way to do this and you have to see it in time."


@pytest.mark.parametrize("text", [CHINESE, GREEK, "I agree. " + CHINESE, "Да, я так думаю."])
def test_another_script_is_marked(text: str) -> None:
    assert marks_of(text) == {"language"}


@pytest.mark.parametrize("text", ["Ω and 日本 are mine", "¯\\_(ツ)_/¯", "Café, naïve", "☮️👩‍👩‍👧"])
def test_a_foreign_word_is_not(text: str) -> None:
    assert marks_of(text) == set()


def marked_in(setup: DiscussionSetup, text: str, seeds: tuple[str, ...] = ()) -> set[MarkKind]:
    discussion = Discussion(setup.model_copy(update={"seed_opinions": seeds}))
    request = discussion.next_request()
    assert request
    return {mark.kind for mark in discussion.post(request, Reply(text)).marks}


def test_the_languages_of_setup_and_people_are_expected() -> None:
    greek = TWO.model_copy(update={"context": GREEK})
    named = TWO.model_copy(update={"instructions": "Answer in Chinese."})
    german = TWO.model_copy(update={"instructions": GERMAN})
    assert marked_in(TWO, CHINESE) == {"language"}
    assert marked_in(named, CHINESE) == set()
    assert marked_in(greek, GREEK) == set()
    assert marked_in(TWO, GREEK, seeds=(GREEK,)) == set()
    english = TWO.model_copy(update={"context": ENGLISH})
    assert marked_in(english, GERMAN) == {"language"}
    assert marked_in(english, ENGLISH) == set()
    assert marked_in(german, GERMAN) == set()


@pytest.mark.parametrize(
    "text",
    [
        "I agree with you. " * 8,
        'like like "post": ( ( (' * 400,
        "No. " * 40,
        "ha" * 200,
        "我同意。" * 30,
        "I think that the tax is unfair to most of us.\n" * 6,
        "A sensible beginning about taxes and schools, with some thought. " + "and so on " * 60,
    ],
)
def test_a_loop_is_marked(text: str) -> None:
    assert "repetition" in marks_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "No no no!",
        "Ha ha ha ha ha ha ha",
        "We need buses, we need trains, we need trams, and we need them now, not in ten years.",
        "1. Buses\n2. Trains\n3. Trams\n4. Bicycles\n5. Ferries\n6. Feet",
        "Never again. Never again! I said it in May, and I say it today: never again.",
    ],
)
def test_emphasis_is_no_loop(text: str) -> None:
    assert marks_of(text) == set()


def test_every_kind_has_a_meaning_and_a_label() -> None:
    assert set(MARK_MEANINGS) == set(MARK_KINDS)
    assert all(Mark(kind, "Giannis").label("Emma35") for kind in MARK_KINDS)
