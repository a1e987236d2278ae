"""The screen itself: panes, help, palette, themes, odd sizes, and how it looks."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.screen import Screen

from syndisco_tui import tui as ui
from syndisco_tui.tui.library.screen import LibraryScreen
from syndisco_tui.tui.shell.actions import ACTIONS
from syndisco_tui.tui.shell.palette import commands
from syndisco_tui.tui.shell.screen import AppPalette, AppScreen
from syndisco_tui.tui.transcript.reading import ReadingScreen
from syndisco_tui.tui.widgets.key_line import TwoKeyLines
from tests.support.bench import SIZES, TINY, Bench, OpenBench


def pane(at: Bench) -> str:
    return at.laboratory.panes.current


async def test_digits_and_tab_go_from_pane_to_pane(bench: OpenBench) -> None:
    async with bench() as at:
        for key, name in (("2", "setup"), ("3", "transcript"), ("1", "personas")):
            await at.press(key)
            assert pane(at) == name
        for name in ("setup", "transcript", "personas"):
            await at.press("tab")
            assert pane(at) == name
        await at.press("shift+tab")
        assert pane(at) == "transcript"


async def test_on_a_narrow_terminal_panes_are_tabs(bench: OpenBench) -> None:
    async with bench((80, 24)) as at:
        assert "Registered Nurse" in at.text()
        assert "Turn manager" not in at.text()
        await at.press("2")
        assert "Turn manager" in at.text()
        assert "Registered Nurse" not in at.text()
        await at.press("3")
        assert "Nobody has said anything yet" in at.text()
        await at.press("r")
        await at.until_state("finished")
        assert "A closed door helps" in at.text()


async def test_the_welcome_is_not_cut_on_a_small_terminal(bench: OpenBench) -> None:
    async with bench((60, 20)) as at:
        await at.press("3")
        lines = at.text().splitlines()
        first = next(n for n, line in enumerate(lines) if "run the discussion" in line)
        assert lines[first].index("run the") == lines[first + 1].index("Moderator")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_started_at_once_the_transcript_is_in_sight(
    bench: OpenBench, size: tuple[int, int]
) -> None:
    async with bench(size, start=True) as at:
        await at.until_state("finished")
        await at.until(lambda: at.app.focused is at.laboratory.transcript)
        assert "A closed door helps" in at.text()


async def test_the_help_names_every_action(bench: OpenBench) -> None:
    async with bench((120, 120)) as at:
        await at.press("question_mark")
        for action in ACTIONS:
            assert action.help in at.text(), action
        await at.press("escape")
        assert "In every pane" not in at.text()


async def test_every_action_that_applies_is_in_the_palette_once_with_its_key(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        listed = list(commands(at.app, at.laboratory))
        titles = [command.title for command in listed]
        assert len(titles) == len(set(titles))
        assert {"Run", "Batch", "Personas: edit", "Setup: open setup", "Theme"} <= set(titles)
        assert not {"Pause", "Turn lab", "Transcript: regenerate"} & set(titles)  # nothing is open
        assert {command.key for command in listed if command.title == "Batch"} == {"ctrl+r"}
        await at.press("s")
        await at.until_state("paused")
        titles = [command.title for command in commands(at.app, at.laboratory)]
        assert {"New", "Turn lab", "Transcript: regenerate", "Copy path"} <= set(titles)


@pytest.mark.parametrize(
    ("word", "title"),
    [("batch", "Batch"), ("same time", "Batch"), ("path of the", "Copy path"), ("find", "Library")],
)
async def test_the_palette_finds_words_of_descriptions(
    bench: OpenBench, word: str, title: str
) -> None:
    async with bench() as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("ctrl+p")
        await at.type(word)
        await at.until(lambda: title in at.text().split(word, 1)[-1])


async def test_a_click_on_a_key_presses_it(bench: OpenBench) -> None:
    async with bench() as at:
        keys = at.laboratory.query_one(TwoKeyLines)
        x = 2  # the padding
        for key in keys.rows(keys.content_size.width)[1]:
            if key.label == "library":
                break
            x += key.width + 2
        await at.pilot.click(keys, offset=(x + 1, 1))
        await at.until(lambda: isinstance(at.app.screen, LibraryScreen))


@pytest.mark.parametrize("size", SIZES)
async def test_the_key_line_shows_what_matters_most_and_always_the_way_out(
    bench: OpenBench, size: tuple[int, int]
) -> None:
    async with bench(size) as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("3")
        await at.until(lambda: at.app.focused is at.laboratory.transcript)
        near, others = at.laboratory.query_one(TwoKeyLines).rows(size[0] - 4)
        assert [key.label for key in near][:3] == ["X-ray", "regenerate", "alternatives"]
        assert [key.label for key in others][:2] == ["run", "step"]
        assert [key.label for key in others][-2:] == ["help", "quit"]


async def test_the_palette_runs_what_is_chosen(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+p")
        await at.type("step")
        await at.press("enter")
        await at.until_state("paused")


async def test_palette_actions_reach_their_pane(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+p")
        await at.type("personas: copy")
        await at.press("enter")
        await at.until(lambda: len(at.laboratory.personas_pane.selection.personas) == 12)


@pytest.mark.parametrize(
    ("opened_by", "left_by"),
    [
        (["v"], ["enter", "enter"]),
        (["f"], ["enter", "enter"]),
        (["ctrl+r"], ["enter", "enter"]),
        (["ctrl+o"], ["a", "s"]),
        (["ctrl+o"], ["a", "escape"]),
        (["ctrl+p"], ["down", "enter", "enter"]),
        (["o", "i", "x"], ["enter", "enter"]),
    ],
    ids=str,
)
async def test_a_key_pressed_twice_leaves_one_screen(
    bench: OpenBench, opened_by: list[str], left_by: list[str]
) -> None:
    async with bench() as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("3", *opened_by)
        *below, opened = at.app.screen_stack
        for key in left_by:  # all of them before the first is answered
            at.app.simulate_key(key)
        await at.until(lambda: opened not in at.app.screen_stack)
        await at.pilot.pause(0.2)
        assert at.app.screen_stack[: len(below)] == below


def test_every_screen_is_left_only_from_in_front() -> None:
    for module in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
        importlib.import_module(module.name)
    screens = [each for each in _below(Screen) if each.__module__.startswith(ui.__name__)]
    assert len(screens) > 20
    assert [each for each in screens if not issubclass(each, AppScreen)] == []


def _below(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield from (each, *_below(each))


@pytest.mark.parametrize("over_it", ["f1", "ctrl+o"])
async def test_the_palette_opens_over_what_is_open_over_the_palette(
    bench: OpenBench, over_it: str
) -> None:
    async with bench() as at:
        await at.press("ctrl+p", over_it, "ctrl+p")
        assert [type(each) for each in at.app.screen_stack].count(AppPalette) == 2
        await at.press("escape", "escape", "escape")
        await at.until(lambda: at.app.screen is at.laboratory)


async def test_keys_that_do_not_apply_are_not_shown(bench: OpenBench) -> None:
    async with bench(delay=0.02) as at:
        assert "pause" not in at.text()
        await at.press("r")
        await at.until(lambda: "▌" in at.text())
        assert "p pause" in at.text()
        assert "r run" not in at.text()


@pytest.mark.parametrize("theme", ["lamplight", "daylight", "high-contrast", "textual-light"])
async def test_themes_draw(bench: OpenBench, theme: str) -> None:
    async with bench(theme=theme) as at:
        await at.press("r")
        await at.until_state("finished")
        assert at.app.theme == theme


async def test_no_size_crashes(bench: OpenBench) -> None:
    async with bench(delay=0.01) as at:
        await at.press("r")
        await at.until(lambda: "▌" in at.text())
        for size in [(1, 1), (2, 30), (200, 2), (20, 5), (300, 100), (61, 19), (120, 40)]:
            await at.pilot.resize_terminal(*size)
            if size in TINY:
                await at.press("1", "2", "3")
        at.engine.delay = 0
        await at.until_state("finished")
        assert "A closed door helps" in at.text()
        assert "Registered N" in at.text()


async def test_foreign_text_is_neither_obeyed_nor_drawn_raw(bench: OpenBench) -> None:
    evil = "[/b][@click=app.quit]x[/] \x1b]0;title\x07\x1b[31mred\x9b2J\u202eabc [bold"
    async with bench(replies=(evil,)) as at:
        await at.press("r")
        await at.until_state("finished")
        text = at.text()
        assert "[@click=app.quit]" in text
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_the_start(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        assert at.text() == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_a_finished_discussion(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("3")
        assert at.text() == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", ["2", "e", "question_mark"])
async def test_picture_of_the_other_screens(
    bench: OpenBench, size: tuple[int, int], keys: str, snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await at.press(keys)
        assert at.text() == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", ["v", "slash", "ctrl+o", "ctrl+r"])
async def test_picture_of_what_opens_over_a_discussion(
    bench: OpenBench, size: tuple[int, int], keys: str, snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("3")
        await at.until(lambda: at.app.focused is at.laboratory.transcript)
        before = at.text()
        await at.press(keys)
        await at.until(lambda: at.text() != before)
        assert at.text() == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_the_reading_view(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    replies = ("# Why\n\nIt is *calm*:\n\n- no trains\n- no `noise`\n", "One line.")
    async with bench(size, replies=replies) as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("3", "z")
        await at.until(lambda: isinstance(at.app.screen, ReadingScreen))
        await at.until(lambda: "no trains" in at.text())
        assert at.text() == snapshot
