"""The list of rows: its keys, its ends, the mouse, and rows of several lines."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from syndisco_tui.tui.personas.list import PersonaList
from syndisco_tui.tui.setup.pane import SetupPane
from syndisco_tui.tui.widgets.row_list import RowList
from tests.support.bench import OpenBench


class Numbers(RowList):
    """Rows with a number; every tenth is two lines high and has a heading above it."""

    def __init__(self, count: int = 1000) -> None:
        super().__init__()
        self.count = count
        self.drawn: set[int] = set()

    @property
    def row_count(self) -> int:
        return self.count

    def row_height(self, index: int) -> int:
        return 1 if index % 10 else 2

    def lines_above(self, index: int) -> Sequence[Content]:
        return [] if index % 10 else [Content(f"heading {index}")]

    def draw_row(self, index: int, width: int, *, is_highlighted: bool) -> Sequence[Content]:
        self.drawn.add(index)
        return [Content(f"row {index}"), Content(f"more {index}")][: self.row_height(index)]

    def draw_empty(self) -> Content:
        return Content("nothing")


class Lists(App[None]):
    def __init__(self, count: int = 1000) -> None:
        super().__init__()
        self.rows = Numbers(count)

    def compose(self) -> ComposeResult:
        yield self.rows

    def on_mount(self) -> None:
        self.rows.update_rows()
        self.rows.focus()

    def text(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips]


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        ("down", 1),
        ("j j", 2),
        ("up", 0),
        ("end", 999),
        ("end down", 999),
        ("end up k", 997),
        ("end home", 0),
        ("pagedown", 6),
        ("pagedown pagedown pageup pageup", 0),
        ("end pagedown", 999),
    ],
)
async def test_keys_move_the_highlight_up_to_the_ends(keys: str, row: int) -> None:
    app = Lists()
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.pause()
        await pilot.press(*keys.split())
        await pilot.pause()
        assert app.rows.highlighted_row == row
        assert any(f"row {row}" in line for line in app.text()), "it is in sight"


async def test_only_rows_in_sight_are_drawn() -> None:
    app = Lists()
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.pause()
        assert app.text()[:4] == ["heading 0", "row 0", "more 0", "row 1"]
        await pilot.press("end", "home")
        assert len(app.rows.drawn) < 40


async def test_a_click_highlights_and_a_double_click_selects() -> None:
    app = Lists()
    selected: list[int] = []
    async with app.run_test(size=(20, 10)) as pilot:
        app.rows.post_message = _noting(app.rows, selected)  # type: ignore[method-assign]
        await pilot.click(Numbers, offset=(3, 4))
        assert app.rows.highlighted_row == 2
        await pilot.click(Numbers, offset=(3, 0))
        assert app.rows.highlighted_row == 0, "a heading belongs to the row below it"
        assert not selected
        await pilot.click(Numbers, offset=(3, 5), times=2)
        assert selected == [3]


def _noting(rows: RowList, selected: list[int]):  # type: ignore[no-untyped-def]
    post = rows.post_message

    def post_message(message: object) -> bool:
        if isinstance(message, RowList.Selected):
            selected.append(rows.highlighted_row)
        return post(message)  # type: ignore[arg-type]

    return post_message


async def test_an_empty_list_says_so_and_obeys_all_keys() -> None:
    app = Lists(0)
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.press("down", "up", "pagedown", "pageup", "home", "end")
        assert app.text()[0] == "nothing"
        app.rows.count = 3
        app.rows.update_rows()
        await pilot.pause()
        assert app.text()[1] == "row 0"


async def test_personas_setup_and_settings_have_the_same_keys_and_ends(bench: OpenBench) -> None:
    async with bench((120, 40)) as at:
        for opened in ("1", "2", "comma"):
            await at.press(opened)
            rows = at.app.focused
            assert isinstance(rows, RowList)
            await at.press("end", "down")
            assert rows.highlighted_row == rows.row_count - 1
            await at.press("home", "up", "j", "k", "j")
            assert rows.highlighted_row == 1
            await at.press("pagedown", "pageup", "home")
            assert rows.highlighted_row == 0
        assert isinstance(at.laboratory.personas_pane.list, PersonaList)
        assert isinstance(at.laboratory.setup_pane, SetupPane)
