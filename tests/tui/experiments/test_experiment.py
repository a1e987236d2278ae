"""An experiment on the screen: opened by a key, run, read, stopped, continued, and followed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from textual.widgets import Input

from syndisco_tui.engine.base import EngineError
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.tui.experiments.batches import batches_of
from syndisco_tui.tui.experiments.cell_screen import CellScreen
from syndisco_tui.tui.experiments.experiment_screen import ExperimentScreen
from syndisco_tui.tui.experiments.matrix_lines import shape_for
from syndisco_tui.tui.experiments.matrix_view import MatrixView
from syndisco_tui.tui.experiments.new_experiment import NewExperimentForm
from syndisco_tui.tui.experiments.open_experiment import OpenExperimentDialog
from syndisco_tui.tui.experiments.run_reader import RunReader
from syndisco_tui.tui.statistics.screen import StatisticsScreen
from syndisco_tui.tui.widgets.inline_select import InlineSelect
from syndisco_tui.workspace.experiments import read_design
from tests.support.bench import Bench, OpenBench

DESIGN = """
title = "Does a moderator help?"
repeats = 2
seed = 1
users = {from = "people.json", count = 2}
[setup]
conv_len = 3
model = "scripted"
[factors.turns]
robin = {turn_manager = "RoundRobin"}
respond = {turn_manager = "RandomWeighted", p_respond = 0.4}
[factors.moderation]
none = {}
moderated = {moderator = "Moderator"}
"""


@pytest.fixture
def design(tmp_path: Path) -> Path:
    names = ("Ann", "Bob", "Cem", "Moderator")
    (tmp_path / "people.json").write_text(json.dumps([{"username": name} for name in names]))
    path = tmp_path / "moderation.toml"
    path.write_text(DESIGN)
    return path


def folder(at: Bench) -> Path:
    return at.folders.experiments / "moderation"


async def open_design(at: Bench, design: Path) -> None:
    """By its path, completed by tab, as a new user would."""
    await at.press("ctrl+e")
    await at.until(lambda: isinstance(at.app.screen, OpenExperimentDialog))
    await at.type(str(design)[:-6])
    await at.press("tab")
    await at.press("enter")
    await at.until(lambda: "Folder of the experiment" in at.text())
    await at.press("enter")
    await at.until(lambda: isinstance(at.app.screen, ExperimentScreen))
    await at.until(lambda: "r starts" in at.text())


async def test_from_a_design_to_a_discussion_and_back(bench: OpenBench, design: Path) -> None:
    async with bench(delay=0.03) as at:
        await open_design(at, design)
        assert not folder(at).exists(), "nothing is written before it starts"
        await at.press("r")
        await at.until(lambda: "● 8 at once" in at.text())
        await at.press("right", "enter")
        await at.until(lambda: "robin · moderated" in at.text())
        assert isinstance(at.app.screen, CellScreen)
        await at.press("enter")
        await at.until(lambda: "robin · moderated   repeat 1" in at.text())
        assert isinstance(at.app.screen, RunReader)
        await at.until(lambda: "▌" in at.text())
        at.engine.delay = 0
        await at.until(lambda: "▌" not in at.text())
        await at.press("escape", "escape")
        await at.until(lambda: "8 of 8 finished" in at.text())
        records = [read_discussion(path) for path in discussion_files(folder(at))]
        assert len(records) == 8
        assert {record.status for record in records} == {"finished"}


async def test_the_figures_of_cells_and_of_levels(bench: OpenBench, design: Path) -> None:
    async with bench() as at:
        await open_design(at, design)
        await at.press("r")
        await at.until(lambda: "8 of 8 finished" in at.text())
        await at.until(lambda: at.text().count("2/2") == 4)
        await at.until(lambda: at.text().count("±") >= 5)
        assert "words by level" in at.text()
        await at.press("f")
        assert "diversity: 1 − mean ROUGE-L" in at.text()
        await at.press("F", "F")
        assert "silences: share of all turns" in at.text()


async def test_it_is_left_running_and_stopped_and_continued(bench: OpenBench, design: Path) -> None:
    async with bench(delay=0.03) as at:
        await open_design(at, design)
        await at.press("r", "escape")
        assert at.laboratory.is_current
        await at.until(lambda: "experiment: 0 of 8 finished" in at.text())
        await at.press("ctrl+r")
        await at.until(lambda: isinstance(at.app.screen, ExperimentScreen))
        await at.press("x")
        await at.until(lambda: "r continues" in at.text())
        await at.until(lambda: batches_of(at.app).running is None)
        await at.press("escape", "ctrl+e")
        await at.until(lambda: "of 8 discussions begun" in at.text())
        at.engine.delay = 0
        await at.press("enter")
        await at.until(lambda: "r continues" in at.text())
        await at.press("r")
        await at.until(lambda: "8 of 8 finished" in at.text())


async def test_what_failed_says_why_and_is_run_again(bench: OpenBench, design: Path) -> None:
    replies = (EngineError("The model broke. Try again."), *["Yes."] * 200)
    async with bench(replies=replies) as at:
        await open_design(at, design)
        await at.press("r")
        await at.until(lambda: "! 1 failed" in at.text())
        await at.until(lambda: "7 of 8 finished" in at.text())
        assert "1 failed: The model broke. Try again." in at.text()
        await at.press("enter")
        await at.until(lambda: "!" in at.text() and "The model broke." in at.text())
        await at.press("escape", "r")
        await at.until(lambda: "8 of 8 finished" in at.text())


async def test_another_process_is_followed(bench: OpenBench, design: Path, tmp_path: Path) -> None:
    """Files that appear are shown while nothing runs here."""
    async with bench() as at:
        await open_design(at, design)
        await at.press("r")
        await at.until(lambda: "8 of 8 finished" in at.text())
        await at.press("escape")
        files = discussion_files(folder(at))
        aside = tmp_path / "aside"
        aside.mkdir()
        for file in files[:3]:
            shutil.move(file, aside)
        await at.press("ctrl+e", "enter")
        await at.until(lambda: "5 of 8 finished" in at.text())
        for file in files[:3]:
            shutil.move(aside / file.name, folder(at))
        await at.until(lambda: "8 of 8 finished" in at.text())


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_the_screen(bench: OpenBench, design: Path, size: tuple[int, int]) -> None:
    async with bench(size) as at:
        await open_design(at, design)
        await at.press("r")
        await at.until(lambda: "8 of 8 finished" in at.text())
        await at.until(lambda: at.text().count("±") >= 4)
        assert "⏎ discussions" in at.text()
        for line in at.text().splitlines():
            assert len(line) <= size[0]


def test_the_shape_follows_the_room(design: Path) -> None:
    known = read_design(design)
    assert shape_for(known, 116, 30).height == 5
    assert shape_for(known, 76, 12).height == 3
    assert shape_for(known, 76, 4).height == 1
    assert shape_for(known, 40, 20).table.column_factor == "", "all factors are rows"


async def test_the_cursor_goes_from_cell_to_cell(bench: OpenBench, design: Path) -> None:
    design.write_text(DESIGN + '[[exclude]]\nturns = "robin"\nmoderation = "moderated"\n')
    async with bench() as at:
        await open_design(at, design)
        view = at.app.screen.query_one(MatrixView)
        await at.press("right")
        assert view.cursor == ("robin", "none"), "the cell that is left out is passed by"
        await at.press("down", "right")
        assert view.cursor == ("respond", "moderated")
        await at.press("home")
        assert view.cursor == ("robin", "none")


async def test_an_experiment_is_made_of_the_setup_on_the_screen(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+e")
        await at.until(lambda: "from the setup on the screen" in at.text())
        await at.press("enter")
        assert "3 cells × 10 repeats = 30 discussions" in at.text()
        form = at.app.screen
        assert isinstance(form, NewExperimentForm)
        levels = form.query_one("#levels-0", Input)
        levels.value = "RoundRobin; RandomWeighted"
        form.query_one("#factor-1", InlineSelect).choose(1)
        await at.pilot.pause()
        assert "none; Moderator" in at.text()
        form.query_one("#repeats", Input).value = "2"
        await at.pilot.pause()
        assert "2 × 2 cells × 2 repeats = 8 discussions" in at.text()
        levels.value = "RoundRobin; Nonsense"
        await at.pilot.pause()
        assert "Turn manager: " in at.text()
        levels.value = "RoundRobin; RandomWeighted"
        await at.press("ctrl+s")
        await at.until(lambda: "r starts" in at.text())
        await at.press("r")
        await at.until(lambda: "8 of 8 finished" in at.text())
        made = at.folders.experiments / "Is it better to work from home"
        names = {path.name[11:] for path in discussion_files(made)}
        assert names == {
            f"{turns}-{moderator}.json"
            for turns in ("RoundRobin", "RandomWeighted")
            for moderator in ("none", "Moderator")
        }
        records = [read_discussion(path) for path in discussion_files(made)]
        with_moderator = [record for record in records if record.setup.moderator]
        assert len(with_moderator) == 4
        assert {record.setup.names[:2] for record in records} == {("Emma35", "Giannis")}


async def test_the_library_leads_to_the_experiments(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("o", "ctrl+e")
        await at.until(lambda: isinstance(at.app.screen, OpenExperimentDialog))


async def test_its_statistics(bench: OpenBench, design: Path) -> None:
    async with bench() as at:
        await open_design(at, design)
        await at.press("r")
        await at.until(lambda: any(folder(at).glob("c*.json")))
        await at.press("T")
        await at.until(lambda: isinstance(at.app.screen, StatisticsScreen))
        await at.until(lambda: "share of users’ turns" in at.text())
