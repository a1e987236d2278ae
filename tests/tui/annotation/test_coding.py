"""A person annotates: one key a message, saved at once, taken back with backspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from syndisco_tui.discussion.annotation import AnnotationSet, annotatable
from syndisco_tui.discussion.scales import ChoiceScale, IntegerScale, Scale, TextScale
from syndisco_tui.store.annotations import read_annotations, read_task
from syndisco_tui.tui.annotation.annotations_screen import AnnotationsScreen
from syndisco_tui.tui.annotation.answer_keys import answer_keys
from syndisco_tui.tui.annotation.coding import CodingScreen
from syndisco_tui.tui.transcript.read_only import ReadOnlyScreen
from syndisco_tui.tui.widgets.speaker_colours import SpeakerColours
from syndisco_tui.workspace.annotations import annotations_of, plan_annotations
from tests.support.bench import SIZES, Bench, OpenBench, finished

TOXICITY = """
instructions = "How toxic is the last comment, from 1 (not at all) to 5 (extremely)?"
scale = {from = 1, to = 5}
[[annotators]]
persona = {username = "Coder A"}
"""
LABELS = """
instructions = "What does the last comment do?"
scale = {choices = ["agrees", "asks", "argues", "none of these"]}
"""
TOPIC = """
instructions = "What is the last comment about?"
scale = {type = "text"}
"""


async def begin(at: Bench, task: str = TOXICITY, name: str = "toxicity") -> Path:
    """Run the discussion to its end, and choose the task by its path."""
    path = at.folders.data / f"{name}.toml"
    path.write_text(task)
    await finished(at)
    await at.press("a")
    await at.until(lambda: "Annotate" in at.text())
    await at.type(str(path))
    assert "⏎ opens /" in at.text()
    assert "Question" not in at.text()
    await at.press("enter")
    await at.until(lambda: "What are you called" in at.text())
    await at.press("enter")
    await at.until(lambda: isinstance(at.app.screen, CodingScreen))
    return path


def coded(at: Bench) -> AnnotationSet:
    """What the file holds."""
    folder = at.folders.discussions / "annotations"
    return read_annotations(next(folder.glob("*.annotations.json")))


def total(at: Bench) -> int:
    return len(annotatable(at.records()[0].entries))


async def test_a_key_answers_and_goes_on(bench: OpenBench) -> None:
    async with bench() as at:
        await begin(at)
        count = total(at)
        await at.until(lambda: f"0/{count}" in at.text())
        before = at.records()[0]
        await at.press("2", "5")
        await at.until(lambda: f"2/{count}" in at.text())
        assert "▸ 2" in at.text()
        assert "▸ 5" in at.text()
        await at.until(lambda: len(coded(at).annotations) == 2)
        await at.press("backspace")
        assert f"1/{count}" in at.text()
        assert "▸ 5" not in at.text()
        await at.press("4")
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.laboratory)
        assert [each.value for each in coded(at).annotations] == [2, 4]
        assert (coded(at).annotator.name, coded(at).annotator.kind) == ("human-1", "human")
        assert f"2 of {count} messages annotated." in at.toasts()
        assert at.records()[0] == before


async def test_continued_where_one_left(bench: OpenBench) -> None:
    async with bench() as at:
        await begin(at)
        count = total(at)
        await at.press("1", "escape")
        await at.until(lambda: at.app.screen is at.laboratory)
        await at.press("a")
        await at.until(lambda: "toxicity" in at.text())  # it was used before
        await at.press("enter")
        await at.until(lambda: isinstance(at.app.screen, CodingScreen))  # and so was the name
        assert f"1/{count}" in at.text()
        await at.press(*["3"] * (count - 1))
        await at.until(lambda: f"{count}/{count}" in at.text())
        assert f"All {count} messages are annotated" in at.toasts()
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.laboratory)
        assert [each.value for each in coded(at).annotations] == [1, *[3] * (count - 1)]
        assert {each.position for each in coded(at).annotations} == set(
            annotatable(at.records()[0].entries)
        )


async def test_the_arrows_lead_to_any_message(bench: OpenBench) -> None:
    async with bench() as at:
        await begin(at)
        await at.press("1", "2", "3", "up", "up", "5")
        await at.until(lambda: [each.value for each in coded(at).annotations] == [1, 5, 3])
        await at.press("home", "4")
        await at.until(lambda: [each.value for each in coded(at).annotations] == [4, 5, 3])
        assert f"3/{total(at)}" in at.text()


async def test_letters_choose(bench: OpenBench) -> None:
    async with bench() as at:
        await begin(at, LABELS, "labels")
        await at.press("n", "s", "x", "a")
        await at.until(
            lambda: [e.value for e in coded(at).annotations] == ["none of these", "asks", "agrees"]
        )
        assert "none of these" in at.text()


async def test_texts_are_typed(bench: OpenBench) -> None:
    async with bench() as at:
        await begin(at, TOPIC, "topic")
        await at.type("working at home")
        await at.press("enter")
        await at.press("enter")
        assert "Type a few words, then ⏎." in at.toasts()
        await at.type("evenings")
        await at.press("enter")
        await at.until(lambda: len(coded(at).annotations) == 2)
        assert [each.value for each in coded(at).annotations] == ["working at home", "evenings"]
        await at.press("backspace")
        await at.until(lambda: len(coded(at).annotations) == 1)
        await at.press("up")
        await at.until(lambda: "Answer working at home" in at.text())


async def test_a_typed_answer_is_not_lost_without_a_question(bench: OpenBench) -> None:
    async with bench() as at:
        await begin(at, TOPIC, "topic")
        screen = at.app.screen
        await at.type("working")
        await at.press("down")
        assert "⏎ saves what you typed" in at.toasts()
        await at.press("escape")
        assert "Discard what you typed?" in at.text()
        await at.press("escape")
        assert at.app.screen is screen
        await at.press("escape", "y")
        await at.until(lambda: at.app.screen is not screen)


async def test_what_others_answered_is_not_shown(bench: OpenBench) -> None:
    async with bench() as at:
        path = await begin(at)
        await at.press("5", "escape")
        await at.until(lambda: at.app.screen is at.laboratory)
        settings = at.app.user_settings
        assert settings
        settings.save("annotator", "human-2")
        await at.press("a")
        await at.until(lambda: "toxicity" in at.text())
        await at.press("enter")
        await at.until(lambda: isinstance(at.app.screen, CodingScreen))
        assert f"0/{total(at)}" in at.text()
        assert "▸" not in at.text()
        await at.press("4", "escape")
        await at.until(lambda: at.app.screen is at.laboratory)
        record = at.records()[0]
        file = next(at.folders.discussions.glob("*.json"))
        names = {each.annotator.name for each in annotations_of(file, record.id)}
        assert names == {"human-1", "human-2"}
        plan = plan_annotations([at.folders.discussions], read_task(path))
        assert plan.total == total(at)  # a model's work is its own


async def test_a_task_that_cannot_be_read(bench: OpenBench) -> None:
    async with bench() as at:
        path = at.folders.data / "bad.toml"
        path.write_text("instruction = 'How?'\nscale = {from = 1, to = 5}\n")
        await finished(at)
        await at.press("a")
        await at.until(lambda: "Annotate" in at.text())
        assert "No task was used yet" in at.text()
        await at.type(str(path))
        await at.press("enter")
        await at.until(lambda: "did you mean “instructions”?" in at.toasts())
        assert at.app.screen is at.laboratory


async def test_all_annotations(bench: OpenBench) -> None:
    async with bench() as at:
        await begin(at)
        await at.press("1", "2", "escape")
        await at.until(lambda: at.app.screen is at.laboratory)
        await at.press("A")
        await at.until(lambda: isinstance(at.app.screen, AnnotationsScreen))
        await at.until(lambda: "human-1" in at.text())
        assert "No message has several answers yet." in at.text()
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.laboratory)


async def test_nobody_has_annotated(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        await at.press("A")
        await at.until(lambda: "Nobody has annotated this discussion yet." in at.text())


async def test_the_palette_finds_it(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        await at.press("ctrl+p")
        await at.type("annotate")
        await at.until(lambda: "Transcript: annotate" in at.text())


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("task", ["toxicity", "labels", "topic"])
async def test_picture_of_coding(
    bench: OpenBench, size: tuple[int, int], task: str, snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        texts = {"toxicity": TOXICITY, "labels": LABELS, "topic": TOPIC}
        await begin(at, texts[task], task)
        if task == "topic":
            await at.type("evenings")
            await at.press("enter")
        else:
            await at.press("3" if task == "toxicity" else "a")
        await at.until(lambda: f"1/{total(at)}" in at.text())
        assert at.text() == snapshot


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_annotations(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await begin(at)
        for name, keys in (("human-2", "1213"), ("Somebody else", "12235")):
            await at.press(*keys, "escape")
            await at.until(lambda: at.app.screen is at.laboratory)
            assert at.app.user_settings
            at.app.user_settings.save("annotator", name)
            await at.press("a")
            await at.until(lambda: "toxicity" in at.text())
            await at.press("enter")
            await at.until(lambda: isinstance(at.app.screen, CodingScreen))
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.laboratory)
        await at.press("A")
        await at.until(lambda: "raw agreement" in at.text())
        at.app.clear_notifications()
        await at.until(lambda: "messages annotated" not in at.text())
        assert at.text() == snapshot


async def test_no_size_crashes(bench: OpenBench) -> None:
    async with bench() as at:
        await begin(at)
        await at.press("1")
        for width, height in [(1, 1), (2, 30), (200, 2), (20, 5), (300, 100), (120, 40)]:
            await at.pilot.resize_terminal(width, height)
            await at.pilot.pause()
        assert f"1/{total(at)}" in at.text()


@pytest.mark.parametrize(
    ("scale", "keys"),
    [
        (IntegerScale.model_validate({"from": 1, "to": 3}), {"1": "1", "2": "2", "3": "3"}),
        (IntegerScale.model_validate({"from": -1, "to": 1}), {"1": "-1", "2": "0", "3": "1"}),
        (IntegerScale.model_validate({"from": 0, "to": 100}), {}),
        (ChoiceScale(choices=("yes", "no", "not sure")), {"y": "yes", "n": "no", "o": "not sure"}),
        (ChoiceScale(choices=("是", "否")), {"a": "是", "b": "否"}),
        (TextScale(), {}),
    ],
)
def test_keys_of_answers(scale: Scale, keys: dict[str, str]) -> None:
    assert answer_keys(scale) == keys


def test_ten_is_zero() -> None:
    keys = answer_keys(IntegerScale.model_validate({"from": 1, "to": 10}))
    assert keys["0"] == "10"
    assert keys["9"] == "9"


async def test_a_file_of_syndisco_s_in_place(bench: OpenBench) -> None:
    async with bench() as at:
        file = at.folders.discussions / "20260101T000000000Z-0.json"
        logs = [{"name": "Ann", "text": "Hello.", "model": "m", "prompt": "{}"}]
        file.write_text(json.dumps({"timestamp": "26-01-01-00-00", "logs": logs}))
        before = file.read_bytes()
        at.app.push_screen(ReadOnlyScreen(file, SpeakerColours()))
        await at.until(lambda: "Hello." in at.text())
        await at.press("a")
        await at.until(lambda: "No task was used yet" in at.text())
        task = at.folders.data / "toxicity.toml"
        task.write_text(TOXICITY)
        await at.type(str(task))
        await at.press("enter", "enter")
        await at.until(lambda: isinstance(at.app.screen, CodingScreen))
        await at.press("2", "escape")
        await at.until(lambda: isinstance(at.app.screen, ReadOnlyScreen))
        assert [each.value for each in coded(at).annotations] == [2]
        assert file.read_bytes() == before
