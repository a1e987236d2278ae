"""Running a discussion from the keyboard."""

from __future__ import annotations

from itertools import islice
from queue import SimpleQueue

import pytest

from syndisco_tui.session import ErrorRaised, SessionEvent
from syndisco_tui.tui.shell.event_queue import drained
from tests.support.bench import OpenBench


async def test_r_runs_the_discussion_to_its_end_and_it_is_on_disk(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("r")
        await at.until_state("finished")
        (record,) = at.records()
        assert record.status == "finished"
        assert record.turns_taken == 8
        assert "A closed door helps." in at.text()
        assert "8/8" in at.text()


async def test_both_names_and_the_seed_opinion_appear_in_the_transcript(bench: OpenBench) -> None:
    async with bench((120, 100)) as at:
        await at.press("r")
        await at.until_state("finished")
        text = at.text()
        assert "▎ Emma35  seed opinion" in text
        assert "▎ Giannis" in text
        assert "▎ Moderator  moderator" in text
        assert "stays silent" in text


async def test_a_reply_grows_on_the_screen_before_it_is_posted(bench: OpenBench) -> None:
    async with bench(delay=0.02) as at:
        await at.press("r")
        await at.until(lambda: "▌" in at.text() and "Working from home gave me" in at.text())
        assert at.records()[0].turns_taken == 0


async def test_p_pauses_after_this_message_and_r_goes_on(bench: OpenBench) -> None:
    async with bench() as at:
        await at.run_until_somebody_speaks()
        await at.press("p")
        await at.until(lambda: "pausing" in at.text())
        at.engine.may_speak.set()
        await at.until_state("paused")
        (record,) = at.records()
        assert record.status == "paused"
        assert record.messages[-1].finish_reason == "stop"
        await at.press("r")
        await at.until_state("finished")


async def test_s_goes_on_for_one_message_at_a_time(bench: OpenBench) -> None:
    async with bench() as at:
        for expected in (1, 2, 3):
            await at.press("s")
            await at.until(lambda n=expected: _prompted(at) == n)  # type: ignore[misc]
            await at.until_state("paused")
            assert _prompted(at) == expected


def _prompted(at: object) -> int:
    records = at.records()  # type: ignore[attr-defined]
    return sum(entry.is_prompted for entry in records[0].entries) if records else 0


async def test_x_stops_now_and_the_same_turn_is_asked_for_again(bench: OpenBench) -> None:
    async with bench() as at:
        await at.run_until_somebody_speaks()
        await at.press("x")
        await at.until_state("paused")
        assert "▌" not in at.text()
        assert at.records()[0].turns_taken == 0
        before = at.engine.requests[-1]
        at.engine.may_speak.set()
        await at.press("r")
        await at.until_state("finished")
        assert at.engine.requests[1].seed == before.seed
        assert at.engine.requests[1].chat == before.chat


async def test_a_discussion_left_in_the_middle_is_offered_and_resumed_at_its_turn(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        await at.press("s")
        await at.until_state("paused")
        left = at.records()[0]
    async with bench() as at:
        await at.until(lambda: "resume at turn 2 of 8" in at.text())
        await at.press("R")
        await at.until_state("finished")
        (record,) = at.records()
        assert record.id == left.id
        assert record.entries[: len(left.entries)] == left.entries


async def test_start_runs_at_once(bench: OpenBench) -> None:
    async with bench(start=True) as at:
        await at.until_state("finished")


async def test_a_model_that_cannot_be_had_says_so_and_the_app_goes_on(bench: OpenBench) -> None:
    async with bench() as at:
        at.laboratory._use(at.laboratory.setup.model_copy(update={"model": "nowhere"}))
        await at.press("r")
        await at.until(lambda: "try --model starter" in at.toasts())
        at.laboratory._use(at.laboratory.setup.model_copy(update={"model": "auto"}))
        await at.press("r")
        await at.until_state("finished")


async def test_nobody_taking_part_is_said_not_run(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("space", "down", "space", "r")
        assert "Nobody takes part" in at.toasts()
        assert not at.records()


async def test_the_transcript_follows_until_somebody_scrolls_away(bench: OpenBench) -> None:
    async with bench((120, 24)) as at:
        await at.press("r")
        await at.until_state("finished")
        transcript = at.laboratory.transcript
        assert transcript.scroll_y == transcript.max_scroll_y
        await at.press("3", "home")
        await at.until(lambda: not transcript.cursor.follows)
        assert "End follows" in at.text()
        await at.press("end")
        await at.until(lambda: transcript.cursor.follows)
        assert transcript.scroll_y == transcript.max_scroll_y


def test_showing_ends_though_events_go_on_coming() -> None:
    events: SimpleQueue[SessionEvent] = SimpleQueue()
    events.put(ErrorRaised("Once."))
    shown = []
    for event in islice(drained(events), 5):
        shown.append(event)
        events.put(event)
    assert shown == [ErrorRaised("Once.")]


@pytest.mark.parametrize("yes", ["y", "q"])
async def test_q_asks_while_a_reply_is_being_generated(bench: OpenBench, yes: str) -> None:
    async with bench(delay=0.02) as at:
        await at.press("r")
        await at.until(lambda: "▌" in at.text())
        await at.press("q")
        assert "Quit?" in at.text()
        await at.press("n")
        assert "Quit?" not in at.text()
        assert at.app.is_running
        await at.press("q", yes)
        await at.until(lambda: not at.app.is_running or at.app._exit)
    assert at.records()[0].status == "paused"


async def test_q_leaves_at_once_where_nothing_is_lost(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("q")
        assert at.app._exit


async def test_a_cut_reply_is_marked(bench: OpenBench, demonstration: object) -> None:
    setup = demonstration.model_copy(update={"max_out_tokens": 3, "conv_len": 1})  # type: ignore[attr-defined]
    async with bench(setup=setup) as at:
        await at.press("r")
        await at.until_state("finished")
        assert "Working from home […]" in at.text()
        assert "cut at the token limit" in at.text()
