"""The X-ray of a message."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from syndisco_tui.discussion import DiscussionSetup, Message
from syndisco_tui.tui.inspect.xray import XRay
from syndisco_tui.tui.inspect.xray_pages import reply_lines
from tests.support.bench import SIZES, Bench, OpenBench, finished


async def xray(at: Bench) -> None:
    await at.press("enter")
    await at.until(lambda: isinstance(at.app.screen, XRay))
    await at.until(lambda: "tokens" in at.text().partition("Raw")[2].partition("\n")[0])


async def test_it_shows_the_prompt_that_the_engine_got(bench: OpenBench) -> None:
    async with bench((120, 60)) as at:
        await finished(at)
        await xray(at)
        request = at.engine.requests[-1]
        shown = " ".join(at.text().split())
        assert "sexual_orientation" in shown
        assert str(request.seed) in shown
        for line in request.chat[-1].content.splitlines():
            assert line.split()[0] in shown
        await at.press("v")
        assert "<|start|>system" in at.text()
        assert '{"context": "You are taking part' in at.text()
        await at.press("v")
        assert "<|start|>" not in at.text()
        await at.press("escape")
        assert at.app.screen is at.laboratory


async def test_arrows_go_from_message_to_message(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        await xray(at)
        last = len(at.records()[0].entries)
        assert f"message {last} of {last}" in at.text()
        assert "→" not in at.text()
        for _ in range(last + 3):
            await at.press("left")
        assert f"message 1 of {last}" in at.text()
        assert "←" not in at.text()
        await at.press("right")
        assert f"message 2 of {last}" in at.text()


async def test_what_the_guard_took_away_is_shown(bench: OpenBench) -> None:
    raw = 'User Emma35 posted:\n"I like my desk."'
    async with bench(replies=(raw,)) as at:
        await finished(at)
        await xray(at)
        while "Emma35  user" not in at.text():
            await at.press("left")
        assert "struck through" in at.text()
        assert "User Emma35 posted:" in at.text()
        assert "strike" in str(at.app.screen.query_one("#side").render().spans)


async def test_seed_opinions_and_empty_transcripts_have_nothing_to_hide(
    bench: OpenBench, demonstration: DiscussionSetup
) -> None:
    opinion = {"seed_opinions": ("Home is best.",), "seed_opinion_usernames": ("Emma35",)}
    async with bench(setup=demonstration.model_copy(update=opinion)) as at:
        await at.press("3", "enter")
        await at.until(lambda: "“X-ray” does not apply now." in at.toasts())
        await finished(at)
        await xray(at)
        for _ in range(20):
            await at.press("left")
        assert "no model was asked" in at.text()
        await at.press("v")
        assert "no model was asked" in at.text()
        assert "<|start|>" not in at.text()


async def test_without_a_model_the_raw_side_says_so(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        at.engine.info = None
        await at.press("enter", "v")
        await at.until(lambda: "No model is loaded" in at.text())


async def test_another_model_than_the_file_says_is_pointed_out(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        at.engine.tokens_per_word = 2
        await at.press("enter", "v")
        await at.until(lambda: "another model or template" in at.text())


async def test_foreign_text_is_only_text(bench: OpenBench) -> None:
    evil = "[/b][@click=app.quit]x[/] \x1b]0;title\x07\x1b[31mred\x9b2J\u202eabc [bold"
    async with bench(replies=(evil,)) as at:
        await finished(at)
        for _ in range(3):
            await at.press("enter", "v", "left")
            await at.until(lambda: "<|start|>" in at.text())
            assert "[@click=app.quit]" in at.text()
            assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(at.text())
            await at.press("escape")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("raw", [False, True], ids=["chat", "raw"])
async def test_picture_of_an_xray(
    bench: OpenBench, size: tuple[int, int], raw: bool, snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await finished(at)
        await xray(at)
        await at.press("left", *(["v"] if raw else []))
        await at.until(lambda: "tokens" in at.text().partition("Raw")[2].partition("\n")[0])
        lines = [line for line in at.text().splitlines() if "finished" not in line]
        assert "\n".join(lines) == snapshot


async def test_it_is_the_current_message_that_is_looked_into(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        last = len(at.records()[0].entries)
        await at.press("up", "up")
        await xray(at)
        assert f"message {last - 2} of {last}" in at.text()


def test_an_edit_is_told_apart_from_what_the_guard_did() -> None:
    message = Message(
        "Ann",
        "I love cats.",
        "user",
        turn=1,
        raw_text='"I like cats."',
        original_text="I like cats.",
    )
    lines = reply_lines(message, 40)
    text = "\n".join(line.plain for line in lines)
    assert '"I like cats."' in text
    assert "edited\nby a person" in text
    assert "I likelove cats." in text  # one struck through, the other in colour
