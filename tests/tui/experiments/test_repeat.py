"""Batches on the screen: they are started, looked at, left running, stopped and continued."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import DataTable

from syndisco_tui.analysis.figures import Spread
from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.session.batch_run import BatchIdentity, BatchRun, repeated
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.tui.experiments.batch_screen import BatchScreen
from syndisco_tui.tui.experiments.batch_table import COLUMNS, in_order
from syndisco_tui.tui.experiments.batches import batches_of
from syndisco_tui.tui.inspect.compare import Compare, CompareWith
from syndisco_tui.tui.interventions.fork import ForkScreen
from syndisco_tui.tui.library.screen import LibraryScreen
from syndisco_tui.workspace.batches import SeedClaims
from tests.support.bench import Bench, OpenBench


async def start_batch(at: Bench, count: int) -> BatchScreen:
    await at.press("ctrl+r", "ctrl+u", *str(count), "enter")
    await at.until(lambda: isinstance(at.app.screen, BatchScreen))
    screen = at.app.screen
    assert isinstance(screen, BatchScreen)
    return screen


async def finish_batch(at: Bench, count: int) -> BatchScreen:
    screen = await start_batch(at, count)
    await at.until(lambda: f"{count} of {count} finished" in at.text())
    await at.until(lambda: batches_of(at.app).open_files == set())
    return screen


def numbers(screen: BatchScreen) -> list[str]:
    table = screen.query_one(DataTable)
    return [table.get_row_at(row)[1].plain for row in range(table.row_count)]


async def test_another_batch_of_the_same_setup_takes_the_next_seeds(bench: OpenBench) -> None:
    async with bench() as at:
        await finish_batch(at, 3)
        await at.press("escape", "ctrl+r")
        assert "Seeds 3, 4, 5 …" in at.text()
        await at.press("escape")
        await finish_batch(at, 2)
        assert sorted(record.setup.seed for record in at.records()) == [0, 1, 2, 3, 4]
        await at.press("escape", "2", "end", *["up"] * 6, "left")
        assert at.laboratory.setup.repetition_penalty == 1.05, "another setup"
        await at.press("ctrl+r")
        await at.until(lambda: "Seeds 0, 1, 2 …" in at.text())


async def test_a_batch_runs_and_its_discussions_are_told_apart(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+r")
        assert "How many discussions at the same time? Seeds 0, 1, 2 …" in at.text()
        await at.press("escape")
        screen = await finish_batch(at, 5)
        assert screen.query_one(DataTable).row_count == 5
        assert sorted(record.setup.seed for record in at.records()) == [0, 1, 2, 3, 4]
        assert all(record.status == "finished" for record in at.records())
        assert {record.batch.count for record in at.records() if record.batch} == {5}
        await at.until(lambda: len(re.findall(r"0\.\d\d +0\.\d\d", at.text())) == 5)
        await at.press("escape")
        assert "1 Personas" in at.text()


async def test_enter_reads_one_of_them_along(bench: OpenBench) -> None:
    async with bench(delay=0.01) as at:
        await start_batch(at, 2)
        await at.until(lambda: "speaking" not in at.text() and "of 8" in at.text())
        await at.press("down", "enter")
        await at.until(lambda: "Discussion 2 of 2   seed 1" in at.text())
        await at.until(lambda: "▌" in at.text())
        at.engine.delay = 0
        await at.press("escape")
        await at.until(lambda: "2 of 2 finished" in at.text())


async def test_it_goes_on_while_one_looks_elsewhere(bench: OpenBench) -> None:
    async with bench((80, 24), delay=0.03) as at:
        screen = await start_batch(at, 2)
        await at.until(lambda: len(at.records()) == 2)
        await at.press("escape")
        assert at.laboratory.is_current
        await at.until(lambda: "batch: 0 of 2 finished" in at.text())
        before = sum(len(record.entries) for record in at.records())
        await at.until(lambda: sum(len(record.entries) for record in at.records()) > before + 2)
        await at.press("ctrl+r")
        await at.until(lambda: isinstance(at.app.screen, BatchScreen))
        assert at.app.screen is not screen
        assert "0 of 2 finished" in at.text(), "the same batch, not another one"
        await at.press("escape", "o")
        await at.until(lambda: "batch · running" in at.text())
        await at.press("right", "down")
        assert "running in the batch" in at.text()
        assert "del delete" not in at.text()
        await at.press("enter")
        assert isinstance(at.app.screen, BatchScreen), "it is looked at where it runs"
        await at.press("escape", "escape")
        at.engine.delay = 0
        await at.until(lambda: "Batch ended: 2 of 2 discussions finished." in at.toasts())
        await at.until(lambda: "batch:" not in at.text())
        assert {record.status for record in at.records()} == {"finished"}


async def test_another_model_has_to_wait_for_it(bench: OpenBench) -> None:
    async with bench(delay=0.03) as at:
        await start_batch(at, 2)
        await at.until(lambda: len(at.records()) == 2)
        runs = [run for shown in batches_of(at.app)._shown for run in shown.batch.runs]
        await at.until(lambda: all(run.path for run in runs))  # their setups name the model now
        await at.press("escape")
        at.laboratory._use(at.laboratory.setup.model_copy(update={"model": "org/another"}))
        await at.press("r")
        assert "A batch is running with another model (scripted)" in at.toasts()
        assert [load.model for load in at.engine.loads if load.model == "org/another"] == []
        elsewhere = {"model": "org/another", "server": ("http://127.0.0.1:9/v1",)}
        on_a_server = at.laboratory.setup.model_copy(update=elsewhere)
        assert batches_of(at.app).lets_run(on_a_server), "servers have room beside anything"
        at.laboratory._use(at.laboratory.setup.model_copy(update={"model": "scripted"}))
        await at.press("r")
        await at.until(lambda: len(at.records()) == 3)
        assert batches_of(at.app).running, "they run beside each other"
        at.engine.delay = 0


async def test_what_the_model_is_doing_is_said_while_it_loads(bench: OpenBench) -> None:
    async with bench() as at:
        at.engine.may_load.clear()
        await start_batch(at, 2)
        await at.until(lambda: "reading weights" in at.text())
        at.engine.may_load.set()
        await at.until(lambda: "2 of 2 finished" in at.text())


async def test_what_was_stopped_is_continued_there(bench: OpenBench) -> None:
    async with bench(delay=0.03) as at:
        await start_batch(at, 2)
        await at.until(lambda: len(at.records()) == 2)
        assert "r continue" not in at.text()
        await at.press("x")
        await at.until(lambda: {record.status for record in at.records()} == {"paused"})
        await at.until(lambda: "r continue" in at.text())
        at.engine.delay = 0
        await at.press("r")
        await at.until(lambda: "2 of 2 finished" in at.text())
        assert len(at.records()) == 2


async def test_seeds_that_another_process_holds_are_left_to_it(bench: OpenBench) -> None:
    async with bench() as at:
        setups = repeated(at.laboratory.setup, 3)
        with SeedClaims(at.folders.discussions) as others:
            assert others.claim(setups[1:2]) == [True]
            await start_batch(at, 3)
            assert "1 of 3 is being run by another syndisco-tui and left to it." in at.toasts()
            await at.until(lambda: "2 of 2 finished" in at.text())
        assert [
            (record.setup.seed, record.batch.number, record.batch.count)
            for record in sorted(at.records(), key=lambda record: record.setup.seed)
            if record.batch
        ] == [(0, 1, 3), (2, 3, 3)]


async def test_no_batch_begins_where_another_process_holds_all_seeds(bench: OpenBench) -> None:
    async with bench() as at:
        with SeedClaims(at.folders.discussions) as others:
            others.claim(repeated(at.laboratory.setup, 2))
            await at.press("ctrl+r", "ctrl+u", "2", "enter")
            await at.until(lambda: "2 of 2 are being run by another" in at.toasts())
        assert at.laboratory.is_current
        assert at.records() == []


async def test_a_running_batch_claims_its_seeds_until_it_ends(bench: OpenBench) -> None:
    async with bench() as at:
        setups = repeated(at.laboratory.setup, 2)
        at.engine.may_load.clear()
        await start_batch(at, 2)
        with SeedClaims(at.folders.discussions) as others:
            assert others.claim(setups) == [False, False], "before the model is loaded"
        at.engine.may_load.set()
        await at.until(lambda: "2 of 2 finished" in at.text())
        with SeedClaims(at.folders.discussions) as others:
            await at.until(lambda: others.claim(setups) == [True, True])


async def test_what_another_process_continues_is_not_continued_here(bench: OpenBench) -> None:
    async with bench(delay=0.03) as at:
        await start_batch(at, 2)
        await at.until(lambda: len(at.records()) == 2)
        runs = [run for shown in batches_of(at.app)._shown for run in shown.batch.runs]
        await at.until(lambda: all(run.path for run in runs))  # their setups name the model now
        await at.press("x")
        await at.until(lambda: {record.status for record in at.records()} == {"paused"})
        await at.until(lambda: batches_of(at.app).running is None)
        at.engine.delay = 0
        with SeedClaims(at.folders.discussions) as others:
            (held,) = [record.setup for record in at.records() if record.setup.seed == 0]
            await at.until(lambda: others.claim([held]) == [True])
            await at.press("r")
            await at.until(lambda: "1 of 2 finished" in at.text())
            assert "1 of 2 is being run by another syndisco-tui" in at.toasts()
        assert {record.setup.seed: record.status for record in at.records()} == {
            0: "paused",
            1: "finished",
        }


async def test_an_interrupted_batch_is_continued_from_the_library(bench: OpenBench) -> None:
    async with bench() as at:
        await finish_batch(at, 3)
        await at.press("escape")
        third, second, _ = sorted(
            discussion_files(at.folders.discussions), key=_number, reverse=True
        )
        whole = read_discussion(third)
        third.write_bytes(to_bytes(replace(whole, entries=whole.entries[:4], status="running")))
        second.unlink()
        await at.press("o")
        await at.until(lambda: "batch · 1 of 3 finished" in at.text())
        await at.press("r")
        await at.until(lambda: isinstance(at.app.screen, BatchScreen))
        await at.until(lambda: "3 of 3 finished" in at.text())
        assert sorted(record.setup.seed for record in at.records()) == [0, 1, 2]
        assert len({record.batch.id for record in at.records() if record.batch}) == 1
        assert read_discussion(third).entries[:4] == whole.entries[:4]
        await at.press("escape")
        await at.until(lambda: "batch · 3 of 3 finished" in at.text())
        assert "r continue" not in at.text()


def _number(path: object) -> int:
    place = read_discussion(path).batch  # type: ignore[arg-type]
    return place.number if place else 0


async def test_a_row_is_opened_forked_and_compared(bench: OpenBench) -> None:
    async with bench() as at:
        await finish_batch(at, 3)
        await at.press("down", "c")
        await at.until(lambda: "same batch, 1 of 3, seed 0" in at.text())
        assert isinstance(at.app.screen, CompareWith)
        await at.press("enter")
        await at.until(lambda: re.search(r"Seed +1 +0", at.text()) is not None)
        assert isinstance(at.app.screen, Compare)
        await at.press("escape", "f")
        await at.until(lambda: isinstance(at.app.screen, ForkScreen))
        await at.press("enter")
        await at.until(lambda: at.laboratory.is_current and "(fork)" in at.text())
        fork = at.records()[0]
        parent = next(record for record in at.records() if record.setup.seed == 1 and record.batch)
        assert fork.parent
        assert (fork.parent.id, fork.batch) == (parent.id, None), "a fork is in no batch"
        await at.press("o")
        await at.until(lambda: "of 3 finished" in at.text())
        await at.press("down", "enter")
        await at.until(lambda: isinstance(at.app.screen, BatchScreen))
        await at.press("down", "down", "o")
        await at.until(lambda: at.laboratory.is_current and at.laboratory.setup.seed == 2)


async def test_rows_are_sorted_by_any_column(bench: OpenBench) -> None:
    replies = ["One.", "Two three.", "Two three.", "Four five six.", "Cats.", "Dogs and cats."]
    async with bench(replies=tuple(replies)) as at:
        screen = await finish_batch(at, 4)
        await at.until(lambda: "—" not in at.text())
        assert numbers(screen) == ["1", "2", "3", "4"]
        await at.press("S")
        assert numbers(screen) == ["4", "3", "2", "1"]
        await at.press("s")
        assert "seed▲" in at.text()
        assert numbers(screen) == ["1", "2", "3", "4"]
        await at.press("home", "down", "S")
        table = screen.query_one(DataTable)
        assert table.get_row_at(table.cursor_row)[1].plain == "2", "the cursor stays on its row"
        for label in ("turn▲", "tokens▲", "diversity▲", "distance▲", "last words"):
            await at.press("s")
            assert label in at.text()
        await at.pilot.click(DataTable, offset=(14, 0))
        assert "seed▲" in at.text()


def test_what_cannot_be_told_yet_comes_last() -> None:
    setups = repeated(DiscussionSetup(conv_len=2), 3)
    identity = BatchIdentity.of(0, 3)
    runs = [BatchRun(identity.membership(setup.seed), setup) for setup in setups]
    spreads = [Spread(0.2, None), Spread(None, None), Spread(0.1, None)]
    diversity = next(n for n, column in enumerate(COLUMNS) if column.name == "diversity")
    told = list(zip(runs, spreads, strict=True))
    ascending = in_order(told, diversity, is_descending=False)
    descending = in_order(told, diversity, is_descending=True)
    assert [run.number for run in ascending] == [3, 1, 2]
    assert [run.number for run in descending] == [1, 3, 2]


async def test_quitting_asks_and_saves_them_as_paused(bench: OpenBench) -> None:
    async with bench(delay=0.03) as at:
        await start_batch(at, 2)
        await at.until(lambda: len(at.records()) == 2)
        await at.press("escape")
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
        await finish_batch(at, 3)
        await at.until(lambda: "0.00" in at.text())
        at.app.clear_notifications()
        await at.pilot.pause()
        assert at.text() == snapshot
        await at.press("enter")
        await at.until(lambda: "Discussion 1" in at.text())
        at.app.clear_notifications()
        await at.pilot.pause()
        assert at.text() == snapshot
        await at.press("escape", "escape", "o")
        await at.until(lambda: isinstance(at.app.screen, LibraryScreen))
