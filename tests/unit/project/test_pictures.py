"""The moving picture of the README."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.text import Text

from tests.pictures.animation import Frame, animated

MOVING = Path(__file__).parents[3] / "docs" / "pictures" / "demonstration.svg"


def screenshot(*lines: str) -> str:
    console = Console(record=True, width=20, file=io.StringIO())
    for line in lines:
        console.print(Text(line.ljust(20), style="white on #101010"))
    return console.export_svg()


def test_a_row_that_stays_is_drawn_once_and_one_that_changes_is_switched() -> None:
    first, second = screenshot("same", "one"), screenshot("same", "two")
    svg = animated([Frame(first, 1.0, "a"), Frame(second, 3.0, "a")])
    ElementTree.fromstring(svg)
    assert [svg.count(word) for word in ("same", "one", "two")] == [1, 1, 1]
    assert "4.00s" in svg
    assert "25.00%{visibility:hidden}" in svg
    assert "25.00%{visibility:visible}" in svg


def test_the_moving_picture_is_well_formed_and_small() -> None:
    assert MOVING.stat().st_size < 1_500_000  # bytes
    ElementTree.parse(MOVING)
