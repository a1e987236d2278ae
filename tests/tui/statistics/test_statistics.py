"""Statistics in the app: charts, table, differences, and the discussions behind them."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from syndisco_tui.tui.experiments.batch_screen import BatchScreen
from syndisco_tui.tui.statistics.discussions_behind import DiscussionsBehind
from syndisco_tui.tui.statistics.screen import StatisticsScreen
from syndisco_tui.tui.transcript.read_only import ReadOnlyScreen
from tests.support.bench import SIZES, TINY, Bench, OpenBench

VIEWS = {"chart": (), "table": ("t",), "differences": ("d",), "behind": ("enter",)}
"""The keys that lead to each view."""
pytestmark = pytest.mark.usefixtures("experiment")


async def statistics(at: Bench) -> None:
    """From the laboratory through the library to its statistics."""
    await at.press("o")
    await at.until(lambda: "24 discussions" in at.text())
    await at.press("T")
    await at.until(lambda: isinstance(at.app.screen, StatisticsScreen))
    await at.until(lambda: "by turns × moderation" in at.text())


async def test_from_a_figure_to_a_discussion_in_two_keys(bench: OpenBench) -> None:
    async with bench() as at:
        await statistics(at)
        assert "share of users’ turns with something said" in at.text()
        line = next(line for line in at.text().splitlines() if "respond · moderated" in line)
        assert "●" in line
        assert "n 6" in line
        await at.press("down", "enter")
        await at.until(lambda: isinstance(at.app.screen, DiscussionsBehind))
        assert "robin · moderated" in at.text().splitlines()[0]
        assert at.text().count("repeat") == 6
        await at.press("enter")
        await at.until(lambda: isinstance(at.app.screen, ReadOnlyScreen))
        await at.until(lambda: "Please stay on the subject." in at.text())
        await at.press("escape", "escape", "escape")
        await at.until(lambda: "24 discussions" in at.text())


async def test_the_lowest_comes_first_or_last(bench: OpenBench) -> None:
    async with bench() as at:
        await statistics(at)
        await at.press("enter")
        await at.until(lambda: isinstance(at.app.screen, DiscussionsBehind))
        rows = [line for line in at.text().splitlines() if "repeat" in line]
        values = [float(row.split()[-3]) for row in rows]
        assert values == sorted(values)
        await at.press("s")
        turned = [line for line in at.text().splitlines() if "repeat" in line]
        assert turned == rows[::-1]
        assert "robin" not in "".join(turned), "all are of one cell"


async def test_figures_are_moved_through(bench: OpenBench) -> None:
    async with bench() as at:
        await statistics(at)
        await at.press("right")
        assert "share of the moderator’s turns with something said" in at.text()
        assert "no data" in at.text()
        await at.press("left", "left")
        assert "Differences between levels" in at.text()
        assert "none → moderated" in at.text()
        assert "comparisons, each with a 95 % interval" in " ".join(at.text().split())
        await at.press("enter")
        await at.until(lambda: isinstance(at.app.screen, DiscussionsBehind))
        assert at.text().count("repeat") == 24
        await at.press("escape", "t")
        assert "All figures" in at.text()
        await at.press("d")
        assert "Differences between levels" in at.text()


async def test_other_groupings(bench: OpenBench) -> None:
    async with bench() as at:
        await statistics(at)
        assert "by turns × moderation" in at.text()
        await at.press("b")
        await at.until(lambda: "by turns\n" in at.text() and "2 conditions" in at.text())
        await at.press("b")
        await at.until(lambda: "by moderation" in at.text())
        await at.press("b")
        await at.until(lambda: "all together" in at.text())
        assert "differences" not in at.text()
        await at.press("b")
        await at.until(lambda: "by turns × moderation" in at.text())


async def test_a_report_is_written(bench: OpenBench) -> None:
    async with bench() as at:
        await statistics(at)
        await at.press("e")
        await at.until(lambda: "Report written" in at.toasts())
        (report,) = at.folders.exports.glob("*.html")
        assert "none → moderated" in report.read_text()


async def test_marked_discussions_only(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("o")
        await at.until(lambda: "24 discussions" in at.text())
        await at.press("space", "space", "T")
        await at.until(lambda: "2 discussions" in at.text())


async def test_a_file_that_cannot_be_read_is_named(bench: OpenBench, experiment: Path) -> None:
    async with bench() as at:
        await at.press("o")
        await at.until(lambda: "24 discussions" in at.text())
        (experiment / "c001-r0001.json").write_text("{")
        await at.press("T")
        await at.until(lambda: "1 file cannot be read" in at.toasts())
        await at.until(lambda: "23 discussions" in at.text())


async def test_statistics_of_a_batch(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+r", "enter")
        await at.until(lambda: isinstance(at.app.screen, BatchScreen))
        await at.until(lambda: "8 of 8 finished" in at.text())
        await at.press("T")
        await at.until(lambda: "8 discussions · 1 condition" in at.text())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "keys", [(), ("t",), ("d",), ("enter",)], ids=["chart", "table", "differences", "behind"]
)
async def test_pictures(
    bench: OpenBench, size: tuple[int, int], keys: tuple[str, ...], snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await statistics(at)
        await at.press(*keys)
        assert at.text() == snapshot


async def test_no_size_crashes(bench: OpenBench) -> None:
    async with bench() as at:
        await statistics(at)
        for keys in VIEWS.values():
            await at.press(*keys)
            for width, height in (*TINY, (200, 2), (30, 12), (300, 100), (120, 40)):
                await at.pilot.resize_terminal(width, height)
                await at.pilot.pause()
