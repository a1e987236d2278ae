"""Drafts, new discussions and titles: a discussion changes only where its user goes on with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.store.discussions import discussion_files
from tests.support.bench import Bench, OpenBench


@pytest.fixture
def short(demonstration: DiscussionSetup) -> DiscussionSetup:
    """Three turns, with a title: a new discussion asks for none."""
    return demonstration.model_copy(update={"conv_len": 3, "title": "Working from home"})


async def paused_after_a_message(at: Bench) -> Path:
    await at.press("s")
    await at.until_state("paused")
    return discussion_files(at.folders.discussions)[0]


async def set_turns(at: Bench, turns: int) -> None:
    """Type a number of turns into the setup's row."""
    pane = at.laboratory.setup_pane
    pane.go_to_field("conv_len")
    await at.press("enter")
    await at.press("ctrl+a", "ctrl+k", *str(turns), "enter")


async def test_preparing_another_discussion_leaves_the_paused_one_alone(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench(setup=short) as at:
        path = await paused_after_a_message(at)
        saved = path.read_bytes()
        await at.press("1", "space", "down", "down", "down", "space", "down", "space", "m")
        await set_turns(at, 9)
        await at.until(lambda: "draft" in at.text() and "ctrl+n new discussion" in at.text())
        assert path.read_bytes() == saved
        setup = at.laboratory.setup
        await at.press("ctrl+n")
        await at.until_state("idle")
        assert path.read_bytes() == saved
        assert "draft" not in at.text()
        assert "Nobody has said anything yet" in at.text()
        assert len(at.engine.requests) == 1
        assert at.laboratory.setup == setup
        await at.press("s")
        await at.until(lambda: len(at.records()) == 2)
        await at.until_state("paused")
        old, new = sorted(at.records(), key=lambda record: record.setup.conv_len)
        assert old.setup.names == short.names
        assert new.setup.names == setup.names
        assert new.title == "Working from home"


@pytest.mark.parametrize("key", ["r", "s"])
async def test_going_on_applies_the_draft_and_the_file_says_from_which_turn(
    bench: OpenBench, short: DiscussionSetup, key: str
) -> None:
    async with bench(setup=short) as at:
        path = await paused_after_a_message(at)
        await at.press("1", "space")
        await at.until(lambda: "draft" in at.text())
        assert "this one from turn 2" in at.text()
        await at.press(key)
        await at.until(lambda: "draft" not in at.text())
        await at.until(lambda: len(at.engine.requests) >= 2)
        await at.until(lambda: at.laboratory.view.phase in ("paused", "finished"))
        (record,) = at.records()
        assert record.setup == at.laboratory.setup
        assert [each.last_turn for each in record.earlier_setups] == [1]
        assert "Emma35" in json.loads(path.read_text())["users"]
        assert "Emma35" not in record.setup.names


async def test_fewer_turns_than_were_taken_finish_nothing(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench(setup=short) as at:
        for messages in (1, 2, 3):  # a user's, the moderator's, a user's
            await at.press("s")
            await at.until(lambda count=messages: len(at.engine.requests) == count)  # type: ignore[misc]
            await at.until_state("paused")
        await set_turns(at, 1)
        await at.press("escape", "s")
        await at.until(lambda: "turns; the setup says 1" in at.text())
        await at.press("escape")
        assert at.records()[0].status == "paused"
        assert at.records()[0].setup.conv_len == 3
        await at.press("D")
        await at.until(lambda: at.laboratory.setup.conv_len == 3)
        await at.until(lambda: "discard" not in at.text())
        await at.press("u")
        await at.until(lambda: at.laboratory.setup.conv_len == 1)
        await at.until(lambda: "draft" in at.text())


async def test_r_at_the_end_asks_for_more_turns(bench: OpenBench, short: DiscussionSetup) -> None:
    async with bench(setup=short) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("r")
        assert "This discussion has taken 3 turns." in at.text()
        await at.press("2", "enter")
        await at.until(lambda: at.records()[0].turns_taken == 5)
        await at.until_state("finished")
        (record,) = at.records()
        assert record.status == "finished"
        assert record.setup.conv_len == 5


async def test_or_for_a_new_one_with_another_seed(bench: OpenBench, short: DiscussionSetup) -> None:
    async with bench(setup=short) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("r")
        assert f"the same setup, seed {short.seed + 1}" in at.text()
        await at.press("ctrl+n")
        await at.until(lambda: len(at.records()) == 2)
        await at.until_state("finished")
        assert sorted(record.setup.seed for record in at.records()) == [short.seed, short.seed + 1]


async def test_a_number_of_turns_that_is_none_is_refused(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench(setup=short) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("r", "0", "enter")
        assert "Type a whole number from 1" in at.text()


async def test_new_asks_before_it_drops_a_reply(bench: OpenBench, short: DiscussionSetup) -> None:
    async with bench(setup=short) as at:
        await at.run_until_somebody_speaks()
        await at.press("ctrl+n")
        assert "A reply is being generated" in at.text()
        await at.press("y")
        await at.until_state("idle")
        (record,) = at.records()
        assert record.status == "paused"
        assert "R continues it" in at.toasts()
        at.engine.may_speak.set()
        await at.until(lambda: "resume" in at.text())
        await at.press("R")
        await at.until_state("finished")
        assert len(at.records()) == 1


async def test_new_asks_for_a_title_where_there_is_none(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench(setup=short.model_copy(update={"title": ""})) as at:
        await paused_after_a_message(at)
        await at.press("ctrl+n")
        assert "Title of the new discussion" in at.text()
        await at.type("Pilot 2")
        await at.press("enter")
        await at.until_state("idle")
        assert "Pilot 2" in at.text()
        await at.press("s")
        await at.until(lambda: len(at.records()) == 2)
        assert sorted(record.title for record in at.records()) == ["", "Pilot 2"]


async def test_a_renamed_discussion_keeps_its_title_in_the_next_run(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench(setup=short) as at:
        await paused_after_a_message(at)
        at.session.rename("Home office")
        await at.until(lambda: at.laboratory.setup.title == "Home office")
        assert "draft" not in at.text()
        await at.press("ctrl+n")
        await at.until_state("idle")
        await at.press("s")
        await at.until(lambda: len(at.records()) == 2)
        assert {record.title for record in at.records()} == {"Home office"}


async def test_a_draft_that_another_discussion_takes_the_place_of_is_saved(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench(setup=short) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("ctrl+n")
        await at.until_state("idle")
        await set_turns(at, 77)
        at.session.resume(discussion_files(at.folders.discussions)[0])
        await at.until(lambda: "Your draft is saved as" in at.toasts())
        assert at.laboratory.setup.conv_len == 3
        await at.press("ctrl+n")
        await at.until_state("idle")
        await at.press("2", "O")
        await at.until(lambda: "Open a setup" in at.text())
        assert "77 turns" in at.text()
        await at.press("enter")
        await at.until(lambda: at.laboratory.setup.conv_len == 77)


async def test_a_draft_that_was_left_by_quitting_is_saved_when_another_discussion_is_resumed(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench(setup=short, keeps_setup=True) as at:
        await paused_after_a_message(at)
        await set_turns(at, 9)
    async with bench(keeps_setup=True) as at:
        assert at.laboratory.setup.conv_len == 9
        await at.until(lambda: "resume at turn 2" in at.text())
        await at.press("R")
        await at.until(lambda: "Your draft is saved as" in at.toasts())
        assert at.laboratory.setup.conv_len == 3
        await at.until_state("finished")
    async with bench(keeps_setup=True) as at:
        assert at.laboratory.setup.conv_len == 3
        await at.press("o")
        await at.until(lambda: "finished" in at.text())
        await at.press("enter")
        await at.until_state("finished")
        assert "draft" not in at.toasts()


async def test_a_new_discussion_is_not_called_a_fork(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench(setup=short) as at:
        await paused_after_a_message(at)
        await at.press("3", "f", "ctrl+s")
        await at.until(lambda: at.laboratory.setup.title == "Working from home (fork)")
        await at.press("ctrl+n", "enter")
        await at.until(lambda: at.laboratory.setup.title == "Working from home")


async def test_the_last_message_stays_in_sight_when_it_is_regenerated(
    bench: OpenBench, short: DiscussionSetup
) -> None:
    async with bench((80, 24), setup=short.model_copy(update={"conv_len": 12})) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("3", "up")
        await at.press("down")
        transcript = at.laboratory.transcript
        assert transcript.current == len(at.records()[0].entries) - 1
        await at.press("g")
        await at.until(lambda: at.records()[0].entries[-1].attempt == 1)
        await at.until_state("finished")
        await at.until(lambda: transcript.current == len(at.records()[0].entries) - 1)
        assert transcript.scroll_y == transcript.max_scroll_y
