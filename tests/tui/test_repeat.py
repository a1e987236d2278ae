"""Many discussions at once, from the screen."""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import DataTable

from tests.support.bench import OpenBench


async def test_repeat_runs_so_many_and_shows_them_in_a_table(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+r")
        assert "Repeat this setup" in at.text()
        await at.press("ctrl+u", "5", "enter")
        await at.until(lambda: "5 of 5 finished" in at.text())
        assert at.app.screen.query_one(DataTable).row_count == 5
        assert sorted(record.setup.seed for record in at.records()) == [0, 1, 2, 3, 4]
        assert all(record.status == "finished" for record in at.records())
        await at.press("escape")
        assert "1 Personas" in at.text()


async def test_enter_reads_one_of_them_along(bench: OpenBench) -> None:
    async with bench(delay=0.01) as at:
        await at.press("ctrl+r", "ctrl+u", "2", "enter")
        await at.until(lambda: "speaking" not in at.text() and "of 8" in at.text())
        await at.press("down", "enter")
        await at.until(lambda: "Discussion 2   seed 1" in at.text())
        await at.until(lambda: "▌" in at.text())
        at.engine.delay = 0
        await at.press("escape")
        await at.until(lambda: "2 of 2 finished" in at.text())


async def test_leaving_asks_and_saves_them_as_paused(bench: OpenBench) -> None:
    async with bench(delay=0.03) as at:
        await at.press("ctrl+r", "ctrl+u", "2", "enter")
        await at.until(lambda: len(at.records()) == 2)
        await at.press("escape")
        await at.until(lambda: "still running" in at.text())
        await at.press("y")
        await at.until(lambda: "1 Personas" in at.text())
        await at.until(lambda: {record.status for record in at.records()} == {"paused"})


async def test_quitting_asks_and_saves_them_as_paused(bench: OpenBench) -> None:
    async with bench(delay=0.03) as at:
        await at.press("ctrl+r", "ctrl+u", "2", "enter")
        await at.until(lambda: len(at.records()) == 2)
        await at.press("ctrl+q")
        await at.until(lambda: "still running. Quit?" in at.text())
        await at.press("n")
        assert at.app.is_running
        await at.press("ctrl+q", "ctrl+q")
        await at.until(lambda: not at.app.is_running)
    assert {record.status for record in at.records()} == {"paused"}


async def test_a_number_that_is_none_is_said(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+r", "ctrl+u", "0", "enter")
        assert "a whole number from 1 to 1000" in at.text()
        await at.press("escape")
        assert not at.records()


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_picture_of_the_table(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size, replies=("I would rather walk.",)) as at:
        await at.press("ctrl+r", "ctrl+u", "3", "enter")
        await at.until(lambda: "3 of 3 finished" in at.text())
        at.app.clear_notifications()
        await at.pilot.pause()
        assert re.sub(r"[\d.]+ tok/s", "… tok/s", at.text()) == snapshot
        await at.press("enter")
        await at.until(lambda: "Discussion 1" in at.text())
        at.app.clear_notifications()
        await at.pilot.pause()
        assert at.text() == snapshot
