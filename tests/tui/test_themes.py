"""Themes: the shipped ones, the user's own, and the choice that is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndisco_tui import paths
from syndisco_tui.inputs import InputError
from syndisco_tui.settings import keep_setting, load_settings
from syndisco_tui.ui.themes import read_theme, read_themes

from .conftest import OpenBench


def test_a_dark_a_light_and_a_high_contrast_theme_are_shipped() -> None:
    themes, faults = read_themes(paths.shipped_themes_folder())
    assert not faults
    assert {theme.name: theme.dark for theme in themes} == {
        "lamplight": True,
        "daylight": False,
        "high-contrast": True,
    }


def test_a_user_s_theme_is_found_and_takes_the_place_of_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "lamplight.toml").write_text('primary = "red"\n')
    themes, faults = read_themes(paths.shipped_themes_folder(), tmp_path)
    assert not faults
    (mine,) = [theme for theme in themes if theme.name == "lamplight"]
    assert mine.primary == "red"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('primary = "redd"\n', "primary: 'redd' is no colour"),
        ("dark = true\n", "primary is missing"),
        ('primary = "red"\nprimery = "blue"\n', "did you mean “primary”"),
        ("primary = \n", "not valid TOML"),
        ('primary = "red"\nvariables = 3\n', "variables must be a table"),
    ],
)
def test_a_faulty_theme_is_named_and_the_others_stay(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence) as caught:
        read_theme(path)
    assert str(path) in str(caught.value)
    themes, faults = read_themes(paths.shipped_themes_folder(), tmp_path)
    assert len(themes) == 3
    assert len(faults) == 1


async def test_a_chosen_theme_is_kept_for_the_next_start(bench: OpenBench, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    async with bench() as at:
        at.app._keep_theme = lambda name: keep_setting(file, "theme", name)
        at.app.theme = "daylight"
        await at.until(file.exists)
    assert load_settings(file, {}, {}).theme == "daylight"


async def test_an_unknown_theme_is_said_and_the_default_used(bench: OpenBench) -> None:
    async with bench(theme="no-such-theme") as at:
        assert at.app.theme == "lamplight"
        assert "no-such-theme" in at.toasts()
