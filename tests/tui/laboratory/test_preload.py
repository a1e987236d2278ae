"""The last model is loaded as soon as the app is open; the model's speed is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.engine.model import EngineInfo, ModelSpec
from syndisco_tui.session import Condition
from syndisco_tui.session.last_model import LastModelFile
from syndisco_tui.workspace.settings import load_settings
from tests.support.bench import Bench, OpenBench, at_setting, line_of
from tests.support.scripted_engine import ScriptedEngine

REASON = "its cache argument is not known to this software, which is a pity for whoever waits"


@pytest.fixture
def last_model(tmp_path: Path) -> LastModelFile:
    return LastModelFile(tmp_path / "last-model.json")


@pytest.fixture
def engine(last_model: LastModelFile) -> ScriptedEngine:
    """Loads nothing until it may; its model was loaded last."""
    last_model.remember(ModelSpec("auto"), EngineInfo("scripted"))
    engine = ScriptedEngine(delay=0.002, load_steps=2)
    engine.may_load.clear()
    return engine


def footer(at: Bench) -> str:
    return at.text().splitlines()[-1]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_it_loads_when_the_app_opens_and_r_joins_it(
    bench: OpenBench, engine: ScriptedEngine, size: tuple[int, int]
) -> None:
    async with bench(size, engine=engine, preload=True) as at:
        await at.until(lambda: "● reading weights" in at.text())
        assert at.laboratory.view.phase == "idle"
        await at.press("r")
        await at.until_state("loading")
        assert "● reading weights" in at.text()
        engine.may_load.set()
        await at.until_state("finished")
        assert [spec.model for spec in engine.loads] == ["auto"]


async def test_it_is_ready_before_anything_is_pressed(
    bench: OpenBench, engine: ScriptedEngine
) -> None:
    async with bench(engine=engine, preload=True) as at:
        engine.may_load.set()
        await at.until(lambda: "○ ready" in at.text() and "cpu · float32" in at.text())
        assert not at.toasts()
        await at.press("r")
        await at.until_state("finished")
        assert len(engine.loads) == 1


async def test_nothing_is_loaded_at_the_very_first_start(bench: OpenBench, tmp_path: Path) -> None:
    async with bench(preload=True) as at:
        await at.pilot.pause(0.2)
        assert at.engine.loads == []
        await at.press("r")
        await at.until_state("finished")
    assert (tmp_path / "last-model.json").exists()


async def test_another_model_in_the_setup_cancels_the_preload(
    bench: OpenBench, engine: ScriptedEngine, demonstration: DiscussionSetup
) -> None:
    async with bench(engine=engine, preload=True) as at:
        await at.until(lambda: "● reading weights" in at.text())
        at.laboratory._use(demonstration.model_copy(update={"conv_len": 9}))
        await at.pilot.pause(0.2)
        assert "● reading weights" in at.text()
        at.laboratory._use(demonstration.model_copy(update={"model": "another"}))
        await at.until(lambda: "○ ready" in at.text())
        assert not at.toasts()
        assert engine.info is None


async def test_x_gives_it_up_and_r_loads_it_then(bench: OpenBench, engine: ScriptedEngine) -> None:
    async with bench(engine=engine, preload=True) as at:
        await at.until(lambda: "● reading weights" in at.text())
        assert " stop now" in footer(at) or " stop" in footer(at)
        await at.press("x")
        await at.until(lambda: "○ ready" in at.text())
        assert not at.toasts()
        engine.may_load.set()
        await at.press("r")
        await at.until_state("finished")


async def test_one_that_cannot_be_had_is_said_quietly_and_by_r_as_ever(
    bench: OpenBench, last_model: LastModelFile, demonstration: DiscussionSetup
) -> None:
    last_model.remember(ModelSpec("nowhere"), EngineInfo("nowhere"))
    setup = demonstration.model_copy(update={"model": "nowhere"})
    async with bench(setup=setup, preload=True) as at:
        await at.until(lambda: "the last model could not be loaded" in at.text())
        assert not at.toasts()
        await at.press("r")
        await at.until(lambda: "There is no model “nowhere”" in at.toasts())
        await at.until_state("idle")
        assert "could not be loaded" not in at.text()


async def test_quitting_in_the_middle_asks_nothing(
    bench: OpenBench, engine: ScriptedEngine
) -> None:
    async with bench(engine=engine, preload=True) as at:
        await at.until(lambda: "● reading weights" in at.text())
        await at.press("q")
        assert at.app._exit


async def test_the_setting_is_yes_or_no(bench: OpenBench, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    async with bench() as at:
        await at.press(*at_setting("load_at_start"))
        assert "yes" in line_of(at, "Load at start")
        await at.press("right")
        assert "no" in line_of(at, "Load at start").split("start")[1].split()
        assert file.read_text() == "load_at_start = false\n"
        assert not load_settings(file, {}, {}).load_at_start
        await at.press("left")
        assert load_settings(file, {}, {}).load_at_start
        await at.press("delete")
        assert "default" in line_of(at, "Load at start")


def test_the_setting_is_taken_from_the_environment(tmp_path: Path) -> None:
    environment = {"SYNDISCO_TUI_LOAD_AT_START": "no"}
    assert not load_settings(tmp_path / "none.toml", {}, environment).load_at_start


def slow_engine() -> ScriptedEngine:
    engine = ScriptedEngine(delay=0.002)
    engine.path, engine.path_reason = "generate", REASON
    return engine


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_a_slow_model_is_said_in_one_line_that_lasts(
    bench: OpenBench, size: tuple[int, int]
) -> None:
    async with bench(size, engine=slow_engine()) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.until(lambda: "! scripted runs one discussion at a time: its" in at.text())
        assert not at.toasts()
        height = at.laboratory.panes.size.height
        at.laboratory.banner.handle(Condition("speed", ""))
        await at.until(lambda: not at.laboratory.banner.display)
        assert at.laboratory.panes.size.height == height + 1


async def test_it_gives_way_to_what_is_graver_and_to_another_model(
    bench: OpenBench, demonstration: DiscussionSetup
) -> None:
    async with bench(engine=slow_engine()) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.until(lambda: "one discussion at a time" in at.text())
        at.laboratory.banner.handle(Condition("space", "Only 3 MB are free.", "/x"))
        await at.until(lambda: "Only 3 MB are free." in at.text())
        assert "one discussion at a time" not in at.text()
        at.laboratory.banner.handle(Condition("space", ""))
        await at.until(lambda: "one discussion at a time" in at.text())
        at.engine.path_reason = ""
        at.session.start(demonstration.model_copy(update={"model": "another"}))
        await at.until(lambda: "one discussion at a time" not in at.text())
        assert not at.laboratory.banner.display
