"""The turn lab, on one discussion and on many, while they run."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from syndisco_tui.tui.experiments.batch_screen import BatchScreen
from syndisco_tui.tui.inspect.turn_lab import TurnLab
from syndisco_tui.tui.inspect.turn_lab_pages import follow_lines, meter_lines
from syndisco_tui.tui.laboratory.session_view import SessionView
from tests.support.bench import SIZES, Bench, OpenBench, finished


async def lab(at: Bench) -> None:
    await at.press("t")
    await at.until(lambda: isinstance(at.app.screen, TurnLab))
    await at.until(lambda: "each speaker's share" in at.text())


async def test_it_counts_what_is_on_record(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        await lab(at)
        entries = at.records()[0].entries
        silences = sum(entry.is_silence for entry in entries)
        assert f"silent {silences}" in at.text()
        said = [entry for entry in entries if entry.is_prompted and not entry.is_silence]
        assert f"{len(said) * (len(said) - 1) // 2} pairs of messages" in at.text()
        for name in ("Emma35", "Giannis", "Moderator"):
            line = next(line for line in at.text().splitlines() if "% " in line and name in line)
            assert line
        await at.press("escape")
        assert at.app.screen is at.laboratory


async def test_it_follows_a_discussion_that_runs(bench: OpenBench) -> None:
    async with bench(delay=0.01) as at:
        await at.press("r")
        await at.until(lambda: len(at.session.record.entries) > 1 if at.session.record else False)
        await lab(at)
        assert "next" in at.text()
        at.engine.delay = 0
        await at.until(lambda: "turn 8 of 8" in at.text())
        await at.until(lambda: "silent 4" in at.text())
        assert "next" not in at.text()  # nobody is


async def test_a_long_title_leaves_the_turn_its_room(bench: OpenBench) -> None:
    async with bench((60, 20)) as at:
        setup = at.laboratory.setup.model_copy(update={"title": "On trains " * 10})
        at.session.start(setup, step=False)
        await at.until_state("finished")
        await lab(at)
        await at.until(lambda: "…   turn 8 of 8" in at.text().splitlines()[0])


async def test_before_anything_is_open_it_says_so(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("t")
        assert "“turn lab” does not apply now." in at.toasts()
        assert at.app.screen is at.laboratory


async def test_the_meters_show_speed_context_and_process(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        assert "of the context" in at.text()
        await lab(at)
        await at.until(lambda: "of 2048 tokens" in at.text())
        assert "tok/s" in at.text()
        await at.until(lambda: "cores" in at.text(), seconds=10)


async def test_many_discussions_are_added_up(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+r", "enter")
        await at.until(lambda: isinstance(at.app.screen, BatchScreen))
        await at.until(lambda: "8 of 8 finished" in at.text())
        await lab(at)
        await at.until(lambda: "8 discussions" in at.text())
        assert "mean of all discussions" in at.text()
        assert "Message lengths" not in at.text()
        turns = sum(int(line.split()[1]) for line in at.text().splitlines()[4:6])
        assert turns == 64
        await at.press("escape")
        await at.press("enter")  # read one of them, and look into it
        await at.press("enter")
        await at.until(lambda: "X-ray" in at.text())
        await at.press("escape", "escape", "escape")
        await at.until(lambda: at.app.screen is at.laboratory)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_the_turn_lab(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await finished(at)
        await lab(at)
        await at.until(lambda: "A → B → A" in at.text())
        lines = [line for line in at.text().splitlines() if "process" not in line]
        assert "\n".join(lines) == snapshot


async def test_no_size_crashes(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        await lab(at)
        for width, height in [(1, 1), (2, 30), (200, 2), (20, 5), (30, 12), (300, 100), (120, 40)]:
            await at.pilot.resize_terminal(width, height)
            await at.pilot.pause()
        assert "each speaker's share" in at.text()


def test_who_follows_whom_reads_from_the_left() -> None:
    follows = {("Ann", "Bob"): 3, ("Bob", "Ann"): 1}
    lines = [line.plain for line in follow_lines(follows, ["Ann", "Bob"], 60, {})]
    assert lines[0].startswith("Who follows whom")
    assert "row spoke right after column" in lines[0]
    assert lines[1].split() == ["after", "→", "Ann", "Bob"]
    assert lines[2].split() == ["Ann", "·", "1"]
    assert lines[3].split() == ["Bob", "3", "·"], "Bob spoke after Ann three times"


def test_one_speed_alone_is_a_number_without_a_course() -> None:
    lines = meter_lines(SessionView(speeds=[8.0], speed=8.0), None, 60)
    assert [line.plain.split() for line in lines] == [
        ["Speed", "and", "resources"],
        ["speed", "8", "tok/s"],
    ]
