"""What the screen says while one waits: for a model, for the end of a run, after a stop."""

from __future__ import annotations

import time
from dataclasses import replace

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.engine.base import LoadProgress
from syndisco_tui.tui.laboratory.empty_transcript import empty_transcript
from syndisco_tui.tui.laboratory.session_view import SessionView
from syndisco_tui.tui.shell.keymap import Keymap
from tests.support.bench import OpenBench
from tests.support.scripted_engine import ScriptedEngine


def loading_hint(model: str, progress: LoadProgress | None, seconds: float) -> list[str]:
    since = time.monotonic() - seconds
    view = SessionView(phase="loading", loading=progress, loading_since=since)
    hint = empty_transcript(DiscussionSetup(model=model), view, None, Keymap())
    return [line.plain for line in hint]


def test_loading_says_what_how_far_and_for_how_long() -> None:
    progress = LoadProgress("reading weights", 120e6, 480e6, "bytes")
    lines = loading_hint("Qwen3-4B", progress, 12.1)
    assert lines[0] == "Loading Qwen3-4B"
    assert lines[-1] == "25 %   reading weights   120 of 480 MB   12 s"
    assert "━━━━━━━━╌" in lines[2]
    assert loading_hint("auto", None, 0)[0] == "Loading the model"


async def test_it_stands_in_the_middle_of_the_screen(bench: OpenBench) -> None:
    engine = ScriptedEngine(("Yes.",), load_steps=200, delay=0.01)
    async with bench(engine=engine) as at:
        await at.press("r")
        await at.until(lambda: "Loading the model" in at.text())
        assert "Nobody has said anything yet" not in at.text()
        await at.press("x")
        await at.until(lambda: "Nobody has said anything yet" in at.text())


async def test_a_stop_says_what_was_dropped_and_how_to_continue(bench: OpenBench) -> None:
    async with bench(replies=("Yes.",)) as at:
        await at.run_until_somebody_speaks()
        await at.press("x")
        await at.until(lambda: "unfinished reply was dropped; r continues" in at.text())
        assert "○ stopped" in at.text()
        at.engine.may_speak.set()
        await at.press("r")
        await at.until_state("finished")
        assert "dropped" not in at.text()


async def test_one_message_at_a_time_is_no_pause(bench: OpenBench) -> None:
    async with bench() as at:
        at.engine.may_speak.clear()
        await at.press("s")
        await at.until(lambda: "running one turn" in at.text())
        await at.press("r")
        await at.until(lambda: "● speaking" in at.text())
        at.engine.may_speak.set()
        await at.until_state("finished")


async def test_a_message_that_waits_stands_under_the_reply(bench: OpenBench) -> None:
    async with bench() as at:
        await at.run_until_somebody_speaks()
        await at.press("i")
        await at.type("Excuse me, all of you.")
        await at.press("ctrl+s")
        await at.until(lambda: "waits for this reply" in at.text())
        assert "▎ Excuse me, all of you." in at.text()
        at.engine.may_speak.set()
        await at.until(lambda: "waits for this reply" not in at.text())
        await at.until(lambda: any(m.text.startswith("Excuse") for m in at.records()[0].entries))


def test_the_time_left_follows_the_pace_of_this_run() -> None:
    view = SessionView(phase="running", turn=4, turns=10, running_since=(0.0, 0))
    assert view.seconds_left > 0
    pace = view.seconds_left / 7  # this turn and the six after it
    assert abs(replace(view, turns=17).seconds_left - pace * 14) < pace
    assert replace(view, turn=2).seconds_left == 0
    assert replace(view, is_pausing=True).seconds_left == 0
