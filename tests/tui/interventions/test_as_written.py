"""A reply with somebody else's words: the mark one sees, and what one can make of it."""

from __future__ import annotations

import pytest

from syndisco_tui.discussion import DiscussionSetup, Message
from syndisco_tui.discussion.marks import Mark
from syndisco_tui.tui.interventions.controller import as_written_choices
from tests.support.bench import Bench, OpenBench
from tests.support.people import people

TWO = DiscussionSetup(
    personas=people("Emma35", "Giannis"),
    conv_len=4,
    model="scripted",
    seed_opinions=("Trains are late.",),
    seed_opinion_usernames=("Zorba",),
)
SPOKEN_AS = "Giannis: I agree with you"
AS_B = (Mark("speaks_as", "B"),)
AS_C = (Mark("left_out", "C"),)
WENT_ON = '""\nUser Giannis posted:\nI do not.'


async def say(at: Bench, count: int) -> None:
    for number in range(1, count + 1):
        await at.press("s")
        await at.until(lambda: len(said(at)) > number)  # noqa: B023
        await at.until_state("paused")
    await at.press("3")


def said(at: Bench) -> list[str]:
    return [entry.text for entry in at.records()[0].entries] if at.records() else []


async def until_last(at: Bench, text: str) -> None:
    await at.until(lambda: said(at)[-1] == text)
    await at.until(lambda: at.laboratory.transcript.lines.entries[-1].text == text)


async def test_a_reply_in_anothers_name_is_posted_marked_and_can_be_taken_back(
    bench: OpenBench,
) -> None:
    async with bench(setup=TWO, replies=(SPOKEN_AS,)) as at:
        await say(at, 1)
        assert said(at)[-1] == SPOKEN_AS
        assert "Emma35  speaks as Giannis" in at.text()
        assert "Zorba  seed opinion · takes no part" in at.text()
        assert "W guard" in at.text()
        await at.press("enter")
        await at.until(lambda: "X-ray" in at.text())
        assert at.text().count("speaks as Giannis") == 1
        await at.press("escape", "W")
        await at.until(lambda: "make it a silence" in at.text())
        assert "the model wrote it" not in at.text(), "it is posted so already"
        await at.press("s")
        await until_last(at, "")
        assert "stays silent" in at.text()
        await at.press("W")
        await at.until(lambda: "as the model wrote it" in at.text())
        await at.press("escape", "u")
        await until_last(at, SPOKEN_AS)


async def test_words_that_were_left_out_can_be_posted(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=(WENT_ON, "I do.")) as at:
        await say(at, 1)
        assert "stays silent · what followed as Giannis was left out" in at.text()
        await at.press("W")
        await at.until(lambda: "as the model wrote it" in at.text())
        await at.press("w")
        await until_last(at, WENT_ON)
        assert "edited" in at.text()
        await at.press("u")
        await until_last(at, "")
        await say(at, 1)
        assert "W guard" not in at.text(), "nothing is wrong with this one"


async def test_a_wrong_mark_can_be_removed_and_comes_back_with_undo(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=("I cannot create content that harms.",)) as at:
        await say(at, 1)
        assert "Emma35  refusal" in at.text()
        await at.press("W")
        await at.until(lambda: "the mark is wrong: remove it" in at.text())
        await at.press("m")
        await at.until(lambda: not at.records()[0].entries[-1].marks)
        await at.until(lambda: "refusal" not in at.text())
        assert "edited" not in at.text(), "the text is the model's"
        await at.press("u")
        await at.until(lambda: bool(at.records()[0].entries[-1].marks))
        await at.until(lambda: "Emma35  refusal" in at.text())


@pytest.mark.parametrize(
    ("message", "is_last", "keys"),
    [
        (Message("A", "x", "user", 1, raw_text="B: x", marks=AS_B), True, "wmsr"),
        (Message("A", "x", "user", 1, raw_text="B: x", marks=AS_B), False, "wms"),
        (Message("A", "B: x", "user", 1, marks=AS_B), False, "ms"),
        (Message("A", "", "user", 1, raw_text="B: x", marks=(Mark("left_out", "B"),)), False, "wm"),
        (Message("A", "", "user", 1, original_text="B: x", marks=AS_B), False, "wm"),
        (
            Message(
                "A",
                "",
                "user",
                1,
                raw_text="B: x\nC: y",
                original_text="B: x",
                marks=AS_C,
            ),
            False,
            "wgm",
        ),
    ],
)
def test_only_what_changes_something_is_offered(message: Message, is_last: bool, keys: str) -> None:
    assert "".join(as_written_choices(message, 0, is_last=is_last)) == keys
