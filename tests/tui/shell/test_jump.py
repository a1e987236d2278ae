"""Jump mode: a letter on every place, and its key goes there."""

from __future__ import annotations

import pytest

from syndisco_tui.tui.shell.jump import LETTERS, JumpScreen
from tests.support.bench import Bench, OpenBench


def letter_of(at: Bench, label: str) -> str:
    """The letter that stands in front of ``label``."""
    line = next(line for line in at.text().splitlines() if f" {label} " in f"{line} ")
    return line[: line.index(label)].split()[-1]


async def test_a_letter_goes_to_a_row_of_the_setup(bench: OpenBench) -> None:
    async with bench((120, 50)) as at:
        await at.press("ctrl+o")
        await at.press(letter_of(at, "Temperature"))
        await at.until(lambda: at.app.focused is at.laboratory.setup_pane)
        assert at.laboratory.setup_pane.field.key == "temperature"
        assert at.app.screen is at.laboratory


async def test_every_pane_has_a_letter(bench: OpenBench) -> None:
    async with bench((120, 80)) as at:  # all rows of the setup are in sight
        letters = LETTERS[: 2 + at.laboratory.setup_pane.row_count]
        await at.press("ctrl+o", letters[-1])
        await at.until(lambda: at.app.focused is at.laboratory.transcript)
        await at.press("ctrl+o", letters[0])
        await at.until(lambda: at.app.focused is at.laboratory.personas_pane.list)


@pytest.mark.parametrize("keys", [["escape"], ["ctrl+o"], ["0", "escape"], ["f7", "escape"]])
async def test_leaving_changes_nothing(bench: OpenBench, keys: list[str]) -> None:
    async with bench() as at:
        await at.press("2", "ctrl+o")
        assert isinstance(at.app.screen, JumpScreen)
        await at.press(*keys)
        assert at.app.screen is at.laboratory
        assert at.app.focused is at.laboratory.setup_pane


async def test_it_works_over_a_form(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("e", "ctrl+o", LETTERS[1])
        await at.until(lambda: getattr(at.app.focused, "id", "") == "field-age")


async def test_a_resized_terminal_ends_it(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+o")
        await at.pilot.resize_terminal(80, 24)
        await at.until(lambda: at.app.screen is at.laboratory)


async def test_only_what_is_in_sight_has_a_letter(bench: OpenBench) -> None:
    async with bench((60, 20)) as at:
        await at.press("ctrl+o")
        assert isinstance(at.app.screen, JumpScreen)
        assert len(at.app.screen._places) == 1
